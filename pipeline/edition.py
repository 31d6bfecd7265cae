"""The edition: catalogue and ledger joined for one day. All that a renderer or a planner may read."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import count, filterfalse
from operator import attrgetter
from typing import Any, TypeVar

from pipeline.catalogue.models import Catalogue, Event, Group, Organiser, Series, Venue
from pipeline.catalogue.recurrence import LONGEST, first_time, occurrences
from pipeline.catalogue.when import AtTime, Unscheduled, When, first_day, is_over, last_day, local
from pipeline.ledger import Ledger, Line, LineKind, Revision
from pipeline.news import OFF, News, news_of, one_news
from pipeline.sent_newsletters import Sent, sent

Said = TypeVar("Said")

FAR_AHEAD = timedelta(days=3660)
"""How far ahead a recurring event is searched for its next time; rules with longer gaps aren't for people."""


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
        return self.event.status in OFF


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
        known = self.catalogue.event_by_id
        current = [Listing(event, venue_of(event), revision(name)) for name, event in known.items() if name not in kept]
        # At their venues as these were then, too.
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
    def ids(self) -> tuple[str, ...]:
        """The ids of `listings`, in their order: of tens of thousands each question to an event costs."""
        return tuple(map(attrgetter("event.id"), self.listings))

    @cached_property
    def shown(self) -> tuple[Listing, ...]:
        """The events of the pages: all but the retired ones."""
        shown = tuple(filterfalse(attrgetter("retired"), self.listings))
        # The same list where it holds the same: what is found out of one is known of the other.
        return self.listings if len(shown) == len(self.listings) else shown

    @cached_property
    def places(self) -> Mapping[str, int]:
        """Which of `shown` each event is, from 0, by its id."""
        ids = self.ids if self.shown is self.listings else [listing.event.id for listing in self.shown]
        return dict(zip(ids, count(), strict=False))

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
        coming = [found for _, found in self._asked if found is not None]
        coming += self.shown[len(self._asked) : _first_undated(self.shown)]
        if self.recurring:
            coming.sort(key=attrgetter("event.order"))
        return tuple(coming)

    @cached_property
    def _asked(self) -> Sequence[tuple[Listing, Listing | None]]:
        """The events of the pages that may be over on the morning of `day`, each with what `upcoming` tells of it."""
        # What begins later isn't over.
        return [(listing, self._at_next_time(listing)) for listing in self.begun_by(self.morning)]

    def begun_by(self, instant: datetime) -> Sequence[Listing]:
        """The events of the pages that begin until then, those behind them not; all dated ones where some recur."""
        # Of what recurs the first time may not take place.
        return self.shown[: _first_undated(self.shown) if self.recurring else _first_after(self.shown, instant)]

    @cached_property
    def to_be_announced(self) -> tuple[Listing, ...]:
        """The events without a date, in the catalogue's order."""
        return self.shown[_first_undated(self.shown) :]

    @cached_property
    def to_come(self) -> tuple[Listing, ...]:
        """What is upcoming, and behind it what is to be announced."""
        return self.upcoming + self.to_be_announced

    @cached_property
    def past(self) -> tuple[Listing, ...]:
        """The events that are over on the morning of `day`, latest first."""
        return tuple(self.at_first_time(listing) for listing, coming in reversed(self._asked) if coming is None)

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
        coming = self.upcoming
        place = next((number for number, listing in enumerate(coming) if not listing.cancelled), len(coming))
        return coming[:place] + coming[place + 1 :]

    @cached_property
    def is_over(self) -> bool:
        """Whether the series has ended: there were events, and nothing is to come."""
        return bool(self.shown) and not self.upcoming and not self.to_be_announced

    def tagged(self, tag: str) -> tuple[Listing, ...]:
        """The events that bear a tag."""
        return self._by_tag.get(tag, ())

    def at_venue(self, venue: str) -> tuple[Listing, ...]:
        """The events held at a venue."""
        return self._by_venue.get(venue, ())

    @cached_property
    def has_several_venues(self) -> bool:
        """Whether events are held at more than one venue."""
        return sum(map(bool, self._by_venue)) > 1

    @cached_property
    def _by_tag(self) -> Mapping[str, tuple[Listing, ...]]:
        found = defaultdict[str, list[Listing]](list)
        for listing in self.listings:
            if tags := listing.event.tags:
                for tag in set(tags):
                    found[tag].append(listing)
        return {tag: tuple(listings) for tag, listings in found.items()}

    @cached_property
    def _by_venue(self) -> Mapping[object, tuple[Listing, ...]]:
        found = defaultdict[object, list[Listing]](list)
        for listing in self.listings:
            found[listing.event.venue].append(listing)
        return {venue: tuple(listings) for venue, listings in found.items()}

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
        return tuple(sorted(self._by_tag))

    @cached_property
    def updated(self) -> datetime:
        """The instant of the last published change; the midnight of `day` where nothing was ever published."""
        return self.ledger.lines[-1].at if self.ledger.lines else self.morning

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
        return one_news(lines[start], list(lines[start + 1 : end]), list(lines[end:]), sequence, self.told)

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


def _first_after(listings: Sequence[Listing], instant: datetime) -> int:
    """The place of the first event that begins after an instant in a list in order; what has no date comes later."""
    return bisect_right(listings, (False, instant.timestamp()), key=lambda listing: listing.event.order[:2])


def _moved_to(event: Event, when: When) -> Event:
    """A recurring event as if another of its times were its first."""
    at = when.start.time() if isinstance(when, AtTime) else None
    end = last_day(when) if event.end_date is not None else None
    return event.altered(date=first_day(when), time=at, end_date=end)


def as_of(edition: Edition, instant: datetime) -> Edition:
    """The edition as it was published at an earlier instant: its events, places and ledger lines of that time."""
    ledger = Ledger.holding(line for line in edition.ledger.all_lines if line.at <= instant)
    ids = dict.fromkeys((*edition.catalogue.event_by_id, *ledger.events))
    last = [lines[-1] for event in ids if (lines := ledger.of(event))]
    found = [edition.told(line) for line in last if line.kind is not LineKind.RETIRED]
    venues = {**edition.catalogue.venue_by_id} | {venue.id: venue for _, venue in found if venue is not None}
    catalogue = edition.catalogue.altered(events=tuple(event for event, _ in found), venues=tuple(venues.values()))
    return Edition(catalogue, ledger, instant.astimezone(edition.series.zone).date())
