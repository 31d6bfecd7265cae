"""Files: read as text, written whole or not at all, untouched where nothing changes."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from pipeline.errors import CatalogueError, FileError, Problem

MANIFEST = ".tocsin.json"
UNFINISHED = ".tocsin-unfinished"
"""The ending of a file that is being written; one that a killed process left is overwritten or removed next time."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a publication changed on disk, as paths below the folder."""

    written: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    kept: int = 0


def read_text(path: Path, name: str) -> str:
    """A UTF-8 file without its BOM. CatalogueError, under the name shown to people, where it can't be read so."""
    try:
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
    with _opened(unfinished) as file:
        file.write(data)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    unfinished.replace(path)
    return True


def _opened(path: Path) -> BinaryIO:
    """The file opened for writing; its folder is made where it is missing, which is rare."""
    try:
        return path.open("wb")
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return path.open("wb")


def holds(path: Path, data: bytes) -> bool:
    """Whether a file holds exactly these bytes."""
    try:
        return path.stat().st_size == len(data) and path.read_bytes() == data
    except (FileNotFoundError, NotADirectoryError):
        return False


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Holds off other tocsin processes that write the same folder; released by the system if this one is killed."""
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Written:
    """Makes a folder hold these files, by relative path; removes what earlier publications wrote and this doesn't.

    Files that we never wrote are left alone. Killed at any point every file is whole, and the next call completes it.
    """
    try:
        with alone_in(folder):
            return _write_folder(folder, files)
    except OSError as error:
        raise FileError(f"{error.filename or folder} can't be written: {error.strerror}") from error


def _write_folder(folder: Path, files: Mapping[str, bytes]) -> Written:
    before = _manifest(folder)
    # The names go first: what is written from here on can be removed again by the next publication.
    write_whole(folder / MANIFEST, _as_manifest(before | files.keys()))
    written = tuple(path for path in sorted(files) if write_whole(_inside(folder, path), files[path]))
    removed = tuple(path for path in sorted(before - files.keys()) if _remove(folder, path))
    for path in before | files.keys():
        _inside(folder, path + UNFINISHED).unlink(missing_ok=True)
    write_whole(folder / MANIFEST, _as_manifest(files.keys()))
    return Written(written, removed, len(files) - len(written))


def _as_manifest(paths: Iterable[str]) -> bytes:
    return (json.dumps({"files": sorted(paths)}, indent=0, ensure_ascii=False) + "\n").encode()


def _manifest(folder: Path) -> frozenset[str]:
    """The names that earlier publications wrote; a manifest that was spoilt by hand names none."""
    try:
        names = json.loads((folder / MANIFEST).read_bytes())["files"]
        return frozenset(name for name in names if isinstance(name, str) and _is_inside(name))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def _is_inside(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and ".." not in parts and not path.startswith("/")


def _inside(folder: Path, path: str) -> Path:
    if not _is_inside(path):
        raise FileError(f"{path!r} is not a path below {folder}")
    return folder.joinpath(*PurePosixPath(path).parts)


def _remove(folder: Path, path: str) -> bool:
    file = _inside(folder, path)
    if not file.is_file():
        return False
    file.unlink()
    for parent in file.parents:
        if parent == folder or any(parent.iterdir()):
            break
        parent.rmdir()
    return True
