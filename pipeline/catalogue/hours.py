"""Days, hours and lengths of time as they are typed in a catalogue."""

import importlib
import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer
from pydantic_core import PydanticCustomError

from pipeline.catalogue.texts import shown, typed_as, wrong
from pipeline.errors import N_

_DAY = r"(?:19|20|21)\d{2}-\d{2}-\d{2}"
NOT_KNOWN = N_('while it is not known, delete the line and write tba = ["{key}"]')
"""`key` is known where the refusal gets its place."""
TIME = r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?"


def _time(value: Any) -> Any:
    if isinstance(value, str):
        match = re.fullmatch(TIME, value.strip(), re.ASCII)
        if match is None:
            raise _no_time(value)
        return time(int(match[1]), int(match[2]), int(match[3] or 0))
    if isinstance(value, time) and value.tzinfo is None:
        return value.replace(microsecond=0)
    raise _no_time(value)


def _no_time(value: Any) -> PydanticCustomError:
    text, given = str(value).strip() if isinstance(value, str | int | float) else "", shown(value)
    if isinstance(value, float) and 0 <= value < 24:
        text = given = f"{value:.2f}"  # of 18.30 TOML keeps 18.3
    if text.startswith("24"):
        hint = N_('the day ends at "23:59"; midnight is "00:00" of the next day')
        return wrong("{given} is not a time of day", hint, given=given)
    proposals = importlib.import_module("pipeline.catalogue.proposals")
    if (times := proposals.proposed_times(text)) is not None:
        hint = N_('write time = "{start}" and end_time = "{end}"')
        return wrong("{given} is not a time of day", hint, given=given, start=times[0], end=times[1])
    meant = proposals.proposed_time(text) or "19:00"
    if isinstance(value, str) and proposals.is_unknown(value):
        return wrong("{given} is not a time of day", NOT_KNOWN, given=given)
    return wrong("{given} is not a time of day", 'write "{meant}"', given=given, meant=meant)


def _no_day(value: Any) -> PydanticCustomError:
    proposals = importlib.import_module("pipeline.catalogue.proposals")
    if isinstance(value, str) and proposals.is_unknown(value):
        return wrong("{given} is not a date", NOT_KNOWN, given=shown(value))
    # 20260507 is a whole number to TOML.
    is_number = type(value) is int and 10**7 <= value < 10**8
    written = f"{value // 10_000}-{value // 100 % 100}-{value % 100}" if is_number else value
    meant = (isinstance(written, str) and proposals.proposed_day(written)) or "2026-05-07"
    return wrong("{given} is not a date", "write {meant}, without quotes", given=shown(value), meant=meant)


def _day(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise _no_day(value) from None
    if isinstance(value, datetime):
        hint, hour = N_('write {day}, and the hour apart: "{hour}"'), f"{value:%H:%M}"
        raise wrong("{given} is a day and an hour", hint, given=shown(value), day=value.date().isoformat(), hour=hour)
    if isinstance(value, date):
        return value
    raise _no_day(value)


def _moment(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d[T ].{5,}", value):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            value = shown(value)
    if isinstance(value, datetime):
        return value
    raise wrong("{given} is not a day and an hour", "write 2026-05-07T10:00:00", given=shown(value))


def _day_or_moment(value: Any) -> Any:
    has_hour = isinstance(value, datetime) or (isinstance(value, str) and len(value) > len("2026-05-07"))
    return _moment(value) if has_hour else _day(value)


_LENGTH = (
    r"(?:(\d{1,3})\s*(?:d|days?|j|jours?))?\s*"
    r"(?:(\d{1,3})\s*(?:h|hours?|heures?)\s*(\d{1,2})?)?\s*"
    r"(?:(\d{1,4})\s*(?:m|min|minutes?))?"
)
_DURATION = re.compile(_LENGTH, re.ASCII)


def parse_duration(value: Any) -> Any:
    """`"2h"`, `"1h30"`, `"90 min"`, `"2 days"` as a length of time; refuses what is none, or none at all."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    days, hours, rest, minutes = (int(number or 0) for number in match.groups()) if match else (0, 0, 0, 0)
    length = timedelta(days=days, hours=hours, minutes=rest + minutes)
    if not length:
        meant = importlib.import_module("pipeline.catalogue.proposals").proposed_length(value)
        hint = N_('write "{meant}"') if meant else 'write "2h", "1h30" or "90 min"'
        raise wrong("{given} is not a length of time", hint, given=shown(value), meant=meant)
    return length


def show_duration(value: timedelta) -> str:
    """The length of time as it is typed in the catalogue, to the minute: `2h`, `1h30`, `45 min`."""
    hours, minutes = divmod(int(value.total_seconds()) // 60, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours}h{minutes:02}" if minutes else f"{hours}h"


Day = Annotated[date, BeforeValidator(_day), typed_as(f"^{_DAY}$")]
Moment = Annotated[datetime, BeforeValidator(_moment), typed_as(f"^{_DAY}[T ].")]
DayOrMoment = Annotated[date | datetime, BeforeValidator(_day_or_moment), typed_as(f"^{_DAY}")]
TimeOfDay = Annotated[
    time,
    BeforeValidator(_time),
    PlainSerializer(lambda value: value.isoformat("minutes" if not value.second else "seconds")),
    # A TOML time may carry fractions of a second.
    typed_as(rf"^\s*{TIME}(\.\d+)?\s*$"),
]
Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(show_duration),
    typed_as(rf"^(?=.*[1-9])\s*{_LENGTH}\s*$"),
]
