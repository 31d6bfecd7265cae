"""The published editions, by which all sending goes: one for each series, its texts packed in parts."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select, update

from pipeline.errors import N_, StoreError
from pipeline.store.dialects import insert
from pipeline.store.tables import EPOCH, MICROSECOND, edition_parts, editions, meta

NOTHING_YET = N_("nothing has been published into this database yet; type: tocsin publish")

PART: Final = 250_000
"""A part ends with the line by which it has so many characters."""

_PLANNED = "planned "
"""Opens the name, in the table of what the database knows of itself, under which a series' last planning is noted."""

_CATALOGUE, _LEDGER = "catalogue", "ledger"


@dataclass(frozen=True, slots=True)
class Packed:
    """A long text as it is stored; it comes in runs of whole lines."""

    parts: tuple[bytes, ...]

    def __iter__(self) -> Iterator[bytes]:
        return map(zlib.decompress, self.parts)


class Published(NamedTuple):
    """What `tocsin publish` stored last, as of one moment."""

    catalogue: Packed
    ledger: Packed


def publish_edition(
    connection: Connection, series: str, catalogue: Iterable[str], ledger: Iterable[str], at: datetime
) -> bool:
    """Makes an edition, given in lines with their line breaks, the one that sending goes by; False when it already is.

    Raises StoreError when the ledger lacks a line of the stored one: a machine that is behind must not turn back time.
    """
    before = _taken(connection, series)
    known, told = _stored_lines(connection, series), set[bytes]()
    is_new = _keep(connection, series, _CATALOGUE, catalogue)
    is_new |= _keep(connection, series, _LEDGER, _noted(ledger, told))
    # Afterwards, so that a long ledger is written as text once: what was kept is rolled back with the transaction.
    _refuse(known - told)
    if is_new:
        # Each edition has an instant of its own, so that its stamp tells it from every other.
        stamp = {"head": _head(told), "published": max(at, before + MICROSECOND)}
        connection.execute(update(editions).where(editions.c.series == series).values(stamp))
    return is_new


def _taken(connection: Connection, series: str) -> datetime:
    """When a series was last published. Its row is this transaction's alone: of two that publish at once one waits."""
    row = insert(connection, editions).values(series=series, head="", published=EPOCH)
    taken = row.on_conflict_do_update(index_elements=[editions.c.series], set_={"series": row.excluded.series})
    published: datetime = connection.execute(taken.returning(editions.c.published)).scalar_one()
    return published


def _keep(connection: Connection, series: str, text: str, lines: Iterable[str]) -> bool:
    """Stores a text in parts, one at a time; those that are stored already stay. Whether another text was stored."""
    parts = edition_parts.c
    mine = (parts.series == series) & (parts.part_of == text)
    row, is_new, count = insert(connection, edition_parts), False, 0
    for body in _packed(lines):
        stored = connection.execute(select(parts.body).where(mine, parts.number == count)).scalar()
        if stored != body:
            another = row.values(series=series, part_of=text, number=count, body=body)
            keys = [parts.series, parts.part_of, parts.number]
            connection.execute(another.on_conflict_do_update(index_elements=keys, set_={"body": row.excluded.body}))
            is_new = True
        count += 1
    return bool(connection.execute(delete(edition_parts).where(mine, parts.number >= count)).rowcount) or is_new


def _packed(lines: Iterable[str]) -> Iterator[bytes]:
    run, length = list[str](), 0
    for line in lines:
        run.append(line)
        length += len(line)
        if length >= PART:
            yield zlib.compress("".join(run).encode(), level=1)
            run, length = [], 0
    if run:
        yield zlib.compress("".join(run).encode(), level=1)


def refuse_older(connection: Connection, series: str, ledger: Iterable[str]) -> None:
    """StoreError where the lines of a ledger lack one of the stored edition, which was published elsewhere."""
    if known := _stored_lines(connection, series):
        _refuse(known - {_digest(line.encode()) for line in ledger})


def _refuse(missing: set[bytes]) -> None:
    if missing:
        raise StoreError(
            "this ledger.jsonl lacks {count} of the lines that were last published from elsewhere; "
            "fetch the newest ledger.jsonl (or mend it with `tocsin ledger mend`) and publish again",
            count=len(missing),
        )


def _noted(lines: Iterable[str], told: set[bytes]) -> Iterator[str]:
    """The same lines; what tells each from others is put into `told` when it goes by."""
    for line in lines:
        told.add(_digest(line.encode()))
        yield line


def _stored_lines(connection: Connection, series: str) -> set[bytes]:
    """What tells the lines of the stored ledger apart."""
    ledger = _stored(connection, series, _LEDGER)[_LEDGER]
    return {_digest(line) for run in ledger for line in run.splitlines() if line.strip()}


def _stored(connection: Connection, series: str, *texts: str) -> Mapping[str, Packed]:
    """Texts of a series' edition by their names, without parts before the first `tocsin publish`."""
    parts = edition_parts.c
    query = select(parts.part_of, parts.body).where(parts.series == series, parts.part_of.in_(texts))
    rows = connection.execute(query.order_by(parts.number)).all()
    return {text: Packed(tuple(row.body for row in rows if row.part_of == text)) for text in texts}


def _digest(line: bytes) -> bytes:
    """What tells a line from others, however long it is."""
    return hashlib.blake2b(line.strip(), digest_size=16).digest()


def _head(lines: set[bytes]) -> str:
    """A digest of a ledger's set of lines: the same history has the same head, however a merge ordered it."""
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest()


def published_edition(connection: Connection, series: str) -> Published | None:
    """The edition that sending goes by; None before the first `tocsin publish`."""
    # Both in one question: else somebody might publish between two.
    texts = _stored(connection, series, _CATALOGUE, _LEDGER)
    return Published(texts[_CATALOGUE], texts[_LEDGER]) if texts[_CATALOGUE].parts else None


def published_catalogue(connection: Connection, series: str) -> Packed | None:
    """The catalogue of that edition alone."""
    catalogue = _stored(connection, series, _CATALOGUE)[_CATALOGUE]
    return catalogue if catalogue.parts else None


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


def published_series(connection: Connection) -> tuple[str, ...]:
    """The ids of all series that were published into this database."""
    return tuple(connection.execute(select(editions.c.series).order_by(editions.c.series)).scalars())
