"""Where each key stands in a TOML text. Readers give values without lines, so a small scanner walks the same text.

It is called only when there is something to report, and only on texts that `tomllib` accepts. It walks over bytes, for
all marks of TOML are ASCII, and notes no more than what was asked for: a long text has hundreds of thousands of keys.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator
from itertools import product
from typing import NamedTuple

from pipeline.catalogue.toml import by_python

Path = tuple[str | int, ...]

BARE = re.compile(b"[A-Za-z0-9_-]*+")
BLANKS = re.compile(rb"(?:[ \t\r\n]++|#[^\n]*+)*+")
STRING = re.compile(
    rb'(?s)"""(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|"(?:[^"\\]++|\\.)*+"'
    rb"|'''(?:[^']++|'(?!''))*+'{3,5}|'[^']*+'"
)
"""A text in any of its four forms; up to two quotes may stand right before the closing ones of a long one."""
WITHOUT_BRACKETS = re.compile(rb"(?:[^\"'#\[\]{}]++|#[^\n]*+|%b)*+" % STRING.pattern.removeprefix(b"(?s)"), re.DOTALL)


DEEPEST = 60
"""How many levels of a path are noted: a key of thousands of dots must not cost their square."""


class Place(NamedTuple):
    """A line and a column, both counted from 1."""

    line: int
    column: int


class Places:
    """The places of keys, tables and array items of one TOML text, by key path (array items by index from 0)."""

    def __init__(self, text: str | bytes) -> None:
        self._text = text.encode(errors="surrogatepass") if isinstance(text, str) else text
        self._starts = array("L", [0])
        self._starts.extend(match.end() for match in re.finditer(b"\n", self._text))
        self._offsets: dict[Path, int | None] = {}
        """Where what was looked for stands; None where it isn't there."""
        # Of one long line thousands of things may be told: its text is held once, and each place counted from the last.
        self._last_line = 0, ""
        self._last_place = 0, 0, 0

    def seek(self, paths: Iterable[Path]) -> None:
        """Looks for many at once: each that is asked for without having been looked for is a walk of its own."""
        ways = {way[:length] for path in paths for way in _ways(path) for length in range(1, len(way) + 1)}
        new: dict[Path, int | None] = dict.fromkeys(way for way in ways if way not in self._offsets)
        if new:
            _Scanner(self._text, new, {way[:-1] for way in ways}).walk()
            self._offsets |= new

    def _offset(self, path: Path) -> int | None:
        if path not in self._offsets:
            self.seek([path])
        return self._offsets[path]

    def of(self, path: Path) -> Place:
        """The place of a key; of the table or list that should hold it where it isn't there."""
        self.seek([path])
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
            end = self._text.find(b"\n", self._starts[number - 1])
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


def seek_all(wanted: Iterable[tuple[Places, Path]]) -> None:
    """Looks for many in several texts, in one walk of each."""
    paths: dict[Places, list[Path]] = {}
    for places, path in wanted:
        paths.setdefault(places, []).append(path)
    for places, those in paths.items():
        places.seek(those)


def dotted(path: Path) -> str:
    """A path as messages show it; the rows of lists are counted from 1."""
    dotted = ""
    for part in path:
        dotted += f" #{part + 1}" if isinstance(part, int) else f".{part[:70]}" if dotted else part[:70]
    return dotted


def _ways(path: Path) -> Iterator[Path]:
    """How a path may be written: the first of a list may stand there without one."""
    for parts in product(*(((), (part,)) if part == 0 else ((part,),) for part in path)):
        yield tuple(name for part in parts for name in part)


def _as_written(piece: bytes) -> str:
    return piece.decode(errors="surrogatepass")


def _after(pattern: re.Pattern[bytes], text: bytes, at: int) -> int:
    """Where what matches there ends."""
    match = pattern.match(text, at)
    return match.end() if match else at


class _Scanner:
    """One walk over a valid TOML text, for the places of some paths."""

    def __init__(self, text: bytes, offsets: dict[Path, int | None], holders: Collection[Path]) -> None:
        """`offsets` takes what was asked for; `holders` are what it is a part of: all else is passed over."""
        self._text = text if text.endswith(b"\n") else text + b"\n"
        self._at = 0
        self._table: Path = ()
        self._items: dict[Path, int] = {}
        self._offsets = offsets
        self._holders = holders
        self._left = len(offsets)

    def walk(self) -> None:
        """On through the text until all was found, or to its end."""
        while self._left and self._skip_blank():
            start = self._at
            if self._text.startswith(b"[[", start):
                self._at += 2
                self._table = self._open_item(self._key(), start)
                self._at = self._text.index(b"]]", self._at) + 2
            elif self._text.startswith(b"[", start):
                self._at += 1
                self._table = self._resolve(self._key())
                self._note(self._table, start)
                self._at = self._text.index(b"]", self._at) + 1
            elif self._table in self._holders:
                self._pair(self._table)
            else:
                self._skip_table()

    def _skip_table(self) -> None:
        """On to the next header: a bracket at the beginning of a line, outside of texts and lists."""
        while (at := self._to_a_bracket()) < len(self._text):
            if not self._text[self._text.rindex(b"\n", 0, at) : at].strip():
                return
            self._skip_brackets()

    def _skip_brackets(self) -> None:
        """Past a list or an inline table with all that it holds."""
        depth = 0
        while True:
            depth += 1 if self._text[self._at] in b"[{" else -1
            self._at += 1
            if not depth:
                return
            self._to_a_bracket()

    def _to_a_bracket(self) -> int:
        self._at = _after(WITHOUT_BRACKETS, self._text, self._at)
        return self._at

    def _note(self, path: Path, offset: int) -> None:
        for length in range(1, min(len(path), DEEPEST) + 1):
            if self._offsets.get(path[:length], offset) is None:
                self._offsets[path[:length]] = offset
                self._left -= 1

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
        self._at = self._text.index(b"=", self._at) + 1
        self._skip_space()
        self._value(path)

    def _key(self) -> Path:
        parts: list[str] = []
        while True:
            self._skip_space()
            start = self._at
            if self._text[start] in b"\"'":
                self._string()
                parts.append(next(iter(by_python(_as_written(self._text[start : self._at]) + "=0"))))
            else:
                self._at = _after(BARE, self._text, start)
                parts.append(self._text[start : self._at].decode())
            self._skip_space()
            if not self._text.startswith(b".", self._at):
                return tuple(parts)
            self._at += 1

    def _value(self, path: Path) -> None:
        match chr(self._text[self._at]):
            case '"' | "'":
                self._string()
            case "[" | "{" if path not in self._holders:
                self._skip_brackets()
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                while self._text[self._at] not in b",]}#\n":
                    self._at += 1

    def _array(self, path: Path) -> None:
        self._at += 1
        index = 0
        while self._skip_blank() and not self._text.startswith(b"]", self._at):
            item = (*path, index)
            self._note(item, self._at)
            self._value(item)
            index += 1
            self._skip_blank()
            if self._text.startswith(b",", self._at):
                self._at += 1
        self._at += 1

    def _inline_table(self, path: Path) -> None:
        self._at += 1
        while self._skip_blank() and not self._text.startswith(b"}", self._at):
            self._pair(path)
            self._skip_blank()
            if self._text.startswith(b",", self._at):
                self._at += 1
        self._at += 1

    def _string(self) -> None:
        self._at = _after(STRING, self._text, self._at)

    def _skip_space(self) -> None:
        while self._text[self._at] in b" \t":
            self._at += 1

    def _skip_blank(self) -> bool:
        """Past spaces, line breaks and comments; False at the end of the text."""
        self._at = _after(BLANKS, self._text, self._at)
        return self._at < len(self._text)
