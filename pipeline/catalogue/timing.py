"""The `when` of a reminder: "2 days before at 10:00", read into one of six kinds that callers `match` on."""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum


class Side(StrEnum):
    """Before or after the event."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True)
class InDays:
    """So many calendar days before or after the event's day, at an hour local to the event (None: at its own hour)."""

    side: Side
    days: int
    at: time | None


@dataclass(frozen=True, slots=True)
class InHours:
    """So much elapsed time before or after the event's start; it needs a known hour."""

    side: Side
    lead: timedelta


@dataclass(frozen=True, slots=True)
class WhenAnnounced:
    """As soon as the event is first published."""


@dataclass(frozen=True, slots=True)
class WhenChanged:
    """As soon as a scheduling fact or the notice of a published event has changed and settled."""


@dataclass(frozen=True, slots=True)
class Monthly:
    """Every month on a day (the last one where the month is shorter) at an hour of the series' zone."""

    day: int
    at: time


@dataclass(frozen=True, slots=True)
class Weekly:
    """Every week on a weekday (Monday is 0) at an hour of the series' zone."""

    weekday: int
    at: time


Timing = InDays | InHours | WhenAnnounced | WhenChanged | Monthly | Weekly

FORMS = (
    '"14 days before at 10:00", "on the day at 08:00", "2 hours before", "1 day after at 18:00", "when announced", '
    '"when changed", "monthly on day 1 at 10:00", "weekly on Monday at 10:00"'
)
"""What to type, for messages."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_AT = r"(?:\s+at\s+(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d))"
_DAYS = rf"(?P<count>\d{{1,3}})\s+(?P<unit>days?|weeks?)\s+(?P<side>before|after){_AT}?"
_ON_THE_DAY = rf"on\s+the\s+day{_AT}"
_HOURS = r"(?P<count>\d{1,4})\s+(?P<unit>hours?|minutes?)\s+(?P<side>before|after)"
_MONTHLY = rf"monthly\s+on\s+day\s+(?P<day>[1-9]|[12]\d|3[01]){_AT}"
_WEEKLY = rf"weekly\s+on\s+(?P<weekday>{'|'.join(WEEKDAYS)}){_AT}"


def parse_timing(text: str) -> Timing | None:
    """What a `when` means, or None where it is none of the forms."""
    text = text.strip().lower()
    if text == "when announced":
        return WhenAnnounced()
    if text == "when changed":
        return WhenChanged()
    for pattern, read in _READERS:
        if (match := re.fullmatch(pattern, text)) is not None:
            return read(match)
    return None


def _at(match: re.Match[str]) -> time | None:
    return time(int(match["hour"]), int(match["minute"])) if match["hour"] else None


def _days(match: re.Match[str]) -> Timing:
    return InDays(Side(match["side"]), int(match["count"]) * (7 if match["unit"][0] == "w" else 1), _at(match))


def _on_the_day(match: re.Match[str]) -> Timing:
    return InDays(Side.BEFORE, 0, _at(match))


def _hours(match: re.Match[str]) -> Timing:
    count = int(match["count"])
    return InHours(Side(match["side"]), timedelta(hours=count) if match["unit"][0] == "h" else timedelta(minutes=count))


def _monthly(match: re.Match[str]) -> Timing:
    return Monthly(int(match["day"]), _at(match) or time())


def _weekly(match: re.Match[str]) -> Timing:
    return Weekly(WEEKDAYS.index(match["weekday"]), _at(match) or time())


_READERS = (
    (_DAYS, _days),
    (_ON_THE_DAY, _on_the_day),
    (_HOURS, _hours),
    (_MONTHLY, _monthly),
    (_WEEKLY, _weekly),
)
