"""The JSON Schema of a catalogue, by which editors complete and underline: the rules of the loader as it can say them.

Draft 7, since that is what TOML editors know. Dates and times of TOML are strings to it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.catalogue.crowds import MOST_IN_ONE, MOST_TABLES
from pipeline.catalogue.descriptions import DESCRIPTIONS
from pipeline.catalogue.guards import ANNOUNCED_LATER, TOLD_LATER
from pipeline.catalogue.models import OUR_SETTINGS, RESERVED, Catalogue
from pipeline.catalogue.references import LETTERS, PICTURE

Schema = dict[str, Any]

ONLY_MAIN = ("series", "site", "mail", "include", "reminder", "newsletter")
TIMINGS = (
    "when announced", "14 days before at 10:00", "2 days before at 10:00", "2 hours before", "on the day at 08:00",
    "when changed", "2 days after at 18:00", "monthly on day 1 at 10:00", "weekly on Monday at 10:00",
)  # fmt: skip


def schema() -> Schema:
    """The schema of `events.toml` and of the files that it includes."""
    raw = Catalogue.model_json_schema(by_alias=True)
    definitions: Schema = {name: _tidied(table) for name, table in raw.pop("$defs").items()}
    top = _tidied(raw)
    definitions["Catalogue"] = top
    top["properties"]["event"]["maxItems"] = MOST_TABLES
    _describe(definitions)
    _add_rules(definitions)
    del definitions["Catalogue"], top["required"]
    _join_files(top)
    head = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "The catalogue of a series of events: events.toml",
    }
    return {**head, **top, "definitions": definitions}


# ------------------------------------------------------------------------- from pydantic's dialect to draft 7


def _tidied(node: Any) -> Any:
    """A schema of pydantic's in draft 7, without what TOML has not (null) and what says nothing."""
    if isinstance(node, list):
        return [_tidied(item) for item in node]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidied_keyword(key, value) for key, value in node.items() if not _is_noise(key, value)}
    for repair in (_without_null, _list_of_some, _fixed_places, _limited, _alone):
        tidy = repair(tidy)
    return tidy


def _tidied_keyword(key: str, value: Any) -> Any:
    if key in {"properties", "$defs"}:
        return {name: _tidied(item) for name, item in value.items()}
    if key == "$ref":
        return value.replace("#/$defs/", "#/definitions/")
    return value if key in {"enum", "const"} else _tidied(value)


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or key == "default"


def _without_null(node: Schema) -> Schema:
    branches = [branch for branch in node.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == 1:
        return {**{key: value for key, value in node.items() if key != "anyOf"}, **branches[0]}
    return {**node, "anyOf": branches} if branches else node


def _list_of_some(node: Schema) -> Schema:
    """At least one of a list that may be written as one thing."""
    if "anyOf" not in node or "minLength" not in node:
        return node
    branches = [
        {**branch, "minItems": node["minLength"]} if branch.get("type") == "array" else branch
        for branch in node["anyOf"]
    ]
    return {**{key: value for key, value in node.items() if key != "minLength"}, "anyOf": branches}


def _fixed_places(node: Schema) -> Schema:
    if "prefixItems" not in node:
        return node
    rest = {key: value for key, value in node.items() if key != "prefixItems"}
    return {**rest, "items": node["prefixItems"]}


def _limited(node: Schema) -> Schema:
    return {"maxItems": MOST_IN_ONE, **node} if node.get("type") == "array" else node


def _alone(node: Schema) -> Schema:
    """In draft 7 nothing beside a `$ref` counts."""
    if "$ref" not in node or len(node) == 1:
        return node
    return {**{key: value for key, value in node.items() if key != "$ref"}, "allOf": [{"$ref": node["$ref"]}]}


def _describe(definitions: Schema) -> None:
    for name, table in definitions.items():
        about = {**DESCRIPTIONS.get(name, {}), **(DESCRIPTIONS["Access"] if name == "EventAccess" else {})}
        for key, value in table.get("properties", {}).items():
            if key in about:
                table["properties"][key] = _alone({"description": about[key], **value})


# ----------------------------------------------------------------------------- rules beyond the shape of a key


def _add_rules(definitions: Schema) -> None:
    event, series, site = (definitions[name] for name in ("Event", "Series", "Site"))
    for key in RESERVED:
        del event["properties"][key]
    event["required"] = ["id"]
    event["properties"]["tba"]["items"] = {"enum": sorted(ANNOUNCED_LATER)}
    series["properties"]["tba"]["items"] = {"enum": sorted(TOLD_LATER)}
    event["allOf"] = [*_filled_or_later(ANNOUNCED_LATER), *_hours(), *_off()]
    series["allOf"] = [*_filled_or_later(TOLD_LATER)]
    local = r"http://(localhost|127\.0\.0\.1|\[::1\])"
    site["properties"]["url"]["pattern"] = rf"^\s*(https://[^\s/?#]|{local})[^?#]*$"
    # Several hundred names, once.
    event["properties"]["timezone"] = _alone(
        {
            "description": DESCRIPTIONS["Event"]["timezone"],
            "$ref": "#/definitions/Series/properties/timezone",
        }
    )
    for key, default in (("max_late", "12h"), ("settle", "10 min"), ("quiet", ["22:00", "08:00"])):
        definitions["Mail"]["properties"][key]["default"] = default
    for table in (event, series):
        table["properties"]["image"]["pattern"] = r"^(?!/)(?!(.*/)?\.\.(/|$))[^\\:\n]*" + PICTURE
    definitions["Speaker"]["oneOf"] = [{"required": [who]} for who in ("name", "group", "unnamed")]
    definitions["Online"]["oneOf"] = [{"required": [source]} for source in ("url", "secret")]
    definitions["Online"]["not"] = {"properties": {"secret": {"enum": sorted(OUR_SETTINGS)}}, "required": ["secret"]}
    definitions["Rule"]["properties"]["when"]["examples"] = list(TIMINGS)
    definitions["Rule"]["properties"]["template"]["examples"] = list(LETTERS)


def _when(condition: Schema, then: Schema) -> Schema:
    return {"if": condition, "then": then}


def _says(key: str, value: Schema) -> Schema:
    return {"properties": {key: value}, "required": [key]}


def _filled_or_later(keys: Iterable[str]) -> list[Schema]:
    """What is in `tba` is not filled in."""
    return [
        _when(_says("tba", {"contains": {"const": key}}), {"properties": {key: {"enum": [[], False]}}})
        for key in sorted(keys)
    ]


def _hours() -> list[Schema]:
    return [
        _when(
            _says("all_day", {"const": True}), {"properties": dict.fromkeys(("time", "end_time", "duration"), False)}
        ),
        {"not": {"required": ["end_time", "duration"]}},
    ]


def _off() -> list[Schema]:
    return [_when(_says("status", {"enum": ["cancelled", "postponed"]}), {"required": ["notice"]})]


def _complete() -> list[Schema]:
    """What an event must say where there are no defaults: its title, date and hour, or that they will come."""

    def later(key: str) -> Schema:
        return _says("tba", {"contains": {"const": key}})

    def known(key: str) -> Schema:
        return {"anyOf": [{"required": [key]}, later(key)]}

    timed = {"anyOf": [*known("time")["anyOf"], _says("all_day", {"const": True})]}
    repeated = [_when(_says(key, {"minItems": 1}), {"required": ["repeats"]}) for key in ("except", "moved")]
    dated: Schema = {"dependencies": {"end_date": ["date"], "repeats": ["date"]}}
    return [known("title"), known("date"), timed, dated, *repeated]


def _join_files(top: Schema) -> None:
    """The main file and those that it includes have one schema: `[group]` opens the latter."""
    properties: Schema = top["properties"]
    properties["group"] = _alone({"description": DESCRIPTIONS["Catalogue"]["group"], "$ref": "#/definitions/Group"})
    properties["defaults"] = {
        "description": DESCRIPTIONS["Catalogue"]["defaults"],
        "type": "object",
        "properties": _reference_to_each_key(),
        "additionalProperties": False,
    }
    top["allOf"] = [
        {
            "if": {"required": ["group"]},
            "then": {"properties": dict.fromkeys(ONLY_MAIN, False)},
            "else": {"required": ["format", "series", "site"]},
        },
        {
            "if": {"not": {"required": ["defaults"]}},
            "then": {"properties": {"event": {"items": {"allOf": _complete()}}}},
        },
    ]


def _reference_to_each_key() -> Mapping[str, Any]:
    return {
        key: {"$ref": f"#/definitions/Event/properties/{key}"}
        for key in DESCRIPTIONS["Event"]
        if key not in {"id", "number"}
    }
