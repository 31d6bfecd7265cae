"""Backups: whole while the database is in use, and held when they come back."""

from pathlib import Path

import pytest
from simulated import START

from pipeline.clock import FrozenClock
from pipeline.errors import SettingsError, StoreError
from pipeline.store.copies import back_up, restore
from pipeline.store.database import Database, open_database
from pipeline.store.subscribers import ALL_KINDS, add, listed
from pipeline.store.switch import arm, installation, is_armed, secret, why_held


@pytest.fixture
def database(tmp_path: Path, clock: FrozenClock) -> Database:
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as opened:
        yield opened


def join(database: Database, address: str) -> None:
    with database.begin() as connection:
        add(connection, "talks", address, "en", ALL_KINDS, (), "form", START)


def addresses(database: Database) -> list[str]:
    with database.look() as connection:
        return [reader.address for reader in listed(connection, "talks")]


def test_a_backup_taken_in_the_middle_of_writing_holds_what_was_committed(database: Database, tmp_path: Path) -> None:
    join(database, "ada@example.org")
    with database.begin() as connection:
        add(connection, "talks", "half@example.org", "en", ALL_KINDS, (), "form", START)
        size = back_up(database, tmp_path / "copy.db")
    assert size == (tmp_path / "copy.db").stat().st_size
    assert (tmp_path / "copy.db").stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]
    with open_database(f"sqlite:///{tmp_path / 'copy.db'}", database.clock) as copy:
        assert addresses(copy) == ["ada@example.org"]


def test_a_file_that_is_there_is_not_overwritten(database: Database, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("dear")
    with pytest.raises(SettingsError, match="there already"):
        back_up(database, tmp_path / "copy.db")
    assert (tmp_path / "copy.db").read_text() == "dear"


def test_what_is_restored_has_its_people_and_its_key_and_is_held(database: Database, tmp_path: Path) -> None:
    join(database, "ada@example.org")
    with database.begin() as connection:
        kept = secret(connection, lambda: "the key of all links")
        arm(connection, installation(database), START)
    back_up(database, tmp_path / "copy.db")
    join(database, "late@example.org")
    restore(tmp_path / "copy.db", database)
    assert addresses(database) == ["ada@example.org"]
    here = installation(database)
    with database.begin() as connection:
        assert "tocsin arm" in why_held(connection, here)
        assert secret(connection, lambda: "another") == kept
        arm(connection, here, START)
        assert is_armed(connection, here)
    join(database, "new@example.org")


def test_a_process_that_has_the_database_open_goes_on_with_what_was_restored(
    database: Database, tmp_path: Path
) -> None:
    back_up(database, tmp_path / "copy.db")
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", database.clock) as service:
        join(service, "ada@example.org")
        restore(tmp_path / "copy.db", database)
        assert addresses(service) == []
        join(service, "bob@example.org")
    assert addresses(database) == ["bob@example.org"]


@pytest.mark.parametrize("damage", ["text", "cut", "other", "missing"])
def test_a_file_that_is_no_whole_backup_changes_nothing(database: Database, tmp_path: Path, damage: str) -> None:
    import sqlite3

    join(database, "ada@example.org")
    file = tmp_path / "copy.db"
    if damage == "text":
        file.write_text("no database at all")
    elif damage == "cut":
        back_up(database, file)
        file.write_bytes(file.read_bytes()[: 5 * 4096])
    elif damage == "other":
        with sqlite3.connect(file) as connection:
            connection.execute("CREATE TABLE something (n INTEGER)")
    with pytest.raises(StoreError):
        restore(file, database)
    assert addresses(database) == ["ada@example.org"]


def test_a_database_that_is_locked_is_not_waited_for_without_end(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    back_up(database, tmp_path / "copy.db")
    monkeypatch.setattr("pipeline.store.copies.LOCK_TIMEOUT", 0.05)
    with database.begin(), pytest.raises(StoreError, match=r"tocsin\.db locked for too long"):
        restore(tmp_path / "copy.db", database)
    assert not list(tmp_path.glob(".*"))


def test_postgresql_has_tools_of_its_own(postgresql_url: str, clock: FrozenClock, tmp_path: Path) -> None:
    with open_database(postgresql_url, clock) as database:
        with pytest.raises(SettingsError, match="pg_dump"):
            back_up(database, tmp_path / "copy.db")
        with pytest.raises(SettingsError, match="pg_restore"):
            restore(tmp_path / "copy.db", database)
