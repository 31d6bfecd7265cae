"""What is said of an SQLite file whose disk fails: only what couldn't be written promises that nothing is lost."""

import sqlite3

import pytest
from sqlalchemy.exc import OperationalError

from pipeline.store.troubles import told


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
