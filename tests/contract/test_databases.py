"""What is peculiar to one kind of database: files, locks, servers that go away, statements that must stay quick."""

import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from patience import until
from sqlalchemy import event, text, update

from pipeline.actions.doctor import Health, examine_database
from pipeline.clock import FrozenClock, SystemClock
from pipeline.errors import SettingsError, StoreError
from pipeline.letters import Letter
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.claims import claim, reap, release, renew
from pipeline.store.database import Database, open_database
from pipeline.store.deliveries import InDoubt, start
from pipeline.store.expansion import expand
from pipeline.store.outbox import close_finished, counts, doubtful, expire, others_hold_until, waiting
from pipeline.store.senders import sending
from pipeline.store.subscribers import add
from pipeline.store.switch import arm, installation, is_armed, why_held
from pipeline.store.tables import State, deliveries

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
LEASE = timedelta(seconds=60)
SERIES = "seminar"


def queue(database: Database, readers: int) -> None:
    occasion = Occasion("talk", "day-before", 0, Kind.REMINDERS, NOW, NOW + timedelta(days=1))
    with database.begin() as connection:
        arm(connection, installation(database), NOW)
        for number in range(readers):
            add(connection, SERIES, f"reader{number}@example.org", "en", Kind, (), "by hand", NOW)
        reconcile(connection, SERIES, Plan((occasion,), ()), NOW)
        for campaign in due_campaigns(connection, SERIES, NOW):
            expand(connection, campaign, {"en": Letter("en", "Soon", b"")}, "en", NOW)


class TestOpening:
    @pytest.mark.parametrize("url", ["", "tocsin.db", "mysql://localhost/x", "sqlite+nothing", "postgresql://h:port/x"])
    def test_a_url_that_cannot_be_understood_says_what_to_write(self, url: str, clock: FrozenClock) -> None:
        with pytest.raises(SettingsError, match="write sqlite:///FILE, postgresql://"):
            open_database(url, clock)

    def test_a_new_file_and_its_folder_are_made_for_their_owner_only(self, tmp_path: Path, clock: FrozenClock) -> None:
        path = tmp_path / "var" / "tocsin.db"
        with open_database(f"sqlite:///{path}", clock) as database:
            assert database.file == path
            assert database.place == str(path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_a_missing_file_is_not_made_where_that_is_not_wanted(self, tmp_path: Path, clock: FrozenClock) -> None:
        with pytest.raises(StoreError, match="there is no database at"):
            open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock, create=False)
        assert list(tmp_path.iterdir()) == []

    def test_a_file_that_is_no_database(self, tmp_path: Path, clock: FrozenClock) -> None:
        path = tmp_path / "notes.txt"
        path.write_text("not a database at all, but long enough to look like one\n" * 50)
        with pytest.raises(StoreError, match=r"notes\.txt is not a database"):
            open_database(f"sqlite:///{path}", clock)

    def test_a_folder_that_cannot_be_made(self, tmp_path: Path, clock: FrozenClock) -> None:
        (tmp_path / "var").write_text("a file")
        with pytest.raises(StoreError, match="can't be made"):
            open_database(f"sqlite:///{tmp_path / 'var' / 'tocsin.db'}", clock)

    def test_a_server_that_is_not_there(self, tmp_path: Path, clock: FrozenClock) -> None:
        with pytest.raises(StoreError, match="can't be used") as caught:
            open_database(f"postgresql://tocsin:hunter2@/x?host={tmp_path}", clock)
        assert "hunter2" not in str(caught.value)

    def test_two_processes_may_create_it_at_once(self, lasting_url: str) -> None:
        faults: list[Exception] = []

        def create() -> None:
            try:
                open_database(lasting_url, SystemClock()).close()
            except Exception as error:  # noqa: BLE001 - told below
                faults.append(error)

        threads = [threading.Thread(target=create) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert faults == []


@contextmanager
def locked(file: Path, how: str = "IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """A database that somebody else writes in for the length of a block."""
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute(f"BEGIN {how}")
        yield other


class Counting(FrozenClock):
    """A clock that does something each time that somebody waits by it."""

    def __init__(self, at_each: Callable[[int], object]) -> None:
        super().__init__(NOW)
        self.waits, self._at_each = 0, at_each

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.waits += 1
        self._at_each(self.waits)


class TestSQLite:
    @pytest.fixture
    def file(self, tmp_path: Path) -> Path:
        return tmp_path / "tocsin.db"

    def test_a_copy_and_a_restored_backup_are_held(self, file: Path, clock: FrozenClock) -> None:
        with open_database(f"sqlite:///{file}", clock) as database:
            queue(database, 1)
        copy = file.with_name("copy.db")
        copy.write_bytes(file.read_bytes())
        with open_database(f"sqlite:///{copy}", clock) as database, database.look() as connection:
            assert "in another folder" in why_held(connection, installation(database))
        copy.replace(file)
        with open_database(f"sqlite:///{file}", clock) as database, database.look() as connection:
            assert "is a copy or was restored" in why_held(connection, installation(database))

    def test_a_locked_database_is_told_in_words(
        self, file: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pipeline.store.database.LOCK_TIMEOUT", 0.05)
        with open_database(f"sqlite:///{file}", clock) as database, locked(file) as other:
            before = clock.now()
            for ask in (database.run, database.join):
                with pytest.raises(StoreError, match=r"another process has kept the database .* then try again"):
                    ask(lambda connection: counts(connection, SERIES))
            assert clock.now() == before  # SQLite itself has waited: no try follows
            with database.look() as connection:  # who only reads waits for nobody
                assert counts(connection, SERIES) == {}
            other.execute("ROLLBACK")
            assert database.run(lambda connection: counts(connection, SERIES)) == {}

    def test_a_sender_waits_longer_since_it_must_note_what_it_has_sent(
        self, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pipeline.store.database.LOCK_TIMEOUT", 0.05)
        clock = Counting(lambda waits: waits == 2 and other.execute("ROLLBACK"))
        with open_database(f"sqlite:///{file}", clock) as database, sending(database, "one") as sender:
            with locked(file) as other:
                assert sender.run(lambda connection: counts(connection, SERIES)) == {}
            assert clock.waits == 2

    def test_a_new_file_that_another_process_keeps_locked_is_told_too(
        self, file: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("pipeline.store.database._SHORT_WAIT", 1)
        monkeypatch.setattr("pipeline.store.database.LOCK_TIMEOUT", 3600)
        with locked(file, "EXCLUSIVE"), pytest.raises(StoreError, match="another process has kept the database"):
            open_database(f"sqlite:///{file}", clock)

    def test_many_threads_write_without_losing_a_race(self, file: Path) -> None:
        with open_database(f"sqlite:///{file}", SystemClock()) as database:
            queue(database, 200)
            taken: list[int] = []

            def work(name: str) -> None:
                while found := database.run(lambda connection: claim(connection, SERIES, 5, name, LEASE, NOW)):
                    taken.extend(item.recipient.subscriber for item in found)

            run_all(work)
            assert sorted(taken) == sorted(set(taken))
            assert len(taken) == 200

    def test_the_settings_that_survive_a_power_cut(self, file: Path, clock: FrozenClock) -> None:
        with open_database(f"sqlite:///{file}", clock) as database, database.look() as connection:
            pragmas = ("journal_mode", "synchronous", "foreign_keys")
            found = {name: connection.execute(text(f"PRAGMA {name}")).scalar() for name in pragmas}
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}

    def test_claiming_and_reaping_never_read_the_whole_outbox(self, file: Path, clock: FrozenClock) -> None:
        with open_database(f"sqlite:///{file}", clock) as database:
            queue(database, 20)
            seen: list[tuple[str, object]] = []

            def note(_c: object, _u: object, statement: str, values: object, _x: object, _m: bool) -> None:
                seen.append((statement, values))

            event.listen(database.engine, "before_cursor_execute", note)
            with database.begin() as connection:
                claim(connection, SERIES, 5, "me", LEASE, NOW)
                reap(connection, "other", ("me",), InDoubt.RESEND, NOW)
                renew(connection, "me", NOW + LEASE, NOW)
                release(connection, "me")
                expire(connection, SERIES, NOW)
                close_finished(connection, SERIES)
                others_hold_until(connection, SERIES, "me")
                waiting(connection, SERIES)
                doubtful(connection, SERIES)
            event.remove(database.engine, "before_cursor_execute", note)
            with sqlite3.connect(file) as plain:
                plans = [
                    row[3]
                    for statement, values in seen
                    if statement.startswith(("SELECT", "UPDATE"))
                    for row in plain.execute(f"EXPLAIN QUERY PLAN {statement}", values)  # type: ignore[arg-type]
                ]
            plain.close()
        of_deliveries = [plan for plan in plans if "deliveries" in plan]
        assert [
            plan for plan in of_deliveries if "INDEX" not in plan and "campaign_id=? AND subscriber_id=?" not in plan
        ] == []


class TestPostgreSQL:
    def test_another_database_of_the_server_is_another_installation(
        self, postgresql_url: str, postgresql, clock: FrozenClock
    ) -> None:
        with open_database(postgresql_url, clock) as one, open_database(postgresql.database(), clock) as other:
            queue(one, 1)
            with one.look() as connection:
                assert is_armed(connection, installation(one))
                assert "elsewhere on this PostgreSQL server" in why_held(connection, installation(other))

    def test_many_senders_share_without_overlap_and_without_deadlock(self, postgresql_url: str) -> None:
        with open_database(postgresql_url, SystemClock()) as database:
            queue(database, 300)
            taken: list[int] = []

            def work(name: str) -> None:
                while found := database.run(lambda connection: claim(connection, SERIES, 7, name, LEASE, NOW)):
                    taken.extend(item.recipient.subscriber for item in found)
                    database.run(lambda connection: reap(connection, name, (), InDoubt.RESEND, NOW))

            run_all(work)
            assert sorted(taken) == sorted(set(taken))
            assert len(taken) == 300

    def test_the_death_of_a_sender_is_seen_at_once(self, postgresql_url: str, clock: FrozenClock) -> None:
        with open_database(postgresql_url, clock) as database:
            queue(database, 3)
            with sending(database, "watching") as watching:
                assert watching is not None
                with sending(database, "dying") as dying:
                    assert dying is not None
                    dying.run(lambda connection: claim(connection, SERIES, 2, "dying", LEASE, NOW))
                    assert watching.run(watching.others_dead) == ()
                # The server finds out that a session is over only when it looks at its socket.
                until(lambda: watching.run(watching.others_dead) == ("dying",))
                assert watching.run(lambda c: reap(c, "watching", ("dying",), InDoubt.RESEND, NOW)) == (2, 0)

    @pytest.mark.parametrize("hours", [-3, 3])
    def test_a_machine_whose_clock_is_wrong_gives_no_lease_away(self, postgresql_url: str, hours: int) -> None:
        wrong = NOW + timedelta(hours=hours)
        with open_database(postgresql_url, SystemClock()) as database:
            queue(database, 4)
            with database.begin() as connection:
                right, begun = claim(connection, SERIES, 2, "right", LEASE, NOW)
                assert start(connection, begun, "right", NOW + LEASE, NOW, NOW)
                # What was queued a moment ago is not due yet by a clock that is behind.
                connection.execute(update(deliveries).values(next_try=NOW - timedelta(days=1)))
                taken = claim(connection, SERIES, 9, "wrong", LEASE, wrong)
                assert len(taken) == 2
                assert start(connection, taken[0], "wrong", wrong + LEASE, wrong, wrong)
            for name, now in (("wrong", wrong), ("right", NOW)):
                assert database.run(lambda c, name=name, now=now: reap(c, name, (), InDoubt.RESEND, now)) == (0, 0)
            with database.begin() as connection:
                assert start(connection, right, "right", NOW + LEASE, NOW, NOW)
                assert start(connection, taken[1], "wrong", wrong + LEASE, wrong, wrong)
                assert counts(connection, SERIES) == {State.SENDING: 4}

    def test_the_doctor_holds_the_clock_against_that_of_the_database(self, postgresql_url: str) -> None:
        right = SystemClock().now()
        with open_database(postgresql_url, SystemClock()) as database:
            for now, health in ((right, Health.WELL), (right + timedelta(hours=1), Health.ILL)):
                found = {one.what: one for one in examine_database(database, {}, now)}["clock against the database"]
                assert found.health is health

    def test_two_senders_cannot_have_one_name(self, postgresql_url: str, clock: FrozenClock) -> None:
        with (
            open_database(postgresql_url, clock) as database,
            sending(database, "twin"),
            pytest.raises(StoreError, match="still known"),
            sending(database, "twin"),
        ):
            pass

    def test_a_sender_outlives_a_restart_of_the_server(self, postgresql) -> None:
        with open_database(postgresql.database(), SystemClock()) as database:
            queue(database, 3)
            with sending(database, "me") as sender:
                assert sender is not None
                sender.run(lambda connection: claim(connection, SERIES, 1, "me", LEASE, NOW))
                postgresql.stop()
                threading.Timer(0.5, postgresql.start).start()
                sender.run(lambda connection: claim(connection, SERIES, 1, "me", LEASE, NOW))
                with database.look() as connection:
                    assert counts(connection, SERIES) == {State.CLAIMED: 2, State.PENDING: 1}
                    assert doubtful(connection, SERIES) == []
                with sending(database, "other") as other:  # the name is locked anew
                    assert other is not None
                    assert other.run(other.others_dead) == ()


def run_all(work: object) -> None:
    """Four at once."""
    threads = [threading.Thread(target=work, args=(f"sender {n}",)) for n in range(4)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
