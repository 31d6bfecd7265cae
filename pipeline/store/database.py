"""Opening the database, and its transactions: SQLite where nothing is said, PostgreSQL where several machines send."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from pipeline.clock import Clock, elapsed
from pipeline.errors import MissingDatabaseError, SettingsError, StoreError, reason_of
from pipeline.store.prepared import run_plainly
from pipeline.store.schema import is_current, migrate
from pipeline.store.troubles import asks_for_patience, is_lost, lacks_room, told
from pipeline.store.turns import FailedForAll, Gathering, Turns

T = TypeVar("T")

LOCK_TIMEOUT: Final = 10  # seconds that SQLite waits for another process, and a first connection to PostgreSQL may take
_WAITS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 4.0)  # seconds between the tries of one transaction
_PRIMARY_CODE: Final = 0xFF  # the part of SQLite's error codes that names the kind of error
_SHORT_WAIT: Final = 250  # milliseconds that one try to set a new connection up waits for another process
_READS_ONLY: Final = "tocsin_reads_only"


class Database:
    """An open database. Its transactions are begun here only, and its errors leave as StoreError only."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self.clock = clock
        self._turns = Turns(LOCK_TIMEOUT) if is_file(engine.url) else None
        self._gathering = Gathering(self._turns, self._written) if self._turns else None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes every connection."""
        self.engine.dispose()

    @property
    def place(self) -> str:
        """Where it is, for a person: the file's path, or the URL without its password."""
        return _place(self.engine.url)

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; None for one in memory and for PostgreSQL."""
        url = self.engine.url
        return Path(url.database) if is_file(url) and url.database else None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """One transaction that may write: committed at the end of the block, rolled back by an exception."""
        with self._telling(), self._turn(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def look(self) -> Iterator[Connection]:
        """One consistent view for reading; it waits for nobody and keeps nobody waiting."""
        with self._telling(), self.engine.connect() as connection:
            connection = connection.execution_options(**{_READS_ONLY: True})
            with connection.begin():
                yield connection

    def run(self, work: Callable[[Connection], T]) -> T:
        """Runs `work` in one transaction and returns its result.

        It is run again when the transaction lost a race for a lock, so it must do nothing but speak to the database.
        """
        with self._telling(), self.engine.connect() as connection:
            return self.persist(connection, work, asks_for_patience)

    def join(self, work: Callable[[Connection], T]) -> T:
        """Does as `run` does; on SQLite all that several threads ask for meanwhile is one commit.

        For small works that read no more than they write: one that fails takes the time of the others, though no more.
        """
        if self._gathering is None:
            return self.run(work)
        with self._telling():
            is_written, result = self._gathering.written(work)
        return cast("T", result) if is_written else self.run(work)

    def persist(
        self,
        connection: Connection,
        work: Callable[[Connection], T],
        is_worth_it: Callable[[DBAPIError], bool],
        patience: float = 0.0,
    ) -> T:
        """Runs `work` in transactions of one connection until one succeeds.

        Another process may keep the database locked for ten seconds, or for `patience` seconds where that is longer.
        """
        began = elapsed()
        for wait in _WAITS:
            try:
                with self._turn(), connection.begin():
                    return work(connection)
            except DBAPIError as error:
                if lacks_room(error):
                    _make_room(connection)
                    break
                # SQLite itself has waited in each try.
                if not is_worth_it(error) or elapsed() - began >= max(LOCK_TIMEOUT, patience):
                    raise
                if is_lost(error) and not connection.invalidated:
                    connection.invalidate()
            self.clock.sleep(wait)
        with self._turn(), connection.begin():
            return work(connection)

    def _turn(self) -> AbstractContextManager[None]:
        """The turn to write among the threads of this process; PostgreSQL needs none."""
        return self._turns.turn() if self._turns else nullcontext()

    def _written(self, works: Sequence[Callable[[Connection], Any]]) -> list[Any]:
        began = elapsed()
        try:
            with self.engine.begin() as connection:
                return [work(connection) for work in works]
        except DBAPIError as error:
            if asks_for_patience(error) and elapsed() - began >= LOCK_TIMEOUT:
                raise FailedForAll from error
            raise

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise told(error, self.place) from error


def open_database(url: str, clock: Clock, *, create: bool = True) -> Database:
    """Opens `sqlite:///FILE`, `sqlite://` (in memory) or `postgresql://…`, and makes or migrates its tables.

    With `create=False` an SQLite file that isn't there is a StoreError. A URL that can't be understood is a
    SettingsError.
    """
    where = _understood(url)
    if is_file(where):
        _prepare_file(Path(where.database or ""), create)
    try:
        database = Database(_engine(where, clock), clock)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise StoreError("PostgreSQL needs one more package: pip install 'psycopg[binary]'") from error
    try:
        with database.look() as connection:
            current = is_current(connection)
        if not current:
            database.run(migrate)
    except BaseException:
        database.close()
        raise
    return database


def is_file(url: URL) -> bool:
    """Whether the URL names an SQLite file."""
    return url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")


def _understood(url: str) -> URL:
    known = "sqlite:///FILE, postgresql://user:password@host/name"
    try:
        where = make_url(url)
        backend = where.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise SettingsError("the database's URL can't be understood; write {known}", known=known) from error
    if backend in ("postgresql", "postgres"):
        return where.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise SettingsError("the database can't be {backend!r}; write {known}", backend=backend, known=known)
    return where


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or "in memory"
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def _prepare_file(path: Path, create: bool) -> None:
    if path.exists():
        return
    if not create:
        raise MissingDatabaseError("there is no database at {path}", path=path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # It will hold people's addresses: nobody but its owner reads it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError("the database {path} can't be made: {reason}", path=path, reason=reason_of(error)) from error


def _engine(url: URL, clock: Clock) -> Engine:
    # What is asked for holds addresses, which an error must not carry into a log.
    if url.get_backend_name() == "postgresql":
        alive = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3}
        # The pre-ping finds out about a server that was restarted in the meantime.
        return create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": LOCK_TIMEOUT, "application_name": "tocsin", **alive},
        )
    # The driver must begin no transaction of its own: a reader's can't become a writer's without "database is locked".
    arguments: dict[str, Any] = {"timeout": LOCK_TIMEOUT, "isolation_level": None}
    if is_file(url):
        engine = create_engine(url, connect_args=arguments, hide_parameters=True)
    else:
        engine = create_engine(
            url, connect_args={**arguments, "check_same_thread": False}, poolclass=StaticPool, hide_parameters=True
        )
    event.listen(engine, "connect", partial(_tune, clock))
    event.listen(engine, "begin", _begin)
    return engine


def _tune(clock: Clock, driver: Any, _record: object) -> None:
    # SQLite doesn't wait where two connections change a new file's mode at once, or where one that closes tidies up.
    driver.execute(f"PRAGMA busy_timeout = {_SHORT_WAIT}").close()
    for wait in _WAITS:
        try:
            driver.execute("PRAGMA journal_mode = WAL").close()
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise
        clock.sleep(wait)
    # FULL: with less, a power cut may forget the last commits, and what they had sent would be sent again.
    patience = f"busy_timeout = {round(LOCK_TIMEOUT * 1000)}"
    for pragma in ("journal_mode = WAL", patience, "synchronous = FULL", "foreign_keys = ON"):
        driver.execute(f"PRAGMA {pragma}").close()


def _make_room(connection: Connection) -> None:
    """Lets the next transactions overwrite what SQLite has written ahead of its file: so on a full disk a sender can
    still note what came of the messages that it had in hand."""
    driver: Any = connection.connection.driver_connection
    with suppress(sqlite3.Error):  # the next try tells what is wrong
        driver.execute("PRAGMA wal_checkpoint(RESTART)").close()


def _begin(connection: Connection) -> None:
    reads_only = connection.get_execution_options().get(_READS_ONLY, False)
    run_plainly(connection, "BEGIN" if reads_only else "BEGIN IMMEDIATE")
