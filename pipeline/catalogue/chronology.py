"""Whether the dates and hours of one event make sense: years, weekdays, clock changes, ends, recurrences."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.models import Event
from pipeline.catalogue.places import Path
from pipeline.catalogue.recurrence import local_until, moments_of
from pipeline.catalogue.when import AtTime, in_gap, last_day, local, neighbours_of_gap
from pipeline.weekdays import say_weekday, weekday_names

SOONEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
A_DAY = timedelta(days=1)


def chronology(event: Event, languages: Sequence[str]) -> Iterator[Finding]:
    """Every error in the dates and hours of an event; weekdays may be written in any of the languages."""
    if beyond := list(_years(event)):
        # Nothing can be reckoned with such a year.
        yield from beyond
        return
    yield from _weekday(event, languages)
    yield from _clock_change(event)
    yield from _ends(event)
    yield from _all_day(event)
    yield from _registration(event)
    yield from _recurrence(event)


def _years(event: Event) -> Iterator[Finding]:
    for path, day in _days(event):
        if not SOONEST <= day <= LATEST:
            yield Finding(path, "the year {year} can't be meant", "write 2026-05-07", {"year": day.year})


def _days(event: Event) -> Iterator[tuple[Path, date]]:
    yield from (((key,), day) for key in ("date", "end_date") if (day := getattr(event, key)) is not None)
    yield from ((("except", index), day) for index, day in enumerate(event.excepted))
    for index, moment in enumerate(event.moved):
        yield ("moved", index, "from"), moment.original
        yield ("moved", index, "date"), moment.date
    if event.registration is not None:
        for key in ("opens", "closes"):
            if (day := getattr(event.registration, key)) is not None:
                yield ("registration", key), day.date() if isinstance(day, datetime) else day


def _weekday(event: Event, languages: Sequence[str]) -> Iterator[Finding]:
    if event.weekday is None:
        return
    language = next((name for name in languages if event.weekday.casefold().rstrip(".") in weekday_names(name)), None)
    if language is None:
        yield Finding(
            ("weekday",),
            "{word!r} is not a day of the week in {languages}",
            'write "{example}", or delete the line',
            {
                "word": event.weekday,
                "languages": ", ".join(languages),
                "example": say_weekday(event.date or date(2026, 1, 1), languages[0]),
            },
        )
    elif (
        event.date is not None and weekday_names(language)[event.weekday.casefold().rstrip(".")] != event.date.weekday()
    ):
        yield Finding(
            ("weekday",),
            "{date} is a {real}, not a {stated}",
            "correct the date or the weekday",
            {"date": event.date, "real": say_weekday(event.date, language), "stated": event.weekday},
        )


def _clock_change(event: Event) -> Iterator[Finding]:
    for path, moment in wall_times(event):
        yield from skipped(path, moment)


def skipped(path: Path, moment: datetime) -> Iterator[Finding]:
    """That a wall time doesn't exist, since the clocks go forward then, with its two neighbours."""
    if in_gap(moment):
        before, after = neighbours_of_gap(moment)
        yield Finding(
            path,
            "{time} does not exist on {date} in {zone}: the clocks go forward",
            'write "{before}" or "{after}"',
            {
                "time": f"{moment:%H:%M}",
                "date": moment.date(),
                "zone": str(moment.tzinfo),
                "before": f"{before:%H:%M}",
                "after": f"{after:%H:%M}",
            },
        )


def wall_times(event: Event) -> Iterator[tuple[Path, datetime]]:
    """Every hour of a day that an event names, in its zone; instants with an offset of their own aren't among them."""
    if event.date is not None and event.time is not None:
        yield ("time",), local(event.date, event.time, event.zone, event.fold)
    if event.end_time is not None and (day := event.end_date or event.date) is not None:
        yield ("end_time",), local(day, event.end_time, event.zone, event.end_fold)
    for index, moment in enumerate(event.moved):
        if (hour := moment.time or event.time) is not None:
            yield ("moved", index, "time" if moment.time else "date"), local(moment.date, hour, event.zone)
    for key in ("opens", "closes"):
        said = getattr(event.registration, key, None)
        if isinstance(said, datetime) and said.tzinfo is None:
            yield ("registration", key), local(said.date(), said.time(), event.zone)


def _ends(event: Event) -> Iterator[Finding]:
    if event.end_time is not None and event.duration is not None:
        yield Finding(("duration",), "`end_time` and `duration` both say when it ends", "keep one of them")
    if event.end_date is not None and event.date is None:
        yield Finding(("end_date",), "there is an end date and no date", "write `date`, or delete `end_date`")
    if event.end_date is not None and event.date is not None and event.end_date < event.date:
        yield Finding(
            ("end_date",),
            "it ends on {end}, before it starts on {start}",
            "correct one of the two dates",
            {"end": event.end_date, "start": event.date},
        )
    elif isinstance(event.when, AtTime) and _ends_too_early(event.when):
        yield Finding(
            ("end_time",),
            "it ends at {end}, not after it starts at {start}",
            "correct it; for an event over midnight write `end_date` too",
            {"end": f"{event.when.end:%H:%M}", "start": f"{event.when.start:%H:%M}"},
        )
    elif event.date is not None and event.end_date is not None and event.date < event.end_date:
        yield from _last_day(event, event.end_date)


def _last_day(event: Event, end: date) -> Iterator[Finding]:
    """What lasts several days from a known hour on needs the hour of its end, or its last day would show nowhere."""
    if event.time is None or event.end_time is not None:
        return
    if event.duration is None:
        yield Finding(
            ("end_date",),
            "it ends on {end}, at an hour that is missing",
            'write end_time = "18:00", or all_day = true instead of `time`',
            {"end": end},
        )
    elif (last := last_day(event.when)) != end:
        yield Finding(
            ("end_date",),
            "it ends on {end}, and by its `duration` on {last}",
            "correct one of the two, or delete it",
            {"end": end, "last": last},
        )


def _ends_too_early(when: AtTime) -> bool:
    """Compared as instants: on the wall, an hour that happens twice may seem to end before it began."""
    return when.end is not None and when.end.timestamp() <= when.start.timestamp()


def _all_day(event: Event) -> Iterator[Finding]:
    if event.all_day:
        for key in ("time", "end_time", "duration"):
            if getattr(event, key) is not None:
                yield Finding(
                    (key,), "an event that lasts all day has no hours", "delete `{key}` or `all_day`", {"key": key}
                )


def _registration(event: Event) -> Iterator[Finding]:
    opens, closes = (event.registration.opens, event.registration.closes) if event.registration else (None, None)
    if opens is not None and closes is not None and _end_of(closes, event) <= _start_of(opens, event):
        yield Finding(
            ("registration", "closes"),
            "registration closes on {closes}, before it opens on {opens}",
            "correct one of the two",
            {"closes": closes, "opens": opens},
        )


def _start_of(day: date | datetime, event: Event) -> datetime:
    moment = day if isinstance(day, datetime) else datetime.combine(day, time())
    return moment if moment.tzinfo else moment.replace(tzinfo=event.zone)


def _end_of(day: date | datetime, event: Event) -> datetime:
    return _start_of(day, event) if isinstance(day, datetime) else _start_of(day + A_DAY, event)


# ---------------------------------------------------------------------------------------- recurrence


def _recurrence(event: Event) -> Iterator[Finding]:
    if event.repeats is None:
        for key, filled in (("except", event.excepted), ("moved", event.moved)):
            if filled:
                yield Finding((key,), "`{key}` without `repeats`", "delete it, or write `repeats`", {"key": key})
    elif event.date is None:
        yield Finding(("repeats",), "an event that repeats needs the date of its first time", "write date = 2026-05-07")
    elif (rule := _rule(event)) is None:
        yield Finding(
            ("repeats",),
            "{value!r} is not a recurrence rule",
            'write "FREQ=WEEKLY;COUNT=6" or "FREQ=MONTHLY;BYDAY=1TU"',
            {"value": event.repeats},
        )
    else:
        yield from _occurrences(event, event.date, rule)


_KEYS = frozenset(
    {
        "FREQ",
        "INTERVAL",
        "COUNT",
        "UNTIL",
        "BYDAY",
        "BYMONTHDAY",
        "BYYEARDAY",
        "BYWEEKNO",
        "BYMONTH",
        "BYSETPOS",
        "WKST",
    }
)
"""The parts of a rule for days: an hour in it would contradict `time`."""


def _rule(event: Event) -> dict[str, str] | None:
    """The parts of the event's rule; None where it is no rule for days."""
    try:
        parts = dict(part.upper().split("=") for part in local_until(event).split(";"))
        if not _fits(parts):
            return None
        moments_of(";".join(map("=".join, parts.items())), datetime(2000, 1, 1))  # noqa: DTZ001 - a wall time
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, OverflowError):
        return None
    return parts


def _fits(parts: Mapping[str, str]) -> bool:
    counts = [parts.get(key, "1") for key in ("INTERVAL", "COUNT")]
    return (
        parts.keys() <= _KEYS
        and parts.get("FREQ") in {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
        and not {"COUNT", "UNTIL"} <= parts.keys()
        and all(count.isdecimal() and len(count) <= 4 and int(count) > 0 for count in counts)
    )


def _occurrences(event: Event, first: date, rule: Mapping[str, str]) -> Iterator[Finding]:
    """Whether the first time and all those excepted and moved are times of the rule."""
    wanted: list[tuple[Path, date]] = [(("date",), first)]
    wanted += [(("except", index), day) for index, day in enumerate(event.excepted)]
    wanted += [(("moved", index, "from"), moment.original) for index, moment in enumerate(event.moved)]
    found = set(_days_of(rule, datetime.combine(first, event.time or time()), max(day for _, day in wanted)))
    for path, day in wanted:
        if day not in found:
            yield Finding(
                path,
                "{date} is not one of the days on which the event takes place by `repeats`",
                "correct the date, or the rule",
                {"date": day},
            )


def _days_of(rule: Mapping[str, str], first: datetime, last: date) -> Iterator[date]:
    """The days of a rule up to the last that matters: a rule without any, such as 30 February, comes to an end too."""
    bound = min(rule.get("UNTIL", "9"), f"{last:%Y%m%d}T235959")
    bounded = {key: value for key, value in rule.items() if key != "COUNT"} | {"UNTIL": bound}
    moments = moments_of(";".join(map("=".join, bounded.items())), first)
    return (moment.date() for moment in islice(moments, int(rule.get("COUNT", "9999"))))
