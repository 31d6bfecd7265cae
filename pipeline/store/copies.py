"""Copies of an SQLite database: made while it is in use, checked, and put back so that nothing is sent by surprise."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from pipeline.errors import N_, SettingsError, StoreError, reason_of
from pipeline.store.database import LOCK_TIMEOUT, Database
from pipeline.store.troubles import told_as_locked, told_of_file

_PAGES: Final = 2000  # copied at once; writers get their turn between


def back_up(database: Database, target: Path) -> int:
    """Copies the database into a new file that only its owner can read; returns its size in octets.

    The copy is whole, as of one moment, and appears under its name only when it is. SettingsError for PostgreSQL, and
    where the file is there already.
    """
    source = _file_of(database, N_("{place} is not an SQLite file: pg_dump makes its backups"))
    if target.exists():
        raise SettingsError("{target} is there already; choose another name, or take it away", target=target)
    half = target.with_name(f".{target.name}.part")
    try:
        _make(half)
        with _opened(source) as there, _opened(half) as copy:
            there.backup(copy, pages=_PAGES, progress=_unless_locked(source))
            _plain(copy)
        _check(half)
        half.replace(target)
    except sqlite3.Error as error:
        raise told_of_file(error, target) from error
    except OSError as error:
        raise StoreError("{file} can't be written: {reason}", file=target, reason=reason_of(error)) from error
    finally:
        half.unlink(missing_ok=True)
    return target.stat().st_size


def restore(source: Path, database: Database) -> None:
    """Puts a copy in the place of the open database, in one step, and holds it: nothing is sent before `tocsin arm`.

    Processes that have the database open go on with what was restored. StoreError where the copy isn't whole or isn't
    of tocsin; then nothing has changed.
    """
    target = _file_of(database, N_("{place} is not an SQLite file: pg_restore puts its backups back"))
    if not source.is_file():
        raise StoreError("there is no file {source}", source=source)
    half = target.with_name(f".{target.name}.restored")
    try:
        _make(half)
        with _opened(source) as given, _opened(half) as copy:
            given.backup(copy)
            _plain(copy)
        _check(half)
        with _opened(half) as copy:
            # A copy knows less than what it was made of: what has left since would leave once more.
            copy.execute("DELETE FROM meta WHERE name IN ('armed', 'installation', 'armed_at')")
            copy.commit()
        with _opened(half) as copy, _opened(target) as there:
            copy.backup(there, progress=_unless_locked(target))
    except sqlite3.Error as error:
        raise told_of_file(error, source) from error
    except OSError as error:
        raise StoreError("{source} can't be restored: {reason}", source=source, reason=reason_of(error)) from error
    finally:
        half.unlink(missing_ok=True)


def _file_of(database: Database, otherwise: str) -> Path:
    file = database.file
    if file is None:
        raise SettingsError(otherwise, place=database.place)
    return file


def _make(path: Path) -> None:
    """An empty file that nobody but its owner reads: it will hold people's addresses."""
    os.close(os.open(path, os.O_CREAT | os.O_TRUNC | os.O_RDWR, 0o600))


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, timeout=LOCK_TIMEOUT)) as connection:
        yield connection


def _unless_locked(path: Path) -> Callable[[int, int, int], None]:
    """Ends a copy that waits for another process: the driver would try again for ever."""

    def look(status: int, _left: int, _pages: int) -> None:
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise told_as_locked(path)

    return look


def _plain(copy: sqlite3.Connection) -> None:
    """Without a write-ahead log, so that the one file is the whole copy."""
    copy.execute("PRAGMA journal_mode = DELETE").close()


def _check(copy: Path) -> None:
    with _opened(copy) as connection:
        found = connection.execute("PRAGMA quick_check").fetchone()
        if found is None or found[0] != "ok":
            raise StoreError("the copy is damaged: {reason}", reason=found[0] if found else StoreError("it is empty"))
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"meta", "subscribers", "deliveries"} <= tables:
            raise StoreError("the file is not a database of tocsin")
