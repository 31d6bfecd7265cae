"""What `check` and `build` last said, kept beside the catalogue: it holds while all that was looked at is the same.

Light on purpose: where it still holds, no library is loaded to say it again.
"""

import hashlib
import importlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

KEPT_IN = Path("var", "check.json")
KEPT_OF_BUILD = Path("var", "build.json")
FOREVER = 1 << 60
PACKAGE = Path(__file__).parent.parent
TOO_LARGE = 64_000_000
"""Octets: a larger file is known by its size and time, since no catalogue, picture or template is so large."""
SOME = 256
"""So many lines of a note are written at once."""

_OWN = str(Path(__file__))
_first: dict[str, list[int] | None] = {}
"""Our files as this process saw them first: what it runs is in its memory, whatever an upgrade puts on the disk."""
_believed: set[str] = set()
"""The files by which the notes were made that this process went by: they took part in what it makes."""


class Looked:
    """What one reading of a catalogue looked at: contents of files, which files there are, and which there aren't."""

    def __init__(self) -> None:
        self.files: dict[str, str | None] = {}
        self.patterns: dict[str, list[str]] = {}
        self.there: dict[str, bool] = {}
        self.trees: dict[str, list[str]] = {}

    def at_file(self, folder: Path, name: str) -> None:
        """Notes what a file holds, by its path from the catalogue's folder; to be called before it is read."""
        self.files[name] = _digest(folder / name)

    def read(self, folder: Path, name: str) -> tuple[bytes, str]:
        """What a file holds, which is noted, with its SHA-256: so it is digested once. OSError where it can't be read.

        What was noted before stays: this may be newer than what was read then.
        """
        path = folder / name
        if name not in self.files and path.stat().st_size > TOO_LARGE:
            self.at_file(folder, name)
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        self.files.setdefault(name, f"{len(data)} {digest}")
        return data, digest

    def at_pattern(self, folder: Path, pattern: str) -> None:
        """Notes which files match a pattern, and what they hold; to be called before they are read."""
        self.patterns[pattern] = [str(path) for path in matches(folder, pattern)]
        for path in matches(folder, pattern):
            self.at_file(folder, os.path.relpath(path, folder))

    def at_tree(self, folder: Path) -> None:
        """Notes every file below a folder, and what it holds; to be called before any is read."""
        self.trees[str(folder)] = tree(folder)
        for path in self.trees[str(folder)]:
            self.at_file(folder, path)


def tree(folder: Path) -> list[str]:
    """All files below a folder and where its links lead, by their absolute paths, in their order; each folder once."""
    found, seen = list[str](), set[str]()
    for place, folders, names in os.walk(folder.absolute(), followlinks=True):
        real = os.path.realpath(place)
        folders[:] = () if real in seen else sorted(folders)
        found += () if real in seen else (f"{place}/{name}" for name in names if os.path.isfile(f"{place}/{name}"))  # noqa: PTH113
        seen.add(real)
    return sorted(found)


def matches(folder: Path, pattern: str) -> list[Path]:
    """All paths below a folder that match a pattern, in their order; none where it leads elsewhere or is no pattern."""
    try:
        return [] if ".." in Path(pattern).parts else sorted(folder.glob(pattern))
    except (ValueError, NotImplementedError):
        return []


def stands(folder: Path, templates: Path, path: str) -> bool:
    """Whether there is a file at a path below the catalogue's folder; its `templates/` may lie elsewhere."""
    own = path.removeprefix("templates/")
    try:
        return (folder / path).is_file() or (own != path and (templates / own).is_file())
    except (OSError, ValueError):  # a name that is too long for a file, or none
        return False


def remembered(
    folder: Path, templates: Path, question: Mapping[str, object], now: float, kept_in: Path = KEPT_IN
) -> dict[str, Any] | None:
    """The verdict (`status`, `out`, `err`) that still answers the question at that second; None where none does.

    A memory that is damaged, of another program, or of anything else than now is there counts for nothing. Nor does one
    that came with the catalogue from elsewhere: the time at which our own file was written here is known only here.
    """
    try:
        kept: dict[str, Any] = json.loads("".join(unsealed((folder / kept_in).read_bytes())))
        same = kept["question"] == question and kept["from"] <= now < kept["until"]
        return kept if same and _is_as_it_was(folder, templates, kept) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _is_as_it_was(folder: Path, templates: Path, kept: Mapping[str, Any]) -> bool:
    return (
        all(_holds(folder / name, digest) for name, digest in kept["files"].items())
        and is_this_program(kept["program"])
        and all(tree(Path(path)) == found for path, found in kept["trees"].items())
        and all([str(path) for path in matches(folder, of)] == found for of, found in kept["patterns"].items())
        and all(stands(folder, templates, path) == there for path, there in kept["there"].items())
        and (kept["made"] is None or kept["made"][1] == _made_in(Path(kept["made"][0])) is not None)
    )


def memory(
    question: Mapping[str, object],
    looked: Looked,
    status: int,
    said: tuple[str, str],
    holds: tuple[float, float],
    made: Path | None = None,
    stands: str | None = None,
) -> bytes:
    """What to keep of a verdict: `said` on standard output and standard error, `holds` from a second until another.

    `made` is a folder whose files must stay as they were published, too: `stands` says their sizes and times, in the
    order of the manifest.
    """
    kept = {
        "question": question, "from": holds[0], "until": holds[1], "files": looked.files, "patterns": looked.patterns,
        "there": looked.there, "trees": looked.trees, "program": program(),
        "made": made and (str(made), _made_in(made, stands)), "status": status, "out": said[0], "err": said[1],
    }  # fmt: skip
    return b"".join(sealed((json.dumps(kept),)))


def _made_in(folder: Path, stands: str | None = None) -> str | None:
    """A digest of how the files stand that were published in a folder; None where that can't be told.

    Where it is said how they stood, nothing is looked at.

    Nor is it told where files still wait there, of a process that was killed: the next one has to clear them away.
    """
    # A verdict of `check`, which is said again most often, needs no more of our modules.
    files = importlib.import_module("pipeline.files")
    if os.path.lexists(folder / files.UNFINISHED):
        return None
    try:
        manifest = (folder / files.MANIFEST).read_bytes()
        if stands is None:
            stands = ",".join([_seen(f"{folder}/{name}") for name in json.loads(manifest)["files"]])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    found = hashlib.sha256(manifest)
    del manifest  # each is as long as all names of the files
    found.update(stands.encode())
    return found.hexdigest()


def sealed(lines: Iterable[str]) -> Iterator[bytes]:
    """Lines of a note with a seal below them, by which one that was cut off or written over is found."""
    # Processors have instructions for SHA-256: of megabytes it is made sooner than any other.
    seal, left = hashlib.sha256(), iter(lines)
    while some := list(islice(left, SOME)):
        written = "\n".join((*some, "")).encode()
        seal.update(written)
        yield written
    yield seal.hexdigest().encode()


def unsealed(note: bytes) -> list[str]:
    """The lines above the seal; ValueError where it isn't theirs."""
    end = note.rfind(b"\n") + 1
    if note[end:] != hashlib.sha256(memoryview(note)[:end]).hexdigest().encode():
        raise ValueError
    return note[:end].decode().split("\n")[:-1]


def _holds(path: Path, digest: str | None) -> bool:
    """Whether a file is as it was; one of another length is not looked into."""
    if digest is not None and (found := _stamp(str(path))) is not None and not digest.startswith(f"{found[0]} "):
        return False
    return _digest(path) == digest


def _digest(path: Path) -> str | None:
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return None  # a device may never end
        if found.st_size > TOO_LARGE:
            return f"{found.st_size} {found.st_mtime_ns}"
        with path.open("rb", buffering=0) as file:  # in parts: none of it is held
            return f"{found.st_size} {hashlib.file_digest(file, 'sha256').hexdigest()}"
    except (OSError, ValueError):  # a name that can be none
        return None


def _seen(path: str) -> str:
    """The stamp of one of thousands of files, as text."""
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError:
        return "-"
    return f"{found.st_size} {found.st_mtime_ns}"


def _stamp(path: str) -> list[int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a path object for each of thousands of files costs
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns]


def is_this_program(stamps: Mapping[str, object]) -> bool:
    """Whether these files, of `program`, are as they were; ours must be among them."""
    are_same = stamps.get(_OWN) == _first_stamp(_OWN) and all(
        (_first[path] if path in _first else _stamp(path)) == stamp for path, stamp in stamps.items()
    )
    if are_same:
        _believed.update(stamps)
    return are_same


def _first_stamp(path: str) -> list[int] | None:
    if path not in _first:
        _first[path] = _stamp(path)
    return _first[path]


def remember_program() -> None:
    """Sees all of our files, and those of the libraries so far, for who may still run when others are in their place.

    Earlier than a file is loaded does no harm: notes under a stamp that is no more count for nothing.
    """
    for place, _folders, names in os.walk(PACKAGE):
        for name in names:
            if name.endswith(".py"):
                _first_stamp(f"{place}/{name}")
    program()


def program() -> dict[str, list[int] | None]:
    """Size and time of our files that took part, our words, the first file of each library that did, the time zones.

    Those of earlier runs by whose notes this one went are among them.
    """
    # One zone stands for all: they come together, in an update of the system. No library is loaded to ask for them.
    zones = (f"{place}/UTC" for place in getattr(sys.modules.get("zoneinfo"), "TZPATH", ()))
    return {path: _first_stamp(path) for path in sorted({*_files_of(sys.modules), *_believed, *_words(), *zones})}


@cache
def _words() -> tuple[str, ...]:
    return tuple(map(str, PACKAGE.glob("locale/*/LC_MESSAGES/*.mo")))


def _files_of(modules: Mapping[str, object]) -> Iterable[str]:
    for name, module in list(modules.items()):
        top = name.partition(".")[0]
        took_part = top not in sys.stdlib_module_names and top in {"pipeline", name}
        if took_part and (file := getattr(module, "__file__", None)):
            yield file
