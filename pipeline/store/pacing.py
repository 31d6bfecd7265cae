"""The pace of sending, kept over all connections and machines: slots of time, and what each recipient domain takes."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import BigInteger, Connection, and_, case, select, type_coerce

from pipeline.store.dialects import insert
from pipeline.store.limits import limits, use
from pipeline.store.tables import MICROSECOND, Instant

MINUTE: Final = timedelta(minutes=1)
REST: Final = timedelta(minutes=5)
"""How long a recipient domain is left alone that says that it has had too many."""
_FAR: Final = timedelta(minutes=10)
_FAR_TURN: Final = timedelta(days=1)  # a turn further ahead was reserved by a clock that has been set back since
_RESTS: Final = "rests:"
WARY: Final = timedelta(days=1)
"""How long it is remembered that the mail server fell silent, which leaves messages in doubt."""
_SILENCE: Final = "silence"


def reserve_slot(connection: Connection, series: str, gap: timedelta, now: datetime) -> datetime:
    """When the next message of a series may leave, so that all its messages are `gap` apart, whoever sends them."""
    return _reserved(connection, f"pace:{series}", gap, now, now + too_far(gap))


def too_far(gap: timedelta) -> timedelta:
    """How far ahead no slot is: one that seems to be was reserved by a clock that has been set back since."""
    return max(_FAR, 100 * gap)


def reserve_turns(
    connection: Connection, campaign: int, domain: str, most: int, number: int, since: datetime, not_after: datetime
) -> list[datetime]:
    """When so many more messages of a campaign may leave to a recipient domain that is full until `since`.

    At most `most` of them have their turn in each minute, after those that were given one before. A turn after the
    campaign's last instant, or more than a day ahead, counts for nothing.
    """
    gap = -(-MINUTE // most)  # rounded up: rounded down, some minutes would take one more
    far = min(not_after, since + _FAR_TURN)
    first = _reserved(connection, f"turns:{campaign}:{domain}", number * gap, since, far)
    return [since + (first + n * gap - since) // MINUTE * MINUTE for n in range(number)]


def _reserved(connection: Connection, name: str, span: timedelta, now: datetime, far: datetime) -> datetime:
    """Where a span of time begins that follows what was reserved by this name; `now` where all of that is over.

    What was reserved beyond `far` counts for nothing.
    """
    row = insert(connection, limits).values(digest=name, uses=0, until=now + span)
    kept = type_coerce(limits.c.until, BigInteger)
    lasts = and_(limits.c.until > now, limits.c.until < far)
    moved = case((lasts, kept + span // MICROSECOND), else_=type_coerce(row.excluded.until, BigInteger))
    until = row.on_conflict_do_update(index_elements=[limits.c.digest], set_={"until": type_coerce(moved, Instant)})
    end: datetime = connection.execute(until.returning(limits.c.until)).scalar_one()
    return end - span


def take_turn(connection: Connection, domain: str, most: int, now: datetime) -> datetime | None:
    """Counts a message to a recipient domain, of which `most` leave in a minute; when to come again if it is full."""
    name = f"to:{domain}"
    if use(connection, name, most, MINUTE, now):
        return None
    until: datetime | None = connection.execute(select(limits.c.until).where(limits.c.digest == name)).scalar()
    return until or now + MINUTE


def rest(connection: Connection, domain: str, until: datetime) -> None:
    """Lets a recipient domain that has had enough rest until an instant."""
    _remember(connection, _RESTS + domain, until)


def resting(connection: Connection, now: datetime) -> Mapping[str, datetime]:
    """The recipient domains that rest, and until when; an end that a wrong clock set far ahead counts for nothing."""
    lasts = and_(limits.c.until > now, limits.c.until <= now + 2 * REST)
    named = select(limits.c.digest, limits.c.until).where(limits.c.digest.startswith(_RESTS), lasts)
    return {row.digest.removeprefix(_RESTS): row.until for row in connection.execute(named)}


def note_silence(connection: Connection, now: datetime) -> None:
    """Remembers for a day that the mail server said nothing for too long, for other senders and later rounds."""
    _remember(connection, _SILENCE, now + WARY)


def was_silent(connection: Connection, now: datetime) -> bool:
    """Whether the mail server fell silent lately; what a wrong clock noted far ahead counts for nothing."""
    lately = and_(limits.c.digest == _SILENCE, limits.c.until > now, limits.c.until <= now + 2 * WARY)
    return connection.execute(select(limits.c.digest).where(lately)).first() is not None


def _remember(connection: Connection, name: str, until: datetime) -> None:
    row = insert(connection, limits).values(digest=name, uses=1, until=until)
    connection.execute(row.on_conflict_do_update(index_elements=[limits.c.digest], set_={"until": until}))


def domain_of(address: str) -> str:
    """The recipient domain of an address."""
    return address.rpartition("@")[2].casefold()
