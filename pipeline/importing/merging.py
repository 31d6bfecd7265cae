"""Which foreign events are new, known, changed at their source or taken out here; decided from values alone."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any

from pipeline.catalogue.models import Catalogue, Event, dump
from pipeline.catalogue.texts import proposed_slug
from pipeline.importing.fitting import Fitted
from pipeline.importing.found import Found
from pipeline.importing.memory import Memory, Record, plain
from pipeline.importing.moments import facts_in_zone


class Verdict(StrEnum):
    """What becomes of a foreign event."""

    NEW = "new"
    LINKED = "linked"
    """The catalogue has it already, by its identity or by title, day and hour; from now on it is remembered."""
    SAME = "same"
    CHANGED = "changed"
    UPDATED = "updated"
    TAKEN_OUT = "taken out"
    """It was imported once and is no longer in the catalogue: the organisers took it out."""


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that the source says otherwise than before."""

    key: str
    before: Any
    """What the source said; None where it didn't say it."""
    after: Any
    """What it says now; None where it no longer says it."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of one event, under which id, and what differs."""

    fitted: Fitted
    verdict: Verdict
    event: str
    record: Record | None
    """What to remember from now on; None where nothing changes."""
    changes: tuple[Change, ...] = ()
    moved_from: str = ""
    """The identity that it had before, where it has another one now."""
    clashes: bool = False
    """Whether the organisers have changed one of these facts too, and otherwise: then nothing is taken over."""


@dataclass(frozen=True)
class Existing:
    """What is there before the import."""

    catalogue: Catalogue
    memory: Memory
    ours: Mapping[str, str]
    """Event ids by the identities that our own exports give them."""
    one_of_ours: Callable[[Found], str | None]
    """The recurring event of which our own exports tell a single time as an event."""
    spent: frozenset[str]
    """Ids that were used once, by events that are retired: never used again."""


def outcomes(events: Iterable[Fitted], existing: Existing, *, update: bool = False) -> Iterator[Outcome]:
    """The outcome of every event, in their order. `update` takes over what changed at the source.

    The events are walked through twice.
    """
    return _Merging(existing, update).all(events)


class _Merging:
    def __init__(self, existing: Existing, update: bool) -> None:
        self._existing = existing
        self._update = update
        self._languages = frozenset(existing.catalogue.languages)
        self._taken = {*existing.catalogue.event_by_id, *existing.spent}
        self._claimed: set[str] = set()
        """Events that this file has already: another of its events merely looks like one of them."""
        self._repeats: Counter[str] = Counter()
        self._rows: Counter[str] = Counter()
        self._remembered: defaultdict[str, list[str]] = defaultdict(list)
        for name in existing.memory.records:
            if name.startswith(NAMELESS):
                self._remembered[_stem(name)].append(name)
        self._by_look: dict[tuple[str, str], list[str]] = {}
        for event in existing.catalogue.events:
            for title in event.title.root.values() if event.title else ():
                self._by_look.setdefault((_folded(title), str(event.date)), []).append(event.id)

    def all(self, events: Iterable[Fitted]) -> Iterator[Outcome]:
        names = _identities(events)
        present = set(names)
        self._rows.update(_stem(name) for name in names if name.startswith(NAMELESS))
        records = self._existing.memory.records
        self._claimed |= {records[name].event for name in names if name in records}
        for event, uid in zip(events, names, strict=True):
            outcome = self._one(event, uid, present)
            self._taken.add(outcome.event)
            self._claimed.add(outcome.event)
            yield outcome

    def _one(self, event: Fitted, uid: str, present: set[str]) -> Outcome:
        record = self._existing.memory.records.get(uid) or self._moved(uid, present)
        if record is not None:
            event = replace(event, facts=_with_other_languages(record.facts, event.facts, self._languages))
            return self._again(event, Record(uid, record.event, event.facts), record)
        if (recurring := self._existing.one_of_ours(event.found)) is not None:
            # Its rule says all that there is to say of it.
            return Outcome(event, Verdict.SAME, recurring, None)
        ours = self._existing.ours.get(uid.partition(":")[2])
        known = ours or self._alike(event)
        if known is not None and known in self._existing.catalogue.event_by_id:
            # Our own calendar puts words into the title that aren't part of it.
            told = _TOLD_AT_ONCE - {"title", "status"} if ours else _TOLD_AT_ONCE
            return self._linked(event, Record(uid, known, event.facts), told)
        name = self._free_id(event)
        return Outcome(event, Verdict.NEW, name, Record(uid, name, event.facts))

    def _again(self, event: Fitted, now: Record, before: Record) -> Outcome:
        if before.event not in self._existing.catalogue.event_by_id:
            return Outcome(event, Verdict.TAKEN_OUT, before.event, None)
        known = self._existing.catalogue.event_by_id[before.event]
        was = before.facts
        if was.get("timezone") != known.timezone:
            # The organisers tell it at the hours of another zone.
            event = replace(event, facts=facts_in_zone(event.facts, known.timezone))
            was = plain(facts_in_zone(was, known.timezone))
        changes = _changes(was, plain(event.facts))
        if not changes:
            return Outcome(event, Verdict.SAME, before.event, None)
        if not self._update:
            return Outcome(event, Verdict.CHANGED, before.event, None, changes)
        moved_from = before.uid if before.uid != now.uid else ""
        clashes = any(_clashes(change, plain(_comparable(known))) for change in changes)
        return Outcome(event, Verdict.UPDATED, before.event, now, changes, moved_from, clashes)

    def _linked(self, event: Fitted, now: Record, told: frozenset[str]) -> Outcome:
        known = self._existing.catalogue.event_by_id[now.event]
        ours = _comparable(known)
        event = replace(event, facts=facts_in_zone(event.facts, known.timezone))
        theirs = {key: value for key, value in plain(event.facts).items() if key in told}
        theirs = _with_other_languages(ours, theirs, self._languages)
        changes = _changes({key: ours[key] for key in theirs if key in ours}, theirs)
        verdict = Verdict.UPDATED if changes and self._update else Verdict.LINKED
        return Outcome(event, verdict, now.event, now, changes)

    def _alike(self, event: Fitted) -> str | None:
        """The event here with the same title on the same day, at the same hour where both say one."""
        titles = {_folded(title) for title in event.facts.get("title", {}).values()}
        looks = ((title, day) for title in titles for day in _days_around(event.facts.get("date")))
        alike = {name for look in looks for name in self._by_look.get(look, [])}
        for name in sorted(alike - self._claimed):
            known = self._existing.catalogue.event_by_id[name]
            here = facts_in_zone(event.facts, known.timezone)
            hour = here.get("time")
            if here.get("date") == known.date and (hour is None or known.time is None or hour == known.time):
                return name
        return None

    def _moved(self, uid: str, present: set[str]) -> Record | None:
        """For sources without identities: the one imported row of the same title that is no longer in the file."""
        if not uid.startswith(NAMELESS):
            return None
        gone = [name for name in self._remembered[_stem(uid)] if name not in present]
        return self._existing.memory.records[gone[0]] if len(gone) == 1 and self._rows[_stem(uid)] == 1 else None

    def _free_id(self, event: Fitted) -> str:
        titles = event.facts.get("title", {})
        default = self._existing.catalogue.series.default_language
        title = titles.get(default) or next(iter(titles.values()), "")
        day = event.facts.get("date")
        slug = proposed_slug(title) if title else "my-id"
        slug = "event" if slug == "my-id" else slug
        dated = f"{slug[:53].rstrip('-')}-{day}" if day else slug
        for name in (event.found.wanted_id, slug, dated):
            if name and proposed_slug(name) == name and name not in self._taken:
                return name
        while True:
            self._repeats[dated] += 1
            name = f"{dated[:57].rstrip('-')}-{self._repeats[dated] + 1}"
            if name not in self._taken:
                return name


NAMELESS = "row:"
"""What the identity of an event begins with whose source gives it none: then title and day are it."""

_TOLD_AT_ONCE = frozenset({"title", "date", "time", "status"})


def _identities(events: Iterable[Fitted]) -> list[str]:
    names: list[str] = []
    seen: Counter[str] = Counter()
    for event in events:
        uid = event.found.uid
        if not uid:
            title = next(iter(event.facts.get("title", {}).values()), "")
            uid = f"{NAMELESS}{proposed_slug(title)}:{event.facts.get('date', '')}"
        seen[uid] += 1
        names.append(uid if seen[uid] == 1 else f"{uid}#{seen[uid]}")
    return names


def _stem(uid: str) -> str:
    """What a nameless identity is without its day."""
    return uid.rpartition(":")[0]


def _days_around(day: date | None) -> tuple[str, ...]:
    """The days that it may be at the same instant in other zones."""
    if day is None:
        return ("None",)
    around = (day.toordinal() + shift for shift in (-1, 0, 1))
    return tuple(str(date.fromordinal(number)) for number in around if 0 < number <= date.max.toordinal())


def _folded(title: str) -> str:
    return " ".join(title.casefold().split())


_COMPARED = frozenset(
    {"title", "date", "time", "end_date", "end_time", "status", "kind", "abstract", "price", "notice"}
)
"""Facts that stand in the catalogue as the source says them."""


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    return tuple(
        Change(key, before.get(key), after.get(key))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    )


def _clashes(change: Change, ours: Mapping[str, Any]) -> bool:
    """Whether a fact that changed at the source was changed here too, to something else."""
    mine = ours.get(change.key)
    if change.key not in _COMPARED or change.before is None or mine is None:
        return False
    if isinstance(mine, Mapping) and isinstance(change.before, Mapping):
        mine = {language: mine.get(language) for language in change.before}
    return mine not in (change.before, change.after)


def _comparable(event: Event) -> Mapping[str, Any]:
    facts = dump(event)
    return {**facts, "title": event.title.root if event.title else {}}


def _with_other_languages(before: Any, now: Any, languages: frozenset[str]) -> Any:
    """What is said now, and of the same texts the languages in which only the earlier import said them."""
    if isinstance(before, Mapping) and isinstance(now, Mapping):
        if now and before.keys() | now.keys() <= languages:
            return {**before, **now}
        return {key: _with_other_languages(before.get(key), item, languages) for key, item in now.items()}
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [_with_other_languages(was, item, languages) for was, item in zip(before, now, strict=True)]
    return now
