"""Changes to events that stand in the file: only the keys that changed, in the text that the organisers wrote."""

import re
import tomllib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pipeline.catalogue.places import Path, Places
from pipeline.catalogue.unread import read_file, whole
from pipeline.importing.fitting import PROSE, TEXTS
from pipeline.importing.long_strings import SetAside
from pipeline.importing.writing import inline

Keys = Mapping[str, Any]
"""New values by key; None takes the key out."""


class Span(NamedTuple):
    """Where the lines of an event start and end in the text, and what they say."""

    start: int
    end: int
    row: Mapping[str, Any]


def rewritten(
    pieces: Iterable[bytes],
    events: Collection[str],
    keys: Callable[[str, Mapping[str, Any]], Keys],
    write: Callable[[bytes], object],
) -> set[str]:
    """Writes the catalogue with some events changed; the ids of those that could not be changed safely.

    The text comes in pieces that can be read by themselves, and `write` gets each of them anew. `keys` gives the keys
    to change by the id of an event and its values. A change counts as safe if reading the lines of the event gives the
    old values, but for those keys.
    """
    left = set(events)
    for piece in pieces:
        aside = SetAside()
        text, at, parts = aside.short(piece), 0, list[bytes]()
        for event, (start, end, row) in _spans(text, left):
            new = _aside(keys(event, row), row, aside)
            changed = _rewritten(text[start:end].decode(), row, new) if start >= at else None
            if changed is not None:
                parts += text[at:start], changed.encode()
                at = end
                left.discard(event)
        write(aside.whole(b"".join((*parts, text[at:]))))
    return left


def _aside(keys: Keys, row: Mapping[str, Any], aside: SetAside) -> Keys:
    """The same with new prose set aside, too."""

    def prose(value: Any, before: Any) -> Any:
        if isinstance(value, Mapping):
            said = before if isinstance(before, Mapping) else {}
            return {language: prose(text, said.get(language)) for language, text in value.items()}
        return value if value is None else aside.prose(value, before)

    return {key: prose(value, row.get(key)) if key in PROSE else value for key, value in keys.items()}


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
                row[key][language] = tomlkit.value(inline(said))
    elif row.get(key) != value:
        row[key] = tomlkit.value(inline(value))


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
