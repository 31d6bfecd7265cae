"""What `tocsin preview` shows: every file of the draft and every letter of its season. Nothing is written or sent."""

import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from pipeline.actions.build import Draft, draft, files_of
from pipeline.actions.mailing import Office
from pipeline.actions.project import Project
from pipeline.actions.simulate import made_up, simulate
from pipeline.actions.themes import THEMES, template_folders
from pipeline.edition import Edition
from pipeline.errors import TemplateError
from pipeline.outputs import Artifact
from pipeline.rendering import Renderer

TEMPLATES = {".css", ".html", ".svg", ".txt"}
"""How the names of templates end."""


class Look:
    """The draft as publishing now would make it, and the files of `out/`, looked for as far as somebody asks.

    Whatever goes wrong in finding or making them is raised at each asking: TemplateError, or what a template itself
    raises.
    """

    def __init__(self, drawn: Draft, files: Iterator[Artifact], wrong: str = "") -> None:
        self.draft = drawn
        self.wrong = wrong
        """The first of the organisers' templates that can't be read, with its place; the other files are shown."""
        self._files = files
        self._found: dict[str, Artifact] = {}
        self._failure: Exception | None = None
        self._one_at_a_time = threading.Lock()

    def body(self, path: str) -> bytes | None:
        """The bytes of a file, made when somebody first asks for them; None where there is no such file."""
        with self._one_at_a_time:
            artifact = self._find(path)
            return None if artifact is None else artifact.body

    def paths(self) -> Sequence[str]:
        """The paths of all files below `out/`, in their order."""
        with self._one_at_a_time:
            self._find(None)
            return sorted(self._found)

    def _find(self, path: str | None) -> Artifact | None:
        """A file of that path; all files are known after looking for one that isn't there."""
        if path in self._found:
            return self._found[path]
        if self._failure is not None:
            raise self._failure
        try:
            for artifact in self._files:
                self._found[artifact.path] = artifact
                if artifact.path == path:
                    return artifact
        except Exception as error:
            # What was interrupted gives nothing more: without this the rest would seem not to be there.
            self._failure = error
            raise
        return None


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
    files = files_of(project, drawn.edition)
    folders = template_folders(project, drawn.edition.catalogue)
    return Look(drawn, files, _wrong_template(folders, drawn.edition.languages[0]))


def _wrong_template(folders: Sequence[Path], language: str) -> str:
    renderer = Renderer(folders)
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            # Other themes than the chosen one may be unfinished; hidden files are those of editors and systems.
            counts = path.suffix in TEMPLATES and not name.startswith(f"{THEMES}/") and path.name[0] != "."
            if counts and path.is_file():
                try:
                    renderer.read(name, language)
                except TemplateError as error:
                    return str(error)
    return ""


def specimens(edition: Edition, office: Office) -> tuple[Specimen, ...]:
    """Every letter of the season in each language, in the order of sending."""
    found = []
    with tempfile.TemporaryDirectory(prefix="tocsin-preview-") as folder:
        for path in simulate(edition, office, made_up(edition), Path(folder)).paths:
            language = path.parent.name.partition("@")[0]
            number, _, rule = path.stem.partition("-")
            found.append(Specimen(f"{language}-{number}-{rule}", language, rule, path.read_bytes()))
    return tuple(found)
