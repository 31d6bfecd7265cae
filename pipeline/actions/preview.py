"""What `tocsin preview` shows: every file of the draft and every letter of its season. Nothing is written or sent."""

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pipeline.actions.build import Draft, draft, files_of
from pipeline.actions.mailing import Office
from pipeline.actions.project import Project
from pipeline.actions.simulate import made_up, simulate
from pipeline.edition import Edition
from pipeline.outputs import Artifact


@dataclass(frozen=True, slots=True)
class Look:
    """The draft as publishing now would make it, and the files of `out/` by path."""

    draft: Draft
    files: Mapping[str, Artifact]
    _one_at_a_time: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def body(self, path: str) -> bytes | None:
        """The bytes of a file, made when somebody first asks for them; None where there is no such file.

        Whatever goes wrong in making them is raised at each asking: TemplateError, or what a template itself raises.
        """
        artifact = self.files.get(path)
        if artifact is None:
            return None
        with self._one_at_a_time:
            return artifact.body


@dataclass(frozen=True, slots=True)
class Specimen:
    """One letter as a made-up reader of that language would get it: its rule, and the whole message."""

    key: str
    language: str
    rule: str
    message: bytes


def look(project: Project, now: datetime, day: date | None = None) -> Look:
    """The draft of the files as they are; raises every problem of catalogue and ledger as `check` and `build` do."""
    drawn = draft(project, now, day)
    return Look(drawn, {artifact.path: artifact for artifact in files_of(project, drawn.edition)})


def specimens(edition: Edition, office: Office) -> tuple[Specimen, ...]:
    """Every letter of the season in each language, in the order of sending."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tocsin-preview-") as folder:
        for path in simulate(edition, office, made_up(edition), Path(folder)).paths:
            language = path.parent.name.partition("@")[0]
            number, _, rule = path.stem.partition("-")
            found.append(Specimen(f"{language}-{number}-{rule}", language, rule, path.read_bytes()))
    return tuple(found)
