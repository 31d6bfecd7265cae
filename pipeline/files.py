"""Files: read as text, written whole or not at all, untouched where nothing changes."""

import fcntl
import json
import os
import stat
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pipeline.errors import N_, CatalogueError, FileError, Problem

MANIFEST = ".tocsin.json"
UNFINISHED = ".tocsin-unfinished"
"""The ending of a file that is being written; one that a killed process left is overwritten or removed next time.

As a whole name in a folder it marks that files wait there: where it is found at the start, a process was killed.
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What a publication changed on disk, as paths below the folder."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: int = 0
    paths: tuple[str, ...] = ()
    """All files of the publication, written or kept."""


def read_text(path: Path, name: str, *, piped: bool = False) -> str:
    """A UTF-8 file without its BOM. CatalogueError, under the name shown to people, where it can't be read so.

    With `piped` it may come through a pipe, too.
    """
    try:
        kind = path.stat().st_mode
        if stat.S_ISCHR(kind) or stat.S_ISBLK(kind) or (stat.S_ISFIFO(kind) and not piped):
            raise CatalogueError([Problem(name, 0, "", N_("this is a device, not a file"), N_("name a file"))])
        data = path.read_bytes()
    except FileNotFoundError:
        raise CatalogueError([Problem(name, 0, "", "there is no such file", "write one with: tocsin init")]) from None
    except OSError as error:
        raise CatalogueError([Problem(name, 0, "", "{reason}", "", {"reason": error.strerror})]) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatalogueError(
            [Problem(name, line, "", "the file is not in UTF-8", "save it again with the encoding UTF-8")]
        ) from error


def read_if_there(path: Path, name: str) -> str:
    """The text of a UTF-8 file, empty where there is none."""
    return read_text(path, name) if path.exists() else ""


def write_whole(path: Path, data: bytes, *, durable: bool = False) -> bool:
    """Makes a file hold these bytes, all or none if we are killed; False where it held them already.

    `durable` waits until they would survive a power cut too.
    """
    if holds(path, data):
        return False
    unfinished = path.with_name(path.name + UNFINISHED)
    try:
        with _opened(unfinished) as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        unfinished.replace(path)
        if durable:
            _settle(path.parent)
    except OSError as error:
        if error.filename == str(unfinished):
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


def _opened(path: str | Path) -> BinaryIO:
    """The file opened for writing; its folder is made where it is missing, which is rare."""
    try:
        return open(path, "wb", opener=_not_through_a_link)  # the caller closes it
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return open(path, "wb", opener=_not_through_a_link)


def _not_through_a_link(path: str, flags: int) -> int:
    """Who may put a link where we write must not choose by it what is overwritten."""
    return os.open(path, flags | os.O_NOFOLLOW, 0o666)


def holds(path: str | Path, data: bytes) -> bool:
    """Whether a file holds exactly these bytes."""
    return _held_since(path, data) is not None


def _held_since(path: str | Path, data: bytes) -> int | None:
    """The time, in nanoseconds, of a file that holds exactly these bytes; None where it doesn't."""
    try:
        found = os.stat(path)  # noqa: PTH116
        if found.st_size != len(data):
            return None
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            return found.st_mtime_ns if file.readall() == data else None
    except (FileNotFoundError, NotADirectoryError):
        return None


def _discard(path: str) -> None:
    try:  # noqa: SIM105 - called for each of thousands of files
        os.unlink(path)  # noqa: PTH108
    except OSError:
        pass  # there is none, mostly


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


class Staged:
    """Files that wait beside their places below a folder: nothing is seen of them until all are put in at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: set[str] = set()
        self._waiting: list[str] = []
        self._looked_at: set[str] = set()
        """The folders below ours that are known not to lead out of it."""
        self._mark = f"{folder}/{UNFINISHED}"
        if os.path.lexists(self._mark):
            self._clear()

    def _clear(self) -> None:
        """Removes what a killed process left waiting, under names that may be nobody's any more."""
        for place, folders, names in os.walk(self._folder):
            if UNFINISHED in names and Path(place) != self._folder:
                folders.clear()  # another publication's own folder
                continue
            if left := [f"{place}/{name}" for name in names if name.endswith(UNFINISHED) and name != UNFINISHED]:
                for path in left:
                    _discard(path)
                _remove_empty(self._folder, Path(place))
        _discard(self._mark)

    def add_all(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Files by their relative paths, each once; one that holds its bytes already is left as it is."""
        for path, data in files:
            with _saying_what(self._folder):
                self._add(path, data)

    def add(self, path: str, data: bytes) -> int:
        """One more file, as `add_all`; its time, in nanoseconds, which whoever changes it later changes too."""
        with _saying_what(self._folder):
            return self._add(path, data)

    def keep(self, path: str) -> None:
        """A file of an earlier publication that is right as it stands."""
        folder = path.rpartition("/")[0]
        if folder not in self._looked_at:
            with _saying_what(self._folder):
                _inside(self._folder, path)
                self._look_at(folder)
        self._names.add(path)

    def _add(self, path: str, data: bytes) -> int:
        place = _inside(self._folder, path)
        self._look_at(path.rpartition("/")[0])
        self._names.add(path)
        if (since := _held_since(place, data)) is not None:
            return since
        if not self._waiting:
            _opened(self._mark).close()
        self._waiting.append(path)
        with self._opened_beside(path) as file:
            file.write(data)
            file.flush()
            return os.fstat(file.fileno()).st_mtime_ns

    def _opened_beside(self, path: str) -> BinaryIO:
        place = _inside(self._folder, path) + UNFINISHED
        try:
            return _opened(place)
        except NotADirectoryError:
            # What was a file of ours is to be a folder. It goes now: nothing can wait below it.
            ours = _manifest(self._folder / MANIFEST) - self._names
            for above in ours.intersection(_folders_of(path)):
                _discard(_inside(self._folder, above))
            return _opened(place)

    def _look_at(self, inner: str) -> None:
        """FileError where a link on the way to a folder below ours leads out of it."""
        if inner and inner not in self._looked_at:
            self._look_at(inner.rpartition("/")[0])
            if os.path.islink(f"{self._folder}/{inner}") and _leads_out(self._folder, inner):  # noqa: PTH114
                raise FileError(
                    f"{self._folder}/{inner} can't be written: a link leads out of {self._folder}; delete it"
                )
            self._looked_at.add(inner)

    def put(self) -> Written:
        """Puts every file in its place and removes what earlier publications wrote and this one doesn't."""
        with _saying_what(self._folder):
            return self._put()

    def _put(self) -> Written:
        before = _manifest(self._folder / MANIFEST)
        # The names go first: what is put from here on can be removed again by the next publication.
        write_whole(self._folder / MANIFEST, _as_manifest(before | self._names))
        # What was a folder of ours may have to be a file.
        waiting = set(self._waiting)
        gone = {path for path in before - self._names if not waiting.isdisjoint(_folders_of(path))}
        for path in gone:
            _remove(self._folder, path)
        for path in sorted(self._waiting):
            place = _inside(self._folder, path)
            os.replace(place + UNFINISHED, place)  # noqa: PTH105 - a path object for each of thousands of files costs
        removed = tuple(path for path in sorted(before - self._names) if path in gone or _remove(self._folder, path))
        write_whole(self._folder / MANIFEST, _as_manifest(self._names))
        _discard(self._mark)
        paths = tuple(sorted(self._names))
        return Written(tuple(sorted(self._waiting)), removed, len(paths) - len(self._waiting), paths)

    def discard(self) -> None:
        """Removes what waits, and the folders that were made for it."""
        for path in self._waiting:
            _discard(_inside(self._folder, path) + UNFINISHED)
            _remove_empty(self._folder, Path(_inside(self._folder, path)).parent)
        _discard(self._mark)


@contextmanager
def staging(folder: Path) -> Iterator[Staged]:
    """Files to be put below a folder together, alone in it; all are discarded where the block ends by an error.

    Files that we never wrote are left alone. Killed at any point every file is whole, and the next call completes it.
    """
    new = not folder.exists()
    with ExitStack() as stack:
        with _saying_what(folder):
            stack.enter_context(alone_in(folder))
        staged = Staged(folder)
        try:
            yield staged
        except BaseException:
            staged.discard()
            if new:
                with suppress(OSError):
                    folder.rmdir()
            raise


@contextmanager
def _saying_what(folder: Path) -> Iterator[None]:
    """Tells which file could not be written, by the name that people know."""
    try:
        yield
    except OSError as error:
        name = str(error.filename or folder).removesuffix(UNFINISHED)
        raise FileError(f"{name} can't be written: {error.strerror}") from error


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Written:
    """Makes a folder hold these files, by relative path; removes what earlier publications wrote and this doesn't."""
    with staging(folder) as staged:
        staged.add_all(files.items())
        return staged.put()


def remove_others(folder: Path, kept: Collection[str], note: Path) -> tuple[str, ...]:
    """Removes what an earlier call named for this folder and this one doesn't.

    The names are kept in a note elsewhere, which knows one folder: nothing of ours stands among what people look at.
    """
    place = os.fspath(folder.absolute())
    before = _manifest(note) if _noted_place(note) == place else frozenset[str]()
    gone = tuple(path for path in sorted(before - set(kept)) if _remove(folder, path))
    write_whole(note, (json.dumps({"folder": place, "files": sorted(kept)}, ensure_ascii=False) + "\n").encode())
    return gone


def _noted_place(note: Path) -> object:
    try:
        return json.loads(note.read_bytes())["folder"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_manifest(paths: Iterable[str]) -> bytes:
    return (json.dumps({"files": sorted(paths)}, indent=0, ensure_ascii=False) + "\n").encode()


def _manifest(file: Path) -> frozenset[str]:
    """The names that earlier publications wrote; a manifest that was spoilt by hand names none."""
    try:
        names = json.loads(file.read_bytes())["files"]
        return frozenset(name for name in names if isinstance(name, str) and _is_inside(name))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _folders_of(path: str) -> Iterator[str]:
    """Every folder on the way to a file, by relative path."""
    while path := path.rpartition("/")[0]:
        yield path


def _is_inside(path: str) -> bool:
    return path not in {"", "."} and not path.startswith("/") and ".." not in path.split("/")


def _inside(folder: Path, path: str) -> str:
    if not _is_inside(path):
        raise FileError(f"{path!r} is not a path below {folder}")
    return f"{folder}/{path}"


def _leads_out(folder: Path, inner: str) -> bool:
    """Whether a link on the way to a folder below another leads to elsewhere."""
    top = os.path.realpath(folder)
    return os.path.commonpath((top, os.path.realpath(f"{folder}/{inner}"))) != top


def _remove(folder: Path, path: str) -> bool:
    file = Path(_inside(folder, path))
    if not file.is_file() or _leads_out(folder, path.rpartition("/")[0]):
        return False
    file.unlink()
    _remove_empty(folder, file.parent)
    return True


def _remove_empty(folder: Path, inner: Path) -> None:
    """Removes a folder below another, and those around it, as far as nothing is in them."""
    with suppress(OSError):
        while inner != folder:
            inner.rmdir()
            inner = inner.parent
