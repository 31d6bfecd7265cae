"""Who asked for mail and hasn't confirmed it yet: asking again, and being erased when the time is over."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, bindparam, delete, select, update

from pipeline.store.expansion import CONFIRMATION
from pipeline.store.tables import Role, Standing, campaigns, subscribers


def ask_again(connection: Connection, subscriber: int, language: str, now: datetime) -> None:
    """Notes that an address asks again: it will be written to in this language. An active subscriber stays as it is.

    One whose mail came back is asked anew. When somebody left isn't touched: confirmations older than that are void.
    """
    mine = subscribers.c.id == subscriber
    waiting = subscribers.c.state.in_((Standing.PENDING, Standing.BOUNCED))
    connection.execute(
        update(subscribers)
        .where(mine, waiting)
        .values(language=language, state=Standing.PENDING, bounces=0, changed=now)
    )
    left = subscribers.c.state == Standing.UNSUBSCRIBED
    connection.execute(update(subscribers).where(mine, left).values(language=language))


def note_consent(connection: Connection, subscriber: int, consent: str, now: datetime) -> None:
    """Keeps the newest proof of consent of somebody who is active and asked for more."""
    connection.execute(update(subscribers).where(subscribers.c.id == subscriber).values(consent=consent, changed=now))


def is_reader(connection: Connection, subscriber: int) -> bool:
    """Whether a row is a person's; a mailing list and the organiser can't join, choose or leave by a link."""
    return bool(connection.execute(_ROLE, {"wanted": subscriber}).scalar() == Role.READER)


_ROLE: Final = select(subscribers.c.role).where(subscribers.c.id == bindparam("wanted"))


def erase_unconfirmed(connection: Connection, before: datetime) -> int:
    """Erases who asked before an instant and never confirmed, with their confirmation mails; returns how many."""
    stale = and_(subscribers.c.state == Standing.PENDING, subscribers.c.changed < before)
    return int(connection.execute(delete(subscribers).where(stale)).rowcount)


def erase_confirmations(connection: Connection, now: datetime) -> int:
    """Erases the confirmation mails whose link is of no use any more; returns how many."""
    over = and_(campaigns.c.kind == CONFIRMATION, campaigns.c.not_after <= now)
    return int(connection.execute(delete(campaigns).where(over)).rowcount)
