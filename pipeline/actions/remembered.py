"""What each file of `out/` was made from, kept beside the catalogue: what is the same need not be made again.

The notes are only a memory. Where they are damaged, of another program, of other templates or of another folder, they
count for nothing; where a file is no longer as it was written, it is made again.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from pipeline.actions.verdict_memory import is_this_program, program, remember_program, sealed, unsealed
from pipeline.errors import FileError
from pipeline.files import write_whole
from pipeline.outputs.keys import Pieces

KEPT_IN = Path("var", "files.json")
NEAR, FAR = 4_096, 64_000_000
"""How far behind a piece of a file the next is looked for, in octets; and how far the first, which is below a head."""

remember_program()


class _Note(NamedTuple):
    """What a file was made from, a digest of its bytes, and how it stood: its size, its time in nanoseconds."""

    key: str
    digest: str
    size: int
    time: int
    names: str = ""
    """The keys of its pieces in their order, each of the same length."""
    places: tuple[int, ...] = ()
    """Of each piece how far it begins behind the end of the one before it, and its length."""

    def pieces(self) -> Iterator[tuple[str, int, int]]:
        """The key of each piece, where it begins, and its length."""
        count, end = len(self.places) // 2, 0
        length = len(self.names) // count if count else 0
        for number in range(count):
            start = end + self.places[2 * number]
            end = start + self.places[2 * number + 1]
            yield self.names[number * length : (number + 1) * length], start, end - start


class Remembered(Pieces):
    """The files of one folder as an earlier run wrote them, and what this one finds out about them."""

    def __init__(self, folder: Path, out: Path, templates: str) -> None:
        self._file = folder / KEPT_IN
        self._out = os.fspath(out.absolute())
        self._of = {"out": self._out, "templates": templates, "python": sys.version}
        self._program: Mapping[str, Any] = {}
        self._before, self._since = self._read()
        self._now: dict[str, _Note] = {}
        self._places: dict[str, tuple[str, int, int]] | None = None
        self._open: dict[str, int | None] = {}
        self._named = set[str]()
        self._taken: list[tuple[str, bytes]] = []

    def _read(self) -> tuple[dict[str, _Note], int]:
        """The notes of the last run, and when they were written down, in nanoseconds."""
        try:
            since = self._file.stat().st_mtime_ns
            kept = json.loads(unsealed(self._file.read_text(encoding="utf-8")))
            if kept["of"] == self._of and is_this_program(kept["program"]):
                self._program = kept["program"]
                return {path: _Note(*note) for path, note in kept["files"].items()}, since
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        return {}, 0

    # ------------------------------------------------------------------------------------ whole files

    def holds(self, path: str, key: str) -> bool:
        """Whether a file was made from just that, and stands as it was written."""
        note = self._before.get(path)
        if note is None or note.key != key or (stood := self._standing(path, note)) is None:
            return False
        self._now[path] = stood
        return True

    def _standing(self, path: str, note: _Note) -> _Note | None:
        """The note of a file that stands as it says; None where it doesn't."""
        try:
            found = os.lstat(f"{self._out}/{path}")
        except OSError:
            return None
        # Whoever wrote in the very instant of our last look left no other time than ours.
        if (found.st_size, found.st_mtime_ns) == (note.size, note.time) and note.time < self._since:
            return note
        if found.st_size != note.size or _digest_of(f"{self._out}/{path}") != note.digest:
            return None
        return note._replace(time=found.st_mtime_ns)

    def made(self, path: str, key: str, body: bytes, time: int) -> None:
        """Notes what a file is made from, where its pieces stand in it, and its time, in nanoseconds, when written."""
        names, places, end = list[str](), list[int](), 0
        for name, piece in self._taken:
            if body.startswith(piece, end):
                start = end
            else:
                start = body.find(piece, end, end + (NEAR if end else FAR) + len(piece))
            if piece and start >= 0:
                names.append(name)
                places += (start - end, len(piece))
                end = start + len(piece)
        self._taken.clear()
        self._now[path] = _Note(key, _digest(body), len(body), time, "".join(names), tuple(places))

    def keep(self) -> None:
        """Writes the notes down, once every file is in its place; where nothing can be written, nothing is kept."""
        kept = {"of": self._of, "program": {**self._program, **program()}, "files": self._now}
        with suppress(OSError, FileError):
            # As ASCII: a name that isn't UTF-8 is kept as well.
            write_whole(self._file, sealed(json.dumps(kept, separators=(",", ":"))))

    # ------------------------------------------------------------------------------------ pieces

    def find(self, key: str) -> bytes | None:
        """The piece of a key, from the file that holds it since an earlier run."""
        place = self._known.get(key)
        piece = self._cut(*place) if place is not None else None
        if piece is not None:
            self.put(key, piece)
        return piece

    def put(self, key: str, piece: bytes) -> None:
        """Notes a piece of the file that is being made, if it is the first of the run that holds it."""
        if key not in self._named:
            self._named.add(key)
            self._taken.append((key, piece))

    @property
    def _known(self) -> Mapping[str, tuple[str, int, int]]:
        """The file, the beginning and the length of every piece that an earlier run left."""
        if self._places is None:
            self._places = {
                key: (path, start, length)
                for path, note in self._before.items()
                if note.places
                for key, start, length in note.pieces()
            }
        return self._places

    def _cut(self, path: str, start: int, length: int) -> bytes | None:
        """A piece of a file of `out/`, which stays as it is until all is made; None where it isn't as it was."""
        if path not in self._open:
            self._open[path] = None
            if self._standing(path, self._before[path]) is not None:
                with suppress(OSError):
                    self._open[path] = os.open(f"{self._out}/{path}", os.O_RDONLY | os.O_NOFOLLOW)
        file = self._open[path]
        piece = os.pread(file, length, start) if file is not None else b""
        return piece if len(piece) == length else None

    def close(self) -> None:
        """Lets go of the files that pieces were taken from."""
        for file in self._open.values():
            if file is not None:
                os.close(file)
        self._open.clear()


def digest_of_files(paths: Iterable[str]) -> str:
    """A digest of the names and the contents of files."""
    found = hashlib.blake2b(digest_size=16)
    for path in paths:
        found.update(f"{path}\n{_digest_of(path)}\n".encode(errors="surrogateescape"))
    return found.hexdigest()


def _digest_of(path: str) -> str:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a path object for each of thousands of files costs
            return _digest(file.readall())
    except OSError:
        return ""


def _digest(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=16).hexdigest()
