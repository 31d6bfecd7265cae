"""What the database knows about itself: whether it may send, where it was armed, its secret, its last tick."""

import json
import socket
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, Connection, Executable, bindparam, exists, select, text
from sqlalchemy.exc import DBAPIError

from pipeline.errors import N_
from pipeline.store.database import Database
from pipeline.store.dialects import Statement, insert
from pipeline.store.tables import meta

_MACHINE_ID: Final = Path("/etc/machine-id")

# What is said when a database is found elsewhere than where it was armed, by what differs.
_FACTS: Final = {
    "machine": N_(
        "the database was armed on another machine; if it is the only one in use, `tocsin arm` allows sending from here"
    ),
    "path": N_(
        "the database was armed in another folder; if it is the only one in use, `tocsin arm` allows sending from here"
    ),
    "inode": N_(
        "the database was armed elsewhere, and its file is a copy or was restored; if it is the only one in use, "
        "`tocsin arm` allows sending from here"
    ),
    "system": N_(
        "the database was armed on another PostgreSQL server; if it is the only one in use, `tocsin arm` allows "
        "sending from here"
    ),
    "database": N_(
        "the database was armed elsewhere on this PostgreSQL server, and is a copy or was restored; if it is the only "
        "one in use, `tocsin arm` allows sending from here"
    ),
    "name": N_(
        "the database was armed under another TOCSIN_INSTALLATION; if it is the only one in use, `tocsin arm` allows "
        "sending from here"
    ),
}


def installation(database: Database, name: str = "") -> Mapping[str, str]:
    """What tells this database, here, from a copy of it; `name` is TOCSIN_INSTALLATION, by which a person vouches."""
    named = {"name": name} if name else {}
    if database.engine.dialect.name == "postgresql":
        return _server_facts(database) | named
    file = database.file
    if file is None:
        return {"path": "memory"} | named
    facts = {"machine": _machine(), "path": str(file.resolve()), "inode": str(file.stat().st_ino)}
    return facts | named


def arm(connection: Connection, here: Mapping[str, str], at: datetime) -> None:
    """Allows sending from this installation."""
    _set(connection, "installation", json.dumps(dict(here), sort_keys=True))
    _set(connection, "armed_at", at.isoformat())
    _set(connection, "armed", "yes")


def hold(connection: Connection) -> None:
    """Stops all sending, from the next message on, until somebody arms again."""
    _set(connection, "armed", "no")


def is_armed(connection: Connection, here: Mapping[str, str]) -> bool:
    """Whether this installation may send."""
    return not why_held(connection, here)


def why_held(connection: Connection, here: Mapping[str, str]) -> str:
    """Why nothing may be sent from here, in words; empty where sending is allowed."""
    armed = _get(connection, "armed")
    if armed is None:
        return N_("nothing is sent before `tocsin arm`")
    if armed != "yes":
        return N_("sending was stopped by `tocsin hold`; `tocsin arm` allows it again")
    changed = _first_difference(json.loads(_get(connection, "installation") or "{}"), here)
    return _FACTS[changed] if changed is not None else ""


def armed_switch() -> ColumnElement[bool]:
    """For the WHERE of a statement that lets a message leave."""
    return exists(select(meta.c.name).where(meta.c.name == "armed", meta.c.value == "yes"))


def secret(connection: Connection, make: Callable[[], str]) -> str:
    """The secret of the signatures in tokens; made once by `make`, then kept."""
    return _once(connection, "secret", make)


def salt(connection: Connection, make: Callable[[], str]) -> str:
    """The key of the hashes of forgotten addresses; made once by `make`, then kept, whatever the secret."""
    return _once(connection, "salt", make)


def set_last_tick(connection: Connection, at: datetime) -> None:
    """Notes that the scheduler has completed a round."""
    _set(connection, "last_tick", at.isoformat())


def last_tick(connection: Connection) -> datetime | None:
    """When the scheduler last completed a round."""
    stored = _get(connection, "last_tick")
    return datetime.fromisoformat(stored) if stored else None


def _first_difference(armed: Mapping[str, str], here: Mapping[str, str]) -> str | None:
    if here.get("name") and armed.get("name"):
        # A person vouches for it by the name, or takes that back.
        return "name" if here["name"] != armed["name"] else None
    return next((fact for fact in _FACTS if fact != "name" and armed.get(fact) != here.get(fact)), None)


def _once(connection: Connection, name: str, make: Callable[[], str]) -> str:
    stored = _get(connection, name)
    if stored is None:
        fresh = insert(connection, meta).values(name=name, value=make()).on_conflict_do_nothing()
        connection.execute(fresh)
        stored = _get(connection, name)
    return stored or ""


def _get(connection: Connection, name: str) -> str | None:
    return connection.execute(_VALUE, {"wanted": name}).scalar()


def _set(connection: Connection, name: str, value: str) -> None:
    connection.execute(_KEEPING.on(connection), {"name": name, "value": value})


def _keeping(connection: Connection) -> Executable:
    row = insert(connection, meta)
    return row.on_conflict_do_update(index_elements=[meta.c.name], set_={"value": row.excluded.value})


_VALUE: Final = select(meta.c.value).where(meta.c.name == bindparam("wanted"))
_KEEPING: Final = Statement(_keeping)


def _machine() -> str:
    try:
        return _MACHINE_ID.read_text(encoding="ascii").strip() or socket.gethostname()
    except OSError:
        return socket.gethostname()


def _server_facts(database: Database) -> dict[str, str]:
    with database.look() as connection:
        oid = connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
        facts = {"database": str(oid.scalar())}
    try:
        with database.engine.connect() as connection:
            system = connection.execute(text("SELECT system_identifier FROM pg_control_system()")).scalar()
    except DBAPIError:
        # A hosted server may keep this function for itself: then its address has to do.
        system = f"{database.engine.url.host}:{database.engine.url.port}"
    return facts | {"system": str(system)}
