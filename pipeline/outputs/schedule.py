"""`schedule.xml`: the exchange format of conference programmes (frab, pentabarf), for apps and recordings.

It holds what has an hour: days of which the hour isn't known, and what doesn't take place, have no form in it. Of a
recurring event each time is an event of its own, as far ahead as a year after the last published change.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import NamedTuple, SupportsBytes
from uuid import UUID

from pipeline.catalogue.models import Event, Link, Speaker
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.texts import Text
from pipeline.catalogue.when import AtTime, When, first_day, local, starts, written
from pipeline.edition import Edition, Listing
from pipeline.guids import number_of
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.keys import keys
from pipeline.outputs.vevent import page_address
from pipeline.outputs.xml_text import DECLARATION, escaped, quoted
from pipeline.phrases import title_of
from pipeline.rendering import Renderer

MEDIA_TYPE = "application/xml"
GENERATOR = "tocsin"
A_YEAR = timedelta(days=366)
MOST_TIMES = 1000
"""Of one recurring event."""


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:  # noqa: ARG001 - programs need no template
    """`schedule.xml` in every language."""
    programme = _Programme(edition)
    for language in edition.languages:
        make = partial(_document, programme, language)
        yield Artifact(edition.path("schedule.xml", language), MEDIA_TYPE, make, keys(edition).timeless)


def _document(programme: "_Programme", language: str) -> Iterator[SupportsBytes]:
    """The file day by day."""
    yield f"{DECLARATION}<schedule>\n{_head(programme, language)}".encode()
    own = keys(programme.edition)
    for index, (day, times, said) in enumerate(programme.days, start=1):
        key = own.of(*(time.listing for time in times), values=("schedule.xml", language, str(index), *said))
        yield own.pieces.part(key, partial(_day, index, day, times, programme, language))
    if not programme.days:
        yield _day_without_times(programme.edition).encode()
    yield b"</schedule>\n"


class _Time(NamedTuple):
    """One time of one event."""

    day: date
    start: datetime
    uid: str
    listing: Listing
    when: AtTime
    name: str
    """What tells the times of a recurring event apart; empty for any other."""


class _Programme:
    """What the schedules in all languages have in common."""

    def __init__(self, edition: Edition) -> None:
        self.edition = edition

    @cached_property
    def days(self) -> list[tuple[date, list[_Time], list[str]]]:
        """Each day with its times that have an hour, and what tells their names and numbers."""
        days, numbers = groupby(self._in_order, key=attrgetter("day")), self.numbers
        return [
            (day, times, [f"{time.name} {numbers[time.uid]}" for time in times])
            for day, times in ((day, list(on_day)) for day, on_day in days)
        ]

    @cached_property
    def _in_order(self) -> list[_Time]:
        return sorted(_times(self.edition), key=itemgetter(0, 1, 2))

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The numbers of the times, by identity."""
        return _numbers(self.guids)

    @cached_property
    def guids(self) -> dict[str, int]:
        """The UUIDs of the times as numbers, by identity."""
        return {time.uid: number_of(time.uid) for time in self._in_order}


def _head(programme: _Programme, language: str) -> str:
    edition, days = programme.edition, programme.days
    facts = {
        "title": edition.series.title.said_in(language).text,
        "acronym": _long_enough(edition.series.id),
    }
    if days:
        facts |= {"start": days[0][0].isoformat(), "end": days[-1][0].isoformat(), "days": str(len(days))}
    facts |= {
        "timeslot_duration": "00:15",
        "base_url": edition.address("", language),
        "time_zone_name": edition.series.timezone,
    }
    version = edition.updated.strftime("%Y-%m-%d %H:%M") if edition.ledger.lines else "0"
    return (
        f'  <generator name="{GENERATOR}"/>\n  <version>{version}</version>\n'
        f"  <conference>\n{_elements(4, facts)}  </conference>\n"
    )


def _times(edition: Edition) -> Iterator[_Time]:
    recurring = bool(edition.recurring)
    for listing in edition.shown:
        event = listing.event
        if recurring and event.repeats and not listing.cancelled:
            for name, when in _of_recurring(listing, edition.updated):
                if isinstance(when, AtTime):
                    yield _Time(when.start.date(), when.start, f"{listing.revision.uid}/{name}", listing, when, name)
        elif isinstance(when := event.when, AtTime) and not listing.cancelled:
            yield _Time(when.start.date(), when.start, listing.revision.uid, listing, when, "")


def _of_recurring(listing: Listing, updated: datetime) -> list[tuple[str, When]]:
    """The times of an event; where there are very many, those from the last published change on."""
    first = starts(listing.event.when) or updated
    until = max(updated, first) + A_YEAR
    times = list(islice(occurrences(listing.event, first, until), MOST_TIMES + 1))
    if len(times) <= MOST_TIMES:
        return times
    return list(islice(occurrences(listing.event, max(first, updated), until), MOST_TIMES))


def _numbers(guids: Mapping[str, int]) -> dict[str, int]:
    """A positive number for each identity, of its UUID, that stays the same when others come and go."""
    own = {uid: guid % (2**31 - 1) + 1 for uid, guid in guids.items()}
    if len(set(own.values())) == len(own):
        return own  # as they nearly always are
    numbers: dict[str, int] = {}
    taken: set[int] = set()
    for uid, number in sorted(own.items()):
        while number in taken:
            number += 1
        taken.add(number)
        numbers[uid] = number
    return numbers


def _day(index: int, day: date, times: list[_Time], programme: _Programme, language: str) -> bytes:
    ends = [time.when.end or time.when.start for time in times]
    start, end = min(time.when.start for time in times), max(ends)
    rooms: dict[str, str] = {}
    for time in times:
        name = _room(time.listing, language)
        rooms[name] = rooms.get(name, "") + _event(name, time, programme, language)
    held = "".join(f'    <room name="{quoted(name)}">\n{events}    </room>\n' for name, events in rooms.items())
    return f"{_opening_of_day(index, day, start, end)}>\n{held}  </day>\n".encode()


def _opening_of_day(index: int, day: date, start: datetime, end: datetime) -> str:
    return f'  <day index="{index}" date="{day}" start="{written(start)}" end="{written(end)}"'


def _day_without_times(edition: Edition) -> str:
    """What an empty programme holds, since the schema of the format asks for a day, and apps for its date.

    It is the day of the first event, of which the hour isn't known yet, or that of the last published change.
    """
    zone, midnight = edition.series.zone, datetime.min.time()
    changed = edition.updated.astimezone(zone).date() if edition.ledger.lines else date(1970, 1, 1)
    day = next((known for listing in edition.dated if (known := first_day(listing.event.when))), changed)
    start, end = (local(day + timedelta(days=number), midnight, zone) for number in (0, 1))
    return f"{_opening_of_day(1, day, start, end)}/>\n"


def _room(listing: Listing, language: str) -> str:
    if listing.venue is not None:
        return listing.venue.name.said_in(language).text
    return words(language)("Online") if listing.event.online is not None else "–"


def _event(room: str, time: _Time, programme: _Programme, language: str) -> str:
    event, edition, number = time.listing.event, programme.edition, programme.numbers[time.uid]
    before = {
        "date": written(time.when.start),
        "start": f"{time.when.start:%H:%M}",
        "duration": _duration(time.when),
        "room": room,
        "slug": _slug(time, edition, number),
        "url": page_address(edition, time.listing, language),
    }
    after = {
        "title": title_of(event, language).text,
        "subtitle": "",
        "track": next(iter(event.tags), ""),
        "type": _said(event.kind, language),
        "language": next(iter(event.spoken), ""),
        "abstract": _said(event.abstract, language),
        "description": "",
    }
    recording = {"license": edition.series.license or "", "optout": "false"}
    persons = (f"          <person>{escaped(_name(one, language))}</person>\n" for one in event.speakers)
    return (
        f'      <event guid="{UUID(int=programme.guids[time.uid])}" id="{number}">\n{_elements(8, before)}'
        f"        <recording>\n{_elements(10, recording)}        </recording>\n{_elements(8, after)}"
        f"{_list('persons', persons)}{_list('links', _links(event, language))}      </event>\n"
    )


def _elements(indent: int, facts: Mapping[str, str]) -> str:
    space = " " * indent
    return "".join([f"{space}<{name}>{escaped(text)}</{name}>\n" for name, text in facts.items()])


def _list(name: str, items: Iterable[str]) -> str:
    held = "".join(items)
    return f"        <{name}>\n{held}        </{name}>\n" if held else f"        <{name}/>\n"


def _links(event: Event, language: str) -> Iterator[str]:
    for link in (*event.resources, *event.recordings):
        yield f'          <link href="{quoted(link.url)}">{escaped(_link_text(link, language))}</link>\n'


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


def _link_text(link: Link, language: str) -> str:
    return link.title.said_in(language).text if link.title else link.url


def _name(speaker: Speaker, language: str) -> str:
    return speaker.name or speaker.group or _said(speaker.unnamed, language)


def _said(text: Text | None, language: str) -> str:
    return text.said_in(language).text if text is not None else ""
