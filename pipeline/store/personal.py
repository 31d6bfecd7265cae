"""All that the database holds about one person, and how many people there are: for them, and for the operator."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from pipeline.store.tables import Role, campaigns, deliveries, letters, subscribers


@dataclass(frozen=True, slots=True)
class Mailed:
    """One mail to a person: its occasion, its subject, how far it got, and when that was."""

    occasion: str
    subject: str
    language: str
    state: str
    at: datetime | None


def mailed_to(connection: Connection, subscriber: int) -> tuple[Mailed, ...]:
    """Every mail that was queued for a subscriber, the oldest first."""
    own = deliveries.join(campaigns, deliveries.c.campaign_id == campaigns.c.id).outerjoin(
        letters, (letters.c.campaign_id == campaigns.c.id) & (letters.c.language == deliveries.c.language)
    )
    query = (
        select(campaigns.c.key, letters.c.subject, deliveries.c.language, deliveries.c.state, deliveries.c.finished)
        .select_from(own)
        .where(deliveries.c.subscriber_id == subscriber)
        .order_by(campaigns.c.due, campaigns.c.id)
    )
    return tuple(
        Mailed(row.key, row.subject or "", row.language, row.state, row.finished) for row in connection.execute(query)
    )


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
