"""A database with somebody in it: what the tests of the store share."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, event, select

from pipeline.letters import Letter
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.claims import claim
from pipeline.store.database import Database
from pipeline.store.deliveries import InDoubt, Settlement, settle, start
from pipeline.store.expansion import expand
from pipeline.store.outbox import (
    close_finished,
)
from pipeline.store.subscribers import (
    ALL_KINDS,
    add,
)
from pipeline.store.switch import arm, installation
from pipeline.store.tables import Standing, State, campaigns, deliveries

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LEASE = timedelta(seconds=60)
OVER = timedelta(0)  # a lease that has run out, by whichever clock
SERIES = "seminar"
TEXTS = {"en": Letter("en", "Soon", b"en\r\n"), "fr": Letter("fr", "Bientôt", b"fr\r\n")}


def occasion(event: str = "talk", rule: str = "day-before", revision: int = 0, **changes: object) -> Occasion:
    values: dict[str, object] = {"kind": Kind.REMINDERS, "due": NOW, "not_after": NOW + DAY} | changes
    return Occasion(event, rule, revision, **values)  # type: ignore[arg-type]


def plan(*occasions: Occasion) -> Plan:
    return Plan(occasions, ())


def subscribe(
    database: Database,
    address: str,
    language: str = "en",
    kinds: Iterable[Kind] = ALL_KINDS,
    tags: Iterable[str] = (),
    state: Standing = Standing.ACTIVE,
) -> int:
    with database.begin() as connection:
        return add(connection, SERIES, address, language, kinds, tags, "by hand", NOW, state)[0]


def armed(database: Database) -> Mapping[str, str]:
    here = installation(database)
    with database.begin() as connection:
        arm(connection, here, NOW)
    return here


def tell(database: Database, wanted: Occasion, now: datetime = NOW) -> int:
    """Plans one occasion and expands what is due; the number of deliveries."""
    with database.begin() as connection:
        reconcile(connection, SERIES, plan(wanted), now)
        return sum(expand(connection, it, TEXTS, "fr", now) for it in due_campaigns(connection, SERIES, now))


def states(database: Database) -> dict[str, tuple[str, str]]:
    with database.look() as connection:
        rows = connection.execute(select(campaigns.c.key, campaigns.c.state, campaigns.c.reason))
        return {row.key: (row.state, row.reason) for row in rows}


def recipients(database: Database, key: str) -> set[int]:
    with database.look() as connection:
        joined = deliveries.join(campaigns)
        query = select(deliveries.c.subscriber_id).select_from(joined).where(campaigns.c.key == key)
        return set(connection.execute(query).scalars())


def send_all(database: Database, wanted: Occasion, address: str = "ada@example.org") -> None:
    """One subscriber gets one mail."""
    armed(database)
    subscribe(database, address)
    tell(database, wanted)
    with database.begin() as connection:
        for item in claim(connection, SERIES, 9, "me", LEASE, NOW):
            assert start(connection, item, "me", NOW + LEASE, NOW, NOW)
            settle(connection, item, "me", Settlement(State.SENT, 250), InDoubt.RESEND, NOW)
        close_finished(connection, SERIES)


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """The statements that the connection runs meanwhile."""
    seen: list[str] = []

    def note(_c: object, _u: object, statement: str, _v: object, _x: object, _m: bool) -> None:
        seen.append(statement)

    event.listen(connection, "before_cursor_execute", note)
    yield seen
    event.remove(connection, "before_cursor_execute", note)
