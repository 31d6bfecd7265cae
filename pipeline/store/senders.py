"""Who is sending: one process on an SQLite file, any number on PostgreSQL; and which of them are dead."""

import fcntl
import hashlib
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import StoreError, reason_of
from pipeline.store.database import Database
from pipeline.store.prepared import run_plainly
from pipeline.store.tables import IS_IN_HAND, deliveries
from pipeline.store.troubles import asks_for_patience, is_lost, told

T = TypeVar("T")

_PATIENCE = 60.0  # seconds for which a sender waits: what it couldn't note of the messages it sent would be in doubt


def sender_name() -> str:
    """A name for this process as a sender, told apart from every other one, before and after a restart."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class Sender:
    """A process that may send: it holds a lock that ends with it, so that its death is noticed at once."""

    def __init__(self, database: Database, name: str, session: Connection | None) -> None:
        self.name = name
        self.database = database
        self._session = session
        self._shared = database.engine.dialect.name == "postgresql"

    def run(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in one transaction, and again after a lost race or a lost connection (the lock is taken anew)."""
        if self._session is None:
            return self.database.run(work)
        try:
            if not self._shared:
                return self.database.persist(self._session, work, asks_for_patience, _PATIENCE)
            return self.database.persist(self._session, lambda connection: self._locked(connection, work), _worth_it)
        except DBAPIError as error:
            raise told(error, self.database.place) from error

    def others_dead(self, connection: Connection) -> tuple[str, ...]:
        """The names of senders that hold deliveries and live no more."""
        held = select(deliveries.c.owner).where(IS_IN_HAND).distinct()
        names = [name for (name,) in connection.execute(held) if name is not None and name != self.name]
        if not self._shared:  # the file lock is ours, so all others are gone
            return tuple(names)
        # A lock that can be had belongs to nobody any more; it is given back with the transaction.
        trial = text("SELECT pg_try_advisory_xact_lock(:key)")
        return tuple(name for name in names if connection.execute(trial, {"key": _lock_key(name)}).scalar())

    def _locked(self, connection: Connection, work: Callable[[Connection], T]) -> T:
        held = connection.info.get("tocsin_sender")  # `info` belongs to the driver's connection: a new one has none
        if held != self.name:
            taken = connection.execute(text("SELECT pg_try_advisory_lock(:key)"), {"key": _lock_key(self.name)})
            if not taken.scalar():
                raise StoreError(
                    "the sender {sender} is still known to the database; try again in a moment", sender=self.name
                )
            connection.info["tocsin_sender"] = self.name
        return work(connection)


@contextmanager
def sending(database: Database, name: str) -> Iterator[Sender | None]:
    """Makes this process a sender for the length of a block; None when another one sends from the same SQLite file."""
    if database.engine.dialect.name == "postgresql":
        with _session(database) as session:
            sender = Sender(database, name, session)
            sender.run(lambda _connection: None)  # takes the lock
            yield sender
    elif (file := database.file) is None:
        yield Sender(database, name, None)
    else:
        with _file_lock(file.with_name(file.name + "-sender")) as locked:
            if not locked:
                yield None
                return
            with _session(database) as session:
                # Its states come from `State`, and PostgreSQL checks what the same statements write. To look each up in
                # a list again would take a quarter of what SQLite does for a message.
                run_plainly(session, "PRAGMA ignore_check_constraints = ON")
                yield Sender(database, name, session)


@contextmanager
def _session(database: Database) -> Iterator[Connection]:
    try:
        session = database.engine.connect()
    except DBAPIError as error:
        raise told(error, database.place) from error
    try:
        yield session
    finally:
        # Thrown away and not put back into the pool: a session keeps its lock as long as it lives.
        if not session.invalidated:
            session.invalidate()
        session.close()


@contextmanager
def _file_lock(path: Path) -> Iterator[bool]:
    try:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StoreError("{file} can't be made: {reason}", file=path, reason=reason_of(error)) from error
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _worth_it(error: DBAPIError) -> bool:
    return asks_for_patience(error) or is_lost(error)


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"tocsin sender {name}".encode()).digest()[:8], "big", signed=True)
