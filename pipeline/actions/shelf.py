"""Where the long texts of an import wait on disk: all at once they would take twice the memory of the file."""

import json
from collections.abc import Iterator, Mapping
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Self

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
        place = self._file.seek(0, 2)
        length = self._file.write(json.dumps(far).encode()) if far else 0
        near = {key: value for key, value in facts.items() if key not in far}
        return Shelved(near, tuple(far), self, (place, length))

    def take(self, place: int, length: int) -> dict[str, Any]:
        """What was put at a place."""
        self._file.seek(place)
        texts: dict[str, Any] = json.loads(self._file.read(length))
        return texts


class Shelved(Mapping[str, Any]):
    """Facts of an event of which the prose is on a shelf."""

    __slots__ = ("_far", "_near", "_place", "_shelf")

    def __init__(self, near: dict[str, Any], far: tuple[str, ...], shelf: Shelf, place: tuple[int, int]) -> None:
        self._near, self._far, self._shelf, self._place = near, far, shelf, place

    def __getitem__(self, key: str) -> Any:
        return self._shelf.take(*self._place)[key] if key in self._far else self._near[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._near
        yield from self._far

    def __len__(self) -> int:
        return len(self._near) + len(self._far)
