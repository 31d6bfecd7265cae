"""Importing and exporting subscribers as CSV: each wrong row is told and passed over, each right one counts."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice

from sqlalchemy import Connection

from pipeline.actions.personal_data import signed_rules
from pipeline.actions.subscribers import COLUMNS, Row, problem, rows_of
from pipeline.errors import N_, Problem
from pipeline.reminders.wishes import Wishes
from pipeline.store.addresses import Mailbox, normalised
from pipeline.store.database import Database
from pipeline.store.enrolment import NewReader, asked_to_be_forgotten, enrol, there_already
from pipeline.store.subscribers import Subscriber

CHUNK = 1000
"""Rows in one transaction: a fraction of a second, so that a running service hardly waits."""


@dataclass(frozen=True, slots=True)
class Imported:
    """How many people were (or would be) added, how many were there already, and every refused row."""

    added: int
    there: int
    refused: tuple[Problem, ...]


def import_csv(
    database: Database, series: str, text: str, name: str, languages: Sequence[str], now: datetime, *, dry_run: bool
) -> Imported:
    """Adds the people of a CSV who asked for it; who is there already stays as they are. A dry run adds nobody.

    CatalogueError where the header is another one than `rows_of` reads.
    """
    refused: list[Problem] = []
    rows = _with_consent(rows_of(text, name, languages), name, refused)
    seen: set[str] = set()
    added = there = 0
    while chunk := list(islice(rows, CHUNK)):
        work = partial(_take, series, chunk, seen, now, dry_run)
        result = _looked(database, work) if dry_run else database.run(work)
        seen |= {reader.box.folded for reader in result.new}
        added += len(result.new)
        there += result.there
        refused += [problem(name, row.line, "{address} asked to be forgotten and can only come back by subscribing",
                            "delete the row", address=row.entry.address) for row in result.forgotten]  # fmt: skip
    return Imported(added, there, tuple(sorted(refused, key=lambda wrong: wrong.line)))


@dataclass(frozen=True, slots=True)
class _Sorted:
    new: list[NewReader]
    there: int
    forgotten: list[Row]


def _looked(database: Database, work: Callable[[Connection], _Sorted]) -> _Sorted:
    with database.look() as connection:
        return work(connection)


def _take(
    series: str, rows: Sequence[Row], seen: set[str], now: datetime, dry_run: bool, connection: Connection
) -> _Sorted:
    boxes = [_box(row.entry.address) for row in rows]
    known = there_already(connection, series, [box.folded for box in boxes]) | seen
    gone = asked_to_be_forgotten(connection, series, boxes)
    new: dict[str, NewReader] = {}
    away: list[Row] = []
    there = 0
    for row, box in zip(rows, boxes, strict=True):
        if box.folded in gone:
            away.append(row)
        elif box.folded in known or box.folded in new:
            there += 1
        else:
            entry = row.entry
            new[box.folded] = NewReader(box, entry.language, entry.kinds, entry.tags, entry.consent, entry.wishes)
    if not dry_run:
        enrol(connection, series, list(new.values()), now)
    return _Sorted(list(new.values()), there, away)


def _with_consent(rows: Iterable[Row | Problem], name: str, refused: list[Problem]) -> Iterator[Row]:
    """The right rows of those who asked for mail, one after the other; the others go to `refused`."""
    for row in rows:
        if isinstance(row, Problem):
            refused.append(row)
        elif row.entry.consent:
            yield row
        else:
            hint = N_("write when and how they asked for mail")
            refused.append(
                problem(name, row.line, N_("{address}: `consent` is empty"), hint, address=row.entry.address)
            )


def _box(address: str) -> Mailbox:
    """The mailbox of an address that is normalised already: only one that isn't ASCII has to be looked at again."""
    return Mailbox(address, address, address.casefold()) if address.isascii() else normalised(address)


def export_csv(readers: Iterable[Subscriber]) -> str:
    """People as the CSV that `import` reads: their choices and their consent, not their state."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for reader in readers:
        kinds = " ".join(sorted(kind.value for kind in reader.kinds))
        chosen = (reader.address, reader.language, kinds, " ".join(sorted(reader.tags)), reader.consent)
        writer.writerow((*chosen, *_cells(reader.wishes)))
    return text.getvalue()


def _cells(wishes: Wishes) -> tuple[str, ...]:
    """The cells beyond the first ones."""
    return (
        " ".join(signed_rules(wishes)),
        " ".join(sorted(wishes.groups)),
        ";".join(sorted(wishes.cities)),
        " ".join(sorted(wishes.ways)),
        " ".join(sorted(wishes.events)),
        "yes" if wishes.text_only else "",
        wishes.paused_until.isoformat() if wishes.paused_until else "",
    )
