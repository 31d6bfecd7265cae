"""Where the long texts of an import wait on disk, those of the catalogue too: all at once they would take too much."""

import json
from collections.abc import Iterable, Iterator, Mapping
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple
from weakref import finalize

from pipeline.importing.fitting import PROSE

LITTLE = 2**20
"""How many bytes wait in memory rather than on disk."""


class Shelf:
    """A temporary file for texts, gone as soon as nobody holds a text on it any more."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](LITTLE)
        finalize(self, self._file.close)

    def put(self, facts: Mapping[str, Any]) -> "Shelved":
        """The same facts, their prose read anew from the shelf each time that it is asked for."""
        far = {key: facts[key] for key in facts if key in PROSE}
        near = {key: value for key, value in facts.items() if key not in far}
        return Shelved(near, tuple(far), self.hold(json.dumps(far) if far else "{}"))

    def hold(self, text: str | bytes | memoryview) -> "ShelvedText":
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


class Shelved(Mapping[str, Any]):
    """Facts of an event of which the prose is on a shelf."""

    __slots__ = ("_far", "_near", "_texts")

    def __init__(self, near: dict[str, Any], far: tuple[str, ...], texts: ShelvedText) -> None:
        self._near, self._far, self._texts = near, far, texts

    def __getitem__(self, key: str) -> Any:
        return json.loads(self._texts.decode())[key] if key in self._far else self._near[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._near
        yield from self._far

    def __len__(self) -> int:
        return len(self._near) + len(self._far)
