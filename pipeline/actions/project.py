"""A project on disk: where its catalogue, ledger, templates and `out/` are, and how they are read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pipeline import ledger as journal
from pipeline.catalogue.load import Loaded, Source, load
from pipeline.catalogue.models import Catalogue
from pipeline.errors import CatalogueError, InputError, LedgerError, Problem
from pipeline.files import read_if_there, read_text
from pipeline.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Project:
    """The files of one series. All defaults lie beside the catalogue."""

    catalogue: Path
    out: Path
    templates: Path
    ledger: Path

    @property
    def folder(self) -> Path:
        """The folder of the catalogue."""
        return self.catalogue.parent


def project_at(catalogue: Path, out: Path | None = None, templates: Path | None = None) -> Project:
    """The project of a catalogue file."""
    folder = catalogue.parent
    return Project(catalogue, out or folder / "out", templates or folder / "templates", folder / "ledger.jsonl")


def read_catalogue(project: Project, now: datetime | None = None) -> Loaded:
    """The catalogue, or CatalogueError with every problem."""
    return catalogue_from(project, read_text(project.catalogue, project.catalogue.name), now)


def catalogue_from(project: Project, text: str, now: datetime | None = None) -> Loaded:
    """The catalogue as it would be with that text in its main file, or CatalogueError with every problem."""
    return load(Source(project.catalogue.name, text), _included(project), now, _is_there(project))


def _included(project: Project) -> Callable[[str], Sequence[Source]]:
    def find(pattern: str) -> Sequence[Source]:
        try:
            paths = sorted(project.folder.glob(pattern))
        except (ValueError, NotImplementedError):
            paths = []
        inside = [path for path in paths if path.is_file() and path.resolve().is_relative_to(project.folder.resolve())]
        if not inside:
            name = project.catalogue.name
            raise CatalogueError(
                [Problem(name, 0, "include", "no file below the catalogue's folder matches {pattern!r}",
                         'write "groups/*.toml", or delete it', {"pattern": pattern})]
            )  # fmt: skip
        return [Source(str(path.relative_to(project.folder)), read_text(path, path.name)) for path in inside]

    return find


def _is_there(project: Project) -> Callable[[str], bool]:
    def is_there(path: str) -> bool:
        own = path.removeprefix("templates/")
        try:
            return (project.folder / path).is_file() or (own != path and (project.templates / own).is_file())
        except OSError:  # a name that is too long for a file
            return False

    return is_there


def read_ledger(project: Project) -> Ledger:
    """The ledger, empty before the first publication; LedgerError where it can't be read."""
    name = project.ledger.name
    return journal.read(read_if_there(project.ledger, name), name)


def check(project: Project, now: datetime) -> Loaded:
    """Reads everything; raises an error with every problem of catalogue and ledger, else returns it with remarks."""
    wrong: tuple[Problem, ...] = ()
    try:
        ledger = read_ledger(project)
    except InputError as error:
        ledger, wrong = Ledger(), error.problems
    try:
        loaded = read_catalogue(project, now)
    except CatalogueError as error:
        raise CatalogueError((*error.problems, *wrong)) from None
    wrong += journal.vanished_problems(loaded.catalogue, ledger, project.catalogue.name)
    if wrong:
        raise LedgerError(wrong)
    return loaded


def refuse_vanished(project: Project, catalogue: Catalogue, ledger: Ledger) -> None:
    """LedgerError where an event that was published is no longer in the catalogue."""
    if problems := journal.vanished_problems(catalogue, ledger, project.catalogue.name):
        raise LedgerError(problems)
