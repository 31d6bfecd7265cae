"""Many subscribers at once: who is new, who is there, who asked to be forgotten, told apart in a few statements."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import NO_WISHES, Wishes
from pipeline.store.addresses import Mailbox
from pipeline.store.choices import columns_of, rows_of
from pipeline.store.dialects import insert
from pipeline.store.subscribers import bits, digest_of_forgotten
from pipeline.store.switch import salt
from pipeline.store.tables import Role, Standing, choices, forgotten, subscriber_tags, subscribers

_AT_ONCE = 500  # values in one IN: SQLite of old takes 999


@dataclass(frozen=True, slots=True)
class NewReader:
    """Somebody to be added as active."""

    box: Mailbox
    language: str
    kinds: frozenset[Kind]
    tags: frozenset[str]
    consent: str
    wishes: Wishes = NO_WISHES


def there_already(connection: Connection, series: str, folded: Sequence[str]) -> set[str]:
    """Which of these addresses (as they are compared) have a row, whatever its state."""
    found: set[str] = set()
    for part in _parts(folded):
        query = select(subscribers.c.folded).where(subscribers.c.series == series, subscribers.c.folded.in_(part))
        found.update(connection.execute(query).scalars())
    return found


def asked_to_be_forgotten(connection: Connection, series: str, boxes: Iterable[Mailbox]) -> set[str]:
    """Which of these addresses (as they are compared) may only come back by asking themselves."""
    gone = set(connection.execute(select(forgotten.c.digest).where(forgotten.c.series == series)).scalars())
    if not gone:
        return set()
    key = salt(connection, lambda: secrets.token_hex(16))
    return {box.folded for box in boxes if digest_of_forgotten(key, box) in gone}


def enrol(connection: Connection, series: str, readers: Sequence[NewReader], at: datetime) -> None:
    """Adds people who are neither there nor forgotten; one whom another process added meanwhile stays as they are."""
    if not readers:
        return
    rows = [
        {
            "series": series,
            "address": reader.box.address,
            "mailbox": reader.box.mailbox,
            "folded": reader.box.folded,
            "public_id": secrets.token_urlsafe(12),
            "language": reader.language,
            "kinds": bits(reader.kinds),
            "state": Standing.ACTIVE,
            "bounces": 0,
            "consent": reader.consent,
            "added": at,
            "changed": at,
            "role": Role.READER,
            **columns_of(reader.wishes),
        }
        for reader in readers
    ]
    connection.execute(insert(connection, subscribers).on_conflict_do_nothing(), rows)
    _note_choices(connection, series, [reader for reader in readers if reader.tags or reader.wishes != NO_WISHES])


def _note_choices(connection: Connection, series: str, readers: Sequence[NewReader]) -> None:
    named = {reader.box.folded: reader for reader in readers}
    tagged, chosen = list[dict[str, Any]](), list[dict[str, Any]]()
    for part in _parts(list(named)):
        query = select(subscribers.c.id, subscribers.c.folded)
        found = connection.execute(query.where(subscribers.c.series == series, subscribers.c.folded.in_(part))).all()
        tagged += [{"subscriber_id": row.id, "tag": tag} for row in found for tag in sorted(named[row.folded].tags)]
        chosen += [each for row in found for each in rows_of(row.id, named[row.folded].wishes)]
    for table, rows in ((subscriber_tags, tagged), (choices, chosen)):
        if rows:
            connection.execute(insert(connection, table).on_conflict_do_nothing(), rows)


def _parts(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _AT_ONCE] for start in range(0, len(values), _AT_ONCE))
