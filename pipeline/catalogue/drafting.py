"""The tables of all files of a catalogue put together, what each event inherits, and where each value stands."""

import hashlib
import importlib
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import starmap
from types import ModuleType
from typing import Any, NamedTuple

from pydantic import ValidationError

from pipeline.catalogue.crowds import MOST_IN_ONE, crowded
from pipeline.catalogue.findings import Finding
from pipeline.catalogue.inheritable import inherit
from pipeline.catalogue.memory import KnownRow, Memory
from pipeline.catalogue.models import RESERVED, Catalogue, Event
from pipeline.catalogue.places import Path, Places, dotted, seek_all
from pipeline.catalogue.refusals import MOST_MISTAKES, findings_of, no_more
from pipeline.catalogue.refused import Refused, group_id_in, group_id_of, opens_a_group
from pipeline.catalogue.syntax import beyond_limits, refusal
from pipeline.catalogue.texts import HOLD, Hold, packed
from pipeline.catalogue.toml import decoded, read_piece
from pipeline.catalogue.unread import UnreadRow, read_file, shortened, whole, wrong_part
from pipeline.errors import CatalogueError, Problem, Severity

LISTS = ("venue", "organisation", "event", "reminder", "newsletter")
INCLUDED_KEYS = frozenset({"format", "group", "venue", "organisation", "event", "defaults"})
EMPTY: Mapping[str, Any] = {}
MAY_BE_INHERITED = (
    frozenset(info.alias or name for name, info in Event.model_fields.items()) - RESERVED - {"id", "number"}
)
"""The keys of `[defaults]`."""

Included = Callable[[str], Sequence["Source"]]


@dataclass(frozen=True)
class Source:
    """One TOML file: its name as messages show it, and its text, or the UTF-8 of it (a BOM already taken off).

    `unreadable` is why its bytes are no text; `text` is then what can be guessed of it.
    """

    name: str
    text: str | bytes
    unreadable: Problem | None = None

    @cached_property
    def places(self) -> Places:
        """Where its keys stand; walked only when there is something to report."""
        return Places(self.text)


class Stretch(NamedTuple):
    """Rows of a merged list that stand one after the other in one file: the number of the first, and their defaults."""

    first: int
    source: Source
    defaults: Mapping[str, Any]


class Draft:
    """The merged tables of all files while they are being put together, and where each came from."""

    def __init__(self, memory: Memory | None = None, hold: Hold = packed) -> None:
        """`hold` holds the prose of events."""
        self.hold = hold
        self.tables: dict[str, Any] = {}
        self.stretches: dict[str, list[Stretch]] = {}
        """For each list of rows, and for groups and defaults, where they come from, in their order."""
        self.given: list[frozenset[str]] = []
        """The keys that each event says itself."""
        self.all_defaults: list[Mapping[str, Any]] = []
        """Each `[defaults]` of the files, less what can't be one."""
        self.problems: list[Problem] = []
        self.main = Source("events.toml", "")
        self.group_files: dict[str, str | None] = {}
        """The files that open with `[group]`, and the ids of their groups where these can be read."""
        self.memory = memory
        """Where files are read block by block: what is known of their events."""
        self._shapes: dict[frozenset[str], frozenset[str]] = {}
        self._said: list[object] = []
        """All that the files say besides their events."""
        self._digests: list[str | None] = []
        """The digest of each event's block, None where it shares it with something else."""
        self._digests_to_come: list[str | None] = []

    # ------------------------------------------------------------------------------------ gathering

    def take_main(self, main: Source, included: Included, left_out: Collection[str] = ()) -> None:
        """Takes the main file and all that it includes but for the files of these names."""
        self.main = main
        if (raw := self._parse(main)) is None:
            return
        self.tables = {
            f"{key} " if key == "kept" else key: value
            for key, value in raw.items()
            if key not in (*LISTS, "defaults", "group")
        }
        if "group" in raw:
            self._complain(main, ("group",), "`[group]` opens an included file, not the main one", "move it there")
        self._take_lists(main, raw)
        for source in self._sources(raw.get("include", []), included):
            if source.name not in left_out:
                self._take_included(source)

    def _sources(self, patterns: object, included: Included) -> Iterable[Source]:
        """The included files in the order of the patterns, each once."""
        found: dict[str, Source] = {}
        for pattern in patterns if isinstance(patterns, list) else []:
            try:
                sources = included(pattern) if isinstance(pattern, str) else ()
            except CatalogueError as error:
                self.problems += error.problems
                continue
            for source in sources:
                found.setdefault(source.name, source)
        return found.values()

    def _take_included(self, source: Source) -> None:
        if (raw := self._parse(source)) is None:
            text = decoded(wrong_part(source.text))
            if opens_a_group(text):
                self.group_files[source.name] = group_id_in(text)
            return
        strange = raw.keys() - INCLUDED_KEYS
        self._complain_of_keys(source, (), strange, "`{key}` belongs into the main file", "move it there")
        if "group" in raw:
            self._take_group(source, raw)
        self._take_lists(source, raw, group_id_of(raw))

    def _take_group(self, source: Source, raw: Mapping[str, Any]) -> None:
        self.group_files[source.name] = group_id_of(raw)
        if not isinstance(raw["group"], dict):
            self._complain(source, ("group",), "`group` is a table", "write [group] on a line of its own")
            return
        groups = self.tables.setdefault("group", [])
        self._note("group", len(groups), source)
        groups.append(raw["group"])

    def _take_lists(self, source: Source, raw: Mapping[str, Any], group: object = None) -> None:
        defaults = raw.get("defaults", {})
        if not isinstance(defaults, dict):
            self._complain(source, ("defaults",), "`defaults` is a table", "write [defaults] on a line of its own")
            defaults = {}
        strange = defaults.keys() - MAY_BE_INHERITED
        self._complain_of_keys(source, ("defaults",), strange, "`{key}` can't be a default", "delete it")
        if defaults:
            self._note("defaults", len(self.all_defaults), source)
            self.all_defaults.append({key: defaults[key] for key in defaults.keys() & MAY_BE_INHERITED})
        for name in LISTS:
            rows = raw.get(name, [])
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                self._complain(source, (name,), "`{name}` is a list of tables", "write [[{name}]]", name=name)
                continue
            merged = self.tables.setdefault(name, [])
            if rows:
                self._note(name, len(merged), source, defaults)
            if name == "event":
                self.given += map(self._keys_of, rows)
                self._digests += self._digests_to_come or [None] * len(rows)
                rows = [self._of_group(row, group) for row in rows] if group else rows
            merged += rows
        if "reminder" not in raw and not self.tables.get("reminder"):
            self.tables.pop("reminder", None)

    @staticmethod
    def _of_group(row: dict[str, Any], group: object) -> dict[str, Any]:
        if isinstance(row, UnreadRow):
            row.group = group
        return row if isinstance(row, KnownRow | UnreadRow) else {**row, "$group": group}

    def _note(self, name: str, first: int, source: Source, defaults: Mapping[str, Any] = EMPTY) -> None:
        self.stretches.setdefault(name, []).append(Stretch(first, source, defaults))

    def _keys_of(self, row: Mapping[str, Any]) -> frozenset[str]:
        """The keys of a row; rows with the same keys share them."""
        keys = frozenset(row)
        return self._shapes.setdefault(keys, keys)

    def _parse(self, source: Source) -> dict[str, Any] | None:
        self._digests_to_come = []
        if (raw := self._read(source)) is None or self._complains_of_crowds(source, raw):
            return None
        if self.memory is not None:
            self._said.append((source.name, {key: value for key, value in raw.items() if key != "event"}))
        return raw

    def _read(self, source: Source) -> dict[str, Any] | None:
        if source.unreadable is not None:
            self.problems.append(source.unreadable)
            return None
        if self.memory is not None and isinstance(source.text, bytes):
            read = _remembering().read_by_blocks(source.name, source.text, self.memory.known)
            if read is not None:
                values: dict[str, Any]
                values, self._digests_to_come = read
                return values
        if (beyond := beyond_limits(source.name, source.text)) is not None:
            self.problems.append(beyond)
            return None
        try:
            return read_file(source.text)
        except ValueError as error:
            self.problems.append(refusal(source.name, decoded(wrong_part(source.text)), error))
        except RecursionError:
            self.problems.append(
                Problem(source.name, 1, "", "brackets are nested too deep", "a catalogue needs four levels")
            )
        return None

    def _complains_of_crowds(self, source: Source, raw: dict[str, Any]) -> bool:
        found = list(crowded(raw))
        for path, message in found:
            self._complain(source, path, message, "{limit} at most", limit=MOST_IN_ONE)
        return bool(found)

    def _complain(self, source: Source, path: Path, message: str, hint: str, **values: object) -> None:
        place = source.places.of(path)
        text = source.places.line(place.line)
        self.problems.append(
            Problem(source.name, place.line, dotted(path), message, hint, values, column=place.column, text=text)
        )

    def _complain_of_keys(self, source: Source, table: Path, keys: Collection[str], message: str, hint: str) -> None:
        if keys:
            source.places.seek((*table, key) for key in keys)
        for key in keys:
            self._complain(source, (*table, key), message, hint, key=key)

    # -------------------------------------------------------------------------------------- filling

    @property
    def context(self) -> dict[str, Any]:
        """What the text types need to know of the series."""
        series = self.tables.get("series")
        series = series if isinstance(series, dict) else {}
        default = series.get("default_language")
        default = default if isinstance(default, str) else "und"
        languages = series.get("languages", [])
        if not isinstance(languages, list):
            # Nobody can tell yet which ones are meant.
            return {"default_language": default, "languages": ()}
        known = [name for name in languages if isinstance(name, str)]
        return {"default_language": default, "languages": tuple(dict.fromkeys((default, *known)))}

    def judge(self, context: Mapping[str, Any]) -> tuple[Catalogue | None, tuple[Finding, ...]]:
        """The catalogue, None where a part of it was refused; and what was refused."""
        wrong_events = no_more(self._judge_events(context))
        if len(wrong_events) > MOST_MISTAKES:
            return None, wrong_events
        sound = [row for row in self.tables["event"] if isinstance(row, Event)]
        try:
            catalogue = Catalogue.model_validate({**self.tables, "event": sound}, context=context)
        except ValidationError as error:
            # Where an event inherits what is wrong, it is told of the table that says it.
            return None, (*no_more(findings_of(error)), *wrong_events)
        return (None if wrong_events else catalogue), wrong_events

    def _judge_events(self, context: Mapping[str, Any]) -> Iterator[Finding]:
        """Puts what each event inherits into it, and what is right in the place of its row; tells what is wrong.

        A row is let go as soon as it was judged: it holds each text of the event once more.
        """
        series = self.tables.get("series")
        inherited = {
            into: series[key]
            for key, into in (("timezone", "timezone"), ("venue", "venue"), ("default_duration", "estimated_duration"))
            if isinstance(series, dict) and key in series
        }
        rows: list[Any] = self.tables.setdefault("event", [])
        context = {**context, HOLD: self.hold}
        if self.memory is not None:
            self._recall_events(rows, inherited, context)
        unknown = [number for number, row in enumerate(rows) if isinstance(row, dict)]
        for number, row in zip(unknown, whole(rows[number] for number in unknown), strict=True):
            row = inherit(row, self._stretch("event", number).defaults, inherited)
            try:
                rows[number] = Event.model_validate(row, context=context)
            except ValidationError as error:
                rows[number] = shortened(row)
                yield from findings_of(error, ("event", number))

    def _recall_events(self, rows: list[Any], inherited: Mapping[str, Any], context: Mapping[str, Any]) -> None:
        """Puts the events that are known in the places of their rows."""
        stretches = self.stretches.get("event", ())
        ends = (*(stretch.first for stretch in stretches[1:]), len(rows))
        for stretch, end in zip(stretches, ends, strict=False):  # there may be none at all
            known = {number: rows[number] for number in range(stretch.first, end) if type(rows[number]) is KnownRow}
            group = self.group_files.get(stretch.source.name)
            read = partial(_read_event, stretch, group, inherited, context)
            for number, event in zip(known, _remembering().known_events(known.values(), read), strict=True):
                rows[number] = event

    @property
    def head(self) -> str:
        """A digest of all that the files say besides their events: what these are judged by."""
        return hashlib.blake2b(repr(self._said).encode(errors="surrogatepass"), digest_size=16).hexdigest()

    @property
    def blocks(self) -> dict[str, str]:
        """The digest of each sound event's block, by its id, where it has one of its own."""
        pairs = zip(self.tables.get("event", ()), self._digests, strict=True)
        return {event.id: digest for event, digest in pairs if digest is not None}

    # ------------------------------------------------------------------------------------ reporting

    def of_groups(self, problems: Iterable[Problem]) -> dict[str, Refused]:
        """The problems in files of groups, by file."""
        found: dict[str, list[Problem]] = {}
        for problem in problems:
            if problem.file in self.group_files:
                found.setdefault(problem.file, []).append(problem)
        return {file: Refused(file, self.group_files[file], tuple(items)) for file, items in found.items()}

    def is_its_own(self, finding: Finding) -> bool:
        """Whether a finding is about what stands in the files, and not about what stands in for a refused one."""
        rows = self.tables.get(str(finding.path[0])) if len(finding.path) > 1 else None
        number = finding.path[1] if len(finding.path) > 1 else 0
        return rows is None or not isinstance(number, int) or number < len(rows)

    def report(self, findings: Iterable[Finding]) -> tuple[Problem, ...]:
        """The findings as problems with their places, each once, in the order of the files."""
        problems: list[Problem] = []
        seen: set[tuple[object, ...]] = set()
        placed = [(finding, *self._origin(finding.path)) for finding in findings]
        seek_all((source.places, path) for _, source, path in placed)
        for problem in starmap(self._problem, placed):
            place = (problem.file, problem.line, problem.column)
            # Branches of one choice are refused one by one; what many events inherit is wrong in one place only.
            same = {(*place, problem.key), (*place, problem.what())} if problem.severity is Severity.ERROR else set()
            if not same & seen:
                problems.append(problem)
            seen |= same
        return tuple(sorted(problems, key=lambda problem: problem.position))

    def _problem(self, finding: Finding, source: Source, path: Path) -> Problem:
        place = source.places.of(path)
        return Problem(
            source.name, place.line, self._label(finding.path), finding.message, finding.hint, finding.values,
            finding.severity, place.column, source.places.line(place.line),
        )  # fmt: skip

    def _stretch(self, name: str, number: int) -> Stretch:
        """The stretch in which a row stands."""
        stretches = self.stretches[name]
        return stretches[bisect_right(stretches, number, key=lambda stretch: stretch.first) - 1]

    def _origin(self, path: Path) -> tuple[Source, Path]:
        """The file and the path in it: the default's own line where an event only inherited the value."""
        match path:
            case (str(name), int(number), *rest) if name in self.stretches:
                stretch = self._stretch(name, number)
            case _:
                return self.main, path
        if name == "event" and rest and rest[0] not in self.given[number]:
            if rest[0] in stretch.defaults:
                return stretch.source, ("defaults", *rest)
            if rest[0] in {"venue", "timezone"}:
                return self.main, ("series", *rest)
        return stretch.source, (name, number - stretch.first, *rest) if name in LISTS else (name, *rest)

    def _label(self, path: Path) -> str:
        if path[:1] == ("defaults",):
            return dotted(("defaults", *path[2:]))
        if len(path) < 2 or path[0] not in LISTS:
            return dotted(path)
        rows = self.tables.get(str(path[0]), [])
        row = rows[path[1]] if isinstance(path[1], int) and path[1] < len(rows) else {}
        name = row.id if isinstance(row, Event) else row.get("id") or row.get("name")
        number = f"#{int(path[1]) + 1}"
        label = f'{path[0]} "{name[:70]}"' if isinstance(name, str) else f"{path[0]} {number}"
        return f"{label}: {dotted(path[2:])}" if path[2:] else label


def _remembering() -> ModuleType:
    # Who remembers nothing needs it not.
    return importlib.import_module("pipeline.catalogue.remembering")


def _read_event(
    stretch: Stretch,
    group: str | None,
    inherited: Mapping[str, Any],
    context: Mapping[str, Any],
    start: int,
    end: int,
) -> Event:
    """The event of a block that is known to be sound, and stands there in its file."""
    text = stretch.source.text
    assert isinstance(text, bytes)  # noqa: S101 - only such a text is read block by block
    [row] = read_piece(text[start:end])["event"]
    own = {**row, "$group": group} if group else row
    return Event.model_validate(inherit(own, stretch.defaults, inherited), context=context)
