"""How often something was asked for: counts that survive restarts and hold across machines.

Who asked is kept as a keyed digest only, and no longer than the window lasts.
"""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Column, Connection, Executable, Integer, Table, Text, bindparam, case, delete, or_

from pipeline.store.dialects import Statement, insert
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
    given = {"given": digest, "most": most, "now": now, "ends": now + window, "far": now + 2 * window}
    return int(connection.execute(_COUNTING.on(connection), given).scalar_one()) <= most


def _counting(connection: Connection) -> Executable:
    row = insert(connection, limits).values(digest=bindparam("given"), uses=1, until=bindparam("ends", type_=Instant))
    # A window that ends so far ahead was opened by a clock that has been set back since, or that is wrong.
    over = or_(limits.c.until <= bindparam("now", type_=Instant), limits.c.until > bindparam("far", type_=Instant))
    # What is beyond the limit isn't counted further: a flood must neither prolong the wait nor overflow the number.
    return row.on_conflict_do_update(
        index_elements=[limits.c.digest],
        set_={
            "uses": case((over, 1), (limits.c.uses > bindparam("most"), limits.c.uses), else_=limits.c.uses + 1),
            "until": case((over, row.excluded.until), else_=limits.c.until),
        },
    ).returning(limits.c.uses)


_COUNTING: Final = Statement(_counting)


def forget_uses(connection: Connection, now: datetime) -> int:
    """Deletes the counts whose window is over; returns how many."""
    return int(connection.execute(_OVER, {"now": now}).rowcount)


_OVER: Final = delete(limits).where(limits.c.until <= bindparam("now"))
