"""The one thing that SQLAlchemy spells differently for the two databases: an INSERT that knows ON CONFLICT."""

from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite


def insert(connection: Connection, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """INSERT INTO a table, with `on_conflict_do_nothing` and `on_conflict_do_update`, for the connection's database."""
    # Named at run time, so that the other database's part of SQLAlchemy isn't loaded: it takes a tenth of a second.
    spoken = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")
    statement: sqlite.Insert | postgresql.Insert = spoken.insert(table)
    return statement
