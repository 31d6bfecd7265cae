"""The events of a long file are read twice: for their keys, and one piece after the other when they are judged.

All at once they would take several times the memory of the file.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from pipeline.catalogue.crowds import crowded
from pipeline.catalogue.texts import in_brief
from pipeline.catalogue.toml import joined, pieces, read_piece, read_toml

LONG = 2**23
"""From how many bytes on a file is long."""

Row = dict[str, Any]


class UnreadRow(Row):
    """Of one or several rows of a piece of a file their keys, until they are read again."""

    def __init__(self, keys: Iterable[str], piece: Callable[[], list[Row]]) -> None:
        """`piece` reads all rows of the piece."""
        super().__init__(dict.fromkeys(keys))
        self.piece = piece
        self.group: object = None
        """The group in whose file it stands."""


def read_file(text: str | bytes) -> Row:
    """The tables of a file; those of the events of a long one may be unread. Raises as `read_toml`."""
    if isinstance(text, bytes) and len(text) > LONG and (tables := joined(_read_pieces(text))) is not None:
        return tables
    return read_toml(wrong_part(text))


def wrong_part(text: str | bytes) -> str | bytes:
    """Of a file that is no TOML so much as tells what is wrong, on its lines; all of one that is short or right."""
    if isinstance(text, bytes) and len(text) > LONG:
        part: bytes = importlib.import_module("pipeline.catalogue.long_mistakes").wrong_part(text)
        return part
    return text


def _read_pieces(text: bytes) -> Iterator[Row]:
    start = 0
    for length in map(len, pieces(text)):
        end = start + length
        tables = read_piece(text[start:end])
        yield {"event": unread(text, start, end, tables["event"])} if tables.keys() == {"event"} else tables
        start = end


def unread(text: bytes, start: int, end: int, rows: Any) -> Any:
    """What to hold of the rows of a piece until they are read again; what is odd stays as it is, to be told."""

    def piece() -> list[Row]:
        found: list[Row] = read_piece(text[start:end])["event"]
        return found

    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows) or any(crowded({"event": rows})):
        return rows
    alike: dict[frozenset[str], UnreadRow] = {}
    return [alike.setdefault(keys, UnreadRow(keys, piece)) for keys in map(frozenset, rows)]


def whole(rows: Iterable[Row]) -> Iterator[Row]:
    """Some rows in their order, the unread ones read again, of one piece at a time."""
    for piece, those in groupby(rows, lambda row: row.piece if isinstance(row, UnreadRow) else None):
        again = iter(() if piece is None else piece())
        for row in those:
            if isinstance(row, UnreadRow):
                found = next(again)
                yield found if row.group is None else {**found, "$group": row.group}
            else:
                yield row


def shortened(row: Row) -> Row:
    """A row that was refused, with a mark for the texts that take most memory: nothing depends on what they say."""
    return {key: _mark(value) if key in {"abstract", "notice"} else value for key, value in row.items()}


def _mark(value: Any) -> Any:
    if isinstance(value, dict):
        return {language: _mark(text) for language, text in value.items()}
    return in_brief(value) if isinstance(value, str) else value
