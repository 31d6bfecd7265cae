"""What SQLAlchemy spells differently for the two databases: an INSERT that knows ON CONFLICT."""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Executable, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """INSERT INTO a table, with `on_conflict_do_nothing` and `on_conflict_do_update`, for the connection's database."""
    # Named at run time, so that the other database's part of SQLAlchemy isn't loaded: it takes a tenth of a second.
    spoken = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    statement: sqlite.Insert | postgresql.Insert = spoken.insert(table)
    return statement


class Statement:
    """A statement that is made once for each kind of database: making one takes longer than running it."""

    def __init__(self, make: Callable[[Connection], Executable]) -> None:
        self._make = make
        self._made: dict[str, Executable] = {}

    def on(self, connection: Connection) -> Executable:
        """The statement for the connection's database."""
        spoken = connection.dialect.name
        if spoken not in self._made:
            self._made[spoken] = self._make(connection)
        return self._made[spoken]
