"""Who asked for mail and hasn't confirmed it yet: asking again, and being erased when the time is over."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, bindparam, delete, or_, update

from pipeline.store.expansion import CONFIRMATION
from pipeline.store.tables import Standing, campaigns, subscribers


def ask_again(connection: Connection, subscriber: int, language: str, now: datetime) -> None:
    """Notes that an address asks again: it will be written to in this language. Who is active stays as they are.

    One whose mail came back is asked anew. When somebody left isn't touched: confirmations older than that are void.
    """
    anew = {"language": language, "state": Standing.PENDING, "bounces": 0, "changed": now}
    connection.execute(_WAITING, {"wanted": subscriber, **anew})
    connection.execute(_LEFT, {"wanted": subscriber, "language": language})


_MINE: Final = update(subscribers).where(subscribers.c.id == bindparam("wanted"))
# Not IN: its parameters are spread out anew at each execution.
_WAITING: Final = _MINE.where(or_(subscribers.c.state == Standing.PENDING, subscribers.c.state == Standing.BOUNCED))
_LEFT: Final = _MINE.where(subscribers.c.state == Standing.UNSUBSCRIBED)


def note_consent(connection: Connection, subscriber: int, consent: str, now: datetime) -> None:
    """Keeps the newest proof of consent of somebody who is active and asked for more."""
    connection.execute(update(subscribers).where(subscribers.c.id == subscriber).values(consent=consent, changed=now))


def erase_unconfirmed(connection: Connection, before: datetime) -> int:
    """Erases who asked before an instant and never confirmed, with their confirmation mails; returns how many."""
    return int(connection.execute(_STALE, {"before": before}).rowcount)


def erase_confirmations(connection: Connection, now: datetime) -> int:
    """Erases the confirmation mails whose link is of no use any more; returns how many."""
    return int(connection.execute(_OVER, {"now": now}).rowcount)


_STALE: Final = delete(subscribers).where(
    subscribers.c.state == Standing.PENDING, subscribers.c.changed < bindparam("before")
)
_OVER: Final = delete(campaigns).where(campaigns.c.kind == CONFIRMATION, campaigns.c.not_after <= bindparam("now"))
