"""Changes to events that stand in the file: only the keys that changed, in the text that the organisers wrote."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pipeline.catalogue.places import Path, Places
from pipeline.importing.fitting import LINES, TEXTS
from pipeline.importing.writing import inline

Keys = Mapping[str, Any]
"""New values by key; None takes the key out."""


def rewritten(text: str, changes: Mapping[str, Keys]) -> tuple[str, set[str]]:
    """The catalogue with the keys of some events changed, and the ids of those that could not be changed safely.

    A change counts as safe if reading the result gives the old values, but for those keys.
    """
    left: set[str] = set()
    for event, keys in changes.items():
        changed = _rewritten(text, event, keys)
        if changed is None:
            left.add(event)
        else:
            text = changed
    return text, left


def _rewritten(text: str, event: str, keys: Keys) -> str | None:
    tables = tomllib.loads(text)
    rows = tables.get("event", [])
    number = next((index for index, row in enumerate(rows) if row.get("id") == event), None)
    if number is None:
        return None
    start, end = _span(text, tables, ("event", number))
    try:
        document: Any = tomlkit.parse(text[start:end])
        row = document["event"][0]
        for key, value in keys.items():
            _set(row, key, value)
        changed = text[:start] + tomlkit.dumps(document) + text[end:]
        found = tomllib.loads(changed)
    except (TOMLKitError, tomllib.TOMLDecodeError, KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None
    expected = {**rows[number], **{key: None if value is None else _as_read(value) for key, value in keys.items()}}
    rows[number] = {key: value for key, value in expected.items() if value is not None}
    return changed if found == tables else None


def _set(row: Any, key: str, value: Any) -> None:
    if value is None:
        if key in row:
            del row[key]
    elif isinstance(value, Mapping) and isinstance(row.get(key), Mapping) and key in TEXTS:
        for language, said in value.items():
            if row[key].get(language) != said:
                row[key][language] = _typed(key, said)
    elif row.get(key) != value:
        row[key] = _typed(key, value)


def _typed(key: str, value: Any) -> Any:
    if isinstance(value, str) and key in TEXTS - LINES and "\n" in value:
        return tomlkit.string(value, multiline=True)
    return tomlkit.value(inline(value))


def _as_read(value: Any) -> Any:
    """A value as TOML gives it back."""
    return tomllib.loads(f"x = {inline(value)}")["x"]


def _span(text: str, tables: Mapping[str, Any], row: Path) -> tuple[int, int]:
    """Where the text of a table begins, and where the next table begins that isn't part of it."""
    places = Places(text)
    starts = [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]
    start = places.of(row).line
    later = [places.of(path).line for path in _paths(tables, ()) if path[: len(row)] != row]
    following = min((line for line in later if line > start), default=None)
    return starts[start - 1], len(text) if following is None else starts[following - 1]


def _paths(value: Any, path: Path) -> Iterator[Path]:
    """The paths of all tables, and of all top-level keys."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not path or isinstance(item, Mapping | list):
                yield from _table_and_below(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            if isinstance(item, Mapping):
                yield from _table_and_below(item, (*path, number))


def _table_and_below(item: Any, path: Path) -> Iterator[Path]:
    yield path
    yield from _paths(item, path)
