"""Files: read as text, written whole or not at all, untouched where nothing changes."""

import codecs
import errno
import fcntl
import os
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import N_, CatalogueError, Problem, reason_of
from pipeline.utf8 import first_wrong_byte

MANIFEST = ".tocsin.json"
UNFINISHED = ".tocsin-unfinished"
"""The ending of a file that is being written; one that a killed process left is overwritten or removed next time.

As a whole name in a folder it marks that files wait there: where it is found at the start, a process was killed.
"""

AT_ONCE = 2**20
"""So many octets of a file are copied at once where the system doesn't do it."""


def read_text(path: Path, name: str, *, piped: bool = False) -> str:
    """A UTF-8 file without its BOM. CatalogueError, under the name shown to people, where it can't be read so.

    With `piped` it may come through a pipe, too.
    """
    return read_utf8(path, name, piped=piped).decode()


def read_utf8(path: Path, name: str, *, piped: bool = False) -> bytes:
    """The same, still in UTF-8: of a long text with one emoji, a quarter of the memory."""
    with _readable(path, name, piped=piped):
        data = path.read_bytes().removeprefix(codecs.BOM_UTF8)
    if (wrong := first_wrong_byte(data)) is not None:
        raise _not_in_utf8(name, data.count(b"\n", 0, wrong) + 1)
    return data


def utf8_lines_if_there(path: Path, name: str) -> Iterator[bytes]:
    """The lines of such a file, one after the other, so that a long one takes no memory; none where there is no file.

    CatalogueError may come with any of them.
    """
    if not path.exists():
        return
    with _readable(path, name), path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if first_wrong_byte(line) is not None:
                raise _not_in_utf8(name, number)
            yield line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


@contextmanager
def _readable(path: Path, name: str, *, piped: bool = False) -> Iterator[None]:
    """CatalogueError for what keeps a file from being read."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISCHR(kind) or stat.S_ISBLK(kind) or (stat.S_ISFIFO(kind) and not piped):
            raise CatalogueError([Problem(name, 0, "", N_("this is a device, not a file"), N_("name a file"))])
        yield
    except FileNotFoundError:
        hint = "write one with: tocsin init" if path.suffix == ".toml" else ""
        raise CatalogueError([Problem(name, 0, "", "there is no such file", hint)]) from None
    except OSError as error:
        hint = N_("name a file") if isinstance(error, IsADirectoryError) else ""
        raise CatalogueError([Problem(name, 0, "", "{reason}", hint, {"reason": reason_of(error)})]) from error


def _not_in_utf8(name: str, line: int) -> CatalogueError:
    return CatalogueError(
        [Problem(name, line, "", "the file is not in UTF-8", "save it again with the encoding UTF-8")]
    )


def read_utf8_if_there(path: Path, name: str) -> bytes:
    """The bytes of a UTF-8 file, none where there is no such file."""
    return read_utf8(path, name) if path.exists() else b""


def write_whole(path: Path, data: bytes | Iterable[bytes], *, durable: bool = False) -> bool:
    """Makes a file hold these bytes, all or none if we are killed; False where it held them already.

    `durable` waits until they would survive a power cut too.
    """
    if isinstance(data, bytes) and holds(path, data):
        return False
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with opened(unfinished) as file:
            file.writelines((data,) if isinstance(data, bytes) else data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
        if durable:
            _settle(path.parent)
    except OSError as error:
        # On a full disk it would keep the room that the next try needs.
        with suppress(OSError):
            unfinished.unlink()
        if error.filename in {None, str(unfinished)}:
            error.filename = str(path)  # the one that people know
        raise
    return True


def _settle(folder: Path) -> None:
    """Waits until the names in a folder would survive a power cut; a file's own data knows nothing of its new name."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def opened(path: str | Path) -> BinaryIO:
    """The file opened for writing; its folder is made where it is missing, which is rare."""
    return open(made(path), "wb")


def made(path: str | Path) -> int:
    """The number of a file that is open for writing, and empty."""
    # Who may put a link where we write must not choose by it what is overwritten.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o666)
    except FileNotFoundError:
        make_folder(os.path.dirname(path))  # noqa: PTH120 - for thousands of folders
        return os.open(path, flags, 0o666)


def make_folder(path: str) -> None:
    """Makes a folder, and those around it, where it is missing."""
    try:
        os.mkdir(path)  # noqa: PTH102
    except (FileNotFoundError, FileExistsError):
        # Mostly only the last one is missing, or it came meanwhile.
        os.makedirs(path, exist_ok=True)  # noqa: PTH103


def write_all(file: int, data: bytes) -> None:
    """Writes to an open file by its number; the system may take less at once than it is given."""
    written = os.write(file, data)
    while written < len(data):
        written += os.write(file, memoryview(data)[written:])


class Stretch:
    """Some octets of a file that is open for reading: the system can copy them without our looking at any."""

    __slots__ = ("file", "length", "start")

    def __init__(self, file: int, start: int, length: int) -> None:
        self.file, self.start, self.length = file, start, length

    def __len__(self) -> int:
        """How many they are."""
        return self.length

    def __bytes__(self) -> bytes:
        """The octets; OSError where the file has them no more."""
        return b"".join(_read(self.file, self.start, self.length, self.length))

    def copy_to(self, file: int) -> None:
        """Writes the octets to another open file, by its number; OSError as above."""
        done = _copied(self.file, self.start, self.length, file)
        for data in _read(self.file, self.start + done, self.length - done, AT_ONCE):
            write_all(file, data)

    def followed_by(self, other: "Part") -> "Stretch | None":
        """Both as one, where the other stands just behind in the same file; None otherwise."""
        if isinstance(other, bytes) or (other.file, other.start) != (self.file, self.start + self.length):
            return None
        return Stretch(self.file, self.start, self.length + other.length)

    def stands_at(self, file: int, start: int) -> bool:
        """Whether they are just those of another open file from there on, because it is the same file."""
        return start == self.start and os.path.sameopenfile(file, self.file)


Part = bytes | Stretch
"""A part of a file that is about to be written."""


def _read(file: int, start: int, length: int, at_once: int) -> Iterator[bytes]:
    while length > 0:
        data = os.pread(file, min(length, at_once), start)
        if not data:
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))  # another hand has cut the file off
        yield data
        start, length = start + len(data), length - len(data)


def _copied(source: int, start: int, length: int, file: int) -> int:
    """How many octets the system copies by itself; not all systems do, nor from each place to each other."""
    done = 0
    with suppress(OSError, AttributeError):
        while done < length and (more := os.copy_file_range(source, file, length - done, start + done)):
            done += more
    return done


def write_parts(file: int, parts: Iterable[Part]) -> None:
    """Writes parts to an open file by its number; what stands together in another file is copied together."""
    waiting: Stretch | None = None
    for part in parts:
        if waiting is not None:
            if (both := waiting.followed_by(part)) is not None:
                waiting = both
                continue
            waiting.copy_to(file)
        waiting = None if isinstance(part, bytes) else part
        if isinstance(part, bytes):
            write_all(file, part)
    if waiting is not None:
        waiting.copy_to(file)


def holds(path: str | Path, data: bytes) -> bool:
    """Whether a file holds exactly these bytes."""
    return held_since(path, data) is not None


def held_since(path: str | Path, data: bytes) -> int | None:
    """The time, in nanoseconds, of a file that holds exactly these bytes; None where it doesn't."""
    try:
        found = os.stat(path)  # noqa: PTH116
        if found.st_size != len(data):
            return None
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return found.st_mtime_ns if file.readall() == data else None
    except (FileNotFoundError, NotADirectoryError):
        return None


class _Held(threading.local):
    """The folders in which this thread is alone, by device and inode."""

    def __init__(self) -> None:
        self.places = set[tuple[int, int]]()


_held = _Held()


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Holds off other tocsin processes that write the same folder; released by the system if this one is killed.

    Who holds a folder may enter it again, by whichever name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        found = os.fstat(handle)
        with _entered((found.st_dev, found.st_ino)) as again:
            if not again:
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
    finally:
        os.close(handle)


@contextmanager
def _entered(place: tuple[int, int]) -> Iterator[bool]:
    """Gives whether this thread is in the place already: the system's lock would wait for ourselves."""
    held = _held.places
    again = place in held
    held.add(place)
    try:
        yield again
    finally:
        if not again:
            held.discard(place)
