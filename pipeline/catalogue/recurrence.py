"""The single times at which a recurring event takes place."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

from dateutil.rrule import rrulestr

from pipeline.catalogue.models import Event, schedule
from pipeline.catalogue.when import When


def occurrences(event: Event, since: datetime, until: datetime) -> Iterator[tuple[str, When]]:
    """The times between two aware instants, each with the ISO date that names it; of any other event its only one."""
    if event.repeats is None or event.date is None:
        yield "", event.when
        return
    moved = {moment.original: moment for moment in event.moved}
    for day in _days(event, event.date, since, until):
        if day in event.excepted:
            continue
        if (other := moved.get(day)) is not None:
            yield day.isoformat(), schedule(event, other.date, other.time or event.time)
        else:
            yield day.isoformat(), schedule(event, day, event.time)


def _days(event: Event, first: date, since: datetime, until: datetime) -> Iterator[date]:
    """The days of the rule, in the event's own zone: a recurrence goes by the wall clock."""
    rule = rrulestr(local_until(event), dtstart=datetime.combine(first, event.time or time()))
    start, end = (moment.astimezone(event.zone).replace(tzinfo=None) for moment in (since, until))
    for moment in rule.xafter(start, inc=True):
        if moment > end:
            return
        yield moment.date()


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
