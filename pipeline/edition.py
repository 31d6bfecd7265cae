"""The edition: catalogue and ledger joined for one day. All that a renderer or a planner may read."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple, TypeVar

from pipeline.catalogue.models import Catalogue, Event, Group, Organiser, Series, Status, Venue
from pipeline.catalogue.recurrence import LONGEST, first_time, occurrences
from pipeline.catalogue.when import AtTime, Unscheduled, When, first_day, is_over, last_day, local
from pipeline.ledger import SCHEDULING, Ledger, Line, LineKind, Revision, changed_keys, event_of, kind_of_change
from pipeline.ledger_lines import is_redated
from pipeline.sent_newsletters import Sent, sent

Said = TypeVar("Said")

FAR_AHEAD = timedelta(days=3660)
"""How far ahead a recurring event is searched for its next time; rules with longer gaps aren't for people."""


_OFF = (Status.CANCELLED, Status.POSTPONED)
"""Of what doesn't take place on its date; no set, since a look into one costs more than both comparisons."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One event as it is published: its facts, its place, and its revision."""

    event: Event
    venue: Venue | None
    revision: Revision
    retired: bool = False
    """It is no longer in the catalogue; a cancelled entry stays for those who subscribed."""

    @property
    def cancelled(self) -> bool:
        """Whether it won't take place on its date: cancelled, or postponed until a new one is known."""
        return self.event.status in _OFF


class News(NamedTuple):
    """One piece of news about an event: several lines within `settle` count as one, with the net result."""

    id: str
    """A `tag:` URI, the same in every feed of one language."""
    kind: LineKind
    event: Event
    venue: Venue | None
    before: Event | None
    """The event as it was before this news; None when it is announced."""
    venue_before: Venue | None
    changed: frozenset[str]
    """The names of the facts that changed."""
    published: datetime
    updated: datetime
    """The last line of this news; or the moment since which its entry says on top, or says no more, that it is off."""
    cancelled_later: datetime | None
    """When the event was cancelled or postponed after this news, if it still is."""
    last: datetime
    """The instant of its last line, from which `settle` counts."""
    sequence: int
    """The event's SEQUENCE once this news was out."""

    @property
    def reschedules(self) -> bool:
        """Whether a scheduling fact changed."""
        return bool(self.changed & SCHEDULING)

    @property
    def redated(self) -> bool:
        """Whether what was off takes place on a new date."""
        return is_redated(self.kind, self.changed) and self.event.date is not None


@dataclass(frozen=True)
class Edition:
    """What is published: the catalogue's facts with the ledger's stamps, seen on `day` in the series' zone."""

    catalogue: Catalogue
    ledger: Ledger
    day: date

    @cached_property
    def series(self) -> Series:
        """The series."""
        return self.catalogue.series

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages it is published in, the default one first."""
        return self.catalogue.languages

    @cached_property
    def morning(self) -> datetime:
        """The midnight that opens `day` in the series' zone: events of today are still to come."""
        return local(self.day, time(), self.series.zone)

    @cached_property
    def listings(self) -> tuple[Listing, ...]:
        """Every event, retired ones too: dated ones by start, then those to be announced in the catalogue's order."""
        # Asked for once: there may be tens of thousands of events.
        kept, venue_of, revision = self.catalogue.kept, self.catalogue.venue_of, self.ledger.revision
        current = [
            Listing(event, venue_of(event), revision(event.id))
            for event in self.catalogue.events
            if event.id not in kept
        ]
        # At their venues as these were then, too.
        known = self.catalogue.event_by_id
        as_published = [
            Listing(*self.told(self.ledger.of(event)[-1]), revision(event)) for event in kept if event in known
        ]
        retired = [
            Listing(*self.told(self.ledger.of(event)[-1]), revision(event), retired=True)
            for event in self.ledger.events
            if event not in known and self.ledger.of(event)[-1].kind is LineKind.RETIRED
        ]
        return tuple(sorted((*current, *as_published, *retired), key=attrgetter("event.order")))

    @cached_property
    def shown(self) -> tuple[Listing, ...]:
        """The events of the pages: all but the retired ones."""
        shown = tuple([listing for listing in self.listings if not listing.retired])
        # The same list where it holds the same: what is found out of one is known of the other.
        return self.listings if len(shown) == len(self.listings) else shown

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Which of `shown` each event is, from 0, by its id."""
        return {listing.event.id: number for number, listing in enumerate(self.shown)}

    @cached_property
    def recurring(self) -> Mapping[str, Event]:
        """The events of the pages that recur, by their ids."""
        return {listing.event.id: listing.event for listing in self.shown if listing.event.repeats}

    @cached_property
    def dated(self) -> tuple[Listing, ...]:
        """The events of the calendars: all whose day is known, retired ones too."""
        return self.listings[: _first_undated(self.listings)]

    @cached_property
    def upcoming(self) -> tuple[Listing, ...]:
        """The dated events not over on the morning of `day`, soonest first; a recurring one at its next time."""
        coming = [found for listing in self.shown if (found := self._at_next_time(listing))]
        if any(listing.event.repeats for listing in coming):
            coming.sort(key=lambda listing: listing.event.order)
        return tuple(coming)

    @cached_property
    def to_be_announced(self) -> tuple[Listing, ...]:
        """The events without a date, in the catalogue's order."""
        return self.shown[_first_undated(self.shown) :]

    @cached_property
    def past(self) -> tuple[Listing, ...]:
        """The events that are over on the morning of `day`, latest first."""
        coming = {listing.event.id for listing in (*self.upcoming, *self.to_be_announced)}
        return tuple(self.at_first_time(listing) for listing in reversed(self.shown) if listing.event.id not in coming)

    def _at_next_time(self, listing: Listing) -> Listing | None:
        """The event at its first time that isn't over on the morning of `day`; None where there is none or no date."""
        if isinstance(listing.event.when, Unscheduled):
            return None
        if listing.event.repeats is None:
            return None if is_over(listing.event.when, self.morning) else listing
        times = occurrences(listing.event, self.morning - LONGEST, self.morning + FAR_AHEAD)
        when = next((when for _, when in times if not is_over(when, self.morning)), None)
        if when is None or when == listing.event.when:
            return listing if when else None
        return replace(listing, event=_moved_to(listing.event, when))

    def at_first_time(self, listing: Listing) -> Listing:
        """A recurring event at the first time at which it takes place; any other, or one at a later time, as it is."""
        if self.recurring.get(listing.event.id) is not listing.event:
            return listing
        when = first_time(listing.event)
        return listing if when == listing.event.when else replace(listing, event=_moved_to(listing.event, when))

    @cached_property
    def next(self) -> Listing | None:
        """The next event that takes place, or None."""
        return next((listing for listing in self.upcoming if not listing.cancelled), None)

    @cached_property
    def after_next(self) -> tuple[Listing, ...]:
        """What is upcoming besides `next`."""
        return tuple(listing for listing in self.upcoming if listing is not self.next)

    @cached_property
    def is_over(self) -> bool:
        """Whether the series has ended: there were events, and nothing is to come."""
        return bool(self.shown) and not self.upcoming and not self.to_be_announced

    def tagged(self, tag: str) -> tuple[Listing, ...]:
        """The events that bear a tag."""
        return tuple(listing for listing in self.listings if tag in listing.event.tags)

    def at_venue(self, venue: str) -> tuple[Listing, ...]:
        """The events held at a venue."""
        return tuple(listing for listing in self.listings if listing.event.venue == venue)

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Every group by its id: those of the catalogue, and those of which only retired events are left."""
        retired = [self.ledger.group(item.event.id) for item in self.listings if item.retired]
        left = {group.id: group for group in retired if group is not None}
        known = left | dict(self.catalogue.group_by_id)
        return tuple(known[name] for name in sorted(known))

    def of_group(self, group: str) -> tuple[Listing, ...]:
        """The events of a group."""
        return tuple(listing for listing in self.listings if listing.event.group == group)

    def organisers_of(self, event: Event) -> tuple[Organiser, ...]:
        """Who invites to an event: its group's organisers where it has any, else those of the series."""
        group = self.catalogue.group_of(event)
        return (group.organiser if group else ()) or self.series.organiser

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Every tag in use, sorted."""
        return tuple(sorted({tag for listing in self.listings for tag in listing.event.tags}))

    @cached_property
    def updated(self) -> datetime:
        """The instant of the last published change; the midnight of `day` where nothing was ever published."""
        return max((line.at for line in self.ledger.lines), default=self.morning)

    @cached_property
    def news(self) -> tuple[News, ...]:
        """All news, newest first; changes of one event within `settle` are one entry with the net result."""
        settle = self.catalogue.mail.settle
        found = [item for lines in self.ledger.by_event.values() for item in news_of(lines, settle, self.told)]
        found.sort(key=lambda item: (item.event.order, item.id))
        found.sort(key=attrgetter("published"), reverse=True)
        return tuple(found)

    @cached_property
    def newsletters(self) -> tuple[Sent, ...]:
        """The newsletters that are out, the one that left last first."""
        return sent(self.ledger.newsletters, self.series.zone, self.languages)

    def told(self, line: Line) -> tuple[Event, Venue | None]:
        """The event of a line of the ledger and its venue, as they were published."""
        # With two languages a text that lacks one of them has but the other.
        return self.ledger.told(line, self.languages if len(self.languages) > 2 else ())

    def change(self, event: str, told: str, last: str) -> News | None:
        """What changed of an event from one ledger line to a later one, both by `Line.name`; None if nothing."""
        lines = self.ledger.of(event)
        names = [line.name for line in lines]
        if told not in names or last not in names or names.index(told) >= names.index(last):
            return None
        start, end = names.index(told), names.index(last) + 1
        sequence = sum(line.reschedules for line in lines[1:end])
        return _news(lines[start], list(lines[start + 1 : end]), list(lines[end:]), sequence, self.told)

    def of_venue(self, say: Callable[[Venue, str], Said], venue: Venue, language: str) -> Said:
        """What a function says of a venue of this edition in a language, asked once for all events held there."""
        # The edition holds its venues, so one's identity is no other's.
        known: dict[object, Any] = self.__dict__.setdefault("_said_of_venues", {})
        key = say, id(venue), language
        if key not in known:
            known[key] = say(venue, language)
        said: Said = known[key]
        return said

    def address(self, path: str = "", language: str | None = None) -> str:
        """The absolute address of a path of `out/` in a language's tree."""
        return self.catalogue.site.base + self.path(path, language)

    def path(self, path: str, language: str | None = None) -> str:
        """Where a path stands in `out/`: the default language at the root, each other one in its own folder."""
        if language is None or language == self.languages[0]:
            return path
        return f"{language}/{path}"


def _first_undated(listings: Sequence[Listing]) -> int:
    """The place of the first event without a date in a list in order, where these come last."""
    return bisect_left(listings, True, key=lambda listing: listing.event.order[0])


def _moved_to(event: Event, when: When) -> Event:
    """A recurring event as if another of its times were its first."""
    at = when.start.time() if isinstance(when, AtTime) else None
    end = last_day(when) if event.end_date is not None else None
    return event.altered(date=first_day(when), time=at, end_date=end)


Told = Callable[[Line], tuple[Event, Venue | None]]


def _read(line: Line) -> tuple[Event, Venue | None]:
    return event_of(line.facts)


def news_of(lines: Iterable[Line], settle: timedelta, told: Told = _read) -> list[News]:
    """The news in the lines of one event, oldest first; what follows within `settle` belongs to the same news.

    `told` gives the event of a line and its venue.
    """
    lines = tuple(lines)
    if len(lines) == 1:
        # Of most events nothing is told but that they take place.
        return [_announced(lines[0], told)]
    groups: list[list[Line]] = []
    for line in lines:
        if groups and line.at - groups[-1][0].at <= settle:
            groups[-1].append(line)
        else:
            groups.append([line])
    found = []
    for number, group in enumerate(groups):
        before = groups[number - 1][-1] if number else None
        later = [line for following in groups[number + 1 :] for line in following]
        sequence = sum(line.reschedules for line in [line for group in groups[: number + 1] for line in group][1:])
        if (item := _news(before, group, later, sequence, told)) is not None:
            found.append(item)
    return found


def _announced(line: Line, told: Told) -> News:
    at = line.at
    return News(line.news, LineKind.ANNOUNCED, *told(line), None, None, frozenset(), at, at, None, at, 0)


def _news(before: Line | None, group: list[Line], later: list[Line], sequence: int, told: Told = _read) -> News | None:
    last = group[-1]
    if before is None:
        kind = LineKind.ANNOUNCED
    elif last.kind is LineKind.RETIRED:
        kind = LineKind.RETIRED
    else:
        kind = _kind(before, group)
    changed = changed_keys(before.facts, last.facts) if before else frozenset[str]()
    if kind is LineKind.EDITED or (before and not changed):
        return None
    event, venue = told(last)
    event_before, venue_before = told(before) if before else (None, None)
    cancelled_later, updated = None, last.at
    if later and last.facts.get("status") not in _OFF:
        cancelled_later, updated = _cancelled_since(last, later)
    return News(
        group[0].news, kind, event, venue, event_before, venue_before, changed, group[0].at, updated, cancelled_later,
        last.at, sequence,
    )  # fmt: skip


def _kind(before: Line, group: list[Line]) -> LineKind:
    """What a group of lines tells, against the line before it; what was once published as news stays news."""
    kind = kind_of_change(before.facts, group[-1].facts)
    if kind in {LineKind.EDITED, LineKind.RECORDING} and any(
        line.kind is LineKind.CHANGED and kind_of_change(one.facts, line.facts) is not LineKind.CHANGED
        for one, line in pairwise((before, *group))
    ):
        return kind_of_change(before.facts, group[-1].facts, any_wording=True)
    return kind


def _cancelled_since(last: Line, later: list[Line]) -> tuple[datetime | None, datetime]:
    """Since when what took place at `last` is off, if it still is; and the last turn of that, or `last` itself.

    Cancelled is another than postponed.
    """
    since, turned, state = None, last.at, None
    for line in later:
        status = line.facts.get("status")
        now = status if status in _OFF else None
        if now != state:
            turned, state = line.at, now
            since = turned if now else None
    return since, turned


def as_of(edition: Edition, instant: datetime) -> Edition:
    """The edition as it was published at an earlier instant: its events, places and ledger lines of that time."""
    ledger = Ledger.holding(line for line in edition.ledger.all_lines if line.at <= instant)
    ids = dict.fromkeys((*edition.catalogue.event_by_id, *ledger.events))
    last = [lines[-1] for event in ids if (lines := ledger.of(event))]
    found = [edition.told(line) for line in last if line.kind is not LineKind.RETIRED]
    venues = {**edition.catalogue.venue_by_id} | {venue.id: venue for _, venue in found if venue is not None}
    catalogue = edition.catalogue.altered(events=tuple(event for event, _ in found), venues=tuple(venues.values()))
    return Edition(catalogue, ledger, instant.astimezone(edition.series.zone).date())
