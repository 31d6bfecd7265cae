"""A date as it stands in the margin of a programme: weekday, day, month and hour, one below the other."""

from datetime import date, datetime
from functools import lru_cache
from typing import NamedTuple

from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, written
from pipeline.language import say_day, say_month, say_time, say_weekday, words
from pipeline.phrases import say_zone_beside


class DateTile(NamedTuple):
    """The parts of a date in one language. `instant` is its machine-readable form; `hour` may be empty, and so may
    `zone`, which names that of the hour where it isn't the one that readers take for granted.

    `hour_is_open`: `hour` says that it is to be announced, which is of no use once the day is over.
    """

    instant: str
    weekday: str
    day: str
    month: str
    hour: str
    hour_is_open: bool = False
    zone: str = ""


def date_tile(when: When, language: str, home: str | None = None) -> DateTile | None:
    """The tile of a date in the event's own zone; None where it is to be announced. `home` as for `say_when`."""
    match when:
        case AtTime(start, end, estimated):
            end = None if estimated else end
            day, hour = _parts(start.date(), language), _hours(start, end, language)
            return DateTile(written(start), *day, hour, zone=say_zone_beside(when, language, home))
        case OnDay(first, last, _, all_day):
            if last != first:
                until = words(language)("until {day}").format(day=_together(last, language))
                return _tile(first, first.isoformat(), until, language)
            if all_day:
                return _tile(first, first.isoformat(), "", language)
            hour = words(language)("time to be announced")
            return _tile(first, first.isoformat(), hour, language)._replace(hour_is_open=True)
        case Unscheduled():
            return None


def _tile(day: date, instant: str, hour: str, language: str) -> DateTile:
    return DateTile(instant, *_parts(day, language), hour)


@lru_cache(maxsize=4096)
def _parts(day: date, language: str) -> tuple[str, str, str]:
    """Weekday, number and month."""
    number = "1er" if language == "fr" and day.day == 1 else f"{day.day}"
    return say_weekday(day, language), number, say_month(day, language)


def _hours(start: datetime, end: datetime | None, language: str) -> str:
    if end is None:
        return say_time(start, language)
    if end.date() == start.date():
        return f"{say_time(start, language)}–{say_time(end, language)}"
    return f"{say_time(start, language)} – {_together(end.date(), language)}"


def _together(day: date, language: str) -> str:
    """A day that stands on one line, in a narrow margin too."""
    return say_day(day, language, "brief").replace(" ", "\u00a0")


def machine_readable(when: When) -> tuple[str, str]:
    """Start and end for a `datetime` attribute: with their offset, or bare days; empty where not known or guessed."""
    match when:
        case AtTime(start, end, estimated):
            return written(start), written(end) if end and not estimated else ""
        case OnDay(first, last):
            return first.isoformat(), last.isoformat() if last != first else ""
        case Unscheduled():
            return "", ""
