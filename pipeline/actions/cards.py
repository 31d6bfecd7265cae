"""The cards of shared links: drawn where `out/` doesn't hold them yet."""

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

from pipeline.actions.project import Project
from pipeline.edition import Edition
from pipeline.outputs.base import Artifact, Bundle
from pipeline.outputs.cards import Card, cards_of
from pipeline.outputs.keys import keys
from pipeline.outputs.pictures import published_as

_WHOLE = b"IEND\xaeB`\x82"


def card_files(project: Project, edition: Edition) -> Iterator[Bundle]:
    """Every card that a page names, each once, drawn when its bytes are asked for.

    One that stands in `out/` already is taken as it is: its name says what is on it.
    """
    yield Bundle("cards", keys(edition).of(*cards_of(edition).latest), partial(_each, project, edition))


def _each(project: Project, edition: Edition) -> Iterator[Artifact]:
    named = set[str]()
    for card in cards_of(edition):
        path = published_as(card.path)
        if path not in named:
            named.add(path)
            yield Artifact(path, "image/png", partial(_drawn, project.out / path, card), card.path)


def _drawn(file: Path, card: Card) -> bytes:
    there = _there(file)
    if there is not None:
        return there
    # Named at run time, so that nobody waits for a drawing library who draws nothing.
    body: bytes = import_module("pipeline.outputs.card_drawing").drawn(card)
    return body


def _there(file: Path) -> bytes | None:
    """A card that an earlier publication wrote; None where there is none, or one that somebody cut short."""
    try:
        body = file.read_bytes()
    except OSError:
        return None
    return body if body.endswith(_WHOLE) else None
