"""The ledger on disk, read for people and mended."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain

from pipeline import ledger as journal
from pipeline.actions.newsletters import due_newsletters
from pipeline.actions.project import Project, read_catalogue, read_ledger
from pipeline.edition import Edition
from pipeline.errors import Problem
from pipeline.files import alone_in, read_utf8_if_there, write_whole
from pipeline.ledger import Ledger, Line
from pipeline.mending import mend, verify


def verified(project: Project) -> tuple[Problem, ...]:
    """Everything that is wrong with the ledger."""
    return verify(read_utf8_if_there(project.ledger, project.ledger.name), project.ledger.name)


def mended(project: Project) -> tuple[Problem, ...]:
    """Makes the ledger whole and says what was done; LedgerError, and nothing changed, where a line would be lost."""
    with alone_in(project.folder):
        found = mend(read_utf8_if_there(project.ledger, project.ledger.name), project.ledger.name)
        if found.done:
            write_whole(project.ledger, found.rows, durable=True)
        return found.done


def pending(project: Project, now: datetime) -> tuple[Ledger, Iterator[Line], tuple[str, ...]]:
    """The ledger, the lines that publishing now would add, and the events that vanished from the catalogue."""
    catalogue, ledger = read_catalogue(project, now).catalogue, read_ledger(project)
    published = Edition(catalogue, ledger, now.astimezone(catalogue.series.zone).date())
    lines = chain(journal.each_pending_line(catalogue, ledger, now), due_newsletters(published, now))
    return ledger, lines, journal.vanished(catalogue, ledger)
