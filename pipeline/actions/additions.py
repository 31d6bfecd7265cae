"""The text of a catalogue with what an import adds to it, its long texts fetched one after the other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pipeline.actions.shelf import ShelvedText
from pipeline.catalogue.crowds import LONGEST_TABLE
from pipeline.catalogue.syntax import beyond_limits
from pipeline.catalogue.toml import joined, pieces, read_piece
from pipeline.catalogue.unread import read_file
from pipeline.errors import CatalogueError, Problem
from pipeline.importing.found import Spot
from pipeline.importing.long_strings import without_long_strings
from pipeline.importing.writing import appended, event_text

PIECE = 2**17
"""How many octets of a catalogue are changed at once: tiny events take fifty times as much while they are."""


def cut(text: bytes) -> tuple[dict[str, Any], Iterable[str | bytes]]:
    """The tables of a catalogue without its events, and its text in pieces that mean the same by themselves."""
    if (tables := joined(map(_without_events, pieces(text, PIECE)))) is not None:
        return tables, pieces(text, PIECE)
    return {**(tables := read_file(text)), "event": [] if "event" in tables else None}, [text]


def _without_events(piece: str | bytes) -> dict[str, Any]:
    tables = read_piece(piece)
    return {**tables, "event": []} if isinstance(tables.get("event"), list) else tables


class NewEvent(NamedTuple):
    """The table of a new event, and where the foreign file tells of it."""

    row: dict[str, Any]
    """With a mark in the place of its prose."""
    prose: Mapping[str, Any]
    spot: Spot

    @property
    def text(self) -> str:
        """The table with its prose in full; CatalogueError where it is endless."""
        text = event_text({**self.row, **{key: self.prose[key] for key in self.prose if key in self.row}})
        if (beyond := beyond_limits(self.spot.file, text)) is not None:
            told = Problem(self.spot.file, self.spot.line, self.spot.label, beyond.message, beyond.hint, beyond.values)
            raise CatalogueError([told])
        return text


@dataclass(frozen=True, slots=True)
class NewText:
    """A catalogue and the tables to be added to it."""

    stored: Iterable[ShelvedText]
    """In pieces that mean the same by themselves."""
    tables: Iterable[ShelvedText]
    """What is added, one after the other."""
    remark: str
    """What is said above them, in one line."""

    def pieces(self, *, brief: bool = False) -> Iterator[bytes]:
        """The whole text; `brief` with a mark in the place of long strings.

        Those that are new were judged by themselves, and nothing else depends on what they say.
        """
        read = _in_brief if brief else bytes
        return appended(
            (read(text.encoded) for text in self.stored),
            (read(text.encoded).decode() for text in self.tables),
            self.remark,
        )


def _in_brief(piece: bytes) -> bytes:
    # A table that is too long is to be seen.
    return without_long_strings(piece) if len(piece) <= LONGEST_TABLE else piece
