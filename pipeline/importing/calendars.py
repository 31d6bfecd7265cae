"""`.ics`: the events of a calendar file, as Google, Outlook, Apple, Nextcloud, pretalx, Indico, Gancio … write them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from warnings import catch_warnings, simplefilter

from icalendar import Event

from pipeline.errors import N_, CatalogueError, Problem
from pipeline.importing.found import Found, Gathering, Manner, Reading, Spot
from pipeline.importing.ics_blocks import Block, Calendar, calendars
from pipeline.importing.ics_facts import language_of, put_facts, text_of
from pipeline.importing.ics_times import Zones, length_of, moment_of
from pipeline.importing.moments import Moment, last_day, put_times
from pipeline.importing.our_calendars import put_ours, without_ours
from pipeline.importing.recurring import call_off, except_or_move, put_rules
from pipeline.importing.zones import iana

_WHOLE_DAY = "X-MICROSOFT-CDO-ALLDAYEVENT"
_COMPARED = ("SUMMARY", "LOCATION", "DESCRIPTION", "URL", "STATUS")
"""What a single changed time may say otherwise, which a catalogue can't."""


def read_calendar(data: bytes, file: str, manner: Manner) -> Reading:
    """The events of an iCalendar text in UTF-8; CatalogueError where it is none."""
    lost: list[Problem] = []
    return Reading(_events(data, file, manner, lost), lost)


def _events(data: bytes, file: str, manner: Manner, lost: list[Problem]) -> Iterator[Found]:
    found = calendars(data, file)
    if not found:
        raise CatalogueError([Spot(file, 1).problem(
            N_("this is no calendar: it has no line BEGIN:VCALENDAR"), N_("save the address of the .ics file itself"))
        ])  # fmt: skip
    for calendar in found:
        zones = _zones(calendar, manner)
        # One event after the other: parsed, a calendar takes many times the memory of its text.
        for blocks in _grouped(calendar.events):
            read, unread = _read_all(blocks, file)
            lost += unread
            if read:
                yield _event(read, zones, file, manner)
        lost += [Spot(file).lost(kind, count) for kind, count in calendar.others.items()]


def _zones(calendar: Calendar, manner: Manner) -> Zones:
    return Zones(calendar.zones, iana(calendar.zone) if calendar.zone else None, manner.zone)


Read = tuple[Block, Event]


def _read_all(blocks: Iterable[Block], file: str) -> tuple[list[Read], list[Problem]]:
    read: list[Read] = []
    lost: list[Problem] = []
    for block in blocks:
        try:
            with catch_warnings():
                # It warns of names of zones that are guessed; they are read here once more.
                simplefilter("ignore")
                component = Event.from_ical(block.text)
        # Each program has its own way to write what no parser understands.
        except Exception as error:  # noqa: BLE001
            lost.append(Spot(file, block.line).lost("VEVENT", error))
            continue
        if isinstance(component, Event):
            read.append((block, component))
    return read, lost


def _grouped(blocks: list[Block]) -> Iterator[list[Block]]:
    """The components of each event together, in the order in which the events are first met; none is kept here."""
    groups: dict[str, list[Block]] = {}
    for number, block in enumerate(blocks):
        groups.setdefault(block.uid or f"\0{number}", []).append(block)
    blocks.clear()
    for uid in tuple(groups):
        yield groups.pop(uid)


def _event(group: list[Read], zones: Zones, file: str, manner: Manner) -> Found:
    masters = [item for item in group if "RECURRENCE-ID" not in item[1]]
    changed = [item for item in group if "RECURRENCE-ID" in item[1]]
    # Of several versions the one with the highest SEQUENCE counts; of a single changed time without its series, itself.
    block, component = max(masters, key=lambda item: _sequence(item[1])) if masters else changed.pop(0)
    title = text_of(component.get("SUMMARY"))
    spot = Spot(file, block.line, f'"{" ".join(title.split())[:60]}"' if title else "VEVENT")
    gathering = Gathering(spot)
    for source, one in group:
        for key, complaint in one.errors:
            written = re.search(rf"(?mi)^{re.escape(str(key))}\b[^:\r\n]*:(.*)", source.text) if key else None
            gathering.lose(str(key or "line"), written[1] if written else complaint, N_("it can't be read"))
    start, end = _span(component, zones, gathering)
    put_times(gathering, start, end)
    if start is not None and not isinstance(start, datetime):
        gathering.put("all_day", True)
    if isinstance(start, datetime) and start.tzinfo is None and not component["DTSTART"].params.get("TZID"):
        gathering.ask(
            N_("The source names no time zone: is {time} meant in that of the series?"), time=f"{start:%H:%M}"
        )
    for _block, one in group:
        if (ours := without_ours(one)) is not None and one is component:
            put_ours(gathering, ours, language_of(component.get("DESCRIPTION")))
    put_facts(gathering, component, manner)
    put_rules(gathering, component, zones)
    _put_changed(gathering, changed, component, zones, _length(start, end))
    call_off(gathering, component, manner.zone)
    for _block, other in masters:
        if other is not component:
            gathering.lose("VEVENT", text_of(other.get("SUMMARY")) or "–", N_("another version of the same event"))
    uid = text_of(component.get("UID"))
    if "RECURRENCE-ID" in component and uid:
        uid += f"/{text_of(component.get('RECURRENCE-ID'))}"
    return gathering.found(uid)


def _span(component: Mapping[str, Any], zones: Zones, gathering: Gathering) -> tuple[Moment | None, Moment | None]:
    """Start and end; days where Outlook says that midnight means nothing but a whole day."""
    start = moment_of(component.get("DTSTART"), zones, gathering, recurs="RRULE" in component)
    end = _end(component, start, zones, gathering)
    if text_of(component.get(_WHOLE_DAY)).upper() != "TRUE" or not isinstance(start, datetime):
        return start, end
    if isinstance(end, datetime):
        end = end.date() if end.time() > time() else last_day(end.date())
    return start.date(), None if end is None else max(start.date(), end)


def _sequence(component: Mapping[str, Any]) -> int:
    value = component.get("SEQUENCE", 0)
    return value if isinstance(value, int) else 0


def _end(component: Mapping[str, Any], start: Moment | None, zones: Zones, gathering: Gathering) -> Moment | None:
    """The end that DTEND or DURATION give; of whole days the last one."""
    end = moment_of(component.get("DTEND"), zones, gathering)
    length = length_of(component.get("DURATION"))
    if end is None and length is not None and start is not None:
        end = _later(start, length)
    if end is not None and start is not None and not isinstance(end, datetime) and not isinstance(start, datetime):
        # DTEND is the first day after; some programs write the day itself.
        return max(last_day(end), start)
    return end


def _later(start: Moment, length: timedelta) -> Moment | None:
    try:
        if isinstance(start, datetime) and start.tzinfo is not None:
            return datetime.fromtimestamp(start.timestamp() + length.total_seconds(), start.tzinfo)
        return start + length
    except (OverflowError, ValueError, OSError):
        return None


def _length(start: Moment | None, end: Moment | None) -> timedelta | None:
    """How long an event lasts by its wall times; None where it has no hour or no end."""
    if not isinstance(start, datetime) or not isinstance(end, datetime):
        return None
    return end.replace(tzinfo=None) - start.replace(tzinfo=None)


def _put_changed(
    gathering: Gathering, changed: Iterable[Read], master: Mapping[str, Any], zones: Zones, length: timedelta | None
) -> None:
    for _block, component in changed:
        original = moment_of(component.get("RECURRENCE-ID"), zones, gathering)
        moment, end = _span(component, zones, gathering)
        if original is None or "repeats" not in gathering.facts:
            gathering.lose("RECURRENCE-ID", text_of(component.get("SUMMARY")) or "–", "")
            continue
        if component["RECURRENCE-ID"].params.get("RANGE"):
            gathering.lose("RECURRENCE-ID", f"{original:%Y-%m-%d} …", N_("it changes all later dates at once"))
            gathering.ask(N_("From {day} on the source says otherwise: write these dates."), day=f"{original:%Y-%m-%d}")
            continue
        cancelled = text_of(component.get("STATUS")).upper() == "CANCELLED"
        except_or_move(gathering, original, moment, cancelled=cancelled)
        if not cancelled:
            _lose_other_words(gathering, original, component, master)
            if end is not None and _length(moment, end) != length:
                _lose_other(gathering, original, "DTEND", f"{end:%H:%M}")


def _lose_other_words(
    gathering: Gathering, original: date, component: Mapping[str, Any], master: Mapping[str, Any]
) -> None:
    for key in _COMPARED:
        words = text_of(component.get(key))
        if words and words not in {text_of(master.get(key)), "CONFIRMED"}:
            _lose_other(gathering, original, key, words)


def _lose_other(gathering: Gathering, original: date, key: str, words: str) -> None:
    """A fact of one time of a series that a catalogue says of all of them."""
    day = f"{original:%Y-%m-%d}"
    gathering.lose(f"{key} ({day})", words, N_("one time of a series has nothing of its own but its day and hour"))
    gathering.ask(N_("On {day} the source says otherwise: {words}"), day=day, words=f"{key} {words[:200]}")
