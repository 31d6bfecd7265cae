"""The clock by which leases run: the database's own where several machines share it, else the caller's."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, BindParameter, ColumnElement, Connection, bindparam, literal, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from pipeline.store.tables import EPOCH, MICROSECOND, Instant


class _Reading(FunctionElement[int]):
    """What the clock of the leases shows, in microseconds since 1970; `clauses` holds what the caller's shows."""

    inherit_cache = True
    type = BigInteger()


def shown(now: datetime | BindParameter[datetime]) -> ColumnElement[datetime]:
    """The instant that the clock of the leases shows while a statement runs; the caller's clock shows `now`."""
    return type_coerce(_reading(now), Instant)


def later(now: datetime | BindParameter[datetime], span: timedelta | BindParameter[int]) -> ColumnElement[datetime]:
    """The same, so much later; a parameter for the span is in microseconds."""
    by = literal(span // MICROSECOND, BigInteger) if isinstance(span, timedelta) else span
    return type_coerce(_reading(now) + by, Instant)


def clock_of(connection: Connection) -> datetime | None:
    """The instant (UTC) that the database's own clock shows; None where leases go by the caller's clock."""
    if connection.dialect.name != "postgresql":
        return None
    return connection.execute(select(shown(EPOCH))).scalar_one()


def _reading(now: datetime | BindParameter[datetime]) -> _Reading:
    return _Reading(bindparam(None, now, type_=Instant) if isinstance(now, datetime) else now)


@compiles(_Reading)
def _of_the_caller(element: _Reading, compiler: SQLCompiler, **keywords: Any) -> str:
    return compiler.process(element.clauses, **keywords)


@compiles(_Reading, "postgresql")
def _of_the_server(element: _Reading, compiler: SQLCompiler, **keywords: Any) -> str:  # noqa: ARG001
    # Not now(), which stands still in a transaction, however long that had to wait.
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
