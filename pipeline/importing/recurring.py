"""What recurs: RRULE, EXDATE and changed single dates as `repeats`, `except` and `moved`."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any, cast
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from icalendar.prop import vBroken, vRecur

from pipeline.catalogue.chronology import LATEST, SOONEST
from pipeline.catalogue.models import Event
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.when import starts
from pipeline.errors import N_
from pipeline.importing.found import Gathering
from pipeline.importing.ics_times import Zones, moment_of
from pipeline.importing.moments import Moment

_WHEN = frozenset({"date", "time", "timezone", "repeats", "except", "moved"})
_LATEST = datetime.combine(LATEST, time(), UTC)
_BY_THE_DAY = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})


def rule_of(value: Any) -> str | None:
    """A rule as it is typed in a catalogue; None where it isn't one whose times are told apart by their day."""
    if not isinstance(value, vRecur):
        return None
    rule = {str(key).upper(): parts if isinstance(parts, list) else [parts] for key, parts in value.items()}
    if [str(part).upper() for part in rule.get("FREQ", [])][:1] not in [[name] for name in _BY_THE_DAY]:
        return None
    hours = {"BYHOUR", "BYMINUTE", "BYSECOND"} & rule.keys()
    if hours or any(_number(part) < 1 for key in ("INTERVAL", "COUNT") for part in rule.get(key, [])):
        return None
    text = bytes(cast("Any", value).to_ical()).decode()
    try:
        rrulestr(text.split("UNTIL=")[0].rstrip(";"), dtstart=datetime.combine(date(2026, 1, 1), time()))
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return text


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def put_rules(gathering: Gathering, component: Any, zones: Zones) -> None:
    """`repeats` and `except` of an event; what a catalogue can't say is lost."""
    rules = component.get("RRULE")
    for value in rules if isinstance(rules, list) else [] if rules is None else [rules]:
        if (rule := rule_of(value)) is not None and "repeats" not in gathering.facts:
            gathering.put("repeats", rule)
        else:
            if not isinstance(value, vBroken):
                gathering.lose("RRULE", _as_text(value))
            gathering.ask(N_("The source repeats this event by a rule that is not carried over: write its dates."))
    days = sorted(set(_days(component.get("EXDATE"), zones, gathering)))
    if "repeats" in gathering.facts:
        gathering.put("except", days)
    else:
        gathering.lose("EXDATE", ", ".join(map(str, days)), N_("the event has no rule whose dates could be left out"))
    for value in (*_several(component.get("RDATE")), *_several(component.get("EXRULE"))):
        gathering.lose("RDATE/EXRULE", _as_text(value))
        gathering.ask(N_("The source has further dates: {dates}"), dates=_as_text(value)[:200])


def _days(value: Any, zones: Zones, gathering: Gathering) -> Iterable[date]:
    for dates in _several(value):
        for part in getattr(dates, "dts", ()):
            # The zone of a list of dates stands on the list.
            moment = moment_of(_Dated(part.dt, getattr(dates, "params", {})), zones, gathering)
            if moment is not None:
                yield _day(moment, gathering)


class _Dated:
    """One date of a list, with the parameters of the list."""

    def __init__(self, dt: Any, params: Any) -> None:
        self.dt = dt
        self.params = params


def _day(moment: Moment, gathering: Gathering) -> date:
    """The day of a time in the zone of the event."""
    if not isinstance(moment, datetime):
        return moment
    return _local(moment, gathering).date()


def _local(moment: datetime, gathering: Gathering) -> datetime:
    zone = gathering.facts.get("timezone")
    return moment.astimezone(ZoneInfo(zone)) if zone is not None and moment.tzinfo is not None else moment


def except_or_move(gathering: Gathering, original: Moment, moment: Moment | None, *, cancelled: bool) -> None:
    """One changed time of a recurring event: it is left out, or takes place at another moment."""
    day = _day(original, gathering)
    if cancelled:
        gathering.facts["except"] = sorted({*gathering.facts.get("except", []), day})
        return
    if moment is None:
        return
    there = _local(moment, gathering) if isinstance(moment, datetime) else moment
    row: dict[str, Any] = {"from": day, "date": there.date() if isinstance(there, datetime) else there}
    if isinstance(there, datetime) and there.time().replace(microsecond=0) != gathering.facts.get("time"):
        row["time"] = there.time().replace(microsecond=0, fold=0)
    if row["date"] != day or "time" in row:
        gathering.facts.setdefault("moved", []).append(row)


def call_off(gathering: Gathering, component: Mapping[str, Any], zone: str) -> None:
    """Says that an event is cancelled of which every date is left out; without a zone of its own it is in `zone`."""
    facts = gathering.facts
    if facts.get("date") not in facts.get("except", ()) or "RDATE" in component:
        return
    if not all(SOONEST <= day <= LATEST for day in (facts["date"], *(row["date"] for row in facts.get("moved", ())))):
        return
    event = Event.model_validate({"id": "x", "timezone": zone, **{key: facts[key] for key in _WHEN & facts.keys()}})
    if not any(True for _ in occurrences(event, starts(event.when) or _LATEST, _LATEST)):
        for key in ("except", "moved"):
            facts.pop(key, None)
        facts["status"] = "cancelled"
        gathering.ask(N_("The source leaves out every date of this event: is it cancelled?"))


def _several(value: Any) -> list[Any]:
    """The values of a property that can be read; the others were named when the event was parsed."""
    values = [] if value is None else value if isinstance(value, list) else [value]
    return [item for item in values if not isinstance(item, vBroken)]


def _as_text(value: Any) -> str:
    try:
        return bytes(value.to_ical()).decode(errors="replace")
    except (AttributeError, ValueError, TypeError):
        return str(value)
