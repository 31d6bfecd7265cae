"""The published editions, by which all sending goes: one for each series."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, delete, select

from pipeline.errors import N_, StoreError
from pipeline.store.dialects import insert
from pipeline.store.tables import MICROSECOND, editions, meta

NOTHING_YET = N_("nothing has been published into this database yet; type: tocsin publish")

_PLANNED = "planned "
"""Opens the name, in the table of what the database knows of itself, under which a series' last planning is noted."""


@dataclass(frozen=True, slots=True)
class Published:
    """What `tocsin publish` stored last: the catalogue as JSON, the ledger's text, its head, and when."""

    catalogue: str
    ledger: str
    head: str
    at: datetime


def head_of(ledger: str) -> str:
    """A digest of the ledger's set of lines: the same history has the same head, however a merge ordered it."""
    found = hashlib.sha256()
    for number, line in enumerate(sorted(set(_lines(ledger)))):
        # One after another: joined, a long ledger would be held twice more.
        found.update(b"\n" if number else b"")
        found.update(line.encode())
    return found.hexdigest()


def publish_edition(connection: Connection, series: str, catalogue: str, ledger: str, at: datetime) -> bool:
    """Makes an edition the one that sending goes by; False when it already is.

    Raises StoreError when the ledger lacks a line of the stored one: a machine that is behind must not turn back time.
    """
    refuse_older(connection, series, _lines(ledger))
    before: datetime | None = _stored(connection, series, editions.c.published)
    if before is not None and _holds(connection, series, catalogue, ledger):
        return False
    # Each edition has an instant of its own, so that its stamp tells it from every other.
    published = at if before is None else max(at, before + MICROSECOND)
    values = {"catalogue": catalogue, "ledger": ledger, "head": head_of(ledger), "published": published}
    row = insert(connection, editions).values(series=series, **values)
    # By their names: said twice, long texts would be handed to the database twice.
    again = {name: row.excluded[name] for name in values}
    connection.execute(row.on_conflict_do_update(index_elements=[editions.c.series], set_=again))
    return True


def _holds(connection: Connection, series: str, catalogue: str, ledger: str) -> bool:
    """Whether the stored edition of a series is this one; its texts are read one at a time, since both are long."""
    texts = ((editions.c.ledger, ledger), (editions.c.catalogue, catalogue))
    return all(_stored(connection, series, column) == text for column, text in texts)


def _stored(connection: Connection, series: str, column: Column[Any]) -> Any:
    """One value of a series' stored edition; None before the first `tocsin publish`."""
    return connection.execute(select(column).where(editions.c.series == series)).scalar()


def refuse_older(connection: Connection, series: str, ledger: Iterable[str]) -> None:
    """StoreError where the lines of a ledger lack one of the stored edition, which was published elsewhere."""
    stored = _stored(connection, series, editions.c.ledger)
    missing = _digests(_lines(stored)) - _digests(ledger) if stored is not None else set()
    if missing:
        raise StoreError(
            "this ledger.jsonl lacks {count} of the lines that were last published from elsewhere; "
            "fetch the newest ledger.jsonl (or mend it with `tocsin ledger mend`) and publish again",
            count=len(missing),
        )


def published_edition(connection: Connection, series: str) -> Published | None:
    """The edition that sending goes by; None before the first `tocsin publish`."""
    row = connection.execute(select(editions).where(editions.c.series == series)).one_or_none()
    return None if row is None else Published(row.catalogue, row.ledger, row.head, row.published)


def edition_stamp(connection: Connection, series: str) -> str | None:
    """What tells the stored edition from every other one of its series; None before the first `tocsin publish`."""
    found = connection.execute(select(editions.c.published, editions.c.head).where(editions.c.series == series)).first()
    return None if found is None else f"{found.published.isoformat()} {found.head}"


def planned_for(connection: Connection, series: str) -> str:
    """The note that the last planning left; empty where something has changed since."""
    query = select(meta.c.value).where(meta.c.name == _PLANNED + series)
    return connection.execute(query).scalar() or ""


def note_planning(connection: Connection, series: str, note: str) -> None:
    """Leaves a note that the campaigns are in line with the plan."""
    row = insert(connection, meta).values(name=_PLANNED + series, value=note)
    connection.execute(row.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": note}))


def forget_planning(connection: Connection, series: str) -> None:
    """Takes the note away: the next tick plans anew."""
    connection.execute(delete(meta).where(meta.c.name == _PLANNED + series))


def _digests(lines: Iterable[str]) -> set[bytes]:
    """What tells lines apart, however long they are."""
    return {hashlib.blake2b(line.strip().encode(), digest_size=16).digest() for line in lines}


def _lines(ledger: str) -> Iterator[str]:
    """The lines of a ledger's text one at a time, without the empty ones."""
    lines = (found[0].strip() for found in re.finditer(r"[^\n]+", ledger))
    return (line for line in lines if line)


def published_series(connection: Connection) -> tuple[str, ...]:
    """The ids of all series that were published into this database."""
    return tuple(connection.execute(select(editions.c.series).order_by(editions.c.series)).scalars())
