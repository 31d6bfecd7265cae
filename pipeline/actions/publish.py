"""Publishing: the ledger grows, `out/` and the edition that mail is sent by follow."""

import subprocess
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from hashlib import file_digest

from sqlalchemy import Connection

from pipeline import ledger as journal
from pipeline.actions.build import Result, bundles_of, draft, stage
from pipeline.actions.newsletters import due_newsletters, too_late
from pipeline.actions.project import Project, read_catalogue, read_ledger
from pipeline.actions.remembered_reading import Reading
from pipeline.catalogue.models import Catalogue
from pipeline.edition import Edition
from pipeline.errors import N_, CatalogueError, LedgerError, Problem, TocsinError
from pipeline.files import alone_in, write_whole
from pipeline.ledger import Ledger, Line, write_line
from pipeline.staging import staging
from pipeline.store.database import Database
from pipeline.store.editions import publish_edition, refuse_older
from pipeline.store.foreseeing import kept_mailings
from pipeline.store.switch import last_tick


class DeployError(TocsinError):
    """The organiser's own command for bringing `out/` to the host failed; all else is done."""


def publish(
    project: Project,
    database: Database,
    now: datetime,
    day: date | None = None,
    *,
    writes: bool = True,
    remarks: bool = False,
) -> Result:
    """Writes the ledger, `out/`, then the edition that sending uses. Killed in between, the next call completes it.

    Who doesn't write the ledger (`writes`) leaves it to who does to make a newsletter a page. `remarks` are wanted
    after it.
    """
    with alone_in(project.folder):
        newsletters = partial(left_newsletters, database) if writes else no_newsletters
        # All of it is read: mail is written of the whole catalogue.
        reading = Reading(project.folder, recalls=False)
        drawn = draft(project, now, day, newsletters, reading).with_remarks(remarks)
        with database.look() as connection:
            refuse_older(connection, drawn.edition.series.id, map(write_line, drawn.edition.ledger.all_lines))
        files = bundles_of(project, drawn.edition)
        with staging(project.out) as staged:
            # Everything is rendered before the first is put in its place: a broken template changes nothing.
            known = stage(project, drawn.edition, files, staged)
            if drawn.pending or drawn.newsletters:
                _write_ledger(project, drawn.edition.ledger)
                with project.ledger.open("rb") as file:
                    reading.learn_ledger(file_digest(file, "sha256").hexdigest(), drawn.edition.ledger.all_lines)
            written = staged.put()
        store_edition(database, drawn.edition, now)
        known.keep()
        reading.keep(drawn.edition)
    return Result(drawn, written)


def _write_ledger(project: Project, ledger: Ledger) -> None:
    # Line by line: a long one isn't held as a text besides.
    write_whole(project.ledger, (write_line(line).encode() for line in ledger.all_lines), durable=True)


def left_newsletters(database: Database, edition: Edition, now: datetime) -> tuple[Line, ...]:
    """The lines of the newsletters that are out; not of those that this database knows to be held back, or too late."""
    with database.look() as connection:
        kept, looked_after = kept_mailings(connection, edition.series.id), last_tick(connection) is not None
    held = {key for key, mailing in kept.items() if mailing.dropped}
    # A database by which no mail is looked after doesn't know what left from elsewhere.
    if looked_after:
        held |= too_late(edition, now) - {key for key, mailing in kept.items() if mailing.given_out}
    return due_newsletters(edition, now, held)


def no_newsletters(_edition: Edition, _now: datetime) -> tuple[Line, ...]:
    """None becomes a page here."""
    return ()


def retire(project: Project, event: str, now: datetime) -> Line:
    """Takes an event that is no longer in the file out for good; its subscribers keep a cancelled entry."""
    with alone_in(project.folder):
        catalogue, ledger = read_catalogue(project).catalogue, read_ledger(project)
        _refuse_retirement(project, catalogue, ledger, event)
        line = journal.retirement(catalogue, ledger, event, now)
        _write_ledger(project, ledger.extended([line]))
        return line


def _refuse_retirement(project: Project, catalogue: Catalogue, ledger: Ledger, event: str) -> None:
    if event in catalogue.event_by_id:
        raise CatalogueError(
            [Problem(project.catalogue.name, 0, f'event "{event}"', "it is still in the catalogue",
                     'delete it there first, or write status = "cancelled" and a notice')]
        )  # fmt: skip
    if event not in (left := journal.vanished(catalogue, ledger)):
        hint = N_("type one of these: {events}") if left else N_("no event is left to be retired")
        raise LedgerError(
            [Problem(project.ledger.name, 0, f'event "{event}"', "it was never published, or is retired already",
                     hint, {"events": ", ".join(left)})]
        )  # fmt: skip


def store_edition(database: Database, edition: Edition, now: datetime) -> None:
    """Makes this edition the one by which mail is sent."""
    ledger = edition.ledger.all_lines

    def work(connection: Connection) -> bool:
        lines = _lines_of(edition.catalogue), map(write_line, ledger)
        return publish_edition(connection, edition.series.id, *lines, now)

    database.run(work)


def _lines_of(catalogue: Catalogue) -> Iterator[str]:
    """The catalogue without its events as a line of JSON, then each event as one."""
    yield catalogue.model_dump_json(by_alias=True, exclude_defaults=True, exclude={"events"}) + "\n"
    for event in catalogue.events:
        yield event.model_dump_json(by_alias=True, exclude_defaults=True) + "\n"


def deploy(project: Project, catalogue: Catalogue) -> bool:
    """Runs `[site] deploy`, the organiser's own command, in the catalogue's folder; False where there is none."""
    command = catalogue.site.deploy
    if command is None:
        return False
    done = subprocess.run(command, shell=True, cwd=project.folder, check=False)  # noqa: S602 - it is the organiser's own
    if done.returncode:
        raise DeployError(
            "`{command}` ended with {status}; everything else is published", command=command, status=done.returncode
        )
    return True
