"""A project on disk: where its catalogue, ledger, templates and `out/` are, and how they are read."""

import hashlib
import importlib
import os
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import ledger as journal
from pipeline.actions.verdict_memory import Looked, matches, stands
from pipeline.catalogue.load import Loaded, Source, load
from pipeline.catalogue.memory import Memory
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.refused import Kept, Refused
from pipeline.catalogue.texts import Hold, in_brief, packed
from pipeline.errors import CatalogueError, InputError, LedgerError, Problem
from pipeline.files import alone_in, read_utf8, read_utf8_if_there
from pipeline.keeping import last_published
from pipeline.ledger import Ledger, Line
from pipeline.ledger_lines import read_rows
from pipeline.mending import unlike_events

if TYPE_CHECKING:
    # Named only: who checks a catalogue remembers nothing of it here.
    from pipeline.actions.remembered_reading import Reading


@dataclass(frozen=True, slots=True)
class Project:
    """The files of one series. All defaults lie beside the catalogue."""

    catalogue: Path
    out: Path
    templates: Path
    ledger: Path
    looked: Looked | None = None
    """Where to note what is looked at, for who wants to remember a verdict."""

    @property
    def folder(self) -> Path:
        """The folder of the catalogue."""
        return self.catalogue.parent

    @property
    def own_templates(self) -> list[Path]:
        """The folder of the project's own templates, none where there is no such folder; for a renderer."""
        return [self.templates] if self.templates.is_dir() else []

    def alone(self) -> AbstractContextManager[None]:
        """Holds off other tocsin processes that write its files; where there is no folder, nothing is to be held."""
        return alone_in(self.folder) if self.folder.is_dir() else nullcontext()


def project_at(catalogue: Path, out: Path | None = None, templates: Path | None = None) -> Project:
    """The project of a catalogue file."""
    folder = catalogue.parent
    return Project(catalogue, out or folder / "out", templates or folder / "templates", folder / "ledger.jsonl")


def read_catalogue(project: Project, now: datetime | None = None, memory: Memory | None = None) -> Loaded:
    """The catalogue, or CatalogueError with every problem; LedgerError where that can't be read and is needed.

    A group's file with mistakes is refused alone: what was last published of it stands in its place.
    """
    return read_with(project, read_utf8(project.catalogue, project.catalogue.name), now, memory)


def read_with(
    project: Project,
    text: str | bytes,
    now: datetime | None = None,
    memory: Memory | None = None,
    hold: Hold = packed,
) -> Loaded:
    """The same as it would be with that text in the main file; `hold` as for `load`."""

    def keep(refused: Sequence[Refused], others: Catalogue) -> Kept:
        return last_published(read_ledger(project))(refused, others)

    source = Source(project.catalogue.name, text)
    return load(source, _included(project), now, _is_there(project), keep, memory, hold)


def _whole(project: Project, text: bytes, now: datetime) -> Loaded:
    """The catalogue in brief, or CatalogueError for a mistake in any of its files."""
    return load(Source(project.catalogue.name, text), _included(project), now, _is_there(project), hold=in_brief)


def _included(project: Project) -> Callable[[str], Sequence[Source]]:
    def find(pattern: str) -> Sequence[Source]:
        if project.looked is not None:
            project.looked.at_pattern(project.folder, pattern)
        paths = matches(project.folder, pattern)
        inside = [path for path in paths if path.is_file() and path.resolve().is_relative_to(project.folder.resolve())]
        if not inside:
            name = project.catalogue.name
            raise CatalogueError(
                [Problem(name, 0, "include", "no file below the catalogue's folder matches {pattern!r}",
                         'write "groups/*.toml", or delete it', {"pattern": pattern})]
            )  # fmt: skip
        return [_source(path, path.relative_to(project.folder).as_posix()) for path in inside]

    return find


def _source(path: Path, name: str) -> Source:
    """An included file; one that can't be read says why by itself, since it may be a group's."""
    try:
        return Source(name, read_utf8(path, name))
    except CatalogueError as error:
        text = path.read_bytes().decode(errors="replace") if os.access(path, os.R_OK) else ""
        return Source(name, text, error.problems[0])


def _is_there(project: Project) -> Callable[[str], bool]:
    def is_there(path: str) -> bool:
        there = stands(project.folder, project.templates, path)
        if project.looked is not None:
            project.looked.there[path] = there
        return there

    return is_there


def read_ledger(project: Project, catalogue: Catalogue | None = None, reading: "Reading | None" = None) -> Ledger:
    """The ledger, empty before the first publication; LedgerError where it can't be read or holds no events' facts.

    With a valid catalogue at hand what it says just the same is not judged again, nor is a ledger that `reading` knows.
    """
    name = project.ledger.name
    if reading is not None and catalogue is not None:
        return _read_with_memory(project, catalogue, reading)
    text = _read_noted(project)
    ledger = journal.read(text, name)
    if catalogue is not None:
        ledger = journal.recognised(catalogue, ledger)
    if problems := unlike_events(ledger, text, name):
        raise LedgerError(problems)
    return ledger


def _read_with_memory(project: Project, catalogue: Catalogue, reading: "Reading") -> Ledger:
    if (known := _known_lines(project, reading)) is not None:
        return journal.recognised(catalogue, Ledger.holding(known), reading.told)
    name, data = project.ledger.name, _read_noted(project)
    rows, problems = read_rows(data, name, journal.sharing(catalogue))
    if problems:
        raise LedgerError(problems)
    lines = [line for _, line in rows]
    ledger = journal.recognised(catalogue, Ledger.holding(lines))
    if problems := list(unlike_events(ledger, data, name)):
        raise LedgerError(problems)
    reading.learn_ledger(hashlib.sha256(data).hexdigest(), lines)
    return ledger


def _known_lines(project: Project, reading: "Reading") -> list[Line] | None:
    """The lines of the ledger, where it is known; None where it must be read for them."""
    looked = project.looked or Looked()
    with suppress(OSError):  # which is told when it is read
        if reading.knows_a_ledger and project.ledger.is_file():
            return reading.lines_of(*looked.read(project.folder, project.ledger.name))
    return None


def _read_noted(project: Project) -> bytes:
    """The ledger, after what it holds was noted if it wasn't yet."""
    name = project.ledger.name
    if project.looked is not None and name not in project.looked.files:
        project.looked.at_file(project.folder, name)
    return read_utf8_if_there(project.ledger, name)


def check(project: Project, now: datetime) -> Loaded:
    """Reads everything; raises an error with every problem of catalogue and ledger, else returns it with remarks."""
    wrong: tuple[Problem, ...] = ()
    try:
        ledger = _in_short(read_ledger(project))
    except InputError as error:
        ledger, wrong = Ledger(), error.problems
    try:
        # What stands in for a group's broken file comes from the ledger.
        text = read_utf8(project.catalogue, project.catalogue.name)
        loaded = read_with(project, text, now, hold=in_brief) if not wrong else _whole(project, text, now)
    except CatalogueError as error:
        raise CatalogueError((*error.problems, *wrong)) from None
    wrong += journal.vanished_problems(loaded.catalogue, ledger, project.catalogue.name)
    refused = tuple(problem for one in loaded.refused for problem in one.problems)
    if refused:
        raise CatalogueError((*refused, *wrong))
    if wrong:
        raise LedgerError(wrong)
    return replace(loaded, found=lambda: _remarks(loaded, ledger))


def _in_short(ledger: Ledger) -> Ledger:
    """The ledger without the facts of events: who checks needs them no more, and they take as much as the catalogue."""
    newsletters = (line._replace(facts=dict(line.facts)) for line in ledger.newsletters)
    return Ledger(tuple(line._replace(facts={}) for line in ledger.lines), tuple(newsletters))


def _remarks(loaded: Loaded, ledger: Ledger) -> tuple[Problem, ...]:
    found = loaded.found()
    if ledger.newsletters:
        edited_since = importlib.import_module("pipeline.sent_newsletters").edited_since
        found += loaded.placed(edited_since(loaded.catalogue, ledger.newsletters))
    return tuple(sorted(found, key=lambda problem: problem.position))


def refuse_vanished(project: Project, catalogue: Catalogue, ledger: Ledger) -> None:
    """LedgerError where an event that was published is no longer in the catalogue."""
    if problems := journal.vanished_problems(catalogue, ledger, project.catalogue.name):
        raise LedgerError(problems)
