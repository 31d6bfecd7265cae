"""What every output is: a function of the edition that gives the files to publish."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, SupportsBytes

from pipeline.edition import Edition
from pipeline.rendering import Renderer

AT_ONCE = 2**16
"""So many octets of a long file are worth writing at once."""

Made = bytes | Iterable[SupportsBytes]
"""The bytes of a file: whole, or part by part where the file is long. Some parts may be read only when they must be."""


@dataclass(frozen=True, eq=False)
class Artifact:
    """One file to publish: its path below `out/`, with slashes; its media type; and what makes its bytes.

    `key` is a digest of all that these depend on, of `outputs/keys.py`; templates and the program count for each file.
    It has no white space in it.
    """

    path: str
    media_type: str
    make: Callable[[], Made] = field(repr=False)
    key: str | None = None
    """None says that it is made from everything."""

    @cached_property
    def body(self) -> bytes:
        """Its bytes, made when they are first asked for and kept as long as the artifact; TemplateError as `render`.

        So that who shows one file of thousands makes one, and who takes them in turn holds one at a time.
        """
        made = self.make()
        return made if isinstance(made, bytes) else b"".join(map(bytes, made))


@dataclass(frozen=True, eq=False)
class Bundle:
    """Files that are made from the same events and looked at together: where the key is as it was, none is named.

    `name` tells it from the other bundles of an edition, without white space. `key` covers the keys of all its files;
    None says that they are made from everything.
    """

    name: str
    key: str | None
    files: Callable[[], Iterable[Artifact]] = field(repr=False)


def each(files: Iterable[Artifact | Bundle]) -> Iterator[Artifact]:
    """The same files one by one."""
    for item in files:
        if isinstance(item, Bundle):
            yield from item.files()
        else:
            yield item


def gathered(parts: Iterable[SupportsBytes]) -> Iterator[SupportsBytes]:
    """The same bytes in parts that are worth writing, of those that are bytes already: whole ones, `AT_ONCE` long."""
    waiting, length = list[bytes](), 0
    for part in parts:
        if isinstance(part, bytes):
            waiting.append(part)
            length += len(part)
            if length < AT_ONCE:
                continue
        if waiting:
            yield b"".join(waiting)
            waiting.clear()
            length = 0
        if not isinstance(part, bytes):
            yield part
    if waiting:
        yield b"".join(waiting)


class Output(Protocol):
    """One family of formats: the same edition and templates always give the same artifacts, in the same order."""

    def render(self, edition: Edition, renderer: Renderer) -> Iterable[Artifact | Bundle]:
        """All files of this family, in every language: their names at once, their bytes when somebody asks."""
