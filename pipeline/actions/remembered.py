"""What each file of `out/` was made from, kept beside the catalogue: what is the same need not be made again.

The notes are only a memory. Where they are damaged, of another program, of other templates or of another folder, they
count for nothing; where a file is no longer as it was written, it is made again.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

from pipeline.actions.remembered_bundles import Folded, Note, row_of, stamp_in, stamps_of
from pipeline.actions.verdict_memory import is_this_program, program, remember_program, sealed, unsealed
from pipeline.errors import FileError
from pipeline.files import write_whole
from pipeline.outputs.keys import Pieces

KEPT_IN = Path("var", "files.json")
NEAR, FAR = 4_096, 64_000_000
"""How far behind a piece of a file the next is looked for, in octets; and how far the first, which is below a head."""
OPENING = 64
"""So many octets of a piece are looked for; where they stand the rest is compared."""

remember_program()


def _pieces(told: str) -> Iterator[tuple[str, int, int]]:
    """The key of each piece of a file, where it begins, and its length."""
    # Of each is kept how far it begins behind the end of the one before it, and its length.
    names, _, places = told.partition(" ")
    steps, end = list(map(int, places.split(","))) if places else [], 0
    count = len(steps) // 2
    length = len(names) // count if count else 0
    for number in range(count):
        start = end + steps[2 * number]
        end = start + steps[2 * number + 1]
        yield names[number * length : (number + 1) * length], start, end - start


_BEHIND_THE_KEY = len(" ") + 8 + len(" ")
"""How far behind its key the size stands in a row: the checksum is between them."""


class Passing:
    """What is noted of a file while its parts go by: a checksum, how long it is, and where in it the pieces stand."""

    def __init__(self, taken: list[tuple[str, bytes]]) -> None:
        """`taken` are pieces that are about to come, in their order; each is let go when it came."""
        self._taken = taken
        self._seen = 0
        self._checksum = 0
        self._names, self._places = list[str](), list[int]()
        self._size = self._end = 0

    def through(self, parts: Iterable[bytes]) -> Iterator[bytes]:
        """The same parts; no piece is cut between two of them."""
        for part in parts:
            self.take(part)
            yield part

    def take(self, part: bytes) -> None:
        """Notes the next part of the file."""
        self._checksum = crc32(part, self._checksum)
        if self._taken:
            self._find_pieces(part)
        self._size += len(part)

    def _find_pieces(self, part: bytes) -> None:
        at, waiting = max(self._end - self._size, 0), list[tuple[str, bytes]]()
        for number, (name, piece) in enumerate(self._taken):
            start = _place_of(piece, part, at)
            if piece and start >= 0:
                self._names.append(name)
                self._places += (self._size + start - self._end, len(piece))
                at = start + len(piece)
                self._end = self._size + at
            elif number >= self._seen:
                waiting.append((name, piece))  # what was made already may stand in the next part
        self._taken[:] = waiting
        self._seen = len(waiting)

    def note(self, key: str, time: int) -> str:
        """The row of the file once it is whole."""
        self._taken.clear()
        told = f"{''.join(self._names)} {','.join(map(str, self._places))}"
        return row_of(key, self._checksum, self._size, time, told)


def _place_of(piece: bytes, part: bytes, at: int) -> int:
    """Where a piece begins in a part of a file, behind `at` but not far; -1 where it isn't there."""
    # By its beginning: to search for something long, Python looks through all of it first.
    opening, end = piece[:OPENING], at + (NEAR if at else FAR) + OPENING
    while at >= 0 and not part.startswith(piece, at):
        at = part.find(opening, at + 1, end)
    return at


class Remembered(Pieces):
    """The files of one folder as an earlier run wrote them, and what this one finds out about them."""

    def __init__(self, folder: Path, out: Path, templates: str) -> None:
        self._file = folder / KEPT_IN
        self._out = os.fspath(out.absolute())
        self._of = {"out": self._out, "templates": templates, "python": sys.version}
        self._program: Mapping[str, Any] = {}
        self._since = 0
        """When the notes of the last run were written down, in nanoseconds."""
        self._before: dict[str, str] = {}
        self._bundles_before: dict[str, str] = {}
        self._now: list[tuple[str, str] | Folded] = []
        """Each file with its row, or the bundle in which it is, in the order in which they are published."""
        self._read()
        self._places: dict[str, tuple[str, int, int]] | None = None
        self._open: dict[str, int | None] = {}
        self._named = set[str]()
        self._taken: list[tuple[str, bytes]] = []

    def _read(self) -> None:
        """Takes the rows of the last run by their paths; none where they count for nothing."""
        with (
            suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError),
            self._file.open("rb") as file,
        ):
            lines = iter(unsealed(file.read()))
            head = json.loads(next(lines, ""))
            if head["of"] == self._of and is_this_program(head["program"]):
                rows, bundles = dict[str, str](), dict[str, str]()
                for line in lines:
                    if line.startswith("\t"):
                        bundles[line[1 : line.index("\t", 1)]] = line
                    else:
                        row, _, path = line.partition("\t")
                        rows[_path_in(path)] = row
                self._program, self._before, self._bundles_before = head["program"], rows, bundles
                self._since = os.fstat(file.fileno()).st_mtime_ns

    # ------------------------------------------------------------------------------------ whole files

    def holds(self, path: str, key: str) -> bool:
        """Whether a file was made from just that, and stands as it was written."""
        row = self._before.get(path) or self._in_bundles.get(path)
        if row is None or not row.startswith(f"{key} ") or (stood := self._standing(path, row)) is None:
            return False
        self._now.append((path, stood))
        return True

    def _standing(self, path: str, row: str) -> str | None:
        """The row of a file that stands as it says; None where it doesn't."""
        try:
            found = os.lstat(f"{self._out}/{path}")
        except OSError:
            return None
        # Whoever wrote in the very instant of our last look left no other time than ours.
        stood = f"{found.st_size} {found.st_mtime_ns} "
        if found.st_mtime_ns < self._since and row.startswith(stood, row.index(" ") + _BEHIND_THE_KEY):
            return row
        note = Note.of(row)
        if found.st_size != note.size or _checksum_of(f"{self._out}/{path}") != note.checksum:
            return None
        return note._replace(time=found.st_mtime_ns).row

    def holds_bundle(self, name: str, key: str) -> list[str] | None:
        """The files of a bundle that was made from just that, where all stand as they were written; None otherwise."""
        line = self._bundles_before.get(name)
        if line is None or not line.startswith(key, len(name) + 2):
            return None
        bundle = Folded.of(line)
        paths = bundle.places()
        # Whoever wrote in the very instant of our last look left no other time than ours: each file is looked at.
        if bundle.key != key or bundle.newest >= self._since or stamps_of(self._out, paths) != bundle.stamps:
            return None
        self._now.append(bundle)
        return paths

    @contextmanager
    def bundle(self, name: str, key: str) -> Iterator[None]:
        """What is noted of files meanwhile is noted of that bundle."""
        others, self._now = self._now, []
        if (line := self._bundles_before.get(name)) is not None:
            self._before |= Folded.of(line).rows()
        yield
        others.append(Folded.holding(name, key, [item for item in self._now if not isinstance(item, Folded)]))
        self._now = others

    @cached_property
    def _in_bundles(self) -> Mapping[str, str]:
        """The rows of all files in bundles: an event may stand in another one than before."""
        return {path: row for line in self._bundles_before.values() for path, row in Folded.of(line).rows().items()}

    def stands(self) -> str:
        """Size and time of each file as this run saw or wrote it, as `stamps_of` says it, in the order of the files."""
        stamps = (item.stamps if isinstance(item, Folded) else stamp_in(item[1]) for item in self._now)
        return ",".join(filter(None, stamps))

    def passing(self) -> Passing:
        """For the file that is about to be made, as a whole or in parts."""
        return Passing(self._taken)

    def passed(self, path: str, key: str, passing: Passing, time: int) -> None:
        """Notes what a file is made from, once its parts have gone by, and its time when written, in nanoseconds."""
        self._now.append((path, passing.note(key, time)))

    def passed_whole(self, path: str, key: str, body: bytes, time: int) -> None:
        """The same of a file that is made as a whole; most hold no piece that another could take."""
        if self._taken:
            passing = self.passing()
            passing.take(body)
            self.passed(path, key, passing, time)
        else:
            self._now.append((path, row_of(key, crc32(body), len(body), time)))

    def keep(self) -> None:
        """Writes the notes down, once every file is in its place; where nothing can be written, nothing is kept."""
        head = {"of": self._of, "program": {**self._program, **program()}}
        lines = (item.line if isinstance(item, Folded) else _line_of(*item) for item in self._now)
        with suppress(OSError, FileError):
            write_whole(self._file, sealed(chain((json.dumps(head),), lines)))

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
                for path, row in self._before.items()
                if not row.endswith(" ")
                for key, start, length in _pieces(Note.of(row).told)
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
        """Lets go of the files that pieces were taken from, and of what an earlier run noted."""
        self._before, self._bundles_before, self._places = {}, {}, {}
        self.__dict__.pop("_in_bundles", None)
        self._named.clear()
        for file in self._open.values():
            if file is not None:
                os.close(file)
        self._open.clear()


def _line_of(path: str, row: str) -> str:
    # The path as ASCII: a name that isn't UTF-8 is kept as well.
    return f"{row}\t{json.dumps(path)}"


def _path_in(text: str) -> str:
    """A path that is written as JSON; most need no reading."""
    return str(json.loads(text)) if "\\" in text else text[1:-1]


def digest_of_files(paths: Iterable[str]) -> str:
    """A digest of the names and the contents of files."""
    found = hashlib.blake2b(digest_size=16)
    for path in paths:
        found.update(f"{path}\n{_digest_of(path)}\n".encode(errors="surrogateescape"))
    return found.hexdigest()


def _digest_of(path: str) -> str:
    body = _bytes_of(path)
    return "" if body is None else hashlib.sha256(body).hexdigest()


def _checksum_of(path: str) -> str:
    """Enough to know again what was written: of a file of the same size that was written over by chance."""
    body = _bytes_of(path)
    return "" if body is None else f"{crc32(body):08x}"


def _bytes_of(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a path object for each of thousands of files costs
            return file.readall()
    except OSError:
        return None
