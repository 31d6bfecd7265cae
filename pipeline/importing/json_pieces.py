"""A long JSON text piece by piece: what is short is parsed, what is long is opened and its parts are looked at.

Parsed at once, a text takes ten times its own memory.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from pipeline.errors import N_, CatalogueError, in_our_words
from pipeline.importing.found import Spot

SHORT = 1_000_000
"""How many bytes a list or an object may have to be parsed at once."""
DEEPEST = 400
"""How many brackets may be open at one place."""

_MARK = re.compile(rb'"(?:[^"\\]++|\\.?+)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)
"""A text, which may hold brackets of its own; an opening or a closing bracket."""
_NO_JSON = N_("this is not JSON: {reason}")
_MORE = N_("something follows after its end")
_NO_NAME = N_("a name between double quotes is missing, or there is a comma too many")
_NO_COLON = N_("a colon is missing after a name")
_NO_COMMA = N_("a comma is missing between two values, or a bracket that closes")
_NO_VALUE = N_("a value is missing, or it is none: true, false, null, a number, or a text between double quotes")
_NEVER_CLOSED = N_("what opens here is never closed")
_OURS = {
    "Extra data": _MORE,
    "Expecting property name": _NO_NAME,
    "Expecting ':'": _NO_COLON,
    "Expecting ','": _NO_COMMA,
    "Expecting value": _NO_VALUE,
    "trailing comma": N_("there is a comma too many before a bracket that closes"),
    "Unterminated string": N_("a quote that closes a text is missing"),
    "Invalid control character": N_("a text is broken by the end of a line or a control character"),
    "Invalid \\": N_("a text has a backslash before a sign that needs none"),
    "integer string": N_("a number has too many digits"),
}
"""In our words what the library says of a broken text."""
_WORD = re.compile(rb"[^\s\[\]{},:\"]++")
_SPACE = re.compile(rb"[ \t\r\n]*+")


@dataclass(frozen=True, slots=True)
class Piece:
    """One value: where its bytes begin and end."""

    start: int
    end: int

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.end - self.start


class Document:
    """One JSON text, which may be a part of a file: the bytes from `start` to `end`."""

    def __init__(self, data: bytes, file: str, start: int = 0, end: int | None = None) -> None:
        self._data = data
        self._file = file
        self._end = len(data) if end is None else end
        self._counted = (0, 1)
        """A place in the file, and its line."""
        self.whole = self._piece(self._past_space(start))
        if (rest := self._past_space(self.whole.end)) < self._end:
            self._refuse(rest, _NO_JSON, _MORE)

    def line(self, at: int) -> int:
        """The line of a place in the file."""
        before, line = self._counted
        line = line + self._data.count(b"\n", before, at) if at >= before else self._data.count(b"\n", 0, at) + 1
        self._counted = at, line
        return line

    def is_list(self, piece: Piece) -> bool:
        """Whether it is a list."""
        return self._data.startswith(b"[", piece.start)

    def is_object(self, piece: Piece) -> bool:
        """Whether it is an object."""
        return self._data.startswith(b"{", piece.start)

    def value(self, piece: Piece) -> Any:
        """A piece parsed; CatalogueError with the line where it can't be."""
        try:
            return json.loads(self._data[piece.start : piece.end].decode())
        except json.JSONDecodeError as error:
            self._refuse_line(self.line(piece.start) + error.lineno - 1, _NO_JSON, error.msg)
        except RecursionError:
            self._refuse(piece.start, N_("brackets are nested too deep"))
        except ValueError as error:
            self._refuse(piece.start, _NO_JSON, str(error))

    def items(self, piece: Piece) -> Iterator[Piece]:
        """The parts of a list."""
        at = self._past_space(piece.start + 1)
        while not self._data.startswith(b"]", at):
            item = self._piece(at)
            yield item
            at = self._next(item.end, b"]")

    def members(self, piece: Piece) -> Iterator[tuple[str, Piece]]:
        """The keys of an object and what stands under them."""
        at = self._past_space(piece.start + 1)
        while not self._data.startswith(b"}", at):
            if not self._data.startswith(b'"', at):
                self._refuse(at, _NO_JSON, _NO_NAME)
            key = self._piece(at)
            colon = self._past_space(key.end)
            if not self._data.startswith(b":", colon):
                self._refuse(colon, _NO_JSON, _NO_COLON)
            value = self._piece(self._past_space(colon + 1))
            yield self.value(key), value
            at = self._next(value.end, b"}")

    def _next(self, at: int, closing: bytes) -> int:
        """Past a comma to what follows it, or to the bracket that closes."""
        at = self._past_space(at)
        if self._data.startswith(closing, at):
            return at
        if not self._data.startswith(b",", at):
            self._refuse(at, _NO_JSON, _NO_COMMA)
        at = self._past_space(at + 1)
        if self._data.startswith(closing, at):
            self._refuse(at, _NO_JSON, _NO_VALUE)
        return at

    def _past_space(self, at: int) -> int:
        match = _SPACE.match(self._data, at, self._end)
        return match.end() if match else at

    def _piece(self, start: int) -> Piece:
        """The value that begins there."""
        if (word := _WORD.match(self._data, start, self._end)) is not None:
            return Piece(start, word.end())
        depth = 0
        for mark in _MARK.finditer(self._data, start, self._end):
            at = mark.start()
            if not depth and at > start:
                break
            if self._data[at] in b"[{":
                depth += 1
                if depth > DEEPEST:
                    self._refuse(at, N_("brackets are nested too deep"))
            elif self._data[at] in b"]}":
                depth -= 1
            if depth <= 0:
                return Piece(start, mark.end())
        return self._refuse(start, _NO_JSON, _NEVER_CLOSED if depth else _NO_VALUE)

    def _refuse(self, at: int, pattern: str, reason: str = "") -> NoReturn:
        self._refuse_line(self.line(at), pattern, reason)

    def _refuse_line(self, line: int, pattern: str, reason: str) -> NoReturn:
        hint = N_("fetch the file again") if reason else ""
        ours = in_our_words(reason, _OURS)
        raise CatalogueError([Spot(self._file, line).problem(pattern, hint, reason=ours)]) from None
