"""Addressees that the catalogue names and nobody subscribed: existing mailing lists, and the organiser who gets proofs.

Each is a row beside the subscribers, so that a post to it is claimed, sent and accounted for like any other mail.
"""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, select, update

from pipeline.reminders.occasions import Kind
from pipeline.store.addresses import normalised
from pipeline.store.dialects import insert
from pipeline.store.subscribers import bits
from pipeline.store.tables import Role, Standing, subscribers


@dataclass(frozen=True, slots=True)
class Addressee:
    """A list or the organiser: `language` names the letter it gets, as the letters of a campaign are stored."""

    role: Role
    address: str
    language: str
    kinds: frozenset[Kind]


def keep_addressees(connection: Connection, series: str, wanted: Iterable[Addressee], now: datetime) -> None:
    """Makes the rows of a series' addressees those that the published catalogue names; the others get nothing more."""
    kept = [_kept(connection, series, addressee, now) for addressee in wanted]
    gone = and_(
        subscribers.c.series == series,
        subscribers.c.role != Role.READER,
        subscribers.c.state == Standing.ACTIVE,
        subscribers.c.id.not_in(kept),
    )
    connection.execute(update(subscribers).where(gone).values(state=Standing.UNSUBSCRIBED, changed=now))


def addressees(connection: Connection, series: str, role: Role) -> tuple[int, ...]:
    """The rows of the active addressees of a role."""
    query = select(subscribers.c.id).where(
        subscribers.c.series == series, subscribers.c.role == role, subscribers.c.state == Standing.ACTIVE
    )
    return tuple(connection.execute(query.order_by(subscribers.c.id)).scalars())


def _kept(connection: Connection, series: str, addressee: Addressee, now: datetime) -> int:
    box = normalised(addressee.address)
    # Apart from a reader of the same address, which may well be there.
    folded = f"{addressee.role} {box.folded}"
    says = {"language": addressee.language, "kinds": bits(addressee.kinds), "state": Standing.ACTIVE}
    mine = select(subscribers).where(subscribers.c.series == series, subscribers.c.folded == folded)
    found = connection.execute(mine).one_or_none()
    if found is None:
        row = insert(connection, subscribers).values(
            series=series,
            address=box.address,
            mailbox=box.mailbox,
            folded=folded,
            public_id=secrets.token_urlsafe(12),
            bounces=0,
            consent="named in the catalogue",
            added=now,
            changed=now,
            role=addressee.role,
            **says,
        )
        # Another planner may add it at this very moment: then its row is the one.
        connection.execute(row.on_conflict_do_nothing(index_elements=[subscribers.c.series, subscribers.c.folded]))
        found = connection.execute(mine).one()
    if any(getattr(found, name) != value for name, value in says.items()):
        connection.execute(update(subscribers).where(subscribers.c.id == found.id).values(**says, changed=now))
    return int(found.id)
