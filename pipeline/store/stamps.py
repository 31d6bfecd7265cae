"""When each series was last published: a cheap question before the dear one for the whole edition."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from pipeline.store.tables import editions


def stamps(connection: Connection) -> Mapping[str, tuple[datetime, str]]:
    """For each published series the instant of its edition and the ledger's head, which together name the edition."""
    return {row.series: (row.published, row.head) for row in connection.execute(_STAMPS)}


_STAMPS: Final = select(editions.c.series, editions.c.published, editions.c.head)
