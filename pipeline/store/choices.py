"""What subscribers chose beyond kinds, subjects and language: kept row by row, so that one statement can go by it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Row,
    Text,
    and_,
    bindparam,
    delete,
    exists,
    false,
    literal,
    not_,
    or_,
    select,
    union_all,
    update,
)

from pipeline.reminders.occasions import Occasion
from pipeline.reminders.wishes import TOPICS, Wishes, said_of
from pipeline.store.tables import Role, choices, subscriber_tags, subscribers

TAGS: Final = "tags"
_ASKED: Final = "asked"
_DECLINED: Final = "declined"
_EVENTS: Final = "events"
_SETS: Final = (_ASKED, _DECLINED, _EVENTS, *TOPICS)


def fits(occasion: Occasion, at: datetime | None = None) -> ColumnElement[bool]:
    """For a WHERE over subscribers: their choices allow this occasion; what it says nothing about excludes nobody.

    A pause that lasts until `at` at most excludes nobody either; without it, one that is over when the mail falls due.
    """
    topics = [(topic, said) for topic in TOPICS if (said := said_of(occasion, topic))]
    return and_(
        or_(subscribers.c.paused_until.is_(None), subscribers.c.paused_until <= (at or occasion.due)),
        or_(subscribers.c.some_events == 0, _chose(_EVENTS, occasion.event) if occasion.event else false()),
        _chose(_ASKED, occasion.rule) if occasion.on_request else not_(_chose(_DECLINED, occasion.rule)),
        *(or_(not_(_chose(topic)), _chose(topic, *said)) for topic, said in topics),
    )


def _chose(topic: str, *values: str) -> ColumnElement[bool]:
    own = select(choices.c.value).where(choices.c.subscriber_id == subscribers.c.id, choices.c.topic == topic)
    return exists(own.where(choices.c.value.in_(sorted(values))) if values else own)


def keep_wishes(connection: Connection, subscriber: int, wishes: Wishes) -> None:
    """Makes these the choices of a subscriber."""
    connection.execute(_OWN_ROW, {"wanted": subscriber, **columns_of(wishes)})
    connection.execute(_ROWS_BESIDE, {"wanted": subscriber})
    if rows := rows_of(subscriber, wishes):
        connection.execute(_ONE_MORE, rows)


_OWN_ROW: Final = update(subscribers).where(subscribers.c.id == bindparam("wanted"))
_ROWS_BESIDE: Final = delete(choices).where(choices.c.subscriber_id == bindparam("wanted"))
_ONE_MORE: Final = choices.insert()


def columns_of(wishes: Wishes) -> dict[str, Any]:
    """What stands in the subscriber's own row."""
    return {
        "text_only": int(wishes.text_only),
        "paused_until": wishes.paused_until,
        "some_events": int(bool(wishes.events)),
    }


def rows_of(subscriber: int, wishes: Wishes) -> list[dict[str, Any]]:
    """What stands in rows of its own."""
    return [
        {"subscriber_id": subscriber, "topic": topic, "value": value}
        for topic in _SETS
        for value in sorted(getattr(wishes, topic))
    ]


def choices_of(*conditions: ColumnElement[bool]) -> CompoundSelect[Any]:
    """The query for what the subscribers chose that meet conditions; their subjects too, as the topic TAGS."""
    tags = select(subscriber_tags.c.subscriber_id, literal(TAGS, Text).label("topic"), subscriber_tags.c.tag)
    return union_all(
        select(choices.c.subscriber_id, choices.c.topic, choices.c.value).join(subscribers).where(*conditions),
        tags.join(subscribers).where(*conditions),
    )


def by_topic(rows: Iterable[Row[Any]]) -> Mapping[int, Mapping[str, set[str]]]:
    """The rows of `choices_of` by subscriber and topic."""
    found: dict[int, dict[str, set[str]]] = {}
    for row in rows:
        found.setdefault(row.subscriber_id, {}).setdefault(row.topic, set()).add(row.value)
    return found


def wishes_in(row: Row[Any], chosen: Mapping[str, set[str]]) -> Wishes:
    """The choices in a subscriber's row and the rows beside it."""
    sets = {topic: frozenset(chosen.get(topic, ())) for topic in _SETS}
    return Wishes(**sets, text_only=bool(row.text_only), paused_until=row.paused_until)


def is_declined(connection: Connection, series: str, rule: str) -> bool:
    """Whether anybody of a series wants no mails of a rule."""
    query = (
        select(choices.c.value)
        .join(subscribers)
        .where(subscribers.c.series == series, choices.c.topic == _DECLINED, choices.c.value == rule)
    )
    return connection.execute(query.limit(1)).first() is not None


def followed_events(connection: Connection, series: str) -> frozenset[str]:
    """The single events that anybody of a series follows."""
    query = select(choices.c.value).join(subscribers).where(subscribers.c.series == series, choices.c.topic == _EVENTS)
    return frozenset(connection.execute(query.distinct()).scalars())


def pauses(connection: Connection, series: str) -> tuple[datetime, ...]:
    """The instants (UTC) until which anybody of a series pauses, sorted, each once."""
    until = subscribers.c.paused_until
    query = select(until).where(subscribers.c.series == series, until.is_not(None)).distinct().order_by(until)
    return tuple(connection.execute(query).scalars())


def follow_only(series: str, over: frozenset[str]) -> ColumnElement[bool]:
    """For a WHERE over subscribers: who subscribed to single events, all of which are among these."""
    own = select(choices.c.value).where(choices.c.subscriber_id == subscribers.c.id, choices.c.topic == _EVENTS)
    of_series = and_(subscribers.c.series == series, subscribers.c.role == Role.READER, subscribers.c.some_events == 1)
    return and_(of_series, not_(exists(own.where(choices.c.value.not_in(sorted(over))))))
