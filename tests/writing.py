"""A published edition as files, for the tests that open them as a visitor does."""

from collections.abc import Callable
from pathlib import Path

from pipeline.edition import Edition
from pipeline.outputs import render_all
from pipeline.rendering import Renderer


def write(edition: Edition, folder: Path, wanted: Callable[[str], bool] = bool) -> None:
    """Makes the files of an edition below a folder, all of them or those whose path is wanted."""
    for artifact in render_all(edition, Renderer()):
        if wanted(artifact.path):
            path = folder / artifact.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(artifact.body)
