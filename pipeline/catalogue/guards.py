"""What makes a catalogue unfit to publish, beyond the shape of each key: every finding here is an error."""

import importlib
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from pipeline.catalogue.chronology import chronology, skipped
from pipeline.catalogue.findings import Finding, unknown
from pipeline.catalogue.models import Catalogue, Event, Rule, Series, Status
from pipeline.catalogue.places import Path
from pipeline.catalogue.references import IsThere, anything_is_there, references
from pipeline.catalogue.when import local

ANNOUNCED_LATER = frozenset(
    {
        "title", "date", "time", "end_date", "end_time", "duration", "notice", "kind", "abstract", "speakers", "venue",
        "online", "access", "registration", "resources", "recordings", "tags", "spoken", "price", "image", "repeats",
    }
)  # fmt: skip
"""The keys of an event that `tba` may name."""

TOLD_LATER = frozenset(
    {
        "subtitle", "description", "partners", "supporters", "venue", "contact", "license", "image",
        "announced_events", "default_duration",
    }
)  # fmt: skip
"""The keys of `[series]` that its `tba` may name."""


def guard(catalogue: Catalogue, is_there: IsThere = anything_is_there) -> Iterator[Finding]:
    """Every error of the whole: references, guards, dates, duplicates."""
    yield from _series(catalogue)
    yield from _site(catalogue)
    for number, event in enumerate(catalogue.events):
        if type(event) is not Event:
            continue  # it was judged before
        for finding in (*_event(event), *chronology(event, catalogue.languages)):
            yield finding._replace(path=("event", number, *finding.path))
    yield from _unique("event", "id", [event.id for event in catalogue.events])
    yield from _unique("event", "number", [event.number for event in catalogue.events])
    yield from _unique("venue", "id", [venue.id for venue in catalogue.venues])
    yield from _unique("group", "id", [group.id for group in catalogue.groups])
    yield from _unique("organisation", "name", [organisation.name for organisation in catalogue.organisations])
    yield from _unique("newsletter", "id", [newsletter.id for newsletter in catalogue.newsletters])
    yield from _unique("reminder", "id", [rule.id for rule in catalogue.rules or ()])
    for number, rule in enumerate(catalogue.rules or ()):
        for finding in _rule(rule):
            yield finding._replace(path=("reminder", number, *finding.path))
    for number, newsletter in enumerate(catalogue.newsletters):
        if newsletter.send.tzinfo is None:
            send = local(newsletter.send.date(), newsletter.send.time(), catalogue.series.zone)
            yield from skipped(("newsletter", number, "send"), send)
    yield from references(catalogue, is_there)


def _unique(table: str, key: str, values: Sequence[object]) -> Iterator[Finding]:
    seen: set[object] = set()
    for number, value in enumerate(values):
        if value is not None and value in seen:
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
    yield from _to_be_announced(("series",), series, TOLD_LATER, _filled(series))


def _site(catalogue: Catalogue) -> Iterator[Finding]:
    for key, address in (("url", catalogue.site.url), ("service", catalogue.site.service or "https://")):
        if not _is_secure(address):
            yield Finding(
                ("site", key),
                "the site is not served over https: {value!r}",
                'write "https://…"; calendars and one-click unsubscribing need it',
                {"value": address},
            )
    parts = urlsplit(catalogue.site.url)
    if parts.query or parts.fragment:
        yield Finding(
            ("site", "url"),
            "the address of the site has a part after `?` or `#`: {value!r}",
            "write only the folder in which the site is served",
            {"value": catalogue.site.url},
        )


def _is_secure(url: str) -> bool:
    return url.startswith(("https://", "http://localhost", "http://127.0.0.1", "http://[::1]"))


# ------------------------------------------------------------------------------------------------- events


def _event(event: Event) -> Iterator[Finding]:
    yield from _to_be_announced((), event, ANNOUNCED_LATER, _filled(event))
    yield from _announced_or_filled(event)
    if event.status in {Status.CANCELLED, Status.POSTPONED} and event.notice is None:
        yield Finding(
            ("status",),
            "an event that is {status} needs a `notice`",
            'write why: notice = "…"',
            {"status": event.status},
        )


def _filled(model: Event | Series) -> frozenset[str]:
    return frozenset(key for key in model.model_fields_set if getattr(model, key) not in (None, (), False))


def _to_be_announced(
    prefix: Path, model: Event | Series, known: frozenset[str], filled: frozenset[str]
) -> Iterator[Finding]:
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


# ------------------------------------------------------------------------------------------------- rules


def _rule(rule: Rule) -> Iterator[Finding]:
    # Most catalogues have no rules of their own.
    timing = importlib.import_module("pipeline.catalogue.timing")
    if timing.parse_timing(rule.when) is None:
        values = {"value": rule.when, "forms": timing.FORMS}
        yield Finding(("when",), "{value!r} is not a moment", "write {forms}", values)
