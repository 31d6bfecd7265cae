"""Who is forgotten while a campaign is given to its recipients gets nothing, and leaves nothing behind."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from patience import PATIENCE, until
from sqlalchemy import Connection, delete, exists, select, text

from pipeline.clock import FrozenClock
from pipeline.letters import Letter
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.database import Database, open_database
from pipeline.store.expansion import CONFIRMATION, enqueue_confirmation, expand
from pipeline.store.subscribers import ALL_KINDS, add, forget
from pipeline.store.tables import campaigns, deliveries, subscribers

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
SERIES = "seminar"


@pytest.fixture
def postgresql_of_two(postgresql_url: str, clock: FrozenClock) -> Iterator[Database]:
    """Two subscribers on PostgreSQL, and a campaign that is due."""
    occasion = Occasion("talk", "day-before", 0, Kind.REMINDERS, NOW, NOW + timedelta(days=1))
    with open_database(postgresql_url, clock) as opened:
        with opened.begin() as connection:
            for name in ("ada", "bob"):
                add(connection, SERIES, f"{name}@example.org", "en", ALL_KINDS, (), "by hand", NOW)
            reconcile(connection, SERIES, Plan((occasion,), ()), NOW)
        yield opened


def give(connection: Connection) -> int:
    (campaign,) = due_campaigns(connection, SERIES, NOW)
    return expand(connection, campaign, {"en": Letter("en", "Soon", b"en\r\n")}, "en", NOW)


def strays(connection: Connection) -> int:
    """Deliveries of which nobody knows the recipient or the campaign."""
    known = select(subscribers.c.id).where(
        subscribers.c.id == deliveries.c.subscriber_id, campaigns.c.id == deliveries.c.campaign_id
    )
    return len(connection.execute(select(deliveries.c.subscriber_id).where(~exists(known))).all())


def until_it_waits(database: Database) -> None:
    """Until a session waits for another one's lock."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )

    def waits() -> object:
        with database.look() as connection:
            return connection.execute(waiting).scalar()

    until(waits)


def test_who_is_forgotten_meanwhile_goes_with_the_new_deliveries(postgresql_of_two: Database) -> None:
    database = postgresql_of_two
    with database.begin() as connection:
        assert give(connection) == 2
        other = threading.Thread(
            target=database.run, args=(lambda forgetting: forget(forgetting, SERIES, "ada@example.org"),)
        )
        other.start()
        until_it_waits(database)
    other.join(PATIENCE)
    with database.look() as connection:
        assert connection.execute(select(deliveries.c.subscriber_id)).all() == [(2,)]
        assert strays(connection) == 0


def test_who_is_being_forgotten_gets_no_delivery(postgresql_of_two: Database) -> None:
    database, number = postgresql_of_two, list[int]()
    with database.begin() as connection:
        assert forget(connection, SERIES, "ada@example.org")
        other = threading.Thread(target=lambda: number.append(database.run(give)))
        other.start()
        until_it_waits(database)
    other.join(PATIENCE)
    assert number == [1]
    with database.look() as connection:
        assert strays(connection) == 0


def test_who_is_being_forgotten_is_asked_nothing(postgresql_of_two: Database) -> None:
    database, asked = postgresql_of_two, list[bool]()
    letter, until = Letter("en", "Do you want it?", b"en\r\n"), NOW + timedelta(days=7)
    with database.begin() as connection:
        assert forget(connection, SERIES, "ada@example.org")
        other = threading.Thread(
            target=lambda: asked.append(
                database.run(lambda asking: enqueue_confirmation(asking, SERIES, 1, letter, NOW, until))
            )
        )
        other.start()
        until_it_waits(database)
    other.join(PATIENCE)
    assert asked == [False]
    with database.look() as connection:
        assert strays(connection) == 0
        assert connection.execute(select(campaigns.c.id).where(campaigns.c.kind == CONFIRMATION)).all() == []


def test_deliveries_go_with_their_campaign(database: Database) -> None:
    occasion = Occasion("talk", "day-before", 0, Kind.REMINDERS, NOW, NOW + timedelta(days=1))
    with database.begin() as connection:
        add(connection, SERIES, "ada@example.org", "en", ALL_KINDS, (), "by hand", NOW)
        reconcile(connection, SERIES, Plan((occasion,), ()), NOW)
        assert give(connection) == 1
        connection.execute(delete(campaigns))
        assert connection.execute(select(deliveries.c.subscriber_id)).all() == []
