"""Several senders on one outbox: a dead one, a busy one, and two that share the work."""

from datetime import timedelta
from pathlib import Path

from sqlalchemy import update
from test_deliver import NOW, SERIES, address, queue, reached, round_of

from pipeline.actions.deliver import Delivered
from pipeline.clock import FrozenClock
from pipeline.store.claims import claim
from pipeline.store.database import Database, open_database
from pipeline.store.deliveries import start
from pipeline.store.senders import sending
from pipeline.store.tables import IS_IN_HAND, deliveries
from pipeline.testing import CapturingTransport


def test_what_a_dead_sender_held_is_free_at_once(database: Database) -> None:
    queue(database, 3)
    with database.begin() as connection:
        first, *_ = claim(connection, SERIES, 2, "dead", timedelta(days=1), NOW)
        start(connection, first, "dead", NOW + timedelta(days=1), NOW, NOW)
    transport = CapturingTransport()
    assert round_of(database, transport).sent == 3
    assert sorted(set(reached(transport))) == [address(number) for number in range(3)]


def test_a_second_sender_on_one_file_finds_it_busy(tmp_path: Path, clock: FrozenClock) -> None:
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as database:
        queue(database, 1)
        with sending(database, "first") as first:
            assert first is not None
            assert round_of(database, CapturingTransport()) == Delivered(busy=True)
        assert round_of(database, CapturingTransport()).sent == 1


def test_a_patient_round_waits_for_the_living_on_postgresql(postgresql_url: str, clock: FrozenClock) -> None:
    class Waiting(FrozenClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            # Leases go by the database's clock, which nothing here can move.
            with database.begin() as connection:
                connection.execute(update(deliveries).where(IS_IN_HAND).values(lease_until=NOW - timedelta(days=9999)))

    with open_database(postgresql_url, clock) as database, sending(database, "alive") as alive:
        assert alive is not None
        queue(database, 3)
        alive.run(lambda connection: claim(connection, SERIES, 2, "alive", timedelta(days=1), NOW))
        transport = CapturingTransport()
        assert round_of(database, transport) == Delivered(sent=1, waiting=2)
        database.clock = waited = Waiting(NOW)
        assert round_of(database, transport, patient=True) == Delivered(sent=2)
        assert waited.now() > NOW


def test_two_senders_share_the_work_on_postgresql(postgresql_url: str, clock: FrozenClock) -> None:
    with open_database(postgresql_url, clock) as database, open_database(postgresql_url, clock) as second:
        queue(database, 250)
        here, there = CapturingTransport(), CapturingTransport()

        def midway(so_far: Delivered) -> None:
            if so_far.sent == 60 and not there.sent:
                assert round_of(second, there).sent == 100

        # It holds its second batch by then, which is twice as large as the first.
        assert round_of(database, here, progress=midway).sent == 150
        assert sorted(reached(here) + reached(there)) == sorted(address(number) for number in range(250))
