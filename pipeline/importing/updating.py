"""Changes to events that stand in the file: only the keys that changed, in the text that the organisers wrote."""

import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pipeline.catalogue.places import Path, Places
from pipeline.importing.fitting import LINES, TEXTS
from pipeline.importing.writing import inline

Keys = Mapping[str, Any]
"""New values by key; None takes the key out."""


class Span(NamedTuple):
    """The lines of an event, by where they start and end in the text, and what they say."""

    start: int
    end: int
    row: Mapping[str, Any]


def rewritten(text: str, changes: Mapping[str, Keys]) -> tuple[str, set[str]]:
    """The catalogue with the keys of some events changed, and the ids of those that could not be changed safely.

    A change counts as safe if reading the lines of the event gives the old values, but for those keys.
    """
    spans = _spans(text)
    left = set(changes.keys() - spans.keys())
    # From the last to the first, so that the places of those before stay as they are.
    for event in sorted(changes.keys() - left, key=lambda event: spans[event].start, reverse=True):
        start, end, row = spans[event]
        changed = _rewritten(text[start:end], row, changes[event])
        if changed is None:
            left.add(event)
        else:
            text = text[:start] + changed + text[end:]
    return text, left


def _rewritten(lines: str, row: Mapping[str, Any], keys: Keys) -> str | None:
    """The lines of one event, written anew; None where they aren't all of it, or say something else then."""
    try:
        if tomllib.loads(lines) != {"event": [row]}:
            return None
        document: Any = tomlkit.parse(lines)
        for key, value in keys.items():
            _set(document["event"][0], key, value)
        changed = tomlkit.dumps(document)
        found = tomllib.loads(changed)
    except (TOMLKitError, tomllib.TOMLDecodeError, KeyError, IndexError, TypeError, AttributeError, ValueError):
        return None
    expected = {**row, **{key: None if value is None else _as_read(value) for key, value in keys.items()}}
    same = found == {"event": [{key: value for key, value in expected.items() if value is not None}]}
    return changed if same else None


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


def _spans(text: str) -> dict[str, Span]:
    """Where each event stands, by its id: from its header to the next table that isn't part of it."""
    tables, places = tomllib.loads(text), Places(text)
    starts = [0, *(index + 1 for index, character in enumerate(text) if character == "\n")]
    places.seek(paths := [*_paths(tables, ())])
    rows = sorted(((places.of(path).line, path[:2]) for path in paths), key=itemgetter(0))
    spans: dict[str, Span] = {}
    for number, row in enumerate(tables.get("event", [])):
        line = places.of(("event", number)).line
        later = (
            other for other, path in rows[bisect_right(rows, line, key=itemgetter(0)) :] if path != ("event", number)
        )
        following = next(later, None)
        end = len(text) if following is None else starts[following - 1]
        spans.setdefault(str(row.get("id")), Span(starts[line - 1], end, row))
    return spans


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
