"""What is said of an SQLite file whose disk fails: only what couldn't be written promises that nothing is lost."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from test_deliver import address, queue, round_of

from pipeline.clock import FrozenClock
from pipeline.errors import StoreError
from pipeline.store.database import open_database
from pipeline.store.troubles import told
from pipeline.testing import CapturingTransport, deferred


@pytest.mark.parametrize(
    ("name", "promises", "advice"),
    [
        ("SQLITE_FULL", True, "make room"),
        ("SQLITE_IOERR_WRITE", True, "free space"),
        ("SQLITE_IOERR_READ", False, "tocsin restore"),
        ("SQLITE_IOERR_SHORT_READ", False, "tocsin restore"),
        ("SQLITE_IOERR", False, "tocsin restore"),
    ],
)
def test_what_cannot_be_read_may_be_lost(name: str, promises: bool, advice: str) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = name
    said = str(told(OperationalError("SELECT 1", {}, error), "var/tocsin.db"))
    assert "var/tocsin.db" in said
    assert ("nothing is lost" in said) is promises
    assert advice in said


def test_a_full_disk_ends_before_the_next_message(tmp_path: Path, clock: FrozenClock) -> None:
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as database:
        queue(database, 2000)
        with database.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()

        def capped(driver: object, _record: object, _proxy: object) -> None:
            driver.execute(f"PRAGMA max_page_count = {pages}").close()  # type: ignore[attr-defined]

        event.listen(database.engine, "checkout", capped)
        text = "x" * 200
        answers = {address(number): (deferred(text),) for number in range(2000)}
        transport = CapturingTransport(answers)
        with pytest.raises(StoreError, match="disk is full"):
            round_of(database, transport)
        event.remove(database.engine, "checkout", capped)
