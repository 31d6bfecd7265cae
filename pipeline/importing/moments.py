"""When an event takes place, from the starts and ends that other formats give."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.errors import N_
from pipeline.importing.found import Gathering, Spot

Moment = date | datetime
"""A day; a wall time (a datetime without a zone); or an instant in its zone (a datetime with a ZoneInfo)."""


def put_times(gathering: Gathering, start: Moment | None, end: Moment | None) -> None:
    """`date`, `time`, `end_date`, `end_time`, `timezone` of a start and an end; a day as an end is the last one."""
    if start is None:
        if end is not None:
            gathering.lose("end", end, N_("there is no start"))
        return
    _put_start(gathering, start)
    if end is not None:
        _put_end(gathering, start, end)


def _put_start(gathering: Gathering, start: Moment) -> None:
    if not isinstance(start, datetime):
        gathering.put("date", start)
        return
    gathering.put("date", start.date())
    gathering.facts["time"] = start.time().replace(microsecond=0, fold=0, tzinfo=None)
    if isinstance(start.tzinfo, ZoneInfo):
        gathering.put("timezone", start.tzinfo.key)
        if is_second(start):
            gathering.put("fold", 1)


def _put_end(gathering: Gathering, start: Moment, end: Moment) -> None:
    if isinstance(start, datetime) != isinstance(end, datetime):
        gathering.lose("end", end, N_("one of start and end has an hour and the other none"))
    elif not isinstance(end, datetime):
        if end > start:
            gathering.put("end_date", end)
        elif end < start:
            gathering.lose("end", end, N_("it is before the start"))
    elif isinstance(start, datetime):
        _put_end_time(gathering, start, end)


def _put_end_time(gathering: Gathering, start: datetime, end: datetime) -> None:
    if start.tzinfo is not None and end.tzinfo is not None:
        end = end.astimezone(start.tzinfo)
        length = end.timestamp() - start.timestamp()
    else:
        start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
        length = (end - start).total_seconds()
    if length < 0:
        gathering.lose("end", end.replace(tzinfo=None), N_("it is before the start"))
    elif length > 0:
        if end.date() != start.date():
            gathering.put("end_date", end.date())
        gathering.facts["end_time"] = end.time().replace(microsecond=0, fold=0, tzinfo=None)
        if end.tzinfo is not None and is_second(end):
            gathering.put("end_fold", 1)


def is_second(moment: datetime) -> bool:
    """Whether it is the second of two equal wall times of a clock change."""
    return bool(moment.fold) and moment.replace(fold=0).utcoffset() != moment.utcoffset()


def in_zone(moment: datetime, zone: str, gathering: Gathering | None = None) -> datetime:
    """An aware instant as a wall time of that zone; a question where its own offset is another one there."""
    there = moment.astimezone(ZoneInfo(zone))
    if gathering is not None and moment.utcoffset() and moment.utcoffset() != there.utcoffset():
        gathering.ask(
            N_("The source writes {given}; that is {taken} in {zone}. Does it take place in another time zone?"),
            given=moment.isoformat(" ", "minutes"),
            taken=f"{there:%Y-%m-%d %H:%M}",
            zone=zone,
        )
    return there


def facts_in_zone(facts: Mapping[str, Any], zone: str) -> Mapping[str, Any]:
    """The facts of an event with its start and end as wall times of that zone; as they are where that can't be.

    Days and hours may be written out, as `imported.jsonl` has them.
    """
    if facts.get("timezone") in (None, zone) or "repeats" in facts:
        # What recurs at one hour there recurs at several here.
        return facts
    there = Gathering(Spot(""))
    try:
        start = _instant(facts, "date", "time", "fold").astimezone(ZoneInfo(zone))
        ends = "end_time" in facts
        end = _instant({"end_date": facts["date"], **facts}, "end_date", "end_time", "end_fold") if ends else None
        put_times(there, start, end)
    except (KeyError, TypeError, ValueError, OverflowError):
        return facts
    return {**{key: value for key, value in facts.items() if key not in _WHEN}, **there.facts}


_WHEN = frozenset({"date", "time", "fold", "end_date", "end_time", "end_fold", "timezone"})


def _instant(facts: Mapping[str, Any], day: str, hour: str, fold: str) -> datetime:
    on, at = facts[day], facts[hour]
    on = date.fromisoformat(on) if isinstance(on, str) else on
    at = time.fromisoformat(at) if isinstance(at, str) else at
    return datetime.combine(on, at, ZoneInfo(facts["timezone"])).replace(fold=facts.get(fold, 0))


def last_day(end: date) -> date:
    """The last day of what ends, exclusive, on that day."""
    return end - timedelta(days=1) if end > date.min else end
