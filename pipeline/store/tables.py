"""The tables. Instants are microseconds since 1970 in UTC, so that both databases compare them alike."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware instant in Python, an integer of microseconds in the database; a naive one is refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the database."""
        return None if value is None else (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """From the database, in UTC."""
        return None if value is None else EPOCH + value * MICROSECOND


class Standing(StrEnum):
    """The state of a subscriber; only an active one is mailed (a pending one gets its confirmation)."""

    PENDING = "pending"
    ACTIVE = "active"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"


class Role(StrEnum):
    """Who a row of `subscribers` is: a person, an existing mailing list, or the organiser who gets proofs."""

    READER = "reader"
    LIST = "list"
    PROOF = "proof"


class Progress(StrEnum):
    """The state of a campaign: waiting for its due instant, given to its recipients, over, or never to leave."""

    PLANNED = "planned"
    EXPANDED = "expanded"
    DONE = "done"
    DROPPED = "dropped"


class State(StrEnum):
    """The state of a delivery. Only `sending` is ever in doubt after a crash; `doubt` waits for the operator."""

    PENDING = "pending"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    RETRY = "retry"
    FAILED = "failed"
    DROPPED = "dropped"
    DOUBT = "doubt"


WAITING = (State.PENDING, State.RETRY)
IN_HAND = (State.CLAIMED, State.SENDING)
OPEN = WAITING + IN_HAND

METADATA = MetaData()
_ROW_ID = BigInteger().with_variant(Integer(), "sqlite")


def _one_of(column: str, states: type[StrEnum]) -> CheckConstraint:
    listed = ", ".join(f"'{state}'" for state in states)
    return CheckConstraint(f"{column} IN ({listed})")


meta = Table(
    "meta",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

editions = Table(
    "editions",
    METADATA,
    Column("series", Text, primary_key=True),
    Column("head", Text, nullable=False),
    Column("published", Instant, nullable=False),
)

edition_parts = Table(
    "edition_parts",
    METADATA,
    Column("series", Text, primary_key=True),
    Column("part_of", Text, primary_key=True),  # the catalogue or the ledger
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),  # whole lines, as zlib packs them
)

subscribers = Table(
    "subscribers",
    METADATA,
    Column("id", _ROW_ID, primary_key=True),
    Column("series", Text, nullable=False),
    Column("address", Text, nullable=False),  # as it is shown
    Column("mailbox", Text, nullable=False),  # as it goes into RCPT TO: the domain in ASCII where that is possible
    Column("folded", Text, nullable=False),  # as it is compared
    Column("public_id", Text, nullable=False, unique=True),
    Column("language", Text, nullable=False),
    Column("kinds", Integer, nullable=False),
    Column("state", Text, _one_of("state", Standing), nullable=False),
    Column("bounces", SmallInteger, nullable=False, default=0),
    Column("consent", Text, nullable=False),
    Column("added", Instant, nullable=False),
    Column("changed", Instant, nullable=False),
    Column("role", Text, _one_of("role", Role), nullable=False, default=Role.READER, server_default=Role.READER.value),
    Column("some_events", SmallInteger, nullable=False, default=0, server_default="0"),  # 1: only those in `choices`
    Column("text_only", SmallInteger, nullable=False, default=0, server_default="0"),
    Column("paused_until", Instant),
    UniqueConstraint("series", "folded"),
)

subscriber_tags = Table(
    "subscriber_tags",
    METADATA,
    Column("subscriber_id", _ROW_ID, ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("tag", Text, primary_key=True),
)

choices = Table(  # one row for each thing chosen: a reminder, a group, a city, online or on site, a single event
    "choices",
    METADATA,
    Column("subscriber_id", _ROW_ID, ForeignKey("subscribers.id", ondelete="CASCADE"), primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("value", Text, primary_key=True),
)

forgotten = Table(  # keyed hashes: an import can't bring back who asked to be forgotten
    "forgotten",
    METADATA,
    Column("series", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
)

campaigns = Table(
    "campaigns",
    METADATA,
    Column("id", _ROW_ID, primary_key=True),
    Column("series", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("event", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("occurrence", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("due", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("audience", Text, nullable=False),
    Column("tags", Text, nullable=False),  # sorted, one a line
    Column("state", Text, _one_of("state", Progress), nullable=False),
    Column("reason", Text, nullable=False, default=""),
    Column("expanded", Instant),  # NULL: its recipients were never listed
    Column("starts", Instant),  # when its event begins, where that is known: of two mails the earlier event's is first
    Column("corrects", Text, nullable=False, default="", server_default=""),  # the key of a campaign that was wrong
    Column("told", Text, nullable=False, default="", server_default=""),  # the ledger line it tells
    Column("topics", Text, nullable=False, default="", server_default=""),  # sorted, one a line: `cities:Paris`
    Column("on_request", SmallInteger, nullable=False, default=0, server_default="0"),  # 1: only for those who ask
    UniqueConstraint("series", "key"),
    Index("campaigns_by_event", "series", "event"),
    Index("campaigns_by_state", "state", "due"),
)

letters = Table(
    "letters",
    METADATA,
    Column("campaign_id", _ROW_ID, ForeignKey("campaigns.id", ondelete="CASCADE"), primary_key=True),
    Column("language", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("source", LargeBinary, nullable=False),
)

_WAITING_SQL = text("state IN ('pending', 'retry')")
_IN_HAND_SQL = text("owner IS NOT NULL")
_DOUBT_SQL = text("doubts > 0")

deliveries = Table(
    "deliveries",
    METADATA,
    Column("campaign_id", _ROW_ID, primary_key=True),
    Column("subscriber_id", _ROW_ID, primary_key=True),
    Column("language", Text, nullable=False),  # of the letter: fixed here, so that a second copy has the same bytes
    Column("state", Text, _one_of("state", State), nullable=False),
    Column("next_try", Instant, nullable=False),
    Column("attempts", SmallInteger, nullable=False, default=0),
    Column("doubts", SmallInteger, nullable=False, default=0),
    Column("owner", Text),  # the sender that has it in hand: in the two states of IN_HAND, and in no other
    Column("lease_until", Instant),
    Column("dated", Instant),  # the Date header, kept while it is in doubt
    Column("finished", Instant),  # when it was sent, or given up
    Column("code", SmallInteger),
    Column("reason", Text),
    # PostgreSQL would look for both again at each row of a million: there `expand` keeps hold of them while it reads
    # them, and a trigger (`schema.py`) takes the deliveries along when they go.
    ForeignKeyConstraint(["campaign_id"], ["campaigns.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
    ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], ondelete="CASCADE").ddl_if(dialect="sqlite"),
    Index(
        "deliveries_waiting",
        "campaign_id",
        "next_try",
        "subscriber_id",
        sqlite_where=_WAITING_SQL,
        postgresql_where=_WAITING_SQL,
    ),
    Index(
        # Not by the state: then it would be written once more each time that a message begins.
        "deliveries_in_hand",
        "campaign_id",
        "subscriber_id",
        sqlite_where=_IN_HAND_SQL,
        postgresql_where=_IN_HAND_SQL,
    ),
    Index("deliveries_in_doubt", "doubts", sqlite_where=_DOUBT_SQL, postgresql_where=_DOUBT_SQL),
    sqlite_with_rowid=False,
)


def written_out(state: State) -> ColumnElement[str]:
    """A state as it stands in a statement, and not as a parameter of it.

    A database uses a partial index only where it can see that its condition holds, and each parameter has its price.
    """
    return literal_column(f"'{state}'")


IS_IN_HAND = deliveries.c.owner.is_not(None)
# Every next try is later than 1970: that is said to lead SQLite, which keeps no statistics, to the index of what waits.
IS_WAITING = and_(deliveries.c.state.in_(map(written_out, WAITING)), deliveries.c.next_try > literal_column("0"))
IS_IN_DOUBT = deliveries.c.doubts > literal_column("0")

attempts = Table(  # what went wrong: a letter that is taken at once leaves no row
    "attempts",
    METADATA,
    Column("id", _ROW_ID, primary_key=True),
    Column("campaign_id", _ROW_ID, nullable=False),
    Column("subscriber_id", _ROW_ID, nullable=False),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("code", SmallInteger),
    Column("text", Text, nullable=False),
    ForeignKeyConstraint(
        ["campaign_id", "subscriber_id"],
        ["deliveries.campaign_id", "deliveries.subscriber_id"],
        ondelete="CASCADE",
    ),
    Index("attempts_by_delivery", "campaign_id", "subscriber_id"),
)

reports = Table(  # bounces and complaints that were dealt with: a mailbox may be read as often as one likes
    "reports",
    METADATA,
    Column("digest", Text, primary_key=True),
    Column("at", Instant, nullable=False),
)
