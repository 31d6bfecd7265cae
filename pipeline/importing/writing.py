"""Tables of events and places as TOML text, in the order and style in which people write them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from typing import Any

from pipeline.catalogue.hours import show_duration
from pipeline.importing.fitting import PROSE, TEXTS

ORDER = (
    "id", "number", "title", "date", "time", "end_date", "end_time", "duration", "all_day", "timezone", "fold",
    "end_fold", "repeats", "except", "moved", "status", "notice", "kind", "speakers", "venue", "online", "access",
    "registration", "resources", "recordings", "tags", "spoken", "price", "image", "image_alt", "tba", "todo",
    "abstract",
)  # fmt: skip
VENUE_ORDER = ("id", "name", "street", "postal_code", "city", "country", "geo", "url", "access", "directions")
_LONG = PROSE | {"directions"}
_ALWAYS_IN_LINES = frozenset({"speakers", "resources", "recordings", "moved", "todo"})


def event_text(event: Mapping[str, Any]) -> str:
    """One `[[event]]` with its keys, ending in a line break."""
    return _table("event", event, ORDER)


def venue_text(venue: Mapping[str, Any]) -> str:
    """One `[[venue]]` with its keys, ending in a line break."""
    return _table("venue", venue, VENUE_ORDER)


def organisation_text(organisation: Mapping[str, Any]) -> str:
    """One `[[organisation]]` with its keys, ending in a line break."""
    return _table("organisation", organisation, ("name", "kind", "url", "about"))


def _table(name: str, table: Mapping[str, Any], order: Iterable[str]) -> str:
    lines = [f"[[{name}]]"]
    for key in (*order, *(key for key in table if key not in order)):
        if key in table:
            lines += _pair(key, table[key])
    return "\n".join(lines) + "\n"


def _pair(key: str, value: Any) -> list[str]:
    if isinstance(value, Mapping) and (key in TEXTS or key in {"name", "about", *_LONG}):
        return [f"{key}.{language} = {_text(key, text)}" for language, text in value.items()]
    if isinstance(value, str) and (key in TEXTS or key in _LONG):
        return [f"{key} = {_text(key, value)}"]
    if key in _ALWAYS_IN_LINES and isinstance(value, list):
        return [f"{key} = [", *(f"  {inline(item)}," for item in value), "]"]
    return [f"{key} = {inline(value)}"]


def _text(key: str, text: str) -> str:
    if key not in _LONG:
        return inline(text)
    if "'''" in text or text.endswith("'"):
        escaped = "\n".join(inline(line)[1:-1] for line in text.split("\n"))
        return f'"""\n{escaped}\n"""'
    return f"'''\n{text}\n'''"


def inline(value: Any) -> str:
    """A value as it stands after an equals sign."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            # tomlkit's own takes the square of the length. JSON's escapes are TOML's, too, but for one character.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case timedelta():
            return f'"{show_duration(value)}"'
        case time():
            return f'"{value.isoformat("minutes" if not value.second else "seconds")}"'
        case date():
            return value.isoformat()
        case Mapping():
            return "{ " + ", ".join(f"{key} = {inline(item)}" for key, item in value.items()) + " }"
        case list() | tuple():
            return "[" + ", ".join(inline(item) for item in value) + "]"
    return str(value)


def appended(text: Iterable[bytes], tables: Iterable[str], remark: str) -> Iterator[bytes]:
    """A catalogue in UTF-8, not a byte of it changed, and each table after it, in its own kind of line breaks.

    It comes in pieces, and so it may be given.
    """
    ending, last = "\n", b""
    for piece in text:
        if b"\r\n" in last + piece:
            ending = "\r\n"
        last = piece[-1:]
        yield piece
    for number, table in enumerate(tables):
        before = f"\n# {remark}\n\n" if number == 0 else "\n"
        yield (before + table).replace("\n", ending).encode()
