"""What is noted of files that are looked at together: one line for all, which is opened only when it must be."""

import json
import os
from array import array
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple


class Note(NamedTuple):
    """What a file was made from, a checksum of its bytes, and how it stood: its size, its time in nanoseconds."""

    key: str
    checksum: str
    """CRC-32, in hexadecimal: what is asked is only whether a file that got another time is still the same."""
    size: int
    time: int
    told: str
    """Of its pieces in their order: the keys, each of the same length; and where they stand."""

    @classmethod
    def of(cls, row: str) -> "Note":
        """The note of a row; ValueError where it is none."""
        key, checksum, size, time, told = row.split(" ", 4)
        return cls(key, checksum, int(size), int(time), told)

    @property
    def row(self) -> str:
        """The note as text, which takes a fifth of its memory: there is one for each of tens of thousands of files."""
        return f"{self.key} {self.checksum} {self.size} {self.time} {self.told}"


def row_of(key: str, checksum: int, size: int, time: int, told: str = " ") -> str:
    """The row of such a note, without the note in between; `told` is that of a file without pieces."""
    return f"{key} {checksum:08x} {size} {time} {told}"


class Folded(NamedTuple):
    """A bundle's line, taken apart as far as is needed to see whether its files stand."""

    name: str
    key: str
    newest: int
    """The latest of the times of its files, in nanoseconds."""
    seen: str
    """A digest of the sizes and times of its files, to compare them with."""
    stamps: str
    """Size and time of each file, with a comma between two files."""
    paths: str
    """Their paths, as JSON."""
    rest: str
    """What else is noted of each, as JSON."""

    @classmethod
    def of(cls, line: str) -> "Folded":
        """The bundle of a line; ValueError where it is none."""
        _, name, key, newest, seen, stamps, paths, rest = line.split("\t")
        return cls(name, key, int(newest), seen, stamps, paths, rest)

    @classmethod
    def holding(cls, name: str, key: str, rows: Sequence[tuple[str, str]]) -> "Folded":
        """The bundle of its files: of each the path and the note."""
        # Of each the columns of its row, as they stand there.
        notes = [row.split(" ", 4) for _, row in rows]
        stamps = ",".join([f"{size} {time}" for _, _, size, time, _ in notes])
        newest = max((int(time) for *_, time, _ in notes), default=0)
        seen = _digest([int(number) for note in notes for number in note[2:4]])
        rest = json.dumps([f"{key} {checksum} {told}" for key, checksum, _, _, told in notes], separators=(",", ":"))
        return cls(name, key, newest, seen, stamps, json.dumps([path for path, _ in rows], separators=(",", ":")), rest)

    @property
    def line(self) -> str:
        """The bundle as text; no other line of the notes begins with a tab."""
        return "\t".join(("", *map(str, self)))

    def places(self) -> list[str]:
        """The paths of its files."""
        found: list[str] = json.loads(self.paths)
        return found

    def rows(self) -> dict[str, str]:
        """The notes of its files, by path."""
        found, stamps = {}, self.stamps.split(",") if self.stamps else ()
        for path, stamp, rest in zip(self.places(), stamps, json.loads(self.rest), strict=True):
            key, checksum, told = rest.split(" ", 2)
            found[path] = f"{key} {checksum} {stamp} {told}"
        return found


def stamp_in(row: str) -> str:
    """Size and time in the note of a file."""
    return " ".join(row.split(" ", 4)[2:4])


def seen_of(folder: str, paths: Iterable[str]) -> str | None:
    """A digest of the sizes and times of these files below a folder; None where one of them isn't there."""
    try:
        # Called for tens of thousands of files.
        found = [os.lstat(f"{folder}/{path}") for path in paths]
    except OSError:
        return None
    return _digest([number for stat in found for number in (stat.st_size, stat.st_mtime_ns)])


def _digest(numbers: Sequence[int]) -> str:
    # As they are in the machine: to write them out would cost as much as to ask for them.
    return blake2b(array("q", numbers), digest_size=16).hexdigest()
