"""All that the database holds about one person, and how many people there are: for them, and for the operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from pipeline.store.tables import Role, attempts, campaigns, deliveries, letters, subscribers


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mail server said when a mail wasn't taken at once."""

    at: datetime
    outcome: str
    code: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Mailed:
    """One mail to a person: its occasion, its subject, how far it got, when and why, and what went wrong meanwhile."""

    occasion: str
    subject: str
    language: str
    state: str
    at: datetime | None
    reason: str | None
    tries: int
    next_try: datetime | None
    """When it is tried next; None for one that doesn't wait any more."""
    answers: tuple[Answer, ...]


def mailed_to(connection: Connection, subscriber: int) -> tuple[Mailed, ...]:
    """Every mail that was queued for a subscriber, the oldest first."""
    own = deliveries.join(campaigns, deliveries.c.campaign_id == campaigns.c.id).outerjoin(
        letters, (letters.c.campaign_id == campaigns.c.id) & (letters.c.language == deliveries.c.language)
    )
    query = (
        select(deliveries, campaigns.c.key, letters.c.subject)
        .select_from(own)
        .where(deliveries.c.subscriber_id == subscriber)
        .order_by(campaigns.c.due, campaigns.c.id)
    )
    said = _answers_to(connection, subscriber)
    return tuple(
        Mailed(
            row.key, row.subject or "", row.language, row.state, row.finished, row.reason, row.attempts,
            row.next_try if row.finished is None else None, tuple(said.get(row.campaign_id, ())),
        )
        for row in connection.execute(query)
    )  # fmt: skip


def _answers_to(connection: Connection, subscriber: int) -> Mapping[int, list[Answer]]:
    found: dict[int, list[Answer]] = {}
    query = select(attempts).where(attempts.c.subscriber_id == subscriber).order_by(attempts.c.at, attempts.c.id)
    for row in connection.execute(query):
        found.setdefault(row.campaign_id, []).append(Answer(row.at, row.outcome, row.code, row.text))
    return found


def standings(connection: Connection) -> Mapping[tuple[str, str, str], int]:
    """How many people there are, by series, state and language."""
    columns = (subscribers.c.series, subscribers.c.state, subscribers.c.language)
    query = select(*columns, func.count()).where(subscribers.c.role == Role.READER).group_by(*columns)
    return {(series, state, language): number for series, state, language, number in connection.execute(query)}


def mails(connection: Connection) -> Mapping[tuple[str, str], int]:
    """How many mails there are, by series and state."""
    query = (
        select(campaigns.c.series, deliveries.c.state, func.count())
        .select_from(deliveries.join(campaigns, deliveries.c.campaign_id == campaigns.c.id))
        .group_by(campaigns.c.series, deliveries.c.state)
    )
    return {(series, state): number for series, state, number in connection.execute(query)}
