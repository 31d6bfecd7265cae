"""What the contracts run on: each kind of database, and simulated time."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from postgresql_server import PostgreSQL, running
from simulated import START

from pipeline.clock import FrozenClock
from pipeline.store.database import Database, open_database


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(START)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    with running() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql: PostgreSQL) -> str:
    """The URL of a new, empty database on a running PostgreSQL."""
    return postgresql.database()


def _url(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite file":
        return f"sqlite:///{folder / 'tocsin.db'}"
    if kind == "sqlite in memory":
        return "sqlite://"
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture(params=["sqlite file", "sqlite in memory", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path, clock: FrozenClock) -> Iterator[Database]:
    """Each kind of database."""
    with open_database(_url(request.param, request, tmp_path), clock) as opened:
        yield opened


@pytest.fixture(params=["sqlite file", "postgresql"])
def lasting_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Each kind of database that several connections can share, and that outlives them."""
    return _url(request.param, request, tmp_path)


@pytest.fixture
def shared(lasting_url: str, clock: FrozenClock) -> Iterator[Database]:
    """An open database that others can open too."""
    with open_database(lasting_url, clock) as opened:
        yield opened
