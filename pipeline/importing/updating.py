"""Changes to events that stand in the file: only the keys that changed, in the text that the organisers wrote."""

import re
import tomllib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pipeline.catalogue.places import Path, Places
from pipeline.catalogue.unread import read_file, whole
from pipeline.importing.fitting import LINES, TEXTS
from pipeline.importing.writing import inline

Keys = Mapping[str, Any]
"""New values by key; None takes the key out."""


class Span(NamedTuple):
    """Where the lines of an event start and end in the text, and what they say."""

    start: int
    end: int
    row: Mapping[str, Any]


def rewritten(
    text: bytes,
    events: Collection[str],
    keys: Callable[[str, Mapping[str, Any]], Keys],
    write: Callable[[bytes | memoryview], object],
) -> set[str]:
    """Writes the catalogue with some events changed; the ids of those that could not be changed safely.

    `keys` gives the keys to change by the id of an event and its values, and `write` gets the text in pieces. A change
    counts as safe if reading the lines of the event gives the old values, but for those keys.
    """
    left, at, view = set(events), 0, memoryview(text)
    for event, (start, end, row) in _spans(text, events):
        if start >= at and (changed := _rewritten(text[start:end].decode(), row, keys(event, row))) is not None:
            write(view[at:start])
            write(changed.encode())
            at = end
            left.discard(event)
    write(view[at:])
    return left


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


def _spans(text: bytes, wanted: Collection[str]) -> Iterator[tuple[str, Span]]:
    """Where each wanted event stands, by its id: from its header to the next table that isn't part of it."""
    tables, places = read_file(text), Places(text)
    starts = array("L", [0, *(match.end() for match in re.finditer(b"\n", text))])
    places.seek(paths := [*_paths(tables, ())])
    rows = sorted(((places.of(path).line, path[:2]) for path in paths), key=itemgetter(0))
    seen = set[str]()
    for number, row in enumerate(whole(tables.get("event", []))):
        event = str(row.get("id"))
        if event not in wanted or event in seen:
            continue
        seen.add(event)
        line = places.of(("event", number)).line
        below = range(bisect_right(rows, line, key=itemgetter(0)), len(rows))
        following = next((rows[at][0] for at in below if rows[at][1] != ("event", number)), None)
        end = len(text) if following is None else starts[following - 1]
        yield event, Span(starts[line - 1], end, row)


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
