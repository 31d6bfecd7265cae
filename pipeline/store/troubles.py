"""A driver's error, told as a person would; and which errors only ask for patience."""

import errno
import sqlite3
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from pipeline.errors import N_, NO_SUCH_NAME, OF_THE_SYSTEM, StoreError, in_our_words

_PATIENCE_SQLSTATES: Final = frozenset({"40001", "40P01", "55P03"})  # serialization, deadlock, lock not available
_UNREACHABLE: Final = ("08", "57P01", "57P02", "57P03")

_UNUSABLE: Final = N_("the database {place} can't be used: {reason}")
_REFUSED: Final = N_("the database {place} refused: {reason}")
_LOCKED: Final = N_(
    "another process has kept the database {place} locked for too long: let it end (an import, a restore, another "
    "program that has the file open), then try again"
)

_SQLITE_TEXTS: Final = {
    "SQLITE_FULL": N_(
        "the disk is full, so that the database {place} can't grow; make room and start again: nothing is lost"
    ),
    "SQLITE_CORRUPT": N_("the database {place} is damaged; put a backup in its place (`tocsin restore`)"),
    "SQLITE_NOTADB": N_("{place} is not a database of tocsin"),
    "SQLITE_READONLY": N_("the database {place} can't be written; check who owns the file and its folder"),
    "SQLITE_CANTOPEN": N_("the database {place} can't be opened; check that its folder exists and can be written"),
    "SQLITE_BUSY": _LOCKED,
    "SQLITE_LOCKED": _LOCKED,
    "SQLITE_IOERR_WRITE": N_(
        "the disk under the database {place} can't be written; look at its free space, its quota and its health, then "
        "start again: nothing is lost"
    ),
    "SQLITE_IOERR": N_(
        "the disk under the database {place} can't be read or written; look at its health, then start again, and put "
        "a backup in its place if that doesn't help (`tocsin restore`)"
    ),
}

_POSTGRESQL_TEXTS: Final = {
    "Connection refused": OF_THE_SYSTEM[errno.ECONNREFUSED], "timeout": OF_THE_SYSTEM[errno.ETIMEDOUT],
    "resolve host": NO_SUCH_NAME, "translate host": NO_SUCH_NAME,
    "No such file": N_("no PostgreSQL runs on this machine"),
    "unreachable": OF_THE_SYSTEM[errno.ENETUNREACH], "closed the connection": OF_THE_SYSTEM[errno.ECONNRESET],
    "password authentication": N_("the server refused the user or the password"),
    "no password supplied": N_("the server wants a password; write it into the address of the database"),
    "permission denied": N_("the user may not do that in this database"),
    "database \"": N_("the server has no such database"), "role \"": N_("the server has no such user"),
    "pg_hba": N_("the server lets nobody in from here (pg_hba.conf)"),
    "too many clients": N_("the server has too many connections"), "starting up": N_("the server is just starting"),
    "shutting down": N_("the server is just ending"),
    "terminating connection": N_("the server has ended the connection"),
    "No space left": OF_THE_SYSTEM[errno.ENOSPC],
    "read-only transaction": N_("the server can only be read"),
}  # fmt: skip
"""In our words what a server or its driver says most often."""


def is_lost(error: DBAPIError) -> bool:
    """Whether the connection to the server is gone, so that a new one may help."""
    if isinstance(error.orig, sqlite3.Error):
        return False
    # A server that can't be reached gives no state.
    unreached = isinstance(error, OperationalError) and not _sqlstate(error)
    return unreached or error.connection_invalidated or _sqlstate(error).startswith(_UNREACHABLE)


def asks_for_patience(error: DBAPIError) -> bool:
    """Whether the same transaction may simply be tried again: it lost a race for a lock."""
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_name(error.orig) in {"SQLITE_BUSY", "SQLITE_LOCKED"}
    return _sqlstate(error) in _PATIENCE_SQLSTATES


def lacks_room(error: DBAPIError) -> bool:
    """Whether an SQLite file couldn't grow: the disk is full, or a quota or a limit of the system is reached."""
    name = getattr(error.orig, "sqlite_errorname", "")
    return name in {"SQLITE_FULL", "SQLITE_IOERR_WRITE"}


def told(error: SQLAlchemyError, place: str) -> StoreError:
    """The error as a StoreError; `place` names the database without its password."""
    if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
        return told_of_file(error.orig, place)
    first = in_our_words(_first_line(error), _POSTGRESQL_TEXTS)
    if isinstance(error, PoolTimeout):
        return StoreError("the database {place} has no connection to spare; try again in a moment", place=place)
    if isinstance(error, OperationalError):
        return StoreError(_UNUSABLE, place=place, reason=first)
    return StoreError(_REFUSED, place=place, reason=first)


def told_of_file(error: sqlite3.Error, place: str | Path) -> StoreError:
    """The error of an SQLite file as a StoreError."""
    full_name = getattr(error, "sqlite_errorname", "")
    pattern = _SQLITE_TEXTS.get(full_name) or _SQLITE_TEXTS.get(_sqlite_name(error))
    if pattern is not None:
        return StoreError(pattern, place=place)
    operational = isinstance(error, sqlite3.OperationalError)
    return StoreError(_UNUSABLE if operational else _REFUSED, place=place, reason=_first_line(error))


def told_as_locked(place: str | Path) -> StoreError:
    """What is said where another process doesn't let go of an SQLite file."""
    return StoreError(_LOCKED, place=place)


def _sqlite_name(error: sqlite3.Error) -> str:
    # Extended names only add to the plain one: SQLITE_BUSY_SNAPSHOT, SQLITE_IOERR_WRITE, SQLITE_READONLY_DIRECTORY.
    name: str = getattr(error, "sqlite_errorname", "")
    return "_".join(name.split("_")[:2])


def _sqlstate(error: DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""


def _first_line(error: SQLAlchemyError | sqlite3.Error) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
