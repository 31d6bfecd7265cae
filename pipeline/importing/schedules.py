"""`eventSchedule` of schema.org: the times of what recurs, as a first time, `repeats` and `except`."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

_OFTEN = {"D": "DAILY", "W": "WEEKLY", "M": "MONTHLY", "Y": "YEARLY"}
_WORDS = {"daily": "P1D", "weekly": "P1W", "monthly": "P1M", "yearly": "P1Y"}
_DAYS = {"monday": "MO", "tuesday": "TU", "wednesday": "WE", "thursday": "TH", "friday": "FR", "saturday": "SA",
         "sunday": "SU"}  # fmt: skip
_UNDERSTOOD = frozenset(
    {
        "@type", "@id", "startDate", "endDate", "startTime", "endTime", "repeatFrequency", "repeatCount", "byDay",
        "exceptDate", "scheduleTimezone",
    }
)  # fmt: skip


class Schedule(NamedTuple):
    """What recurs: wall times of the first time, the rule as a catalogue has it, the days left out, and the zone."""

    start: datetime
    end: datetime | None
    rule: str
    excepted: list[date]
    zone: str
    """Empty where it isn't said."""


def schedule_of(value: Any) -> Schedule | None:
    """A schedule as a catalogue can say it, None where it can't."""
    if not isinstance(value, Mapping) or not value.keys() <= _UNDERSTOOD:
        return None
    try:
        return _read(value)
    except (ValueError, TypeError, KeyError, OverflowError):
        return None


def _read(value: Mapping[str, Any]) -> Schedule:
    frequency = str(value["repeatFrequency"]).rpartition("/")[2]
    match = re.fullmatch(r"P([1-9]\d?)([DWMY])", _WORDS.get(frequency.casefold(), frequency))
    if match is None:
        raise ValueError(frequency)
    days = [_day_of(item) for item in _several(value.get("byDay"))]
    if days and match[2] != "W":
        # In a month it would be each of them, which hardly anybody means.
        raise ValueError(days)
    first = date.fromisoformat(value["startDate"][:10])
    if days:
        week = list(_DAYS.values())
        first += timedelta(days=min((week.index(day) - first.weekday()) % 7 for day in days))
    rule = {"FREQ": _OFTEN[match[2]], "INTERVAL": match[1], "BYDAY": ",".join(days), **_end(value)}
    text = ";".join(f"{key}={part}" for key, part in rule.items() if part and (key, part) != ("INTERVAL", "1"))
    start = datetime.combine(first, time.fromisoformat(value["startTime"]))
    end = datetime.combine(first, time.fromisoformat(value["endTime"])) if value.get("endTime") else None
    if end is not None and end <= start:
        end += timedelta(days=1)
    excepted = sorted(date.fromisoformat(str(day)[:10]) for day in _several(value.get("exceptDate")))
    return Schedule(start, end, text, excepted, str(value.get("scheduleTimezone") or ""))


def _end(value: Mapping[str, Any]) -> dict[str, str]:
    if value.get("repeatCount"):
        return {"COUNT": str(int(value["repeatCount"]))}
    return {"UNTIL": f"{date.fromisoformat(value['endDate'][:10]):%Y%m%d}"} if value.get("endDate") else {}


def _day_of(value: object) -> str:
    name = str(value).rpartition("/")[2].casefold()
    return name.upper() if name.upper() in _DAYS.values() else _DAYS[name]


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]
