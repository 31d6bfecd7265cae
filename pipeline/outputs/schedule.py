"""`schedule.xml`: the exchange format of conference programmes (frab, pentabarf), for apps and recordings.

It holds what has an hour: days of which the hour isn't known, and what doesn't take place, have no form in it. Of a
recurring event each time is an event of its own, as far ahead as a year after the last published change.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from itertools import groupby, islice
from uuid import NAMESPACE_URL, UUID, uuid5

from lxml import etree

from pipeline.catalogue.models import Event, Link, Speaker
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.texts import Text
from pipeline.catalogue.when import AtTime, When, first_day, local, starts, written
from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.keys import keys
from pipeline.outputs.vevent import page_address
from pipeline.phrases import title_of
from pipeline.rendering import Renderer

MEDIA_TYPE = "application/xml"
GENERATOR = "tocsin"
A_YEAR = timedelta(days=366)
MOST_TIMES = 1000
"""Of one recurring event."""


def guid_of(uid: str) -> str:
    """The UUID that the format wants for an identity: always the same one."""
    return str(_uuid_of(uid))


def _uuid_of(uid: str) -> UUID:
    return uuid5(NAMESPACE_URL, f"urn:tocsin:{uid}")


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:  # noqa: ARG001 - programs need no template
    """`schedule.xml` in every language."""
    programme = _Programme(edition)
    for language in edition.languages:
        make = partial(_document, programme, language)
        yield Artifact(edition.path("schedule.xml", language), MEDIA_TYPE, make, keys(edition).timeless)


def _document(programme: "_Programme", language: str) -> Iterator[bytes]:
    """The file day by day: of all days together the library would make a tree that is many times as large."""
    root = etree.Element("schedule")
    _add_head(root, programme, language)
    etree.indent(root)
    xml: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    yield xml.removesuffix(b"\n</schedule>")
    own = keys(programme.edition)
    on_days = groupby(programme.times, key=lambda time: time.when.start.date())
    for index, (day, on_day) in enumerate(on_days, start=1):
        times = list(on_day)
        said = [f"{time.name} {programme.numbers[time.uid]}" for time in times]
        key = own.of(*(time.listing for time in times), values=("schedule.xml", language, str(index), *said))
        yield own.pieces.of(key, partial(_written, index, day, times, programme, language))
    if not programme.times:
        yield b"\n  " + etree.tostring(_day_without_times(programme.edition), encoding="utf-8")
    yield b"\n</schedule>\n"


def _written(index: int, day: date, times: list["_Time"], programme: "_Programme", language: str) -> bytes:
    """A day as it stands in the list of all, one step in."""
    element = _day(index, day, times, programme, language)
    etree.indent(element, level=1)
    written: bytes = etree.tostring(element, encoding="utf-8")
    return b"\n  " + written


@dataclass(frozen=True)
class _Time:
    """One time of one event."""

    listing: Listing
    when: AtTime
    name: str
    """What tells the times of a recurring event apart; empty for any other."""

    @property
    def uid(self) -> str:
        return f"{self.listing.revision.uid}/{self.name}" if self.name else self.listing.revision.uid


class _Programme:
    """What the schedules in all languages have in common."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition

    @cached_property
    def times(self) -> list[_Time]:
        """Every time that has an hour, day by day."""
        return sorted(_times(self.edition), key=lambda time: (time.when.start.date(), time.when.start, time.uid))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The numbers of the times, by identity."""
        return _numbers(time.uid for time in self.times)


def _add_head(root: etree._Element, programme: _Programme, language: str) -> None:
    edition = programme.edition
    etree.SubElement(root, "generator", name=GENERATOR)
    _add(root, "version", edition.updated.strftime("%Y-%m-%d %H:%M") if edition.ledger.lines else "0")
    _add_conference(root, edition, programme.times, language)


def _times(edition: Edition) -> Iterator[_Time]:
    for listing in edition.shown:
        if listing.cancelled:
            continue
        for name, when in _of_event(listing, edition.updated):
            if isinstance(when, AtTime):
                yield _Time(listing, when, name)


def _of_event(listing: Listing, updated: datetime) -> list[tuple[str, When]]:
    """The times of an event; where there are very many, those from the last published change on."""
    if listing.event.repeats is None:
        return [("", listing.event.when)]
    first = starts(listing.event.when) or updated
    until = max(updated, first) + A_YEAR
    times = list(islice(occurrences(listing.event, first, until), MOST_TIMES + 1))
    if len(times) <= MOST_TIMES:
        return times
    return list(islice(occurrences(listing.event, max(first, updated), until), MOST_TIMES))


def _numbers(uids: Iterable[str]) -> dict[str, int]:
    """A positive number for each identity that stays the same when others come and go."""
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for uid in sorted(uids):
        number = _uuid_of(uid).int % (2**31 - 1) + 1
        while number in taken:
            number += 1
        taken.add(number)
        numbers[uid] = number
    return numbers


def _add_conference(root: etree._Element, edition: Edition, times: list[_Time], language: str) -> None:
    conference = etree.SubElement(root, "conference")
    _add(conference, "title", edition.series.title.said_in(language).text)
    _add(conference, "acronym", _long_enough(edition.series.id))
    if times:
        first, last = times[0].when.start.date(), times[-1].when.start.date()
        _add(conference, "start", first.isoformat())
        _add(conference, "end", last.isoformat())
        _add(conference, "days", str(len({time.when.start.date() for time in times})))
    _add(conference, "timeslot_duration", "00:15")
    _add(conference, "base_url", edition.address("", language))
    _add(conference, "time_zone_name", edition.series.timezone)


def _day(index: int, day: date, times: list[_Time], programme: _Programme, language: str) -> etree._Element:
    ends = [time.when.end or time.when.start for time in times]
    start, end = min(time.when.start for time in times), max(ends)
    element = etree.Element("day", index=str(index), date=day.isoformat(), start=written(start), end=written(end))
    rooms: dict[str, etree._Element] = {}
    for time in times:
        name = _room(time.listing, language)
        if name not in rooms:
            rooms[name] = etree.SubElement(element, "room", name=name)
        _add_event(rooms[name], time, programme.edition, language, programme.numbers[time.uid])
    return element


def _day_without_times(edition: Edition) -> etree._Element:
    """What an empty programme holds, since the schema of the format asks for a day, and apps for its date.

    It is the day of the first event, of which the hour isn't known yet, or that of the last published change.
    """
    zone, midnight = edition.series.zone, datetime.min.time()
    changed = edition.updated.astimezone(zone).date() if edition.ledger.lines else date(1970, 1, 1)
    day = next((known for listing in edition.dated if (known := first_day(listing.event.when))), changed)
    start, end = (local(day + timedelta(days=number), midnight, zone) for number in (0, 1))
    return etree.Element("day", index="1", date=day.isoformat(), start=written(start), end=written(end))


def _room(listing: Listing, language: str) -> str:
    if listing.venue is not None:
        return listing.venue.name.said_in(language).text
    return words(language)("Online") if listing.event.online is not None else "–"


def _add_event(room: etree._Element, time: _Time, edition: Edition, language: str, number: int) -> None:
    event = time.listing.event
    element = etree.SubElement(room, "event", guid=guid_of(time.uid), id=str(number))
    _add(element, "date", written(time.when.start))
    _add(element, "start", f"{time.when.start:%H:%M}")
    _add(element, "duration", _duration(time.when))
    _add(element, "room", str(room.get("name")))
    _add(element, "slug", _slug(time, edition, number))
    _add(element, "url", page_address(edition, time.listing, language))
    _add_recording(element, edition)
    _add(element, "title", title_of(event, language).text)
    _add(element, "subtitle", "")
    _add(element, "track", next(iter(event.tags), ""))
    _add(element, "type", _said(event.kind, language))
    _add(element, "language", next(iter(event.spoken), ""))
    _add(element, "abstract", _said(event.abstract, language))
    _add(element, "description", "")
    persons = etree.SubElement(element, "persons")
    for speaker in event.speakers:
        _add(persons, "person", _name(speaker, language))
    _add_links(element, event, language)


def _slug(time: _Time, edition: Edition, number: int) -> str:
    """Series, number and event, as the schema of the format wants it: no hyphen within the first of these."""
    name = f"{time.listing.event.id}-{time.name}" if time.name else time.listing.event.id
    return f"{_long_enough(edition.series.id.replace('-', '_'))}-{number:04}-{name}"


def _long_enough(name: str) -> str:
    """The schema of the format asks for four characters."""
    return name.ljust(4, "_")


def _duration(when: AtTime) -> str:
    """Hours and minutes; `00:00` where nobody said when it ends."""
    length = int(when.end.timestamp() - when.start.timestamp()) // 60 if when.end else 0
    hours, minutes = divmod(length, 60)
    # The format has two digits for the hours: what lasts for days is longer than any slot.
    return f"{min(hours, 99):02}:{minutes:02}"


def _add_recording(element: etree._Element, edition: Edition) -> None:
    recording = etree.SubElement(element, "recording")
    _add(recording, "license", edition.series.license or "")
    _add(recording, "optout", "false")


def _add_links(element: etree._Element, event: Event, language: str) -> None:
    links = etree.SubElement(element, "links")
    for link in (*event.resources, *event.recordings):
        _add(links, "link", _link_text(link, language)).set("href", link.url)


def _link_text(link: Link, language: str) -> str:
    return link.title.said_in(language).text if link.title else link.url


def _name(speaker: Speaker, language: str) -> str:
    return speaker.name or speaker.group or _said(speaker.unnamed, language)


def _said(text: Text | None, language: str) -> str:
    return text.said_in(language).text if text is not None else ""


def _add(parent: etree._Element, name: str, text: str) -> etree._Element:
    element = etree.SubElement(parent, name)
    element.text = text
    return element
