"""Building: the catalogue and the ledger become an edition, the edition becomes `out/`. Looking is not announcing."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from hashlib import blake2b
from itertools import chain
from mimetypes import guess_type

from pipeline import ledger as journal
from pipeline.actions.cards import card_files
from pipeline.actions.newsletters import due_newsletters
from pipeline.actions.pictures import picture_files
from pipeline.actions.project import Project, read_catalogue, read_ledger, refuse_vanished
from pipeline.actions.remembered import Remembered, digest_of_files
from pipeline.actions.remembered_reading import Reading
from pipeline.actions.remembered_templates import remembered_templates
from pipeline.actions.themes import template_folders
from pipeline.actions.verdict_memory import tree
from pipeline.catalogue.load import Loaded
from pipeline.catalogue.refused import Refused
from pipeline.edition import Edition
from pipeline.errors import Problem
from pipeline.ledger import Line
from pipeline.outputs import Artifact, Bundle, each, render_bundled
from pipeline.outputs.base import gathered
from pipeline.outputs.keys import keys
from pipeline.rendering import Renderer, shipped_templates
from pipeline.staging import Staged, Written, staging

ANY_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Draft:
    """An edition as publishing now would make it, and the ledger lines that it would add."""

    edition: Edition
    pending: tuple[Line, ...] = ()
    newsletters: tuple[Line, ...] = ()
    """The lines of newsletters whose hour has come, which it would add too."""
    refused: tuple[Refused, ...] = ()
    """The groups' files with mistakes; the edition holds what was last published of them."""
    loaded: Loaded | None = field(default=None, repr=False, compare=False)
    """What it was drawn from; None where it wasn't read from files."""

    @property
    def remarks(self) -> tuple[Problem, ...]:
        """What deserves a look in the catalogue, looked for when it is asked for."""
        return self.loaded.remarks if self.loaded is not None else ()

    def with_remarks(self, wanted: bool) -> "Draft":
        """The same; where no remarks are wanted, without the text in which they are looked for."""
        return self if wanted else replace(self, loaded=None)


@dataclass(frozen=True, slots=True)
class Result:
    """What building or publishing did."""

    draft: Draft
    files: Written = field(default_factory=Written)


def draft(
    project: Project,
    now: datetime,
    day: date | None = None,
    newsletters: Callable[[Edition, datetime], tuple[Line, ...]] = due_newsletters,
    reading: Reading | None = None,
) -> Draft:
    """The edition of the files as they are, stamped as publishing at `now` would; raises every problem.

    `newsletters` gives the lines of the newsletters that are out since the edition which it is given was published.
    What `reading` knows is not read again.
    """
    loaded = read_catalogue(project, now, reading.memory if reading is not None else None)
    ledger = read_ledger(project, loaded.catalogue, reading)
    refuse_vanished(project, loaded.catalogue, ledger)
    pending = journal.pending_lines(loaded.catalogue, ledger, now)
    day = day or now.astimezone(loaded.catalogue.series.zone).date()
    out = newsletters(Edition(loaded.catalogue, ledger, day), now)
    edition = Edition(loaded.catalogue, ledger.extended((*pending, *out), loaded.catalogue), day)
    return Draft(edition, pending, out, loaded.refused, loaded)


def build(
    project: Project,
    now: datetime,
    day: date | None = None,
    *,
    remarks: bool = False,
    drawn: Callable[[], None] = lambda: None,
) -> Result:
    """Writes `out/` as a draft: looking is not announcing, the ledger is not touched.

    `remarks` are wanted after it; `drawn` is called once everything is read, before any file is made.
    """
    with project.alone():
        # Who publishes meanwhile would be followed by what was read before.
        reading = None if remarks else Reading(project.folder)
        found = draft(project, now, day, reading=reading).with_remarks(remarks)
        drawn()
        written = write_out(project, found.edition)
        if reading is not None:
            reading.keep(found.edition)
        return Result(found, written)


def files_of(project: Project, edition: Edition) -> Iterator[Artifact]:
    """Every file of `out/`, each once, its bytes made when they are asked for.

    CatalogueError before the first where a picture or a theme is wrong; TemplateError at a body whose template is.
    """
    return _each_once(each(bundles_of(project, edition)))


def bundles_of(project: Project, edition: Edition) -> Iterator[Artifact | Bundle]:
    """The same, those of many events in bundles. Of two files of the same path the first counts."""
    renderer = Renderer(template_folders(project, edition.catalogue))
    pictures = picture_files(project, edition.catalogue)
    # A picture that bears the name of a file of the site, or of a card, gives way to it.
    copied = (_copied(path, body) for path, body in pictures.items())
    return chain(render_bundled(edition, renderer), card_files(project, edition), copied)


def _each_once(files: Iterable[Artifact]) -> Iterator[Artifact]:
    named = set[str]()
    for artifact in files:
        if artifact.path not in named:
            named.add(artifact.path)
            yield artifact


def _copied(path: str, body: bytes) -> Artifact:
    return Artifact(path, guess_type(path)[0] or ANY_TYPE, partial(bytes, body), blake2b(body).hexdigest())


def write_out(project: Project, edition: Edition) -> Written:
    """Makes `out/` hold the edition; what was made from the same before isn't rendered again."""
    files = bundles_of(project, edition)
    with staging(project.out) as staged:
        known = stage(project, edition, files, staged)
        written = staged.put()
        known.keep()
    return replace(written, stands=known.stands())


def stage(project: Project, edition: Edition, files: Iterator[Artifact | Bundle], staged: Staged) -> Remembered:
    """Stages every file, each made only where `out/` doesn't hold it already; errors as `files_of`.

    What it gives is to be kept once the files are put in their places.
    """
    known = Remembered(project.folder, project.out, _templates(project, edition))
    own = keys(edition)
    with closing(known), own.with_pieces(known), remembered_templates(project.folder):
        for item in files:
            key = item.key or own.everything
            if isinstance(item, Artifact):
                _stage(item, key, known, staged)
            elif (paths := known.holds_bundle(item.name, key)) is not None:
                staged.keep_all(paths)
            else:
                with known.bundle(item.name, key):
                    _stage_all(item.files(), own.everything, known, staged)
    return known


def _stage_all(files: Iterable[Artifact], everything: str, known: Remembered, staged: Staged) -> None:
    # A function of its own: none of them is held on to when the next bundle is made, with all that it was made from.
    for artifact in files:
        _stage(artifact, artifact.key or everything, known, staged)


def _stage(artifact: Artifact, key: str, known: Remembered, staged: Staged) -> None:
    path = artifact.path
    if path in staged:
        return
    if known.holds(path, key):
        staged.keep(path)
        return
    made = artifact.make()
    if isinstance(made, bytes):
        known.passed_whole(path, key, made, staged.add(path, made))
    else:
        passing = known.passing()
        known.passed(path, key, passing, staged.add(path, passing.through(gathered(made))))


def _templates(project: Project, edition: Edition) -> str:
    folders = (*template_folders(project, edition.catalogue), shipped_templates())
    return digest_of_files(path for folder in folders for path in tree(folder))
