"""The calendars: the whole series, one for each event, tag and venue, and one that rings; each in every language."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import MAXYEAR, datetime, timedelta
from functools import cache, cached_property, partial
from itertools import chain
from operator import attrgetter
from typing import NamedTuple, SupportsBytes
from urllib.parse import urlsplit

from icalendar import Calendar
from icalendar.prop import vDuration, vUri

from pipeline.catalogue.texts import Line
from pipeline.catalogue.when import AtTime, Unscheduled
from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.markdown import to_text
from pipeline.outputs.base import Artifact, Bundle, Made
from pipeline.outputs.colours import CSS_COLOURS
from pipeline.outputs.contentlines import Text, calendar_of, line_of, lines_of, opening_of, with_alarms
from pipeline.outputs.keys import keys
from pipeline.outputs.vevent import calendar_user, foreign, recurs_in_utc, tzid_of, vevents
from pipeline.outputs.zones import vtimezone
from pipeline.phrases import title_of
from pipeline.rendering import Renderer

MEDIA_TYPE = "text/calendar"
PRODID = "-//tocsin//tocsin//EN"
REFRESH = timedelta(hours=6)
"""How often a program that asks should look for changes."""
EMPTY_SINCE = 2000
"""From when on the zone is right that stands in a calendar without events, for programs that ask for a component."""

TIMED_ALARMS = (("1d", b"TRIGGER:-P1D\r\n"), ("1h", b"TRIGGER:-PT1H\r\n"))
DAY_ALARMS = (("day-before", b"TRIGGER:-PT14H\r\n"),)
"""Before the midnight that opens the day: at 10:00 on the day before."""

VEvents = tuple[bytes, ...]
"""The components of one event: more than one where dates were moved out of a recurrence."""


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact | Bundle]:  # noqa: ARG001 - calendars need no template
    """Every calendar file of the edition."""
    whole = _Selection(edition.dated)
    parts = tuple(_parts(edition, whole))
    for language in edition.languages:
        yield from _Calendars(edition, language).render(whole, parts)


def invitation(
    edition: Edition, listing: Listing, language: str, method: str = "PUBLISH", organiser: str | None = None
) -> bytes:
    """A calendar with one dated event, to be attached to a letter; METHOD is PUBLISH or CANCEL (RFC 5546).

    These ask for an ORGANIZER: where none has an address it is `organiser`, a mailbox (`Name <address>`).
    """
    calendar = _bare_calendar()
    calendar["method"] = Text(method)
    components = vevents(edition, listing, language)
    if organiser is not None:
        for component in components:
            name, _, address = organiser.rpartition("<")
            component.setdefault("ORGANIZER", calendar_user(address.removesuffix(">"), name.strip().strip('"')))
    return b"".join(map(bytes, calendar_of(opening_of(calendar), (*_zones((listing,)), *map(lines_of, components)))))


class _Selection:
    """The dated events of a calendar, and what its head tells of them, found once for all languages."""

    def __init__(self, listings: Sequence[Listing]) -> None:
        self.listings = listings

    @cached_property
    def _recurring(self) -> Sequence[Listing]:
        return [listing for listing in self.listings if listing.event.repeats]

    @cached_property
    def zones(self) -> tuple[bytes, ...]:
        return _zones(self._recurring)

    @cached_property
    def updated(self) -> datetime | None:
        return max((listing.revision.updated for listing in self.listings), default=None)

    @cached_property
    def any_recurs_in_utc(self) -> bool:
        return any(recurs_in_utc(listing.event) for listing in self._recurring)


class _Part(NamedTuple):
    """A calendar of some events: where it stands, of which tag, venue or group it is, and its events."""

    path: str
    name: str | Line
    events: _Selection


def _parts(edition: Edition, whole: _Selection) -> Iterator[_Part]:
    def dated(listings: Sequence[Listing]) -> _Selection:
        if len(listings) == len(edition.listings):
            return whole  # of which more is known
        return _Selection([listing for listing in listings if not isinstance(listing.event.when, Unscheduled)])

    for tag in edition.tags:
        yield _Part(f"tags/{tag}.ics", tag, dated(edition.tagged(tag)))
    known = [*edition.catalogue.venues, *map(attrgetter("venue"), edition.listings)]
    for venue in {venue.id: venue for venue in reversed(known) if venue is not None}.values():
        yield _Part(f"venues/{venue.id}.ics", venue.name, dated(edition.at_venue(venue.id)))
    for group in edition.groups:
        yield _Part(f"groups/{group.id}/calendar.ics", group.name, dated(edition.of_group(group.id)))


@dataclass(frozen=True)
class _Calendars:
    """The calendars in one language. Each event becomes bytes once, which all files share."""

    edition: Edition
    language: str
    _made: dict[str, VEvents] = field(default_factory=dict)

    def _event(self, listing: Listing) -> bytes:
        return b"".join(self._components(listing))

    def _components(self, listing: Listing) -> VEvents:
        made = self._made.get(listing.event.id)
        if made is None:
            made = self._made[listing.event.id] = tuple(map(lines_of, vevents(self.edition, listing, self.language)))
        return made

    def _ringing(self, listing: Listing) -> bytes:
        alarms = _alarms(listing, self.language)
        return b"".join(with_alarms(event, alarms) for event in self._components(listing))

    def render(self, whole: _Selection, parts: Iterable[_Part]) -> Iterator[Artifact | Bundle]:
        own, say = keys(self.edition), words(self.language)
        title = self.edition.series.title.said_in(self.language).text
        ringing = say("{series} (with alarms)").format(series=title)
        key = own.of_all(whole.listings)
        yield self._file("calendar.ics", lambda path: self._collection(path, title, whole), key)
        yield self._file("alarms/calendar.ics", lambda path: self._collection(path, ringing, whole, self._ringing), key)
        for part in parts:
            of = part.name if isinstance(part.name, str) else part.name.said_in(self.language).text
            name = f"{title} – {of}"
            make = partial(self._collection, name=name, events=part.events)
            yield self._file(part.path, make, own.of_all(part.events.listings, (name,)))
        for run in own.runs(whole.listings):
            name = f"calendars/{self.language}/{run[-1].event.id}"
            yield Bundle(name, own.of_all(run), partial(self._singles, run))

    def _singles(self, run: Iterable[Listing]) -> Iterator[Artifact]:
        for listing in run:
            key = keys(self.edition).of_one(listing)
            yield self._file(f"events/{listing.event.id}.ics", partial(self._single, listing), key)

    def _file(self, path: str, make: Callable[[str], Made], key: str) -> Artifact:
        return Artifact(self.edition.path(path, self.language), MEDIA_TYPE, partial(make, path), key)

    def _collection(
        self, path: str, name: str, events: _Selection, event: Callable[[Listing], bytes] | None = None
    ) -> Iterator[SupportsBytes]:
        calendar = _bare_calendar()
        self._describe(calendar, path, name, events)
        zones = events.zones if events.listings else (lines_of(vtimezone(self.edition.series.timezone, EMPTY_SINCE)),)
        kind = "vevent" if event is None else "ringing"
        told = keys(self.edition).joined(events.listings, event or self._event, kind, self.language)
        return calendar_of(opening_of(calendar), chain(zones, told))

    def _single(self, listing: Listing, _path: str) -> bytes:
        # Without a name: programs open a new calendar for a file that has one.
        return b"".join(map(bytes, calendar_of(_bare_opening(), (*_zones((listing,)), self._event(listing)))))

    def _describe(self, calendar: Calendar, path: str, name: str, events: _Selection) -> None:
        """RFC 7986 about the calendar, and the older names beside it. Set as values: `Calendar.new` doesn't escape."""
        edition, series, home = self.edition, self.edition.series, self.edition.address("", self.language)
        calendar["x-wr-calname"] = Text(name)
        calendar["name"] = Text(name, params=foreign(series.title.said_in(self.language), self.language))
        if series.description is not None:
            said = series.description.said_in(self.language)
            calendar["description"] = Text(to_text(said.text, home), params=foreign(said, self.language))
        calendar["uid"] = Text(_calendar_uid(edition, edition.path(path, self.language)))
        calendar["url"] = vUri(home)
        calendar["source"] = vUri(edition.address(path, self.language), params={"VALUE": "URI"})
        calendar["refresh-interval"] = vDuration(REFRESH, params={"VALUE": "DURATION"})
        calendar["x-published-ttl"] = vDuration(REFRESH)
        if not events.any_recurs_in_utc:
            calendar["x-wr-timezone"] = Text(series.timezone)
        if (color := (edition.catalogue.site.color or "").lower()) in CSS_COLOURS:
            calendar["color"] = Text(color)
        if events.updated is not None:
            calendar.add("last-modified", events.updated)


def _bare_calendar() -> Calendar:
    calendar = Calendar()
    calendar["prodid"] = Text(PRODID)
    calendar["version"] = Text("2.0")
    calendar["calscale"] = Text("GREGORIAN")
    return calendar


@cache
def _bare_opening() -> bytes:
    return opening_of(_bare_calendar())


def _calendar_uid(edition: Edition, path: str) -> str:
    """An identity that outlives a change of domain, as those of the events do: the domain is that of the first one."""
    if edition.ledger.lines:
        domain = edition.ledger.lines[0].uid.partition("@")[2]
    else:
        domain = f"{edition.series.id}.{urlsplit(edition.catalogue.site.url).hostname}"
    return f"{path.removesuffix('.ics')}@{domain}"


def _zones(listings: Iterable[Listing]) -> tuple[bytes, ...]:
    """The zones which the events name: those of recurring events with an hour, all others being in UTC."""
    first_years: dict[str, int] = {}
    for listing in listings:
        event = listing.event
        if (tzid := tzid_of(event)) is not None and event.date is not None:
            days = (event.date, *(moment.date for moment in event.moved))
            first_years[tzid] = min(first_years.get(tzid, MAXYEAR), *(day.year for day in days))
    return tuple(lines_of(vtimezone(*zone)) for zone in sorted(first_years.items()))


def _alarms(listing: Listing, language: str) -> tuple[bytes, ...]:
    """The VALARMs of a dated event; none for what won't take place."""
    if listing.cancelled:
        return ()
    title, uid = title_of(listing.event, language), listing.revision.uid
    opening = b"BEGIN:VALARM\r\nACTION:DISPLAY\r\n" + line_of(
        "DESCRIPTION", Text(title.text, params=foreign(title, language))
    )
    triggers = TIMED_ALARMS if isinstance(listing.event.when, AtTime) else DAY_ALARMS
    return tuple(
        b"".join((opening, trigger, line_of("UID", Text(f"{name}.{uid}")), b"END:VALARM\r\n"))
        for name, trigger in triggers
    )
