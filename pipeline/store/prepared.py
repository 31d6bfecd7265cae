"""Statements that are run for each message: spelled once for each kind of database, then handed to its driver.

What SQLAlchemy does for each execution would take ten times as long as the database does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Update
from sqlalchemy.exc import DBAPIError

from pipeline.store.tables import EPOCH, MICROSECOND

_NOTHING: Final[Mapping[str, Any]] = {}


class Prepared:
    """An UPDATE with named parameters."""

    def __init__(self, statement: Update) -> None:
        self._statement = statement
        self._spelled: dict[str, tuple[str, dict[str, Any]]] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Runs it for each row of parameters, given as the tables keep them; returns how many rows it changed."""
        name = connection.dialect.name
        text, fixed = self._spelled.get(name) or self._spelled.setdefault(name, self._spell(connection.dialect))
        return run_plainly(connection, text, [{**fixed, **row} for row in rows])

    def _spell(self, dialect: Dialect) -> tuple[str, dict[str, Any]]:
        """Its text, and the parameters that are always the same."""
        kind: Any = type(dialect)
        compiled = self._statement.compile(dialect=kind(paramstyle="named") if dialect.positional else dialect)
        return compiled.string, {key: _plain(value) for key, value in compiled.params.items()}


def run_plainly(connection: Connection, text: str, rows: Sequence[Mapping[str, Any]] = (_NOTHING,)) -> int:
    """Hands a statement to the driver for each row of its parameters; returns how many rows were changed in all.

    Errors are SQLAlchemy's, as from its own executions, and a connection that is lost is given up likewise.
    """
    driver = connection.connection
    cursor = driver.cursor()
    try:
        if len(rows) == 1:
            cursor.execute(text, rows[0])
        else:
            cursor.executemany(text, rows)
        return int(cursor.rowcount)
    except connection.dialect.loaded_dbapi.Error as error:
        is_lost = connection.dialect.is_disconnect(error, driver, cursor)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            text, None, error, connection.dialect.loaded_dbapi.Error,
            connection_invalidated=is_lost, dialect=connection.dialect,
        ) from error  # fmt: skip
    finally:
        cursor.close()


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value


def microseconds(instant: datetime) -> int:
    """An instant as the tables keep it."""
    return (instant - EPOCH) // MICROSECOND
