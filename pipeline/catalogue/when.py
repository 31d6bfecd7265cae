"""The three precisions of a date, which callers tell apart by `match`: at a time, on a day, not known yet.

Here it is done by `isinstance`: what is asked of every event, several times, takes half as long so.
"""

import importlib
import zoneinfo
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

ZONES = Path(str(importlib.import_module("tzdata").__file__)).with_name("zoneinfo")
"""The zones of the pinned `tzdata` package and not the system's: the same input gives the same bytes on any machine."""
# Named as a folder: to find it among its resources takes Python longer than to read a zone.
zoneinfo.reset_tzpath(to=(str(ZONES),))


@cache
def zone_names() -> frozenset[str]:
    """Every name of a zone that the package knows, old ones too."""
    return frozenset(ZONES.with_name("zones").read_text(encoding="ascii").split())


FARTHEST = 2
"""Days: by no more do the dates of one instant differ between two zones. What lies farther needs no reckoning."""


class AtTime(NamedTuple):
    """It starts at a known instant: aware, in the event's own zone. `end` is None where nobody said it."""

    start: datetime
    end: datetime | None = None
    end_is_estimated: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which the organiser wrote the time."""
        assert isinstance(self.start.tzinfo, ZoneInfo)  # noqa: S101 - by construction
        return self.start.tzinfo


class OnDay(NamedTuple):
    """Only the day is known, or it lasts whole days; `last` is included. `all_day`: no hour will ever come."""

    first: date
    last: date
    zone: ZoneInfo
    all_day: bool = False


@dataclass(frozen=True, slots=True)
class Unscheduled:
    """No date yet."""


When = AtTime | OnDay | Unscheduled


def local(day: date, at: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    """The aware instant of a wall time; of two in a clock change the first, unless `fold` is 1."""
    return datetime.combine(day, at if at.fold == fold else at.replace(fold=fold), zone)


def written(moment: datetime) -> str:
    """An aware instant as RFC 3339 has it, with its own offset; in UTC where that counts seconds, as before zones."""
    text = moment.isoformat(timespec="seconds")
    return text if len(text) <= len("2026-10-20T19:00:00+02:00") else written(moment.astimezone(UTC))


def in_gap(moment: datetime) -> bool:
    """Whether that wall time is skipped by a clock change in its zone."""
    wall = moment.replace(tzinfo=None)
    return moment.astimezone(UTC).astimezone(moment.tzinfo).replace(tzinfo=None) != wall


def in_overlap(moment: datetime) -> bool:
    """Whether that wall time happens twice because of a clock change in its zone."""
    return not in_gap(moment) and moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def neighbours_of_gap(moment: datetime) -> tuple[time, time]:
    """The last wall time before a gap (to the minute) and the first one after it."""
    after = moment.replace(fold=1).utcoffset()
    before = moment.replace(fold=0).utcoffset()
    assert after is not None and before is not None  # noqa: S101, PT018 - aware
    width = abs(before - after)
    probe = moment.replace(tzinfo=None, second=0, microsecond=0)
    while in_gap(probe.replace(tzinfo=moment.tzinfo)):
        probe -= timedelta(minutes=1)
    return probe.time(), (probe + timedelta(minutes=1) + width).time()


def starts(when: When) -> datetime | None:
    """The aware instant from which it is under way: its hour, or the midnight that opens its day; None if not known."""
    if isinstance(when, AtTime):
        return when.start
    return local(when.first, time(), when.zone) if isinstance(when, OnDay) else None


def is_over(when: When, instant: datetime) -> bool:
    """Whether it is past at that instant; without a known end it is past when its day is over."""
    if isinstance(when, Unscheduled):
        return False
    last = (when.end or when.start) if isinstance(when, AtTime) else when.last
    if abs(days := instant.toordinal() - last.toordinal()) > FARTHEST:
        return days > 0
    if isinstance(when, AtTime) and when.end is not None:
        return instant >= when.end.astimezone(when.start.tzinfo)
    return instant >= local(date.fromordinal(last.toordinal() + 1), time(), when.zone)


def last_day(when: When) -> date | None:
    """The last calendar day on which it takes place, in its own zone; None if not known."""
    if isinstance(when, AtTime):
        return (when.end or when.start).date()
    return when.last if isinstance(when, OnDay) else None


def first_day(when: When) -> date | None:
    """The calendar day on which it starts, in its own zone; None if not known."""
    if isinstance(when, AtTime):
        return when.start.date()
    return when.first if isinstance(when, OnDay) else None
