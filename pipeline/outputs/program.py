"""`events.json`: the whole programme for programs, with identities, instants and revisions.

The keys are those of the catalogue, the texts those of one language; `fallbacks` names the texts that aren't translated
and the language they are in. `when` says how precisely the date is known, so that nobody has to guess; of an event that
recurs `times` are its single times, all of them or, where there are many, those after its last change.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from functools import cache, lru_cache, partial
from typing import Any, SupportsBytes

from pydantic import BaseModel
from pydantic_core import to_json

from pipeline.catalogue.models import Event, Online, Series
from pipeline.catalogue.texts import Text
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, written
from pipeline.edition import Edition, Listing
from pipeline.outputs.base import Artifact
from pipeline.outputs.instances import Instance, instances
from pipeline.outputs.keys import keys
from pipeline.outputs.vevent import page_address
from pipeline.rendering import Renderer

MEDIA_TYPE = "application/json"
FORMAT = 1

PRIVATE: Mapping[type[BaseModel], frozenset[str]] = {
    Series: frozenset({"todo"}),
    Event: frozenset({"todo", "weekday", "venue"}),
    Online: frozenset({"secret"}),
}
"""What isn’t said: the organisers’ own questions and guards, the name of a secret, the id of a place said in full."""


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:  # noqa: ARG001 - programs need no template
    """`events.json` in every language."""
    for language in edition.languages:
        make = partial(_document, edition, language)
        yield Artifact(edition.path("events.json", language), MEDIA_TYPE, make, keys(edition).timeless)


def _document(edition: Edition, language: str) -> Iterator[SupportsBytes]:
    frame = to_json(_frame(edition, language) | {"events": []}, indent=2)
    if not edition.listings:
        yield frame + b"\n"
        return
    own = keys(edition)
    yield frame.removesuffix(b"[]\n}")
    yield b"[\n    "
    write = partial(_written, edition, language)
    yield from own.joined(edition.listings, write, "events.json", language, between=b",\n    ")
    yield b"\n  ]\n}\n"


def _written(edition: Edition, language: str, listing: Listing) -> bytes:
    """An event as it stands in the list of all, two steps in."""
    return to_json(_event(edition, listing, language), indent=2).replace(b"\n", b"\n    ")


def programme(edition: Edition, language: str) -> dict[str, Any]:
    """The series and its events, retired ones too, as plain JSON values."""
    return _frame(edition, language) | {
        "events": [_event(edition, listing, language) for listing in edition.listings],
    }


def _frame(edition: Edition, language: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "language": language,
        "url": edition.address("events.json", language),
        "series": {**said(edition.series, language), "url": edition.address("", language)},
        "organisations": [said(organisation, language) for organisation in edition.catalogue.organisations],
    }


def _event(edition: Edition, listing: Listing, language: str) -> dict[str, Any]:
    event, revision = listing.event, listing.revision
    value: dict[str, Any] = {
        "id": event.id,
        "uid": revision.uid,
        "sequence": revision.sequence,
        "created": _instant(revision.created),
        "updated": _instant(revision.updated),
        "status": event.status.value,
        "retired": listing.retired,
        "when": _when(event.when),
        "url": page_address(edition, listing, language),
    }
    if not isinstance(event.when, Unscheduled):
        value["calendar"] = edition.address(f"events/{event.id}.ics", language)
    if event.repeats is not None:
        value["times"] = [_time(instance) for instance in instances(listing)]
    if listing.venue is not None:
        value["venue"] = edition.of_venue(said, listing.venue, language)
    return value | said(event, language)


def _time(instance: Instance) -> dict[str, Any]:
    """One time of a recurring event; `name` is the date that its rule gives it, as in RECURRENCE-ID."""
    value = {"name": instance.name, **_when(instance.when)}
    return value if instance.moved_from is None else value | {"moved_from": _when(instance.moved_from)}


def _when(when: When) -> dict[str, Any]:
    match when:
        case AtTime(start, end, estimated):
            value: dict[str, Any] = {"precision": "time", "start": written(start), "start_utc": _instant(start)}
            if end is not None:
                value |= {"end": written(end), "end_utc": _instant(end), "end_is_estimated": estimated}
            return value | {"timezone": when.zone.key}
        case OnDay(first, last, zone, all_day):
            span = {"first": first.isoformat(), "last": last.isoformat()}
            return {"precision": "day", **span, "all_day": all_day, "timezone": zone.key}
        case Unscheduled():
            return {"precision": "none"}


@lru_cache(maxsize=1024)
def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


# --------------------------------------------------------------------------------------------- texts


def said(model: BaseModel, language: str) -> dict[str, Any]:
    """A model as JSON values with its texts in one language; `fallbacks` maps untranslated ones to their language."""
    fallbacks: dict[str, str] = {}
    dumped = model.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    value = _said(model, dumped, language, "", fallbacks)
    return value | ({"fallbacks": fallbacks} if fallbacks else {})


def _said(
    model: BaseModel, dumped: Mapping[str, Any], language: str, path: str, fallbacks: dict[str, str]
) -> dict[str, Any]:
    names = _public(type(model))
    return {
        key: _value(getattr(model, names[key]), value, language, f"{path}{key}", fallbacks)
        for key, value in dumped.items()  # few of all, in their order
        if key in names
    }


@cache
def _public(kind: type[BaseModel]) -> Mapping[str, str]:
    """The fields that are said, by their keys."""
    hidden = PRIVATE.get(kind, ())
    return {field.alias or name: name for name, field in kind.model_fields.items() if name not in hidden}


_PLAIN = (str, int, date)
"""Most values are one of these: whether one is a model takes longer to ask."""


def _value(value: Any, dumped: Any, language: str, path: str, fallbacks: dict[str, str]) -> Any:
    if isinstance(value, _PLAIN):
        return dumped
    if isinstance(value, Text):
        phrase = value.said_in(language)
        if phrase.language != language:
            fallbacks[path] = phrase.language
        return phrase.text
    if isinstance(value, BaseModel):
        return _said(value, dumped, language, f"{path}.", fallbacks)
    if isinstance(value, tuple):
        return [_value(item, dumped[index], language, f"{path}.{index}", fallbacks) for index, item in enumerate(value)]
    return dumped
