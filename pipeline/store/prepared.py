"""Statements that are run for each message: compiled once for each kind of database, then handed to its driver."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, Update

from pipeline.store.tables import EPOCH, MICROSECOND


class Prepared:
    """An UPDATE with named parameters. SQLAlchemy spells it; what it would do anew at each execution is done once."""

    def __init__(self, statement: Update) -> None:
        self._statement = statement
        self._spelled: dict[str, tuple[str, tuple[str, ...] | None, dict[str, Any]]] = {}

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Runs it for each row of parameters; returns how many rows were changed in all."""
        name = connection.dialect.name
        if name not in self._spelled:
            compiled = self._statement.compile(dialect=connection.dialect)
            order = tuple(compiled.positiontup or ()) if compiled.positional else None
            self._spelled[name] = compiled.string, order, {key: _plain(value) for key, value in compiled.params.items()}
        text, order, fixed = self._spelled[name]
        values = [{**fixed, **{key: _plain(value) for key, value in row.items()}} for row in rows]
        given = values if order is None else [tuple(row[key] for key in order) for row in values]
        return int(connection.exec_driver_sql(text, given if len(given) > 1 else given[0]).rowcount)


def _plain(value: object) -> object:
    """As the tables keep it."""
    if isinstance(value, datetime):
        return (value - EPOCH) // MICROSECOND
    return value.value if isinstance(value, Enum) else value
