"""The ledger: an append-only journal of what was published, and all that is derived from it.

UID, SEQUENCE, DTSTAMP, LAST-MODIFIED, the news and "what changed" come from the set of its lines, never from counters
or the clock; so keeping both sides of a git merge stays valid. Only `tocsin publish` adds lines.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pipeline.catalogue.models import Catalogue, Event, Group, Status, Venue, dump
from pipeline.errors import LedgerError, Problem
from pipeline.ledger_lines import (
    SCHEDULING,
    Facts,
    KnownFacts,
    Line,
    LineKind,
    compact_json,
    in_full,
    ordered,
    place_of,
    read_rows,
    reworded,
    write_line,
)

__all__ = [
    "SCHEDULING", "Facts", "Ledger", "Line", "LineKind", "Revision", "changed_keys", "digest_of", "each_pending_line",
    "event_of", "facts_of", "first_uid", "group_of", "kind_of_change", "news_id", "newsletter_line", "ordered",
    "pending_lines", "read", "recognised", "retirement", "sharing", "vanished", "vanished_problems", "write",
    "write_line",
]  # fmt: skip


class Revision(NamedTuple):
    """What the calendar standards want to know of an event, derived from its lines."""

    uid: str
    sequence: int
    created: datetime
    updated: datetime
    rescheduled: datetime
    """When a scheduling fact that was known last changed: the instant from which its reminders count."""


@dataclass(frozen=True)
class Ledger:
    """All lines, each once, by instant."""

    lines: tuple[Line, ...] = ()
    """Those of events."""
    newsletters: tuple[Line, ...] = ()
    """Those of newsletters."""
    known: Mapping[tuple[str, str], tuple[Event, Venue | None]] = field(default_factory=dict, repr=False, compare=False)
    """What some lines tell of, by event and news id: the catalogue's own values, where it says just the same."""

    @classmethod
    def holding(
        cls, lines: Iterable[Line], known: Mapping[tuple[str, str], tuple[Event, Venue | None]] | None = None
    ) -> "Ledger":
        """The ledger of these lines, whatever they tell of and in whatever order they came."""
        by_instant = ordered(lines)
        return cls(
            tuple(line for line in by_instant if line.kind is not LineKind.NEWSLETTER),
            tuple(line for line in by_instant if line.kind is LineKind.NEWSLETTER),
            known or {},
        )

    def told(self, line: Line, order: Sequence[str] = ()) -> tuple[Event, Venue | None]:
        """The event of a line and its venue, as they were published; `order` as for `event_of`."""
        return self.known.get((line.event, line.news)) or event_of(line.facts, order)

    @property
    def all_lines(self) -> tuple[Line, ...]:
        """The lines of events and those of newsletters, by instant."""
        return ordered((*self.lines, *self.newsletters)) if self.newsletters else self.lines

    def of(self, event: str) -> tuple[Line, ...]:
        """The lines of one event, oldest first."""
        return self.by_event.get(event, ())

    @cached_property
    def by_event(self) -> Mapping[str, tuple[Line, ...]]:
        """The lines of each event, oldest first, by its id."""
        groups: dict[str, list[Line]] = {}
        for line in self.lines:
            groups.setdefault(line.event, []).append(line)
        return {event: tuple(lines) for event, lines in groups.items()}

    @property
    def events(self) -> Sequence[str]:
        """The ids of all events that were ever published, by first publication."""
        return tuple(self.by_event)

    def group(self, event: str) -> Group | None:
        """The group of a published event as it was published last; None for an event of the main file."""
        return group_of(self.by_event[event][-1].facts)

    def is_edit(self, line: Line) -> bool:
        """Whether all that a line changed of its event, against the line before it, is no news."""
        if line.kind is not LineKind.EDITED:
            return False
        if type(line.facts) is KnownFacts:
            return line.facts.is_edit
        lines = self.of(line.event)
        place = [one.news for one in lines].index(line.news)
        # Its own word isn't taken for it: a merge may have put another line before it than it was written upon.
        return place > 0 and kind_of_change(lines[place - 1].facts, line.facts) is LineKind.EDITED

    def revision(self, event: str) -> Revision:
        """UID, SEQUENCE and stamps of a published event; KeyError for one that never was."""
        lines = self.by_event[event]
        if len(lines) == 1:
            # Of most, and this is asked of every event.
            at = lines[0].at
            return Revision(lines[0].uid, 0, at, at, at)
        return Revision(
            uid=lines[0].uid,
            sequence=sum(line.reschedules for line in lines[1:]),
            created=lines[0].at,
            updated=lines[-1].at,
            rescheduled=max((line.at for before, line in pairwise(lines) if moves(before, line)), default=lines[0].at),
        )

    def extended(self, lines: Iterable[Line], catalogue: Catalogue | None = None) -> "Ledger":
        """This ledger with more lines; those of events say just what `catalogue` says, where it is given."""
        more = Ledger.holding(lines)
        known = self.known
        if catalogue is not None:
            known = {**known, **{(line.event, line.news): _now_of(catalogue, line.event) for line in more.lines}}
        if self.lines and more.lines and place_of(more.lines[0]) <= place_of(self.lines[-1]):
            return Ledger.holding((*self.all_lines, *more.all_lines), known)
        newsletters = ordered((*self.newsletters, *more.newsletters))
        # What comes behind all others, as it mostly does, only adds to the lines of its events.
        added = {event: (*self.of(event), *of_event) for event, of_event in more.by_event.items()}
        return _grouped(Ledger((*self.lines, *more.lines), newsletters, known), {**self.by_event, **added})

    def knowing(self, known: Mapping[tuple[str, str], tuple[Event, Venue | None]]) -> "Ledger":
        """The same lines, of which it now knows that."""
        return _grouped(Ledger(self.lines, self.newsletters, known), self.by_event)


def _grouped(ledger: Ledger, by_event: Mapping[str, tuple[Line, ...]]) -> Ledger:
    """The ledger, the lines of each of its events being these."""
    ledger.__dict__["by_event"] = by_event
    return ledger


def recognised(catalogue: Catalogue, ledger: Ledger, told: Mapping[str, str] | None = None) -> Ledger:
    """The ledger, which now knows the lines that say just what a valid catalogue says: to read them takes longer.

    `told` are the digests of the facts of some events, by their ids: those need not be read for it.
    """
    told, by_event, kept = told or {}, ledger.by_event, frozenset(catalogue.kept)
    known = {}
    for event in catalogue.events:
        name = event.id
        history = by_event.get(name)
        if history is None or name in kept:
            continue
        facts = history[-1].facts
        is_told = type(facts) is KnownFacts and facts.digest == told.get(name)
        if is_told or facts == _facts_in(catalogue, event):
            known[name, history[-1].news] = event, catalogue.venue_of(event)
    return ledger.knowing(known)


def sharing(catalogue: Catalogue) -> Callable[[Line], Line]:
    """Gives a line back, its texts those of the catalogue where that says just the same: they aren't held twice."""

    def shared(line: Line) -> Line:
        event = catalogue.event_by_id.get(line.event)
        if event is None or event.id in catalogue.kept or line.facts != (own := _facts_in(catalogue, event)):
            return line
        if any(prose is not None and prose.is_far for prose in (event.abstract, event.notice)):
            return line  # whose texts would be held in other words than the catalogue's
        return line._replace(facts=_with_texts(line.facts, own))

    return shared


def _with_texts(value: Any, same: Any) -> Any:
    """A JSON value as it is, numbers and order too, with the texts of one that is equal to it."""
    if isinstance(value, Mapping):
        return {key: _with_texts(inner, same[key]) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with_texts(inner, other) for inner, other in zip(value, same, strict=True)]
    return same if isinstance(value, str) else value


def _now_of(catalogue: Catalogue, event: str) -> tuple[Event, Venue | None]:
    found = catalogue.event_by_id[event]
    return found, catalogue.venue_of(found)


def _facts_in(catalogue: Catalogue, event: Event) -> dict[str, Any]:
    return facts_of(event, catalogue.venue_of(event), catalogue.group_of(event))


def facts_of(event: Event, venue: Venue | None, group: Group | None = None) -> dict[str, Any]:
    """The public facts of an event, its place and its group among them, as plain JSON values."""
    facts = dump(event)
    for private in ("todo", "weekday"):
        facts.pop(private, None)
    if venue is not None:
        facts |= venue.facts
    if group is not None:
        # Said in each line, so that the group can be shown as it was published when its file can't be read any more.
        facts["group_about"] = {key: value for key, value in dump(group).items() if key != "id"}
    return facts


def event_of(facts: Facts, order: Sequence[str] = ()) -> tuple[Event, Venue | None]:
    """The event and its venue as they were published.

    `order` names languages, the default one first: the ledger keeps none, and a text that lacks a translation is shown
    in the first language that it has.
    """
    context = {"order": order, "published": True}
    facts = {key: value for key, value in facts.items() if key != "group_about"}
    about = facts.pop("venue_about", {})
    venue = None
    if isinstance(facts.get("venue"), Mapping):
        venue = Venue.model_validate({**facts["venue"], **about}, context=context)
        facts["venue"] = venue.id
    return Event.model_validate(facts, context=context), venue


def group_of(facts: Facts) -> Group | None:
    """The group of an event as it was published; None for an event of the main file."""
    name = facts.get("group")
    return None if name is None else Group.model_validate({"id": name, "name": name, **facts.get("group_about", {})})


def moves(before: Line, line: Line) -> bool:
    """Whether a line changed a scheduling fact that was known; what only becomes known moves nothing."""
    known = (before.facts.get(key) for key in line.changed & SCHEDULING - {"status"})
    return "status" in line.changed or any(value not in (None, False, [], "") for value in known)


def changed_keys(before: Facts, after: Facts) -> frozenset[str]:
    """The names of the facts that differ."""
    return frozenset(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def kind_of_change(before: Facts, after: Facts, *, any_wording: bool = False) -> LineKind:
    """What the news is, if the first facts became the second.

    With `any_wording` also what only says the same place, link or notice in another way is news, as it once was.
    """
    changed = changed_keys(before, after)
    if not any_wording:
        changed -= reworded(before, after, changed)
    if "status" in changed:
        was, now = before.get("status", "confirmed"), after.get("status", "confirmed")
        if now in {Status.CANCELLED, Status.POSTPONED}:
            return LineKind(now)
        if was in {Status.CANCELLED, Status.POSTPONED}:
            return LineKind.REINSTATED
    if changed & SCHEDULING or "notice" in changed:
        return LineKind.CHANGED
    if len(after.get("recordings", ())) > len(before.get("recordings", ())):
        return LineKind.RECORDING
    return LineKind.EDITED


def pending_lines(catalogue: Catalogue, ledger: Ledger, now: datetime) -> tuple[Line, ...]:
    """The lines that publishing the catalogue at `now` would add: one for each event whose facts changed."""
    return tuple(each_pending_line(catalogue, ledger, now))


def each_pending_line(catalogue: Catalogue, ledger: Ledger, now: datetime) -> Iterator[Line]:
    """The same one after the other: all of them may hold as much as the catalogue."""
    now = now.astimezone(UTC).replace(microsecond=0)
    kept, by_event, known = frozenset(catalogue.kept), ledger.by_event, ledger.known
    for event in catalogue.events:
        name = event.id
        if name in kept:
            continue
        history = by_event.get(name, ())
        published = bool(history) and history[-1].kind is not LineKind.RETIRED
        if published and known.get((name, history[-1].news), (None,))[0] is event:
            continue
        facts = _facts_in(catalogue, event)
        if not history:
            yield _first_line(catalogue, name, facts, now)
        elif not published or facts != history[-1].facts:
            yield _next_line(catalogue, history[-1], facts, now)


def _first_line(catalogue: Catalogue, event: str, facts: Facts, now: datetime) -> Line:
    news = news_id(catalogue, event, LineKind.ANNOUNCED, facts, now)
    return Line(LineKind.ANNOUNCED, event, first_uid(catalogue, event), news, now, frozenset(), facts)


def first_uid(catalogue: Catalogue, event: str) -> str:
    """The UID that an event is published under for the first time."""
    return f"{event}@{catalogue.series.id}.{urlsplit(catalogue.site.url).hostname}"


def _next_line(catalogue: Catalogue, last: Line, facts: Facts, now: datetime) -> Line:
    kind = kind_of_change(last.facts, facts)
    at = _after(last, now)
    news = news_id(catalogue, last.event, kind, facts, at)
    return Line(kind, last.event, last.uid, news, at, changed_keys(last.facts, facts), facts)


def newsletter_line(catalogue: Catalogue, ledger: Ledger, newsletter: str, facts: Facts, leaves: datetime) -> Line:
    """The line of a newsletter that left at an instant: at that instant, or after all that the ledger tells already.

    So it is the same whenever it is written, and no archive of the feeds has to change for it. Where it comes late its
    facts say when the newsletter left.
    """
    at = left = leaves.astimezone(UTC).replace(microsecond=0)
    if ledger.all_lines:
        at = _after(ledger.all_lines[-1], at)
    if at != left:
        facts = {**facts, "left": left.strftime("%Y-%m-%dT%H:%M:%SZ")}
    news = news_id(catalogue, newsletter, LineKind.NEWSLETTER, facts, at)
    return Line(LineKind.NEWSLETTER, newsletter, "", news, at, frozenset(), facts)


def _after(last: Line, now: datetime) -> datetime:
    """Of one event each line has its own second, so that the order of a set of lines is never in doubt."""
    return max(now, last.at + timedelta(seconds=1))


def retirement(catalogue: Catalogue, ledger: Ledger, event: str, now: datetime) -> Line:
    """The line that leaves a cancelled entry of a published event which is no longer in the catalogue."""
    last = ledger.of(event)[-1]
    facts = {**last.facts, "status": Status.CANCELLED.value}
    at = _after(last, now.astimezone(UTC).replace(microsecond=0))
    news = news_id(catalogue, event, LineKind.RETIRED, facts, at)
    return Line(LineKind.RETIRED, event, last.uid, news, at, changed_keys(last.facts, facts), facts)


def news_id(catalogue: Catalogue, event: str, kind: LineKind, facts: Facts, at: datetime) -> str:
    """A `tag:` URI (RFC 4151), written once: it outlives changes of title and address and is unique after a merge."""
    host = urlsplit(catalogue.site.url).hostname
    return f"tag:{host},{at:%Y-%m-%d}:{catalogue.series.id}:{event}:{kind}-{digest_of(facts, at)}"


def digest_of(facts: Facts, at: datetime) -> str:
    """The end of a news id, by which facts or an instant that were edited by hand are found."""
    return hashlib.blake2b(f"{at.isoformat()}{compact_json(in_full(facts))}".encode(), digest_size=5).hexdigest()


def vanished(catalogue: Catalogue, ledger: Ledger) -> tuple[str, ...]:
    """The events that were published, aren't retired, and are no longer in the catalogue."""
    present = catalogue.event_by_id
    return tuple(
        event for event in ledger.events if event not in present and ledger.of(event)[-1].kind is not LineKind.RETIRED
    )


def vanished_problems(catalogue: Catalogue, ledger: Ledger, file: str) -> tuple[Problem, ...]:
    """One problem for each event that vanished, with the ways out; and one where the series has another id."""
    series = catalogue.series.id
    if ledger.lines and not any(f":{series}:" in line.news for line in ledger.lines):
        # Feeds and mailing lists would be new ones for everybody who follows them.
        before = ledger.lines[0].news.split(":")[-3]
        return (
            Problem(
                file, 0, "series.id", 'the series was published as "{before}", and is known by that everywhere',
                'write id = "{before}" again', {"before": before},
            ),
        )  # fmt: skip
    return tuple(
        Problem(
            file, 0, f'event "{event}"', "it was published and is no longer in the catalogue",
            'where only its id is another now, write id = "{event}" again; else put it back with status = "cancelled" '
            "and a notice, or type: tocsin retire {event}", {"event": event},
        )
        for event in vanished(catalogue, ledger)
    )  # fmt: skip


# --------------------------------------------------------------------------------------------- text


def write(ledger: Ledger) -> str:
    """The whole ledger as text."""
    return "".join(map(write_line, ledger.all_lines))


def read(text: str | bytes, file: str = "ledger.jsonl") -> Ledger:
    """The ledger in a text, or in the UTF-8 of it; LedgerError names each line that is none, and why."""
    lines, problems = read_rows(text, file)
    if problems:
        raise LedgerError(problems)
    return Ledger.holding(line for _, line in lines)
