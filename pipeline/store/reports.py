"""Which bounces and complaints were dealt with: a mailbox may be read again, a report counts once."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete

from pipeline.store.dialects import insert
from pipeline.store.tables import reports

KEPT_FOR: Final = timedelta(days=400)
"""So long after it was last seen it is known that a report was dealt with."""
_FRESH: Final = timedelta(days=30)


def is_new(connection: Connection, digest: str, now: datetime) -> bool:
    """Notes a report by its digest; False where it was noted before. One that is seen again is known for longer."""
    row = insert(connection, reports).values(digest=digest, at=now).on_conflict_do_nothing()
    if connection.execute(row.returning(reports.c.digest)).scalar() is not None:
        return True
    seen = reports.update().where(reports.c.digest == digest, reports.c.at < now - _FRESH)
    connection.execute(seen.values(at=now))
    return False


def forget_reports(connection: Connection, now: datetime) -> int:
    """Deletes what is known of reports that nobody has shown us for long; returns how many."""
    return int(connection.execute(delete(reports).where(reports.c.at < now - KEPT_FOR)).rowcount)
