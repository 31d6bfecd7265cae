"""A fitted event as the table that is written: what isn't known to be announced, questions for people."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.catalogue.hours import show_duration
from pipeline.errors import N_
from pipeline.importing.fitting import TEXTS, Fitted, Tongue

Say = Callable[[str], str]

_OFF = {"cancelled": N_("This event is cancelled."), "postponed": N_("This event is postponed.")}


def table_of(
    event: Fitted, tongue: Tongue, zone: str, defaults: Mapping[str, Any], say: Say, public: Say
) -> dict[str, Any]:
    """The keys to write under `[[event]]`, without `id` and `venue`.

    `zone` and `defaults` are those of the catalogue; `say` translates for the organisers, `public` for readers.
    """
    table = {key: simple(key, value, tongue) for key, value in event.facts.items() if key != "venue"}
    usual = defaults.get("timezone", zone)
    _outweigh(table, defaults, ZoneInfo(table.get("timezone", usual)))
    if table.get("timezone") == usual:
        del table["timezone"]
    if "status" in defaults:
        table.setdefault("status", "confirmed")
    later = to_be_announced(table, _missing_key_is_inherited(event, defaults))
    table["tba"] = [*later, *(name for name in table.get("tba", []) if name not in table and name not in later)]
    questions = [say(question.pattern).format_map(question.values) for question in event.questions]
    if (status := table.get("status")) in _OFF and "notice" not in table:
        table["notice"] = public(_OFF[status])
        questions.append(say(N_("The source gives no reason: write for your readers why, in `notice`.")))
    table["todo"] = [" ".join(question.split()) for question in dict.fromkeys(questions)]
    return {key: value for key, value in table.items() if value not in ([], {})}


def to_be_announced(table: Mapping[str, Any], inherited: tuple[str, ...] = ()) -> list[str]:
    """What must be said not to be known: title, date and hour where they are missing, and what would be inherited."""
    later = [key for key in ("title", "date") if key not in table]
    if "time" not in table and not table.get("all_day"):
        later.append("time")
    return later + [key for key in inherited if key not in table]


def _missing_key_is_inherited(event: Fitted, defaults: Mapping[str, Any]) -> tuple[str, ...]:
    keys = tuple(key for key in ("end_date", "end_time", "duration", "repeats", "online") if key in defaults)
    has_place = "venue" in event.facts or "online" in event.facts
    return keys if has_place or "venue" not in defaults else (*keys, "venue")


def simple(key: str, value: Any, tongue: Tongue) -> Any:
    """A value as it is written: a text in the default language alone without its language."""
    if key in TEXTS and isinstance(value, Mapping) and set(value) == {tongue.default}:
        return value[tongue.default]
    if isinstance(value, Mapping):
        return {inner: _inner(item, tongue) for inner, item in value.items()}
    if isinstance(value, list):
        return [simple(key, item, tongue) if isinstance(item, Mapping) else item for item in value]
    return value


def _inner(value: Any, tongue: Tongue) -> Any:
    if isinstance(value, Mapping) and set(value) == {tongue.default}:
        return value[tongue.default]
    if isinstance(value, Mapping):
        return {key: _inner(item, tongue) for key, item in value.items()}
    return value


def simple_place(place: Mapping[str, Any], tongue: Tongue) -> dict[str, Any]:
    """The keys of a place as they are written."""
    return {key: _inner(value, tongue) for key, value in place.items()}


def _outweigh(table: dict[str, Any], defaults: Mapping[str, Any], zone: ZoneInfo) -> None:
    """An end is written in the key that the defaults use, since both together would be refused."""
    if defaults.get("all_day") and "time" in table:
        table["all_day"] = False
    if "duration" in defaults and "end_time" in table and "duration" not in table:
        start, end = table.get("time"), table["end_time"]
        if isinstance(start, time) and isinstance(table.get("date"), date):
            first = datetime.combine(table["date"], start, zone)
            last = datetime.combine(table.get("end_date", table["date"]), end, zone)
            table["duration"] = show_duration(timedelta(seconds=last.timestamp() - first.timestamp()))
            del table["end_time"]
            table.pop("end_date", None)
