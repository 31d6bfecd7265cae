"""Where each key stands in a TOML text. Readers give values without lines, so a small scanner walks the same text.

It is called only when there is something to report, only on texts that `tomllib` accepts, and walks no further than to
what was asked for. It walks over bytes, since all marks of TOML are ASCII: a long text with one emoji takes four times
their memory.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping
from typing import NamedTuple

from pipeline.catalogue.toml import by_python

Path = tuple[str | int, ...]

BARE = re.compile("[A-Za-z0-9_-]*+")
BLANKS = re.compile(r"[ \t\r\n]*+")


DEEPEST = 60
"""How many levels of a path are noted: a key of thousands of dots must not cost their square."""


class Place(NamedTuple):
    """A line and a column, both counted from 1."""

    line: int
    column: int


class Places:
    """The places of all keys, tables and array items of one TOML text, by key path (array items by index from 0)."""

    def __init__(self, text: str | bytes) -> None:
        data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        self._text = _in_single_bytes(data)
        self._starts = array("L", [0])
        self._starts.extend(match.end() for match in re.finditer("\n", self._text))
        self._scanner = _Scanner(self._text)
        # Of one long line thousands of things may be told: its text is held once, and each place counted from the last.
        self._last_line = 0, ""
        self._last_place = 0, 0, 0

    @property
    def _found(self) -> Mapping[Path, int]:
        """The offsets of everything."""
        self._scanner.walk()
        return self._scanner.found

    def _offset(self, path: Path) -> int | None:
        """Where a path stands; a text is walked to its end only for what isn't there."""
        if path not in self._scanner.found:
            self._scanner.walk(path)
        return self._scanner.found.get(path)

    def of(self, path: Path) -> Place:
        """The place of a key; of the table or list that should hold it where it isn't there."""
        path = self._written(path)
        for length in range(len(path), 0, -1):
            if (offset := self._offset(path[:length])) is not None:
                return self._place(offset)
        return Place(1, 1)

    def _written(self, path: Path) -> Path:
        """The path without the numbers of lists that were written as one thing."""
        written: Path = ()
        for part in path:
            if part != 0 or self.holds((*written, part)):
                written = (*written, part)
        return written

    def holds(self, path: Path) -> bool:
        """Whether something stands in the text at that path."""
        return self._offset(path) is not None

    def line(self, number: int) -> str:
        """The text of a line, counted from 1."""
        if not 0 < number <= len(self._starts):
            return ""
        if self._last_line[0] != number:
            end = self._text.find("\n", self._starts[number - 1])
            text = _as_written(self._text[self._starts[number - 1] : end if end >= 0 else None]).rstrip("\r")
            self._last_line = number, text
        return self._last_line[1]

    def _place(self, offset: int) -> Place:
        line = bisect_right(self._starts, offset)
        start, column = self._starts[line - 1], 1
        if self._last_place[0] == line and self._last_place[1] <= offset:
            _, start, column = self._last_place
        column += len(_as_written(self._text[start:offset]))
        self._last_place = line, offset, column
        return Place(line, column)


def _in_single_bytes(data: bytes) -> str:
    """A character for each byte, so that offsets are those of the bytes."""
    return data.decode("latin-1")


def _as_written(piece: str) -> str:
    """What such a piece says."""
    return piece.encode("latin-1").decode(errors="surrogatepass")


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where what matches there ends."""
    match = pattern.match(text, at)
    return match.end() if match else at


class _Scanner:
    """One walk over a valid TOML text, of which each byte is a character."""

    def __init__(self, text: str) -> None:
        self._text = text if text.endswith("\n") else text + "\n"
        self._at = 0
        self._table: Path = ()
        self._items: dict[Path, int] = {}
        self.found: dict[Path, int] = {}
        """The offsets of all that was passed, by path."""

    def walk(self, wanted: Path | None = None) -> None:
        """On through the text until the path has been passed, or to its end."""
        while wanted not in self.found and self._skip_blank():
            start = self._at
            if self._text.startswith("[[", start):
                self._at += 2
                self._table = self._open_item(self._key(), start)
                self._at = self._text.index("]]", self._at) + 2
            elif self._text[start] == "[":
                self._at += 1
                self._table = self._resolve(self._key())
                self._note(self._table, start)
                self._at = self._text.index("]", self._at) + 1
            else:
                self._pair(self._table)

    def _note(self, path: Path, offset: int) -> None:
        for length in range(1, min(len(path), DEEPEST) + 1):
            self.found.setdefault(path[:length], offset)

    def _resolve(self, key: Path) -> Path:
        """A header's key with the index of the latest item after each part that names an array of tables."""
        path: Path = ()
        for part in key:
            path = (*path, part)
            if path in self._items:
                path = (*path, self._items[path])
        return path

    def _open_item(self, key: Path, start: int) -> Path:
        array = (*self._resolve(key[:-1]), key[-1])
        self._items[array] = self._items.get(array, -1) + 1
        path = (*array, self._items[array])
        self._note(path, start)
        return path

    def _pair(self, table: Path) -> None:
        start = self._at
        path = (*table, *self._key())
        self._note(path, start)
        self._at = self._text.index("=", self._at) + 1
        self._skip_space()
        self._value(path)

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            self._skip_space()
            start = self._at
            if self._text[start] in "\"'":
                self._string()
                parts.append(next(iter(by_python(_as_written(self._text[start : self._at]) + "=0"))))
            else:
                self._at = _after(BARE, self._text, start)
                parts.append(self._text[start : self._at])
            self._skip_space()
            if self._text[self._at] != ".":
                return tuple(parts)
            self._at += 1

    def _value(self, path: Path) -> None:
        match self._text[self._at]:
            case '"' | "'":
                self._string()
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                while self._text[self._at] not in ",]}#\n":
                    self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip_blank() and self._text[self._at] != "]":
            item = (*path, index)
            self._note(item, self._at)
            self._value(item)
            index += 1
            self._skip_blank()
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip_blank() and self._text[self._at] != "}":
            self._pair(path)
            self._skip_blank()
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1

    def _string(self) -> None:
        quote = self._text[self._at]
        triple = self._text.startswith(quote * 3, self._at)
        close = quote * 3 if triple else quote
        self._at += len(close)
        while not self._text.startswith(close, self._at):
            self._at = self._next_mark(quote)
        self._at += len(close)
        # Up to two quotes may stand right before the closing ones of a long string.
        while triple and self._text[self._at] == quote:
            self._at += 1

    def _next_mark(self, quote: str) -> int:
        """Past the character here (two after a backslash), on to the next quote or backslash."""
        at = self._at + (2 if quote == '"' and self._text[self._at] == "\\" else 1)
        end = self._text.index(quote, at)
        # No further than the quote: a text without a backslash must not be searched to its end for each string.
        slash = self._text.find("\\", at, end) if quote == '"' else -1
        return slash if slash >= 0 else end

    def _skip_space(self) -> None:
        while self._text[self._at] in " \t":
            self._at += 1

    def _skip_blank(self) -> bool:
        """Past spaces, line breaks and comments; False at the end of the text."""
        while self._at < len(self._text):
            if self._text[self._at] == "#":
                self._at = self._text.index("\n", self._at)
            elif self._text[self._at] in " \t\r\n":
                self._at = _after(BLANKS, self._text, self._at)
            else:
                return True
        return False
