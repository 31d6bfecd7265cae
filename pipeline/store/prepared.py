"""Statements that are run for messages: spelled once for each kind of database, then handed to its driver.

What SQLAlchemy does for each execution would take ten times as long as the database does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import chain
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Update
from sqlalchemy.exc import DBAPIError

from pipeline.store.tables import EPOCH, MICROSECOND

_PLACES: Final[Mapping[str, tuple[str, str]]] = {"sqlite": ("qmark", "?"), "postgresql": ("format", "%s")}
"""How each driver's statements mark a parameter that goes by its place: by names it takes much longer."""

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Spelled:
    """A statement for one kind of database, and how its parameters are brought into their places."""

    text: str
    fixed: Mapping[str, Any]
    """The parameters that all rows share; those that differ from call to call are None."""
    order: tuple[str, ...]
    placed: Callable[[Row], Row]
    """From a row and what all share, one after the other."""
    mark: str


class Prepared:
    """An UPDATE with named parameters, of which those in `each` differ from row to row.

    One that is `run_for` several numbers has a single one there, an expanding one.
    """

    def __init__(self, statement: Update, *each: str) -> None:
        self._statement, self._each = statement, each
        self._spelled: dict[str, _Spelled] = {}

    def run(self, connection: Connection, rows: Sequence[Row], **shared: Any) -> int:
        """Runs it for each row of parameters, given as the tables keep them; returns how many rows it changed."""
        spelled = self._for(connection)
        common, placed = tuple({**spelled.fixed, **shared}.values()), spelled.placed
        return run_plainly(connection, spelled.text, [placed(row + common) for row in rows])

    def run_for(self, connection: Connection, numbers: Sequence[int], **shared: Any) -> int:
        """Runs it once for several numbers; returns how many rows it changed."""
        spelled, (among,) = self._for(connection), self._each
        text = spelled.text.replace(f"__[POSTCOMPILE_{among}]", ", ".join([spelled.mark] * len(numbers)))
        given = {**spelled.fixed, **shared}
        values = [numbers if name == among else (given[name],) for name in spelled.order]
        return run_plainly(connection, text, [tuple(chain.from_iterable(values))])

    def _for(self, connection: Connection) -> _Spelled:
        name = connection.dialect.name
        return self._spelled.get(name) or self._spelled.setdefault(name, self._spell(connection.dialect))

    def _spell(self, dialect: Dialect) -> _Spelled:
        kind: Any = type(dialect)
        style, mark = _PLACES[dialect.name]
        compiled = self._statement.compile(dialect=kind(paramstyle=style))
        fixed = {key: _plain(value) for key, value in compiled.params.items() if key not in self._each}
        order, places = [*self._each, *fixed], tuple(compiled.positiontup or ())
        return _Spelled(compiled.string, fixed, places, itemgetter(*map(order.index, places)), mark)


def run_plainly(connection: Connection, text: str, rows: Sequence[Row] = ((),)) -> int:
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


def instant(kept: int) -> datetime:
    """An instant (UTC) from what the tables keep."""
    return EPOCH + kept * MICROSECOND
