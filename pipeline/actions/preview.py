"""What `tocsin preview` shows: every file of the draft and every letter of its season. Nothing is written or sent."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipeline.actions.build import Draft, draft, rendered
from pipeline.actions.mailing import Office
from pipeline.actions.project import Project
from pipeline.actions.simulate import made_up, simulate
from pipeline.edition import Edition


@dataclass(frozen=True, slots=True)
class Look:
    """The draft as publishing now would make it, and the bytes of `out/` by path."""

    draft: Draft
    files: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Specimen:
    """One letter as a made-up reader of that language would get it: its rule, and the whole message."""

    key: str
    language: str
    rule: str
    message: bytes


def look(project: Project, now: datetime, day: date | None = None) -> Look:
    """Renders the files as they are; raises every problem as `check` and `build` do."""
    drawn = draft(project, now, day)
    return Look(drawn, dict(rendered(project, drawn.edition)))


def specimens(edition: Edition, office: Office) -> tuple[Specimen, ...]:
    """Every letter of the season in each language, in the order of sending."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tocsin-preview-") as folder:
        for path in simulate(edition, office, made_up(edition), Path(folder)).paths:
            language = path.parent.name.partition("@")[0]
            number, _, rule = path.stem.partition("-")
            found.append(Specimen(f"{language}-{number}-{rule}", language, rule, path.read_bytes()))
    return tuple(found)
