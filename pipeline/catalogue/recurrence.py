"""The single times at which a recurring event takes place."""

import importlib
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from typing import Any

from pipeline.catalogue.models import Event, schedule
from pipeline.catalogue.when import AtTime, When, first_day, in_gap, last_day, starts

LONGEST = timedelta(days=31)
"""How long one time may last and still be found while it does."""
EVER = datetime(9000, 1, 1, tzinfo=UTC)
"""After whatever a catalogue may hold, for rules that end by themselves."""


def is_endless(event: Event) -> bool:
    """Whether it recurs by a rule that tells no end."""
    return event.repeats is not None and re.search("(COUNT|UNTIL)=", event.repeats.upper()) is None


def occurrences(event: Event, since: datetime, until: datetime) -> Iterator[tuple[str, When]]:
    """The times between two aware instants by their start, each with the ISO date that names it in the rule.

    One that was moved is found by its new date and by the one that the rule gave it. Of an event that doesn't recur
    its only time, named by the empty text.
    """
    if event.repeats is None or event.date is None:
        yield "", event.when
        return
    moved = {moment.original for moment in event.moved}
    kept = (
        (day.isoformat(), _on(event, day))
        for day in _days(event, event.date, since, until)
        if day not in moved and day not in event.excepted
    )
    yield from merge(kept, sorted(_moved(event, since, until), key=_start), key=_start)


def _on(event: Event, day: date) -> When:
    """One time of the rule; an hour that the clocks skip on that day comes as much later (RFC 5545, 3.3.5)."""
    when = schedule(event, day, event.time)
    if not isinstance(when, AtTime) or not in_gap(when.start):
        return when
    start, end = when.start.astimezone(UTC).astimezone(event.zone), when.end
    if end is not None and end.timestamp() <= start.timestamp():
        end += start.replace(tzinfo=None) - when.start.replace(tzinfo=None)
    return when._replace(start=start, end=end)


def first_time(event: Event) -> When:
    """When an event first takes place: the day with which its rule begins may be excepted, or moved.

    Of an event that doesn't recur, or of which no time is left, what the catalogue says.
    """
    if event.repeats is None or (start := starts(event.when)) is None or not (event.excepted or event.moved):
        return event.when
    return next((when for _, when in occurrences(event, start, EVER)), event.when)


def _moved(event: Event, since: datetime, until: datetime) -> Iterator[tuple[str, When]]:
    first, last = (moment.astimezone(event.zone).date() for moment in (since, until))
    for moment in event.moved:
        if moment.original in event.excepted:
            continue
        if first <= moment.original <= last or first <= moment.date <= last:
            yield moment.original.isoformat(), schedule(event, moment.date, moment.time or event.time)


def _start(named: tuple[str, When]) -> tuple[datetime, str]:
    name, when = named
    start = starts(when)
    assert start is not None  # noqa: S101 - each time has its day
    # In UTC: within one zone Python compares the wall clocks.
    return start.astimezone(UTC), name


def at_one_time(event: Event, when: When) -> Event:
    """One time of a recurring event as an event of its own; any other event as it is."""
    if event.repeats is None:
        return event
    hour = when.start.time() if isinstance(when, AtTime) else None
    end = last_day(when) if event.end_date else None
    return event.altered(repeats=None, excepted=(), moved=(), date=first_day(when), time=hour, end_date=end)


def _days(event: Event, first: date, since: datetime, until: datetime) -> Iterator[date]:
    """The days of the rule, in the event's own zone: a recurrence goes by the wall clock."""
    rule = moments_of(local_until(event), datetime.combine(first, event.time or time()))
    start, end = (moment.astimezone(event.zone).replace(tzinfo=None) for moment in (since, until))
    for moment in rule.xafter(start, inc=True):
        if moment > end:
            return
        yield moment.date()


def moments_of(rule: str, first: datetime) -> Any:
    """The wall times of a rule (RFC 5545) that begins at one, to be walked or searched as `dateutil` lets it."""
    # Hardly any series holds something that recurs, and the library takes as long to load as a short one to read.
    return importlib.import_module("dateutil.rrule").rrulestr(rule, dtstart=first)


def local_until(event: Event) -> str:
    """The event's rule with its UNTIL as a local date-time, whichever way it was written."""
    rule = (event.repeats or "").rpartition(":")[2]
    parts = []
    for part in rule.split(";"):
        key, _, value = part.partition("=")
        if key.upper() == "UNTIL":
            parts.append(f"UNTIL={_wall(value, event):%Y%m%dT%H%M%S}")
        elif part:
            parts.append(part)
    return ";".join(parts)


def _wall(value: str, event: Event) -> datetime:
    """The last moment of a rule as a wall time; a day means the whole of it."""
    if len(value) == len("20260507"):
        return datetime.combine(date.fromisoformat(value), time(23, 59, 59))
    moment = datetime.fromisoformat(value.removesuffix("Z"))
    return moment.replace(tzinfo=UTC).astimezone(event.zone).replace(tzinfo=None) if value.endswith("Z") else moment
