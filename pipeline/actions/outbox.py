"""The operator's hand in the outbox: what is in doubt, failed or waiting is sent again, or given up."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from pipeline.store.database import Database
from pipeline.store.editions import published_series
from pipeline.store.outbox import EVERYTHING, Entry, Selection, doubtful, drop_delivery, entries, resend, retry_now
from pipeline.store.tables import WAITING, State

Move = Callable[[Connection, int, int, datetime], bool]


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done to which deliveries, and which were left since it is too late for them."""

    done: tuple[Entry, ...]
    late: tuple[Entry, ...]


def in_doubt(database: Database) -> tuple[Entry, ...]:
    """Every delivery that is in doubt or was sent again out of doubt, of every series."""
    with database.look() as connection:
        return tuple(entry for series in published_series(connection) for entry in doubtful(connection, series))


def listed(
    database: Database, states: tuple[State, ...], which: Selection = EVERYTHING, limit: int | None = None
) -> tuple[Entry, ...]:
    """The deliveries of every series in these states, in the order of leaving."""
    with database.look() as connection:
        return _found(connection, states, which, limit)


def send_again(database: Database, which: Selection, now: datetime) -> Moved:
    """Sends what is held in doubt once more, with the same Message-ID."""
    return database.run(partial(_moved, (State.DOUBT,), which, resend, now, True))


def try_again(database: Database, which: Selection, now: datetime) -> Moved:
    """Tries what has failed once more, and what waits for a later try at once."""

    def move(connection: Connection, campaign: int, subscriber: int, at: datetime) -> bool:
        return resend(connection, campaign, subscriber, at) or retry_now(connection, campaign, subscriber, at)

    return database.run(partial(_moved, (State.FAILED, State.RETRY), which, move, now, True))


def give_up_doubtful(database: Database, which: Selection, now: datetime) -> Moved:
    """Counts what is held in doubt as gone: it isn't sent again."""
    return database.run(partial(_moved, (State.DOUBT,), which, drop_delivery, now, False))


def give_up_waiting(database: Database, which: Selection, now: datetime) -> Moved:
    """Takes back what waits; what a sender has in hand still leaves."""
    return database.run(partial(_moved, WAITING, which, drop_delivery, now, False))


def _moved(
    states: tuple[State, ...], which: Selection, move: Move, now: datetime, must_leave: bool, connection: Connection
) -> Moved:
    found = _found(connection, states, which, None)
    late = tuple(entry for entry in found if must_leave and entry.not_after <= now)
    done = tuple(entry for entry in found if entry not in late and _did(connection, move, entry, now))
    return Moved(done, late)


def _did(connection: Connection, move: Move, entry: Entry, now: datetime) -> bool:
    return move(connection, entry.campaign, entry.subscriber, now)


def _found(connection: Connection, states: tuple[State, ...], which: Selection, limit: int | None) -> tuple[Entry, ...]:
    found: Iterable[Entry] = (
        entry for series in published_series(connection) for entry in entries(connection, series, states, limit, which)
    )
    return tuple(found)
