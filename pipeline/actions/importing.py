"""Bringing a programme of another maker into the catalogue, and telling what came of each event."""

import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.actions.additions import NewEvent, NewText, cut
from pipeline.actions.given_back import give_back
from pipeline.actions.project import Project, read_ledger, read_with
from pipeline.actions.shelf import Pile, Shelf, ShelvedText, shelved
from pipeline.actions.verdict_memory import stands
from pipeline.catalogue.crowds import MOST_TABLES
from pipeline.catalogue.load import Loaded
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.texts import in_brief
from pipeline.catalogue.unread import read_file
from pipeline.errors import N_, CatalogueError, FileError, Problem, reason_of
from pipeline.files import alone_in, read_utf8, utf8_lines_if_there, write_whole
from pipeline.guids import guid_of
from pipeline.importing import memory
from pipeline.importing.fitting import PROSE, TEXTS, Fitted, Tongue, fitted
from pipeline.importing.found import LARGEST, Found, Manner, Reading, Spot
from pipeline.importing.merging import Existing, Outcome, Verdict, outcomes
from pipeline.importing.reading import read
from pipeline.importing.shaping import Say, table_of, to_be_announced
from pipeline.importing.sound import made_sound
from pipeline.importing.updating import rewritten
from pipeline.importing.venues import Venues
from pipeline.importing.writing import organisation_text, venue_text
from pipeline.ledger import first_uid

_TOLD = frozenset({Verdict.NEW, Verdict.LINKED, Verdict.UPDATED})
"""Of what was imported before, what was not carried over has been told then."""
MOST_AT_ONCE = 20_000
"""New events of one import into an empty catalogue: until all are judged, each takes the memory of two that stand."""
_SHORTER = N_("export a shorter span of time")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How an import is to go about."""

    columns: Mapping[str, str]
    order: str = ""
    update: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or under `dry_run` would do."""

    outcomes: Pile[Outcome]
    lost: Pile[Problem]
    venues: tuple[str, ...] = ()
    """The ids of new places."""
    by_hand: frozenset[str] = frozenset()
    """Events whose change could not be written into the file without touching more than it."""
    existing: Loaded | None = field(default=None, repr=False)
    """The catalogue into which it came where it refuses files of groups; these were left as they are."""


def import_file(
    project: Project, file: Path, options: ImportOptions, say: Say, public: Callable[[str], Say]
) -> Imported:
    """Reads a file and joins its events to the catalogue; a problem anywhere changes nothing.

    `say` translates for the organisers; `public` gives the translation into a language of the series.
    """
    with alone_in(project.folder):
        # One after the other, so that no two of the long files are held at once.
        joining = _Joining(project, say, public)
        decided = joining.join(
            read(file.name, _bytes_of(file), _manner(joining.catalogue, options)), file.name, options
        )
        # What it was decided by takes much memory, and so does judging what comes of it.
        del joining
        give_back()
        _carry_out(project, decided, dry_run=options.dry_run)
        return decided.imported


def _bytes_of(file: Path) -> bytes:
    spot = Spot(file.name)
    try:
        with file.open("rb") as opened:
            # A device may never end; of a file no more room is asked for than it takes.
            found = os.fstat(opened.fileno())
            return opened.read(min(found.st_size, LARGEST) + 1 if stat.S_ISREG(found.st_mode) else LARGEST + 1)
    except FileNotFoundError:
        raise CatalogueError([spot.problem(N_("there is no such file"))]) from None
    except OSError as error:
        raise CatalogueError([spot.problem("this can't be read: {what}", what=reason_of(error))]) from None


def _manner(catalogue: Catalogue, options: ImportOptions) -> Manner:
    return Manner(catalogue.series.timezone, catalogue.site.base, options.order, options.columns)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What an import comes to: what is told of it, and what is to be written; None is as it was."""

    imported: Imported
    text: NewText | None
    memory: ShelvedText | None


class _Joining:
    """One reading on its way into one catalogue."""

    def __init__(self, project: Project, say: Say, public: Callable[[str], Say]) -> None:
        self._project = project
        self._shelf = shelf = Shelf()
        text = read_utf8(project.catalogue, project.catalogue.name)
        loaded = read_with(project, text, hold=shelf.hold)
        self.catalogue = catalogue = loaded.catalogue
        # No more is asked of it, and places would need all files in full.
        self._refusing = Loaded(catalogue, refused=loaded.refused) if loaded.refused else None
        self._tables, texts = cut(text)
        """Without its events."""
        self._stored = [shelf.hold(piece) for piece in texts]
        del text, texts, loaded
        give_back()
        memory_file = project.catalogue.with_name(memory.FILE)
        self._remembered = memory.read(utf8_lines_if_there(memory_file, memory.FILE), memory.FILE, shelf.put)
        self._ledger = read_ledger(project)
        self._say = say
        self._public = public(catalogue.series.default_language)
        self._tongue = Tongue(catalogue.languages[0], catalogue.languages)
        self._venues = Venues(catalogue.venues, self._tongue)
        self._lost: list[Problem] = []

    def join(self, reading: Reading, source: str, options: ImportOptions) -> _Decided:
        """Decides what becomes of each event."""
        decided = self._outcomes(reading, source, options)
        new = self._new_events(decided, source)
        if self._refusing is None:
            # What is left to do asks for none of its events, and they take most of the memory.
            self.catalogue = self.catalogue.altered(events=())
            give_back()
        by_hand, rewrites = self._rewritten(decided)
        text = self._with_new(new, reading.organisations, source, rewrites=rewrites)
        told = (outcome.fitted.lost for outcome in decided if outcome.verdict in _TOLD)
        lost = Pile(chain(reading.lost, self._lost, chain.from_iterable(told)))
        imported = Imported(decided, lost, tuple(self._venues.new), frozenset(by_hand), self._refusing)
        return _Decided(imported, text, self._memory(decided, by_hand))

    def _outcomes(self, reading: Reading, source: str, options: ImportOptions) -> Pile[Outcome]:
        uids = self._uids()
        ours = {**uids, **{str(guid_of(uid)): event for uid, event in uids.items()}}
        existing = Existing(self.catalogue, self._remembered, ours, _single_times(uids), frozenset(self._ledger.events))
        events = Pile(fitted(found, self._tongue) for found in _no_crowd(reading.events, source))
        return Pile(outcomes(events, existing, update=options.update))

    def _rewritten(self, decided: Pile[Outcome]) -> tuple[set[str], bool]:
        """Changes the text; the events that must be changed by hand, and whether any other was changed."""
        by_hand = {outcome.event for outcome in decided if outcome.clashes}
        updates = {
            outcome.event: number
            for number, outcome in enumerate(decided)
            if outcome.verdict is Verdict.UPDATED and not outcome.clashes
        }
        if not updates:
            return by_hand, False
        shelf, written = Shelf(), list[ShelvedText]()

        def keys(event: str, row: Mapping[str, Any]) -> Mapping[str, Any]:
            return self._keys(decided[updates[event]], row)

        pieces = (piece.encoded for piece in self._stored)
        unsafe = rewritten(pieces, updates, keys, lambda piece: written.append(shelf.hold(piece)))
        if rewrites := len(unsafe) < len(updates):
            self._stored = written
        return by_hand | unsafe, rewrites

    def _memory(self, decided: Pile[Outcome], by_hand: Collection[str]) -> ShelvedText | None:
        """What to remember; None where that is as it was."""
        put = self._shelf.put
        taken = [
            (replace(outcome.record, facts=put(outcome.record.facts)), outcome.moved_from)
            for outcome in decided
            if outcome.record is not None and outcome.event not in by_hand
        ]
        if not taken:
            return None
        kept = self._remembered.without(moved_from for _, moved_from in taken)
        return shelved(memory.lines(kept.with_all(record for record, _ in taken)))

    def _uids(self) -> dict[str, str]:
        """Event ids by their UIDs, those of events that were never published too."""
        told = self._ledger.by_event
        new = (event.id for event in self.catalogue.events if event.id not in told)
        uids = {first_uid(self.catalogue, event): event for event in new}
        return {line.uid: line.event for line in self._ledger.lines} | uids

    # ---------------------------------------------------------------------------------------- new events

    def _new_events(self, decided: Pile[Outcome], source: str) -> list[ShelvedText]:
        """The tables of new events."""
        number = sum(outcome.verdict is Verdict.NEW for outcome in decided)
        _refuse_crowd(number, MOST_AT_ONCE - len(self.catalogue.events) // 2, source)
        new = [self._new(outcome) for outcome in decided if outcome.verdict is Verdict.NEW]
        spots, places = [event.spot for event in new], list(self._venues.new.values())
        self._lost += made_sound(self.catalogue, [event.row for event in new], places, spots, self._tongue)
        return [self._shelf.hold(event.text) for event in new]

    def _with_new(
        self, new: list[ShelvedText], organisations: Iterable[Mapping[str, Any]], source: str, *, rewrites: bool
    ) -> NewText | None:
        """The text with the new events, places and organisations after it; None where it says nothing new."""
        venues = self._venues.new.values()
        known = self.catalogue.organisation_by_name
        others = [
            self._simple(row) for row in organisations if isinstance(row.get("name"), str) and row["name"] not in known
        ]
        others = others if new else []
        if new or venues or others:
            self._refuse_lists()
        elif not rewrites:
            return None
        remark = self._say(N_("Imported from {file}")).format(file=_one_line(source))
        above = chain(map(venue_text, venues), map(organisation_text, others))
        return NewText(self._stored, [*map(self._shelf.hold, above), *new], remark)

    def _new(self, outcome: Outcome) -> NewEvent:
        row = self._table(outcome.fitted, outcome.event)
        prose = self._shelf.put({key: row[key] for key in row if key in PROSE})
        return NewEvent({**row, **dict.fromkeys(prose, in_brief(""))}, prose, outcome.fitted.found.spot)

    def _table(self, event: Fitted, name: str) -> dict[str, Any]:
        table = {"id": name, **table_of(event, self._tongue, self._zone, self._defaults, self._say, self._public)}
        if place := event.facts.get("venue"):
            table["venue"], lost = self._venues.id_of(place, event.found.spot)
            self._lost += lost
        elif (
            "venue" in self._defaults and "venue" not in table.get("tba", ()) and ("online" in table or place is False)
        ):
            table["venue"] = False
        if "image" in table and not stands(self._project.folder, self._project.templates, table["image"]):
            why = N_("an image is a file beside the catalogue")
            picture = [key for key in ("image", "image_alt") if key in table]
            self._lost += [event.found.spot.lost(key, table.pop(key), why) for key in picture]
        return table

    @property
    def _zone(self) -> str:
        return self.catalogue.series.timezone

    @property
    def _defaults(self) -> dict[str, Any]:
        """What an event inherits that doesn't say it itself."""
        series = self.catalogue.series
        return {**({"venue": series.venue} if series.venue else {}), **self._tables.get("defaults", {})}

    def _simple(self, organisation: Mapping[str, Any]) -> dict[str, Any]:
        default = self._tongue.default
        return {
            key: value[default] if isinstance(value, Mapping) and set(value) == {default} else value
            for key, value in organisation.items()
            if key in {"name", "kind", "url", "about"}
        }

    def _refuse_lists(self) -> None:
        """Tables can't be added to a list that is written between brackets."""
        problems = [
            Problem(self._project.catalogue.name, 0, key,
                    N_("`{key}` is a list between brackets: nothing can be added to it"),
                    N_("write each one under [[{key}]]"), {"key": key})
            for key in ("event", "venue", "organisation")
            if isinstance(self._tables.get(key), list) and not self._is_extended(key)
        ]  # fmt: skip
        if problems:
            raise CatalogueError(problems)

    def _is_extended(self, key: str) -> bool:
        """Whether a table can be added to a list: only what stands before all such tables can forbid it."""
        first, *others = self._stored
        for texts in ([first], [first, *others]):
            with suppress(ValueError):
                read_file(b"%s\n[[%s]]\n" % (b"".join(text.encoded for text in texts), key.encode()))
                return True
        return False

    # ---------------------------------------------------------------------------------------- changed events

    def _keys(self, outcome: Outcome, row: Mapping[str, Any]) -> dict[str, Any]:
        """The keys to write anew for an event that is updated."""
        table = self._table(outcome.fitted, outcome.event)
        changed = {change.key for change in outcome.changes}
        keys: dict[str, Any] = {key: self._in_all_languages(key, table.get(key), row.get(key)) for key in changed}
        if "end_time" in changed or "duration" in changed:
            keys |= {key: table.get(key) for key in ("end_time", "end_date", "duration")}
        if "notice" in table and "notice" not in row:
            keys["notice"] = table["notice"]
        after = {key: value for key, value in {**row, **keys}.items() if value is not None}
        known = {*after, *(("time",) if after.get("all_day") else ())}
        later = [name for name in row.get("tba", []) if name not in known]
        tba = list(dict.fromkeys([*later, *to_be_announced(after)]))
        if tba != row.get("tba", []):
            keys["tba"] = tba or None
        if "weekday" in row and "date" in changed:
            keys["weekday"] = None
        return keys

    def _in_all_languages(self, key: str, value: Any, typed: Any) -> Any:
        """A text of the source with the translations of it that the organisers typed."""
        if key not in TEXTS or value is None or not isinstance(typed, Mapping):
            return value
        return {**typed, **(value if isinstance(value, Mapping) else {self._tongue.default: value})}

    # ---------------------------------------------------------------------------------------- writing


def _carry_out(project: Project, decided: _Decided, *, dry_run: bool) -> None:
    """Judges the new text, and writes unless it is a dry run."""
    whole = None
    if decided.text is not None:
        _refuse_what_breaks(project, decided.text, decided.imported.existing)
        whole = shelved(chain((_beginning(project.catalogue),), decided.text.pieces()))
    if not dry_run:
        # The catalogue first: killed in between, the next import knows the events by their look.
        if whole is not None:
            _write(project.catalogue, whole)
        if decided.memory is not None:
            _write(project.catalogue.with_name(memory.FILE), decided.memory)


def _refuse_what_breaks(project: Project, text: NewText, existing: Loaded | None) -> None:
    """CatalogueError where the catalogue with that text has a mistake that it didn't have before."""
    known = {one.file for one in existing.refused} if existing else set()
    if _what_breaks(project, text, known, brief=True) and (broken := _what_breaks(project, text, known, brief=False)):
        # Its lines are those of the text in full.
        raise CatalogueError(broken)


def _what_breaks(project: Project, text: NewText, known: Collection[str], *, brief: bool) -> list[Problem]:
    """What is wrong with a catalogue but for its files that are `known` for that."""
    try:
        judged = read_with(project, shelved(text.pieces(brief=brief)).encoded, hold=in_brief)
    except CatalogueError as error:
        return list(error.problems)
    return [problem for one in judged.refused if one.file not in known for problem in one.problems]


def _beginning(file: Path) -> bytes:
    with file.open("rb") as opened:
        return BOM if opened.read(len(BOM)) == BOM else b""


def _write(file: Path, text: ShelvedText) -> None:
    try:
        write_whole(file, text.pieces, durable=True)
    except OSError as error:
        raise FileError("{file} can't be written: {reason}", file=error.filename, reason=reason_of(error)) from error


def _no_crowd(events: Iterable[Found], source: str) -> Iterator[Found]:
    """The events; CatalogueError as soon as there are more than a catalogue may hold."""
    for number, event in enumerate(events):
        if number == MOST_TABLES:
            message, hint = N_("there are more than {most} events in the file"), _SHORTER
            raise CatalogueError([Spot(source, event.spot.line).problem(message, hint, most=MOST_TABLES)])
        yield event


def _refuse_crowd(number: int, most: int, source: str) -> None:
    """CatalogueError where so many new events are more than there is memory for."""
    if number > most:
        message = N_("there are more than {most} new events in the file")
        raise CatalogueError([Problem(source, 0, "", message, _SHORTER, {"most": most})])


def _single_times(uids: Mapping[str, str]) -> Callable[[Found], str | None]:
    """Which of our recurring events a `schedule.xml` of ours tells a time of, under an id that ends in its date."""
    uid_of = {event: uid for uid, event in uids.items()}

    def recurring(found: Found) -> str | None:
        event, name = found.wanted_id[:-11], found.wanted_id[-10:]
        guid = str(guid_of(f"{uid_of[event]}/{name}")) if event in uid_of else ""
        return event if guid and found.uid.endswith(f":{guid}") else None

    return recurring


def _one_line(name: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in name)
