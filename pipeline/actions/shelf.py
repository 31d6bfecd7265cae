"""Where the long texts of an import wait on disk, those of the catalogue too: all at once they would take too much."""

import json
from collections.abc import Iterator, Mapping
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, NamedTuple, Self

from pipeline.importing.fitting import PROSE

LITTLE = 2**20
"""How many bytes wait in memory rather than on disk."""


class Shelf:
    """A temporary file for texts, gone when it is left."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile[bytes](LITTLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _trace: TracebackType | None) -> None:
        self._file.close()

    def put(self, facts: Mapping[str, Any]) -> "Shelved":
        """The same facts, their prose read anew from the shelf each time that it is asked for."""
        far = {key: facts[key] for key in facts if key in PROSE}
        near = {key: value for key, value in facts.items() if key not in far}
        return Shelved(near, tuple(far), self.hold(json.dumps(far) if far else "{}"))

    def hold(self, text: str | bytes) -> "ShelvedText":
        """A text, to be read from the shelf."""
        place = self._file.seek(0, 2)
        return ShelvedText(self, place, self._file.write(text.encode() if isinstance(text, str) else text))

    def take(self, place: int, length: int) -> bytes:
        """What was put at a place."""
        self._file.seek(place)
        return self._file.read(length)


class ShelvedText(NamedTuple):
    """A text on a shelf."""

    shelf: Shelf
    place: int
    length: int

    @property
    def encoded(self) -> bytes:
        """The text in UTF-8."""
        return self.shelf.take(self.place, self.length)

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
