"""Leaving by the link in a mail."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from pipeline.actions.programmes import Programmes, takes_subscriptions
from pipeline.catalogue.texts import Line
from pipeline.errors import StoreError
from pipeline.letters.tokens import UNSUBSCRIBE, read_token
from pipeline.store import subscribers
from pipeline.store.database import Database


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a link belongs to, and the series they would leave."""

    id: int
    address: str
    language: str
    series: Line | None
    site: str
    joins: str = ""
    """The id of the series where people can subscribe, and have the link to their choices mailed; else empty."""


def reader_of(database: Database, programmes: Programmes, token: str, secret: bytes) -> Reader | None:
    """The subscriber of an unsubscribe token; None where it is foreign, altered, or of a forgotten subscriber."""
    public_id = read_token(token, UNSUBSCRIBE, secret)
    if public_id is None:
        return None
    with database.look() as connection:
        found = subscribers.by_public_id(connection, public_id)
        if found is None:
            return None
        catalogue = None
        with suppress(StoreError):  # one leaves without it too
            catalogue = programmes.of(connection, found.series)
    language = found.language if catalogue is None or found.language in catalogue.languages else catalogue.languages[0]
    return Reader(
        found.id, found.address, language,
        catalogue.series.title if catalogue else None, catalogue.site.base if catalogue else "",
        found.series if catalogue and takes_subscriptions(catalogue) else "",
    )  # fmt: skip


def unsubscribe(database: Database, reader: Reader, now: datetime) -> None:
    """Ends the subscription; what waits in the outbox for this reader won't leave."""
    database.join(partial(_leave, reader.id, now))


def _leave(reader: int, now: datetime, connection: Connection) -> None:
    subscribers.unsubscribe(connection, reader, now)
