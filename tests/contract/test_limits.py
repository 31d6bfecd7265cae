"""Limits on each kind of database: counted once, across processes, and forgotten when their window is over."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from simulated import START
from sqlalchemy import select

from pipeline.clock import FrozenClock
from pipeline.store.database import Database, open_database
from pipeline.store.limits import forget_uses, limits, use
from pipeline.store.pending import ask_again, erase_unconfirmed
from pipeline.store.subscribers import ALL_KINDS, add, by_id, unsubscribe
from pipeline.store.tables import Standing

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def test_so_many_and_no_more_until_the_window_is_over(database: Database) -> None:
    with database.begin() as connection:
        assert [use(connection, "a", 3, HOUR, START + n * MINUTE) for n in range(5)] == [True] * 3 + [False] * 2
        assert use(connection, "b", 3, HOUR, START)
        # Knocking in vain doesn't prolong the wait.
        assert not use(connection, "a", 3, HOUR, START + 59 * MINUTE)
        assert [use(connection, "a", 3, HOUR, START + HOUR + n * MINUTE) for n in range(4)] == [True] * 3 + [False]


def test_a_flood_from_many_threads_passes_as_often_as_is_allowed(
    shared: Database, lasting_url: str, clock: FrozenClock
) -> None:
    with open_database(lasting_url, clock) as other, ThreadPoolExecutor(6) as pool:
        tries = [
            pool.submit((shared, other)[n % 2].run, lambda connection: use(connection, "a", 7, HOUR, START))
            for n in range(40)
        ]
        assert sum(each.result() for each in tries) == 7


def test_what_is_counted_is_deleted_when_its_window_is_over(database: Database) -> None:
    with database.begin() as connection:
        use(connection, "hour", 3, HOUR, START)
        use(connection, "day", 3, 24 * HOUR, START)
        assert forget_uses(connection, START + HOUR - MINUTE) == 0
        assert forget_uses(connection, START + HOUR) == 1
        assert connection.execute(select(limits.c.digest)).scalars().all() == ["day"]


def test_only_who_never_confirmed_is_erased(database: Database) -> None:
    with database.begin() as connection:
        ids = {
            state: add(connection, "talks", f"{state}@example.org", "en", ALL_KINDS, (), "form", START)[0]
            if state is not Standing.PENDING
            else add(connection, "talks", "pending@example.org", "en", ALL_KINDS, (), "form", START, state)[0]
            for state in Standing
        }
        unsubscribe(connection, ids[Standing.UNSUBSCRIBED], START)
        assert erase_unconfirmed(connection, START) == 0
        assert erase_unconfirmed(connection, START + MINUTE) == 1
        assert by_id(connection, ids[Standing.PENDING]) is None
        assert by_id(connection, ids[Standing.UNSUBSCRIBED]) is not None


def test_asking_again_never_changes_who_is_subscribed(database: Database) -> None:
    with database.begin() as connection:
        active, _ = add(connection, "talks", "ada@example.org", "en", ALL_KINDS, (), "form", START)
        pending, _ = add(connection, "talks", "bob@example.org", "en", ALL_KINDS, (), "form", START, Standing.PENDING)
        before = by_id(connection, active)
        for each in (active, pending):
            ask_again(connection, each, "fr", START + HOUR)
        assert by_id(connection, active) == before
        asked = by_id(connection, pending)
        assert asked is not None
        assert (asked.language, asked.changed) == ("fr", START + HOUR)
