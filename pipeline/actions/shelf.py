"""Where the texts and facts of an import wait on disk, and those of the catalogue: all at once they take too much."""

import pickle
from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from tempfile import SpooledTemporaryFile
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import finalize

from pipeline.importing.fitting import PROSE

T = TypeVar("T")
LITTLE = 2**20
"""How many bytes wait in memory rather than on disk."""


class Shelf:
    """A temporary file for texts, gone as soon as nobody holds a text on it any more."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](LITTLE)
        finalize(self, self._file.close)

    def put(self, facts: Mapping[str, Any]) -> "Shelved":
        """The same facts, read anew from the shelf each time that one of them is asked for."""
        long = {key: facts[key] for key in facts if key in PROSE}
        short = {key: facts[key] for key in facts if key not in PROSE}
        return Shelved(*(self.hold(pickle.dumps(part)) if part else None for part in (short, long)))

    def hold(self, text: str | bytes) -> "ShelvedText":
        """A text, to be read from the shelf."""
        if len(text) > LITTLE:
            self._file.rollover()  # it would be held in memory once more first
        place = self._file.seek(0, 2)
        return ShelvedText(self, place, self._file.write(text.encode() if isinstance(text, str) else text))

    def whole(self) -> "ShelvedText":
        """All that was put, as one text."""
        return ShelvedText(self, 0, self._file.seek(0, 2))

    def take(self, place: int, length: int) -> bytes:
        """What was put at a place."""
        self._file.seek(place)
        return self._file.read(length)


def shelved(pieces: Iterable[bytes]) -> "ShelvedText":
    """A text that comes in pieces, on a shelf of its own."""
    shelf = Shelf()
    for piece in pieces:
        shelf.hold(piece)
    return shelf.whole()


class ShelvedText(NamedTuple):
    """A text on a shelf."""

    shelf: Shelf
    place: int
    length: int

    @property
    def encoded(self) -> bytes:
        """The text in UTF-8."""
        return self.shelf.take(self.place, self.length)

    @property
    def pieces(self) -> Iterator[bytes]:
        """The same, a little at a time."""
        end = self.place + self.length
        return (self.shelf.take(place, min(LITTLE, end - place)) for place in range(self.place, end, LITTLE))

    def decode(self) -> str:
        """The text."""
        return self.encoded.decode()


class Pile(Generic[T]):
    """Values on a shelf of their own, in their order, each read anew whenever it is asked for."""

    def __init__(self, values: Iterable[T]) -> None:
        self._shelf = Shelf()
        self._starts = array("Q", [0])
        for value in values:
            self._starts.append(self._starts[-1] + self._shelf.hold(pickle.dumps(value)).length)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> T:
        start, end = self._starts[number], self._starts[number + 1]
        value: T = _unpickled(ShelvedText(self._shelf, start, end - start))
        return value

    def __iter__(self) -> Iterator[T]:
        return map(self.__getitem__, range(len(self)))


class Shelved(Mapping[str, Any]):
    """Facts of an event on a shelf, the prose apart from what is short."""

    __slots__ = ("_long", "_short")

    def __init__(self, short: ShelvedText | None, long: ShelvedText | None) -> None:
        self._short, self._long = short, long

    def __getitem__(self, key: str) -> Any:
        return _facts(self._long if key in PROSE else self._short)[key]

    def __iter__(self) -> Iterator[str]:
        return chain(_facts(self._short), _facts(self._long))

    def __len__(self) -> int:
        return len(_facts(self._short)) + len(_facts(self._long))


def _facts(text: ShelvedText | None) -> Mapping[str, Any]:
    return {} if text is None else _unpickled(text)


def _unpickled(text: ShelvedText) -> Any:
    return pickle.loads(text.encoded)  # noqa: S301 - nobody else can write to the shelf
