"""Files that are put below a folder together; what earlier publications wrote there and this one does not goes."""

import json
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from pipeline.errors import FileError, reason_of
from pipeline.files import (
    MANIFEST,
    UNFINISHED,
    Part,
    Stretch,
    alone_in,
    held_since,
    holds,
    made,
    make_folder,
    opened,
    write_all,
    write_parts,
    write_whole,
)


@dataclass(frozen=True, slots=True)
class Written:
    """What a publication changed on disk, as paths below the folder."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: int = 0
    stands: str | None = field(default=None, repr=False)
    """Size and time in nanoseconds of each file, where these were seen, with a comma between two files."""


def _discard(path: str) -> None:
    try:  # noqa: SIM105 - called for each of thousands of files
        os.unlink(path)  # noqa: PTH108
    except OSError:
        pass  # there is none, mostly


class Staged:
    """Files that wait beside their places below a folder: nothing is seen of them until all are put in at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = f"{folder}/"
        """What opens the place of each file: a path object would be written out for each of thousands."""
        self._names = set[str]()
        self._order: list[str] = []
        """The paths, in the order in which they came."""
        self._waiting: list[str] = []
        self._looked_at: set[str] = set()
        """The folders below ours that are known not to lead out of it."""
        self._new: set[str] = set()
        """Those of them that weren't there: no file in them can hold anything yet."""
        self._missing: set[str] = set()
        """Those of these that nobody made yet."""
        self._mark = self._root + UNFINISHED
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

    def add(self, path: str, data: bytes | Iterable[Part]) -> int:
        """A file by its relative path, once; one that holds its bytes already is left as it is.

        They may come in parts, none of which is kept. Gives the file's time, in nanoseconds, which whoever changes it
        later changes too.
        """
        try:
            return self._add(path, data) if isinstance(data, bytes) else self._add_in_parts(path, iter(data))
        except OSError as error:
            # Where the disk is full, the system doesn't say on which file.
            raise _said(error, self._folder / path) from error

    def keep(self, path: str) -> None:
        """A file of an earlier publication that is right as it stands."""
        folder = path.rpartition("/")[0]
        if folder not in self._looked_at:
            with _saying_what(self._folder):
                _inside(self._folder, path)
                self._look_at(folder)
        self._name(path)

    def keep_all(self, paths: Sequence[str]) -> None:
        """Files of an earlier publication that were seen to stand as they are right."""
        self._names.update(paths)
        self._order += paths

    def _name(self, path: str) -> None:
        if path not in self._names:
            self._names.add(path)
            self._order.append(path)

    def __contains__(self, path: str) -> bool:
        """Whether a file of that path is among those of this publication already."""
        return path in self._names

    def _add(self, path: str, data: bytes) -> int:
        place, folder = self._place_of(path)
        if folder not in self._new and (since := held_since(place, data)) is not None:
            return since
        file = self._opened_beside(path, place, folder)
        try:
            write_all(file, data)
            return os.fstat(file).st_mtime_ns
        finally:
            os.close(file)

    def _add_in_parts(self, path: str, parts: Iterator[Part]) -> int:
        place, folder = self._place_of(path)
        with _reading(place) as old:
            same, other = _compared(old, parts)
            if old is not None and other is None:
                return os.fstat(old).st_mtime_ns
            file = self._opened_beside(path, place, folder)
            try:
                beginning = () if old is None else (Stretch(old, 0, same),)
                write_parts(file, chain(beginning, (other or b"",), parts))
                return os.fstat(file).st_mtime_ns
            finally:
                os.close(file)

    def _place_of(self, path: str) -> tuple[str, str]:
        """Where a file of this publication stands, and its folder, by relative path."""
        if not _is_inside(path):
            raise _outside(self._folder, path)
        folder = path.rpartition("/")[0]
        if folder not in self._looked_at:
            self._look_at(folder)
        self._name(path)
        return self._root + path, folder

    def _opened_beside(self, path: str, place: str, folder: str) -> int:
        """A file that waits beside its place, opened; its folder is made where it is missing."""
        if not self._waiting:
            opened(self._mark).close()
        self._waiting.append(path)
        place += UNFINISHED
        try:
            if folder in self._missing:
                make_folder(self._root + folder)
                self._missing.discard(folder)
            return made(place)
        except NotADirectoryError:
            # What was a file of ours is to be a folder. It goes now: nothing can wait below it.
            ours = _manifest(self._folder / MANIFEST).difference(self._names)
            for above in ours.intersection(_folders_of(path)):
                _discard(_inside(self._folder, above))
            return made(place)

    def _look_at(self, inner: str) -> None:
        """FileError where a link on the way to a folder below ours leads out of it."""
        if inner and inner not in self._looked_at:
            self._look_at(inner.rpartition("/")[0])
            try:
                is_link = stat.S_ISLNK(os.lstat(f"{self._folder}/{inner}").st_mode)
            except OSError:
                is_link = False
                self._new.add(inner)
                self._missing.add(inner)
            if is_link and _leads_out(self._folder, inner):
                raise FileError(
                    "{folder}/{inner} can't be written: a link leads out of {folder}; delete it",
                    folder=self._folder,
                    inner=inner,
                )
            self._looked_at.add(inner)

    def put(self) -> Written:
        """Puts every file in its place and removes what earlier publications wrote and this one doesn't."""
        with _saying_what(self._folder):
            return self._put()

    def _put(self) -> Written:
        # One that came twice counts where it came first.
        names = self._order if len(self._order) == len(self._names) else list(dict.fromkeys(self._order))
        older = frozenset[str]()
        manifest = _as_manifest(names)
        if not holds(self._folder / MANIFEST, manifest):
            older = _manifest(self._folder / MANIFEST).difference(names)
            # The names go first: what is put from here on can be removed again by the next publication.
            write_whole(self._folder / MANIFEST, _as_manifest([*names, *sorted(older)]) if older else manifest)
        # What was a folder of ours may have to be a file.
        waiting = set(self._waiting)
        gone = {path for path in older if not waiting.isdisjoint(_folders_of(path))}
        for path in gone:
            _remove(self._folder, path)
        for path in (written := sorted(waiting)):
            place = self._root + path
            os.replace(place + UNFINISHED, place)  # noqa: PTH105 - a path object for each of thousands of files costs
        removed = tuple(path for path in sorted(older) if path in gone or _remove(self._folder, path))
        if older:
            write_whole(self._folder / MANIFEST, manifest)
        _discard(self._mark)
        return Written(tuple(written), removed, len(names) - len(written))

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
        raise _said(error, folder) from error


def _said(error: OSError, path: Path) -> FileError:
    name = str(error.filename or path).removesuffix(UNFINISHED)
    return FileError("{file} can't be written: {reason}", file=name, reason=reason_of(error))


@contextmanager
def _reading(place: str) -> Iterator[int | None]:
    """The number of a file that is open for reading; None where there is none that is plain."""
    try:
        file = os.open(place, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        yield None
        return
    try:
        yield file if stat.S_ISREG(os.fstat(file).st_mode) else None
    finally:
        os.close(file)


def _compared(old: int | None, parts: Iterator[Part]) -> tuple[int, Part | None]:
    """How long the parts are as in an open file, and the first that isn't; None where they are the whole file."""
    if old is None:
        return 0, next(parts, b"")
    same = 0
    for part in parts:
        stands = isinstance(part, Stretch) and part.stands_at(old, same)
        if not stands and os.pread(old, len(part), same) != bytes(part):
            return same, part
        same += len(part)
    return same, None if os.fstat(old).st_size == same else b""


def remove_others(folder: Path, kept: Collection[str], note: Path) -> tuple[str, ...]:
    """Removes what an earlier call named for this folder and this one doesn't.

    The names are kept in a note elsewhere, which knows one folder: nothing of ours stands among what people look at.
    """
    place = os.fspath(folder.absolute())
    before = _manifest(note) if _noted_place(note) == place else frozenset[str]()
    gone = tuple(path for path in sorted(before - set(kept)) if _remove(folder, path))
    # As ASCII: a folder whose name isn't UTF-8 is kept as well.
    write_whole(note, (json.dumps({"folder": place, "files": sorted(kept)}) + "\n").encode())
    return gone


def _noted_place(note: Path) -> object:
    try:
        return json.loads(note.read_bytes())["folder"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _as_manifest(paths: Sequence[str]) -> bytes:
    # A name a line, as `indent` would write it much slower: there may be tens of thousands.
    names = json.dumps(paths, ensure_ascii=False, separators=(",\n", ":"))[1:-1]
    return f'{{\n"files": [\n{names}\n]\n}}\n'.encode()


def _named(file: Path) -> list[str]:
    """What earlier publications named, which may lead elsewhere; a manifest that was spoilt by hand names nothing."""
    try:
        return [name for name in json.loads(file.read_bytes())["files"] if isinstance(name, str)]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _manifest(file: Path) -> frozenset[str]:
    """The files that earlier publications wrote."""
    return frozenset(filter(_is_inside, _named(file)))


def _folders_of(path: str) -> Iterator[str]:
    """Every folder on the way to a file, by relative path."""
    while path := path.rpartition("/")[0]:
        yield path


def _is_inside(path: str) -> bool:
    # Hardly any name has two dots.
    return path not in {"", "."} and not path.startswith("/") and (".." not in path or ".." not in path.split("/"))


def _inside(folder: Path, path: str) -> str:
    if not _is_inside(path):
        raise _outside(folder, path)
    return f"{folder}/{path}"


def _outside(folder: Path, path: str) -> FileError:
    return FileError("{path!r} is not a path below {folder}", path=path, folder=folder)


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
