"""How often something was asked for: counts that survive restarts and hold across machines.

Who asked is kept as a keyed digest only, and no longer than the window lasts.
"""

from datetime import datetime, timedelta

from sqlalchemy import Column, Connection, Integer, Table, Text, case, delete

from pipeline.store.dialects import insert
from pipeline.store.tables import METADATA, Instant

limits = Table(
    "limits",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("uses", Integer, nullable=False),
    Column("until", Instant, nullable=False),
)


def use(connection: Connection, digest: str, most: int, window: timedelta, now: datetime) -> bool:
    """Counts one use; False where there were `most` in the window that the first of them opened."""
    row = insert(connection, limits).values(digest=digest, uses=1, until=now + window)
    over = limits.c.until <= now
    # What is beyond the limit isn't counted further: a flood must neither prolong the wait nor overflow the number.
    counted = row.on_conflict_do_update(
        index_elements=[limits.c.digest],
        set_={
            "uses": case((over, 1), (limits.c.uses > most, limits.c.uses), else_=limits.c.uses + 1),
            "until": case((over, row.excluded.until), else_=limits.c.until),
        },
    )
    return int(connection.execute(counted.returning(limits.c.uses)).scalar_one()) <= most


def forget_uses(connection: Connection, now: datetime) -> int:
    """Deletes the counts whose window is over; returns how many."""
    return int(connection.execute(delete(limits).where(limits.c.until <= now)).rowcount)
