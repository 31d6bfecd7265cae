"""The pieces of long files: where they stand in those that were written, so that the next ones can take them."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, SupportsBytes
from zlib import crc32

from pipeline.actions.remembered_bundles import row_of
from pipeline.files import Part, Stretch

NEAR, FAR = 4_096, 64_000_000
"""How far behind a piece of a file the next is looked for, in octets; and how far the first, which is below a head."""
OPENING = 64
"""So many octets of a piece are looked for; where they stand the rest is compared."""


class Place(NamedTuple):
    """Where a piece stands in a file."""

    start: int
    length: int
    checksum: int
    """CRC-32 of its octets."""


class Taken(NamedTuple):
    """A piece that is about to come in the file that is being made."""

    key: str
    piece: Part
    checksum: int | None = None
    """CRC-32 where it is known."""


def places_in(told: str) -> Iterator[tuple[str, Place]]:
    """The key of each piece of a file, and its place."""
    # Of each is kept how far it begins behind the end of the one before it, its length, and its checksum.
    names, _, places = told.partition(" ")
    numbers, end = list(map(int, places.split(","))) if places else [], 0
    count = len(numbers) // 3
    length = len(names) // count if count else 0
    for number in range(count):
        step, size, checksum = numbers[3 * number : 3 * number + 3]
        yield names[number * length : (number + 1) * length], Place(end + step, size, checksum)
        end += step + size


def checksum_of(body: bytes, told: str) -> int:
    """CRC-32 of a file in which the checksum of each piece stands for it, so that it needs no look at the pieces."""
    found, end, octets = 0, 0, memoryview(body)
    for _, place in places_in(told):
        piece = octets[place.start : place.start + place.length]
        found = _with_piece(crc32(octets[end : place.start], found), crc32(piece))
        end = place.start + place.length
    return crc32(octets[end:], found)


def _with_piece(checksum: int, of_piece: int) -> int:
    return crc32(of_piece.to_bytes(4, "big"), checksum)


class Passing:
    """What is noted of a file while its parts go by: a checksum, how long it is, and where in it the pieces stand."""

    def __init__(self, taken: list[Taken]) -> None:
        """`taken` are pieces that are about to come, in their order; each is let go when it came."""
        self._taken = taken
        self._seen = 0
        self._checksum = 0
        self._names, self._places = list[str](), list[int]()
        self._size = self._end = 0

    def through(self, parts: Iterable[SupportsBytes]) -> Iterator[Part]:
        """The same parts; no piece is cut between two of them."""
        for given in parts:
            part = given if isinstance(given, Stretch) else bytes(given)
            self.take(part)
            yield part

    def take(self, part: Part) -> None:
        """Notes the next part of the file; one that isn't bytes is a piece as a whole."""
        if isinstance(part, bytes):
            self._look_into(part)
        else:
            self._pass(next(taken for taken in self._taken if taken.piece is part), 0)
            self._taken[:] = [taken for taken in self._taken if taken.piece is not part]
            self._seen = len(self._taken)
        self._size += len(part)

    def _look_into(self, part: bytes) -> None:
        """Finds the pieces in a part, and takes what is around them into the checksum."""
        end, waiting, octets = 0, list[Taken](), memoryview(part)
        for number, taken in enumerate(self._taken):
            piece = taken.piece
            start = _place_of(piece, part, end) if isinstance(piece, bytes) and piece else -1
            if start >= 0:
                self._checksum = crc32(octets[end:start], self._checksum)
                self._pass(taken, start)
                end = start + len(piece)
            elif number >= self._seen or isinstance(piece, Stretch):
                waiting.append(taken)  # what was made already may stand in the next part
        self._checksum = crc32(octets[end:], self._checksum)
        self._taken[:] = waiting
        self._seen = len(waiting)

    def _pass(self, taken: Taken, start: int) -> None:
        """Notes a piece that begins there in the part."""
        checksum = crc32(bytes(taken.piece)) if taken.checksum is None else taken.checksum
        self._names.append(taken.key)
        self._places += (self._size + start - self._end, len(taken.piece), checksum)
        self._checksum = _with_piece(self._checksum, checksum)
        self._end = self._size + start + len(taken.piece)

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
