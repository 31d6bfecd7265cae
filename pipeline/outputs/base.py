"""What every output is: a function of the edition that gives the files to publish."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from pipeline.edition import Edition
from pipeline.rendering import Renderer


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file to publish: its path below `out/`, with slashes; its media type; its bytes."""

    path: str
    media_type: str
    body: bytes


class Output(Protocol):
    """One family of formats: the same edition and templates always give the same artifacts, in the same order."""

    def render(self, edition: Edition, renderer: Renderer) -> Iterable[Artifact]:
        """All files of this family, in every language."""
