"""The version of the schema, and the steps that bring an older database to it."""

import zlib
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection, inspect, select, text

from pipeline.errors import StoreError
from pipeline.store.limits import limits
from pipeline.store.tables import meta

Migration = Callable[[Connection], None]


def _lists_corrections_and_reports(connection: Connection) -> None:
    role = "TEXT DEFAULT 'reader' NOT NULL CHECK (role IN ('reader', 'list', 'proof'))"
    for statement in (
        f"ALTER TABLE subscribers ADD COLUMN role {role}",
        "ALTER TABLE campaigns ADD COLUMN starts BIGINT",
        "ALTER TABLE campaigns ADD COLUMN corrects TEXT DEFAULT '' NOT NULL",
        "ALTER TABLE campaigns ADD COLUMN told TEXT DEFAULT '' NOT NULL",
        "CREATE TABLE reports (digest TEXT NOT NULL PRIMARY KEY, at BIGINT NOT NULL)",
    ):
        connection.execute(text(statement))


def _limits(connection: Connection) -> None:
    connection.execute(
        text("CREATE TABLE limits (digest TEXT NOT NULL PRIMARY KEY, uses INTEGER NOT NULL, until BIGINT NOT NULL)")
    )


def _choices(connection: Connection) -> None:
    number = "INTEGER" if connection.dialect.name == "sqlite" else "BIGINT"
    for statement in (
        "ALTER TABLE subscribers ADD COLUMN some_events SMALLINT DEFAULT 0 NOT NULL",
        "ALTER TABLE subscribers ADD COLUMN text_only SMALLINT DEFAULT 0 NOT NULL",
        "ALTER TABLE subscribers ADD COLUMN paused_until BIGINT",
        "ALTER TABLE campaigns ADD COLUMN topics TEXT DEFAULT '' NOT NULL",
        "ALTER TABLE campaigns ADD COLUMN on_request SMALLINT DEFAULT 0 NOT NULL",
        (
            f"CREATE TABLE choices (subscriber_id {number} NOT NULL REFERENCES subscribers (id) ON DELETE CASCADE, "
            "topic TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (subscriber_id, topic, value))"
        ),
    ):
        connection.execute(text(statement))


def _deliveries_without_checks(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        for column in ("campaign_id", "subscriber_id"):
            connection.execute(text(f"ALTER TABLE deliveries DROP CONSTRAINT IF EXISTS deliveries_{column}_fkey"))
        _take_deliveries_along(connection)


def _take_deliveries_along(connection: Connection) -> None:
    """Lets PostgreSQL delete the deliveries of campaigns and subscribers that are deleted, all in one go."""
    for table, column in (("campaigns", "campaign_id"), ("subscribers", "subscriber_id")):
        name = f"deliveries_of_{table}"
        connection.execute(
            text(
                f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "  # noqa: S608 - names of our own
                f"DELETE FROM deliveries USING gone WHERE deliveries.{column} = gone.id; RETURN NULL; END $$"
            )
        )
        connection.execute(
            text(
                f"CREATE TRIGGER {name} AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone "
                f"FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
            )
        )


def _editions_in_parts(connection: Connection) -> None:
    binary = "BLOB" if connection.dialect.name == "sqlite" else "BYTEA"
    connection.execute(
        text(
            "CREATE TABLE edition_parts (series TEXT NOT NULL, part_of TEXT NOT NULL, number INTEGER NOT NULL, "
            f"body {binary} NOT NULL, PRIMARY KEY (series, part_of, number))"
        )
    )
    for part_of in ("catalogue", "ledger"):
        for series in connection.execute(text("SELECT series FROM editions")).scalars().all():
            # One part each, however long: the next `tocsin publish` cuts it.
            stored = text(f"SELECT {part_of} FROM editions WHERE series = :series")  # noqa: S608 - names of our own
            body = zlib.compress(connection.execute(stored, {"series": series}).scalar_one().encode(), level=1)
            connection.execute(
                text("INSERT INTO edition_parts VALUES (:series, :part_of, 0, :body)"),
                {"series": series, "part_of": part_of, "body": body},
            )
    # Emptied first: to drop a column SQLite writes each row anew, with the other long text.
    connection.execute(text("UPDATE editions SET catalogue = '', ledger = ''"))
    for part_of in ("catalogue", "ledger"):
        connection.execute(text(f"ALTER TABLE editions DROP COLUMN {part_of}"))


def _in_hand_by_owner(connection: Connection) -> None:
    # What is over belongs to nobody: from now on that is relied on.
    connection.execute(
        text("UPDATE deliveries SET owner = NULL WHERE owner IS NOT NULL AND state NOT IN ('claimed', 'sending')")
    )
    connection.execute(text("DROP INDEX deliveries_in_hand"))
    connection.execute(
        text("CREATE INDEX deliveries_in_hand ON deliveries (campaign_id, subscriber_id) WHERE owner IS NOT NULL")
    )


# Each step leads from the version that is its position + 1 to the next. A step is never changed after a release: it
# says in SQL of its own what was new then, since the tables in `tables.py` move on.
MIGRATIONS: Final[tuple[Migration, ...]] = (
    _lists_corrections_and_reports,
    _limits,
    _choices,
    _deliveries_without_checks,
    _editions_in_parts,
    _in_hand_by_owner,
)

_SCHEMA_LOCK: Final = 0x746F6373696E  # "tocsin": one process at a time changes the schema on PostgreSQL


def migrate(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> None:
    """Creates the tables, or brings them from an older version to this one; a newer database is refused."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _SCHEMA_LOCK})
    newest = len(migrations) + 1
    version = _version(connection)
    if version > newest:
        raise StoreError(
            "the database was made by a newer tocsin (schema {version}; this one knows up to {newest}); "
            "install that version here too",
            version=version,
            newest=newest,
        )
    if version == 0:
        limits.metadata.create_all(connection)
        if connection.dialect.name == "postgresql":
            _take_deliveries_along(connection)
        connection.execute(meta.insert().values(name="schema_version", value=str(newest)))
        return
    for step in migrations[version - 1 :]:
        step(connection)
    if version < newest:
        connection.execute(meta.update().where(meta.c.name == "schema_version").values(value=str(newest)))


def is_current(connection: Connection) -> bool:
    """Whether nothing has to be created or migrated; only reads."""
    return _version(connection) == len(MIGRATIONS) + 1


def _version(connection: Connection) -> int:
    if not inspect(connection).has_table("meta"):
        return 0
    stored = connection.execute(select(meta.c.value).where(meta.c.name == "schema_version")).scalar()
    return int(stored) if stored else 0
