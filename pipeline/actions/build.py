"""Building: the catalogue and the ledger become an edition, the edition becomes `out/`. Looking is not announcing."""

from dataclasses import dataclass, field
from datetime import date, datetime

from pipeline import ledger as journal
from pipeline.actions.pictures import picture_files
from pipeline.actions.project import Project, read_catalogue, read_ledger, refuse_vanished
from pipeline.actions.themes import template_folders
from pipeline.edition import Edition
from pipeline.errors import Problem
from pipeline.files import Written, write_folder
from pipeline.ledger import Line
from pipeline.outputs import render_all
from pipeline.rendering import Renderer


@dataclass(frozen=True, slots=True)
class Draft:
    """An edition as publishing now would make it, and the ledger lines that it would add."""

    edition: Edition
    pending: tuple[Line, ...] = ()
    remarks: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What building or publishing did."""

    draft: Draft
    files: Written = field(default_factory=Written)


def draft(project: Project, now: datetime, day: date | None = None) -> Draft:
    """The edition of the files as they are, stamped as publishing at `now` would; raises every problem."""
    loaded = read_catalogue(project, now)
    ledger = read_ledger(project)
    refuse_vanished(project, loaded.catalogue, ledger)
    pending = journal.pending_lines(loaded.catalogue, ledger, now)
    day = day or now.astimezone(loaded.catalogue.series.zone).date()
    return Draft(Edition(loaded.catalogue, ledger.extended(pending), day), pending, loaded.remarks)


def build(project: Project, now: datetime, day: date | None = None) -> Result:
    """Writes `out/` as a draft: looking is not announcing, the ledger is not touched."""
    drawn = draft(project, now, day)
    return Result(drawn, write_out(project, drawn.edition))


def rendered(project: Project, edition: Edition) -> dict[str, bytes]:
    """The bytes of every file of `out/`, by path."""
    renderer = Renderer(template_folders(project, edition.catalogue))
    files = {artifact.path: artifact.body for artifact in render_all(edition, renderer)}
    # A picture that bears the name of a file of the site gives way to it.
    return picture_files(project, edition.catalogue) | files


def write_out(project: Project, edition: Edition) -> Written:
    """Renders the edition and makes `out/` hold it."""
    return write_folder(project.out, rendered(project, edition))
