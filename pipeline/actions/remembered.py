"""What each file of `out/` was made from, kept beside the catalogue: what is the same need not be made again.

The notes are only a memory. Where they are damaged, of another program, of other templates or of another folder, they
count for nothing; where a file is no longer as it was written, it is made again.
"""

import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any
from zlib import crc32

from pipeline.actions.remembered_bundles import Folded, Note, row_of, seen_of, stamp_in
from pipeline.actions.remembered_pieces import Passing, Place, Taken, checksum_of, places_in
from pipeline.actions.verdict_memory import is_this_program, program, remember_program, sealed, unsealed
from pipeline.errors import FileError
from pipeline.files import Part, Stretch, write_whole
from pipeline.outputs.keys import Pieces

KEPT_IN = Path("var", "files.json")

remember_program()


_BEHIND_THE_KEY = len(" ") + 8 + len(" ")
"""How far behind its key the size stands in a row: the checksum is between them."""


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
        self._places: dict[str, tuple[str, Place]] | None = None
        self._sound: dict[str, bool] = {}
        """Of the files that pieces were asked of: whether they stand as they were written."""
        self._open: dict[str, int] = {}
        """Those that pieces of the file being made come from; more would be more than a process may open."""
        self._taken: list[Taken] = []

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
        if found.st_size != note.size or (body := _bytes_of(f"{self._out}/{path}")) is None:
            return None
        if f"{checksum_of(body, note.told):08x}" != note.checksum:
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
        if bundle.key != key or bundle.newest >= self._since or seen_of(self._out, paths) != bundle.seen:
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
        """Size and time of each file as this run saw or wrote it, in the order of the files, with commas."""
        stamps = (item.stamps if isinstance(item, Folded) else stamp_in(item[1]) for item in self._now)
        return ",".join(filter(None, stamps))

    def passing(self) -> Passing:
        """For the file that is about to be made, as a whole or in parts."""
        return Passing(self._taken)

    def passed(self, path: str, key: str, passing: Passing, time: int) -> None:
        """Notes what a file is made from, once its parts have gone by, and its time when written, in nanoseconds."""
        self._let_go()
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
        found, piece = self._found(key), None
        if found is not None:
            with suppress(OSError):
                piece = bytes(found.piece)
                self._taken.append(found._replace(piece=piece))
        return piece

    def put(self, key: str, piece: bytes) -> None:
        """Notes a piece of the file that is being made."""
        self._taken.append(Taken(key, piece))

    def part(self, key: str, make: Callable[[], bytes]) -> Part:
        """The piece of a key as a part of a file by itself; one that an earlier run left is not looked at."""
        if (found := self._found(key)) is None:
            return self.of(key, make)
        self._taken.append(found)
        return found.piece

    def _found(self, key: str) -> Taken | None:
        """The piece of a key, unread, from a file that is as an earlier run left it."""
        if key not in self._known:
            return None
        path, place = self._known[key]
        file = self._opened(path)
        return None if file is None else Taken(key, Stretch(file, place.start, place.length), place.checksum)

    @property
    def _known(self) -> Mapping[str, tuple[str, Place]]:
        """The file and the place of every piece that an earlier run left."""
        if self._places is None:
            self._places = {
                key: (path, place)
                for path, row in self._before.items()
                if not row.endswith(" ")
                for key, place in places_in(Note.of(row).told)
            }
        return self._places

    def _opened(self, path: str) -> int | None:
        """A file of `out/`, which stays as it is until all is made; None where it isn't as it was."""
        if path not in self._sound:
            self._sound[path] = self._standing(path, self._before[path]) is not None
        if self._sound[path] and path not in self._open:
            with suppress(OSError):
                self._open[path] = os.open(f"{self._out}/{path}", os.O_RDONLY | os.O_NOFOLLOW)
        return self._open.get(path)

    def _let_go(self) -> None:
        for file in self._open.values():
            os.close(file)
        self._open.clear()

    def close(self) -> None:
        """Lets go of the files that pieces were taken from, and of what an earlier run noted."""
        self._before, self._bundles_before, self._places = {}, {}, {}
        self.__dict__.pop("_in_bundles", None)
        self._let_go()


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


def _bytes_of(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a path object for each of thousands of files costs
            return file.readall()
    except OSError:
        return None
