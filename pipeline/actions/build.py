"""Building: the catalogue and the ledger become an edition, the edition becomes `out/`. Looking is not announcing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from itertools import chain
from mimetypes import guess_type

from pipeline import ledger as journal
from pipeline.actions.cards import card_files
from pipeline.actions.pictures import picture_files
from pipeline.actions.project import Project, read_catalogue, read_ledger, refuse_vanished
from pipeline.actions.themes import template_folders
from pipeline.catalogue.refused import Refused
from pipeline.edition import Edition
from pipeline.errors import Problem
from pipeline.files import Written, staging
from pipeline.ledger import Line
from pipeline.outputs import Artifact, render_all
from pipeline.rendering import Renderer

ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Draft:
    """An edition as publishing now would make it, and the ledger lines that it would add."""

    edition: Edition
    pending: tuple[Line, ...] = ()
    remarks: tuple[Problem, ...] = ()
    refused: tuple[Refused, ...] = ()
    """The groups' files with mistakes; the edition holds what was last published of them."""


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
    return Draft(Edition(loaded.catalogue, ledger.extended(pending), day), pending, loaded.remarks, loaded.refused)


def build(project: Project, now: datetime, day: date | None = None) -> Result:
    """Writes `out/` as a draft: looking is not announcing, the ledger is not touched."""
    drawn = draft(project, now, day)
    return Result(drawn, write_out(project, drawn.edition))


def files_of(project: Project, edition: Edition) -> Iterator[Artifact]:
    """Every file of `out/`, each once, its bytes made when they are asked for.

    CatalogueError before the first where a picture or a theme is wrong; TemplateError at a body whose template is.
    """
    renderer = Renderer(template_folders(project, edition.catalogue))
    return _each_once(project, edition, renderer, picture_files(project, edition.catalogue))


def _each_once(
    project: Project, edition: Edition, renderer: Renderer, pictures: dict[str, bytes]
) -> Iterator[Artifact]:
    named = set[str]()
    # A picture that bears the name of a file of the site, or of a card, gives way to it.
    copied = (Artifact(path, guess_type(path)[0] or ANY_TYPE, partial(bytes, body)) for path, body in pictures.items())
    for artifact in chain(render_all(edition, renderer), card_files(project, edition), copied):
        if artifact.path not in named:
            named.add(artifact.path)
            yield artifact


def rendered(project: Project, edition: Edition) -> Iterator[tuple[str, bytes]]:
    """The path and the bytes of every file of `out/`, one by one: together they may be larger than memory.

    Errors as `files_of`.
    """
    return ((artifact.path, artifact.body) for artifact in files_of(project, edition))


def write_out(project: Project, edition: Edition) -> Written:
    """Renders the edition and makes `out/` hold it."""
    files = rendered(project, edition)
    with staging(project.out) as staged:
        staged.add_all(files)
        return staged.put()
