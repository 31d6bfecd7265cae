"""What makes a catalogue unfit to publish, beyond the shape of each key: every finding here is an error."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import PurePosixPath

from dateutil.rrule import rrulestr

from pipeline.catalogue.findings import Finding, unknown
from pipeline.catalogue.models import Catalogue, Event, Rule, Series, Status
from pipeline.catalogue.places import Path
from pipeline.catalogue.timing import FORMS, parse_timing
from pipeline.catalogue.when import AtTime, in_gap, local, neighbours_of_gap
from pipeline.language import say_weekday, weekday_names

SOONEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)


def guard(catalogue: Catalogue) -> Iterator[Finding]:
    """Every error of the whole: references, guards, dates, duplicates."""
    yield from _series(catalogue)
    for number, event in enumerate(catalogue.events):
        for finding in _event(catalogue, event):
            yield Finding(("event", number, *finding.path), finding.message, finding.hint, finding.values)
    yield from _unique("event", "id", [event.id for event in catalogue.events])
    yield from _unique("event", "number", [event.number for event in catalogue.events])
    yield from _unique("venue", "id", [venue.id for venue in catalogue.venues])
    yield from _unique("organisation", "name", [organisation.name for organisation in catalogue.organisations])
    yield from _unique("newsletter", "id", [newsletter.id for newsletter in catalogue.newsletters])
    yield from _unique("reminder", "id", [rule.id for rule in catalogue.rules or ()])
    for number, rule in enumerate(catalogue.rules or ()):
        for finding in _rule(catalogue, rule):
            yield Finding(("reminder", number, *finding.path), finding.message, finding.hint, finding.values)


def _unique(table: str, key: str, values: Sequence[object]) -> Iterator[Finding]:
    repeated = {value for value, count in Counter(values).items() if count > 1 and value is not None}
    seen: set[object] = set()
    for number, value in enumerate(values):
        if value in repeated and value in seen:
            yield Finding((table, number, key), "{value!r} is used twice", "choose another", {"value": value})
        seen.add(value)


# ------------------------------------------------------------------------------------------------- series


def _series(catalogue: Catalogue) -> Iterator[Finding]:
    series = catalogue.series
    if series.languages and series.default_language not in series.languages:
        yield Finding(
            ("series", "default_language"),
            '"{language}" is not one of `languages` ({languages})',
            "add it there, or correct it",
            {"language": series.default_language, "languages": ", ".join(series.languages)},
        )
    if series.venue is not None and series.venue not in catalogue.venue_by_id:
        yield unknown(("series", "venue"), series.venue, catalogue.venue_by_id, "there is no [[venue]] {word!r}")
    if not _is_secure(catalogue.site.url):
        yield Finding(
            ("site", "url"),
            "the site is not served over https: {value!r}",
            'write "https://…"; calendars and one-click unsubscribing need it',
            {"value": catalogue.site.url},
        )
    yield from _to_be_announced(("series",), series, frozenset(Series.model_fields), _filled(series))
    if series.image is not None:
        yield from _image(("series", "image"), series.image)


def _is_secure(url: str) -> bool:
    return url.startswith(("https://", "http://localhost", "http://127.0.0.1", "http://[::1]"))


# ------------------------------------------------------------------------------------------------- events


def _event(catalogue: Catalogue, event: Event) -> Iterator[Finding]:
    yield from _to_be_announced((), event, frozenset(Event.model_fields), _filled(event))
    yield from _announced_or_filled(event)
    yield from _year(event)
    yield from _weekday(catalogue, event)
    yield from _clock_change(event)
    yield from _ends(event)
    yield from _recurrence(event)
    if event.status in {Status.CANCELLED, Status.POSTPONED} and event.notice is None:
        yield Finding(
            ("status",),
            "an event that is {status} needs a `notice`",
            'write why: notice = "…"',
            {"status": event.status},
        )
    if isinstance(event.venue, str) and event.venue not in catalogue.venue_by_id:
        yield unknown(("venue",), event.venue, catalogue.venue_by_id, "there is no [[venue]] {word!r}")
    if event.image is not None:
        yield from _image(("image",), event.image)


def _filled(model: Event | Series) -> frozenset[str]:
    return frozenset(key for key in model.model_fields_set if getattr(model, key) not in (None, (), False))


def _to_be_announced(
    prefix: Path, model: Event | Series, known: frozenset[str], filled: frozenset[str]
) -> Iterator[Finding]:
    known -= {"id", "tba", "todo", "number", "weekday", "timezone", "fold", "end_fold", "estimated_duration", "group"}
    for index, name in enumerate(model.tba):
        path = (*prefix, "tba", index)
        if name not in known:
            yield unknown(path, name, known, "{word!r} is not a key that can be announced later")
        elif name in filled:
            yield Finding(path, "`{name}` is filled in and still in `tba`", "delete it from `tba`", {"name": name})


def _announced_or_filled(event: Event) -> Iterator[Finding]:
    for key, form in (("title", 'title = "…"'), ("date", "date = 2026-05-07"), ("time", 'time = "19:00"')):
        if getattr(event, key) is None and key not in event.tba and not (key == "time" and event.all_day):
            yield Finding(
                (key,),
                "`{key}` is missing",
                'write {form}, or tba = ["{key}"] while it is not known',
                {"key": key, "form": form},
            )
    if event.all_day and event.time is not None:
        yield Finding(("time",), "an event that lasts all day has no time", "delete `time` or `all_day`")


def _year(event: Event) -> Iterator[Finding]:
    for key in ("date", "end_date"):
        day = getattr(event, key)
        if day is not None and not SOONEST <= day <= LATEST:
            yield Finding((key,), "the year {year} can't be meant", "write 2026-05-07", {"year": day.year})


def _weekday(catalogue: Catalogue, event: Event) -> Iterator[Finding]:
    if event.weekday is None:
        return
    language = next(
        (name for name in catalogue.languages if event.weekday.casefold().rstrip(".") in weekday_names(name)), None
    )
    if language is None:
        yield Finding(
            ("weekday",),
            "{word!r} is not a day of the week in {languages}",
            'write "{example}", or delete the line',
            {
                "word": event.weekday,
                "languages": ", ".join(catalogue.languages),
                "example": say_weekday(event.date or date(2026, 1, 1), catalogue.languages[0]),
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
    for key, moment in _moments(event):
        if in_gap(moment):
            before, after = neighbours_of_gap(moment)
            yield Finding(
                (key,),
                "{time} does not exist on {date} in {zone}: the clocks go forward",
                'write "{before}" or "{after}"',
                {
                    "time": f"{moment:%H:%M}",
                    "date": moment.date(),
                    "zone": event.timezone,
                    "before": f"{before:%H:%M}",
                    "after": f"{after:%H:%M}",
                },
            )


def _moments(event: Event) -> Iterable[tuple[str, datetime]]:
    if event.date is not None and event.time is not None:
        yield "time", local(event.date, event.time, event.zone, event.fold)
    if event.end_time is not None and (day := event.end_date or event.date) is not None:
        yield "end_time", local(day, event.end_time, event.zone, event.end_fold)


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
    elif isinstance(event.when, AtTime) and event.when.end is not None and event.when.end <= event.when.start:
        yield Finding(
            ("end_time",),
            "it ends at {end}, not after it starts at {start}",
            "correct it; for an event over midnight write `end_date` too",
            {"end": f"{event.when.end:%H:%M}", "start": f"{event.when.start:%H:%M}"},
        )


def _recurrence(event: Event) -> Iterator[Finding]:
    if event.repeats is None:
        for key, filled in (("except", event.excepted), ("moved", event.moved)):
            if filled:
                yield Finding((key,), "`{key}` without `repeats`", "delete it, or write `repeats`", {"key": key})
        return
    if event.date is None:
        yield Finding(("repeats",), "an event that repeats needs the date of its first time", "write date = 2026-05-07")
        return
    try:
        rrulestr(event.repeats.split("UNTIL=")[0].rstrip(";"), dtstart=datetime.combine(event.date, time()))
    except (ValueError, TypeError, KeyError, AttributeError):
        yield Finding(
            ("repeats",),
            "{value!r} is not a recurrence rule",
            'write "FREQ=WEEKLY;COUNT=6" or "FREQ=MONTHLY;BYDAY=1TU"',
            {"value": event.repeats},
        )


def _image(path: Path, value: str) -> Iterator[Finding]:
    file = PurePosixPath(value)
    if file.is_absolute() or ".." in file.parts or "\\" in value or ":" in value:
        yield Finding(
            path, "{value!r} is not a file below the catalogue's folder", 'write "images/talk.jpg"', {"value": value}
        )


# ------------------------------------------------------------------------------------------------- rules


def _rule(catalogue: Catalogue, rule: Rule) -> Iterator[Finding]:
    if parse_timing(rule.when) is None:
        yield Finding(("when",), "{value!r} is not a moment", "write {forms}", {"value": rule.when, "forms": FORMS})
    events: Mapping[str, Event] = catalogue.event_by_id
    for index, event in enumerate(rule.events):
        if event not in events:
            yield unknown(("events", index), event, events, "there is no [[event]] {word!r}")
