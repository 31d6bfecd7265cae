"""How often something was asked for: counts that survive restarts and hold across machines.

Who asked is kept as a keyed digest only, and no longer than the window lasts.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, Connection, Executable, Integer, Table, Text, bindparam, case, delete

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
    spoken = connection.dialect.name
    if spoken not in _COUNTING:
        _COUNTING[spoken] = _counting(connection)
    given = {"given": digest, "most": most, "now": now, "ends": now + window}
    return int(connection.execute(_COUNTING[spoken], given).scalar_one()) <= most


_COUNTING: Final[dict[str, Executable]] = {}
"""The statement for each kind of database: making it takes longer than running it, and every form that is sent does."""


def _counting(connection: Connection) -> Executable:
    row = insert(connection, limits).values(digest=bindparam("given"), uses=1, until=bindparam("ends", type_=Instant))
    over = limits.c.until <= bindparam("now", type_=Instant)
    # What is beyond the limit isn't counted further: a flood must neither prolong the wait nor overflow the number.
    return row.on_conflict_do_update(
        index_elements=[limits.c.digest],
        set_={
            "uses": case((over, 1), (limits.c.uses > bindparam("most"), limits.c.uses), else_=limits.c.uses + 1),
            "until": case((over, row.excluded.until), else_=limits.c.until),
        },
    ).returning(limits.c.uses)


def forget_uses(connection: Connection, now: datetime) -> int:
    """Deletes the counts whose window is over; returns how many."""
    return int(connection.execute(delete(limits).where(limits.c.until <= now)).rowcount)
