"""Which bounces and complaints were dealt with: a mailbox may be read again, a report counts once."""

from datetime import datetime

from sqlalchemy import Connection

from pipeline.store.dialects import insert
from pipeline.store.tables import reports


def is_new(connection: Connection, digest: str, now: datetime) -> bool:
    """Notes a report by its digest; False where it was noted before."""
    row = insert(connection, reports).values(digest=digest, at=now).on_conflict_do_nothing()
    return connection.execute(row.returning(reports.c.digest)).scalar() is not None
