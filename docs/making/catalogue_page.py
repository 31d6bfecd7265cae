"""The reference of `events.toml`: each key with its kind, meaning, default and an example, from the models."""

import datetime as dt
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from pipeline.catalogue import models
from pipeline.catalogue.descriptions import DESCRIPTIONS
from pipeline.catalogue.hours import Day, DayOrMoment, Duration, Moment, TimeOfDay
from pipeline.catalogue.models import Model
from pipeline.catalogue.schema import schema
from pipeline.catalogue.shapes import Address, Color
from pipeline.catalogue.texts import Language, Name, Slug, Url

HERE = Path(__file__).parent
Schema = Mapping[str, Any]

HEAD = """# Every key of `events.toml`

*Made from the models by `make reference`.*

A key in bold must be given, or stand in `tba` where that is allowed. **Text** is a plain string in the default
language, or one for each language: `title.en = "…"`, `title.fr = "…"`; a **line** is the same in all. Long texts are
Markdown. An unknown key is refused, with the nearest one as a hint. `tocsin schema` prints the same for editors.
"""
TABLES = {
    "Catalogue": "At the top",
    "Series": "`[series]`",
    "Organiser": "organiser",
    "Site": "`[site]`",
    "Venue": "`[[venue]]`",
    "Access": "access",
    "Organisation": "`[[organisation]]`",
    "Event": "`[[event]]` and `[defaults]`",
    "Speaker": "speakers",
    "Work": "work",
    "Online": "online",
    "EventAccess": "access of an event",
    "Registration": "registration",
    "Link": "resources and recordings",
    "Moved": "moved",
    "Rule": "`[[reminder]]`",
    "Newsletter": "`[[newsletter]]`",
    "Mail": "`[mail]`",
    "MailingList": "lists",
    "Proof": "proof",
    "Group": "`[group]`, in an included file",
}
KINDS: Mapping[Any, str] = {
    Slug: "id (a-z, 0-9, -)",
    Url: "address",
    Name: "line",
    Language: "language code",
    Color: "colour",
    Address: "mail address",
    Day: "date",
    TimeOfDay: "hour",
    Duration: "length of time",
    Moment: "date and hour",
    DayOrMoment: "date, or date and hour",
}
NAMED = {"Line": "text", "Prose": "long text"}


def catalogue_page() -> str:
    """The whole page as Markdown."""
    definitions = {**_whole()["definitions"], "Catalogue": _whole()}
    parts = [HEAD]
    for table, title in TABLES.items():
        parts.append(
            f"\n## {title}\n\n| key | kind | what it is | unless said | example |\n| --- | --- | --- | --- | --- |"
        )
        parts += [_row(table, key, definitions[table], definitions) for key in definitions[table]["properties"]]
    parts.append("\n## All of them in one file\n\n```toml\n" + example("every_key.toml").strip() + "\n```\n")
    parts.append("An included file:\n\n```toml\n" + example("every_key_of_a_group.toml").strip() + "\n```\n")
    return "\n".join(parts)


@cache
def _whole() -> Schema:
    return schema()


def keys_of(table: str) -> list[str]:
    """The keys that may be written in a table, in the order of its model."""
    return list((_whole() if table == "Catalogue" else _whole()["definitions"][table])["properties"])


def example(name: str) -> str:
    """The text of an example file."""
    return (HERE / name).read_text(encoding="utf-8")


def _row(table: str, key: str, definition: Schema, definitions: Mapping[str, Schema]) -> str:
    required = key in definition.get("required", ()) or (table, key) in {
        ("Catalogue", "format"),
        ("Series", "organiser"),
    }
    required = required or (table == "Catalogue" and key in {"series", "site"}) or (table, key) == ("Event", "title")
    name = f"**`{key}`**" if required else f"`{key}`"
    about = DESCRIPTIONS["Access" if table == "EventAccess" else table].get(key, "")
    cells = [name, _kind(definition["properties"][key], definitions), about, _default(table, key), _example(table, key)]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(node: Schema, definitions: Mapping[str, Schema]) -> str:
    if "allOf" in node:
        return _kind(node["allOf"][0], definitions)
    if "anyOf" in node:
        return ", or ".join(dict.fromkeys(_kind(branch, definitions) for branch in node["anyOf"]))
    if "$ref" in node:
        return _referred(node["$ref"].rpartition("/")[2], definitions)
    if "const" in node:
        return f"`{_toml(node['const'])}`"
    if "enum" in node:
        return _choices(node["enum"])
    if node.get("type") == "array":
        return _list(node["items"], definitions)
    return _plain(node)


def _choices(values: Sequence[Any]) -> str:
    """The values of which one is chosen; of hundreds, what they are."""
    if len(values) <= 100:
        return ", ".join(f"`{_toml(one)}`" for one in values)
    return "two letters" if len(values[0]) == 2 else "name of a zone"


def _referred(name: str, definitions: Mapping[str, Schema]) -> str:
    if name in NAMED:
        return NAMED[name]
    if name in TABLES:
        return f"table: [{TABLES[name]}](#{_anchor(TABLES[name])})"
    return _kind(definitions[name], definitions) if name in definitions else "name of a zone"


def _list(items: Any, definitions: Mapping[str, Schema]) -> str:
    if isinstance(items, list):
        return "two of: " + " and ".join(dict.fromkeys(_kind(one, definitions) for one in items))
    return "list of " + _kind(items, definitions)


def _plain(node: Schema) -> str:
    kinds = {"boolean": "true or false", "integer": "whole number", "number": "number", "object": "table"}
    if node["type"] in kinds:
        return kinds[node["type"]]
    return _patterns().get(node.get("pattern", ""), "line")


@cache
def _patterns() -> Mapping[str, str]:
    return {str(TypeAdapter(shape).json_schema().get("pattern", shape)): kind for shape, kind in KINDS.items()}


def _anchor(title: str) -> str:
    kept = "".join(letter for letter in title.lower() if letter.isalnum() or letter in " -_")
    return kept.strip().replace(" ", "-")


def _default(table: str, key: str) -> str:
    field = _field(getattr(models, table), key)
    if field is None or field.is_required() or field.default in (None, (), ""):
        return ""
    return "" if field.default_factory is not None else f"`{_toml(field.default)}`"


def _field(model: type[Model], key: str) -> FieldInfo | None:
    return next((field for name, field in model.model_fields.items() if (field.alias or name) == key), None)


def _toml(value: Any) -> str:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, dt.timedelta):
        minutes = int(value.total_seconds()) // 60
        value = f"{minutes} min" if minutes % 60 else f"{minutes // 60}h"
    if isinstance(value, dt.time):
        value = value.strftime("%H:%M")
    if isinstance(value, tuple | list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    return str(tomlkit.item(value).as_string())


def _example(table: str, key: str) -> str:
    value = examples().get((table, key))
    if value is None or (isinstance(value, list) and value and isinstance(value[0], dict)):
        return ""
    return "" if isinstance(value, dict) and table == "Catalogue" else f"`{key} = {_toml(value)}`"


@cache
def examples() -> Mapping[tuple[str, str], Any]:
    """The first value that the example files give to each key, by its table."""
    found: dict[tuple[str, str], Any] = {}
    for name in ("every_key_of_a_group.toml", "every_key.toml"):
        for place, value in _walk("Catalogue", tomllib.loads(example(name))):
            found.setdefault(place, value)
    return found


NESTED = {
    "series": "Series", "site": "Site", "mail": "Mail", "venue": "Venue", "organisation": "Organisation",
    "event": "Event", "defaults": "Event", "reminder": "Rule", "newsletter": "Newsletter", "group": "Group",
    "organiser": "Organiser", "access": "Access", "speakers": "Speaker", "work": "Work", "online": "Online",
    "registration": "Registration", "resources": "Link", "recordings": "Link", "moved": "Moved", "lists": "MailingList",
    "proof": "Proof",
}  # fmt: skip


def _walk(table: str, values: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Any]]:
    for key, value in values.items():
        yield (table, key), value
        inner = "EventAccess" if (table, key) == ("Event", "access") else NESTED.get(key, "")
        for one in value if isinstance(value, list) else [value]:
            if inner and isinstance(one, dict):
                yield from _walk(inner, one)
