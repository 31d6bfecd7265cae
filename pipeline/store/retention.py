"""How long the records of mails are kept; what stays is enough never to send anything twice."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, delete, exists, select

from pipeline.store.choices import follow_only
from pipeline.store.dialects import insert
from pipeline.store.outbox import NOTHING_OPEN
from pipeline.store.subscribers import forget
from pipeline.store.tables import (
    Progress,
    Standing,
    campaigns,
    deliveries,
    letters,
    meta,
    subscribers,
)

_TIDIED: Final = "tidied"
_NOTE: Final = select(meta.c.value).where(meta.c.name == _TIDIED)


def last_tidied(connection: Connection) -> str | None:
    """The note that the last tidying left."""
    return connection.execute(_NOTE).scalar()


def note_tidied(connection: Connection, note: str) -> None:
    """Leaves a note that all was tidied."""
    row = insert(connection, meta).values(name=_TIDIED, value=note)
    connection.execute(row.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": note}))


def busy_events(connection: Connection, series: str) -> frozenset[str]:
    """The events about which mails are planned or under way."""
    query = select(campaigns.c.event).where(
        campaigns.c.series == series,
        campaigns.c.event != "",
        campaigns.c.state.in_((Progress.PLANNED, Progress.EXPANDED)),
    )
    return frozenset(connection.execute(query.distinct()).scalars())


def erase_followers(connection: Connection, series: str, over: frozenset[str]) -> int:
    """Erases who subscribed to single events all of which are over; returns how many.

    Of who had left or whose mail came back a keyed hash stays, so that no import brings the address back.
    """
    them = follow_only(series, over)
    unwilling = subscribers.c.state.not_in((Standing.ACTIVE, Standing.PENDING))
    left = connection.execute(select(subscribers.c.address).where(them, unwilling)).scalars().all()
    for address in left:
        forget(connection, series, address)
    return len(left) + int(connection.execute(delete(subscribers).where(them)).rowcount)


def erase_deliveries(connection: Connection, series: str, live: Iterable[str], before: datetime) -> int:
    """Erases who got the mails that were over before an instant, and their letters; returns how many records.

    The campaigns stay: a campaign that was expanded once is never expanded again. Nothing of a live event is erased,
    since its changes go to whom its earlier mails went.
    """
    old = select(campaigns.c.id).where(
        and_(
            campaigns.c.series == series,
            campaigns.c.state == Progress.DONE,
            campaigns.c.not_after < before,
            campaigns.c.event.not_in(sorted(live)),
            exists(select(letters.c.campaign_id).where(letters.c.campaign_id == campaigns.c.id)),
            NOTHING_OPEN,
        )
    )
    ids = list(connection.execute(old).scalars())
    gone = 0
    for campaign in ids:
        gone += int(connection.execute(delete(deliveries).where(deliveries.c.campaign_id == campaign)).rowcount)
        connection.execute(delete(letters).where(letters.c.campaign_id == campaign))
    return gone
