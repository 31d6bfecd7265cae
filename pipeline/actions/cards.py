"""The cards of shared links: drawn where `out/` doesn't hold them yet."""

from importlib import import_module
from pathlib import Path

from pipeline.actions.project import Project
from pipeline.edition import Edition
from pipeline.outputs.cards import Cards
from pipeline.outputs.pictures import published_as

_WHOLE = b"IEND\xaeB`\x82"


def card_files(project: Project, edition: Edition) -> dict[str, bytes]:
    """The bytes of every card that a page names, by their paths in `out/`.

    One that stands there already is taken as it is: its name says what is on it.
    """
    found: dict[str, bytes] = {}
    for card in Cards(edition):
        path = published_as(card.path)
        if path not in found:
            # Named at run time, so that nobody waits for a drawing library who draws nothing.
            found[path] = _there(project.out / path) or import_module("pipeline.outputs.card_drawing").drawn(card)
    return found


def _there(file: Path) -> bytes | None:
    """A card that an earlier publication wrote; None where there is none, or one that somebody cut short."""
    try:
        body = file.read_bytes()
    except OSError:
        return None
    return body if body.endswith(_WHOLE) else None
