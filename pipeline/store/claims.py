"""Claims: which deliveries this process has in hand, for how long, and how they come free again."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select, tuple_, update

from pipeline.letters import Recipient
from pipeline.reminders.occasions import Priority
from pipeline.store.campaigns import LEAVING
from pipeline.store.deliveries import WAITING_AGAIN, Claimed, InDoubt, Settlement, doubted, freed, note
from pipeline.store.tables import (
    IS_IN_HAND,
    IS_WAITING,
    Progress,
    State,
    campaigns,
    deliveries,
    subscribers,
)

_ENDED: Final = "the sender ended in the middle of the message"


def claim(
    connection: Connection,
    series: str,
    size: int,
    owner: str,
    lease: timedelta,
    now: datetime,
    least_urgent: Priority = Priority.NEWSLETTER,
) -> tuple[Claimed, ...]:
    """Takes up to `size` deliveries that may leave now, the most urgent campaign's first, until `now + lease`."""
    live = select(campaigns.c.id, campaigns.c.priority).where(
        campaigns.c.series == series,
        campaigns.c.state == Progress.EXPANDED,
        campaigns.c.not_after > now,
        campaigns.c.priority <= int(least_urgent),
    )
    found: list[Claimed] = []
    for together in _groups(connection.execute(live.order_by(*LEAVING)).all(), size):
        if len(found) >= size:
            break
        found += _claim_from(connection, together, size - len(found), owner, now + lease, now)
    return tuple(found)


def _groups(rows: Sequence[Row[int, int]], size: int) -> Iterator[list[int]]:
    """The campaigns whose deliveries are claimed in one go: many confirmations, of one delivery each, or one other."""
    ones = [row.id for row in rows if row.priority == Priority.CONFIRMATION]
    yield from (ones[start : start + size] for start in range(0, len(ones), size))
    yield from ([row.id] for row in rows if row.priority != Priority.CONFIRMATION)


def renew(connection: Connection, owner: str, until: datetime, now: datetime) -> None:
    """Prolongs the leases of what is still claimed; one that has run out stays out."""
    connection.execute(
        update(deliveries).where(_claimed_by(owner), deliveries.c.lease_until > now).values(lease_until=until)
    )


def release(connection: Connection, owner: str) -> None:
    """Puts back what is claimed and wasn't begun."""
    connection.execute(update(deliveries).where(_claimed_by(owner)).values(freed(WAITING_AGAIN)))


def put_off(connection: Connection, item: Claimed, owner: str, until: datetime) -> None:
    """Lets a claimed delivery wait until an instant, without counting that as a try."""
    key = item.campaign, item.recipient.subscriber
    mine = and_(deliveries.c.campaign_id == key[0], deliveries.c.subscriber_id == key[1], _claimed_by(owner))
    connection.execute(update(deliveries).where(mine).values(freed(WAITING_AGAIN, next_try=until)))


def reap(connection: Connection, owner: str, dead: Sequence[str], policy: InDoubt, now: datetime) -> tuple[int, int]:
    """Frees what dead senders hold and what leases have run out; returns how many, and how many of them in doubt."""
    ours_no_more = or_(deliveries.c.owner.in_(dead), deliveries.c.lease_until <= now)
    stale = (
        select(deliveries.c.campaign_id, deliveries.c.subscriber_id, deliveries.c.state, deliveries.c.doubts)
        .where(IS_IN_HAND, deliveries.c.owner != owner, ours_no_more)
        .order_by(deliveries.c.campaign_id, deliveries.c.subscriber_id)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(stale).all()
    for row in rows:
        key = and_(deliveries.c.campaign_id == row.campaign_id, deliveries.c.subscriber_id == row.subscriber_id)
        values = freed(WAITING_AGAIN)
        if row.state == State.SENDING:
            values = doubted(row.doubts, policy, now, _ENDED)
            noted = Settlement(State.DOUBT, None, _ENDED)
            note(connection, row.campaign_id, row.subscriber_id, noted, now)
        connection.execute(update(deliveries).where(key).values(values))
    return len(rows), sum(row.state == State.SENDING for row in rows)


def _claimed_by(owner: str) -> ColumnElement[bool]:
    return and_(IS_IN_HAND, deliveries.c.state == State.CLAIMED, deliveries.c.owner == owner)


def _claim_from(
    connection: Connection, of: Sequence[int], size: int, owner: str, until: datetime, now: datetime
) -> list[Claimed]:
    among = deliveries.c.campaign_id.in_(of) if len(of) > 1 else deliveries.c.campaign_id == of[0]
    ready = (
        select(deliveries.c.campaign_id, deliveries.c.subscriber_id)
        .where(
            among,
            IS_WAITING,
            deliveries.c.next_try <= now,
        )
        .order_by(deliveries.c.next_try, deliveries.c.subscriber_id)
        .limit(size)
        .with_for_update(skip_locked=True)
    )
    keys = [(row.campaign_id, row.subscriber_id) for row in connection.execute(ready)]
    if not keys:
        return []
    mine = and_(among, deliveries.c.subscriber_id.in_([subscriber for _, subscriber in keys]))
    if len(of) > 1:
        mine = and_(mine, tuple_(deliveries.c.campaign_id, deliveries.c.subscriber_id).in_(keys))
    connection.execute(update(deliveries).where(mine).values(state=State.CLAIMED, owner=owner, lease_until=until))
    joined = deliveries.join(campaigns).join(subscribers)
    query = select(
        deliveries.c.campaign_id,
        campaigns.c.key,
        campaigns.c.not_after,
        deliveries.c.language,
        deliveries.c.attempts,
        deliveries.c.doubts,
        deliveries.c.dated,
        subscribers.c.id,
        subscribers.c.mailbox,
        subscribers.c.public_id,
    ).select_from(joined)
    return [
        Claimed(
            row.campaign_id,
            row.key,
            Recipient(row.id, row.mailbox, row.public_id),
            row.language,
            row.attempts,
            row.doubts,
            row.dated,
            row.not_after,
        )
        for row in connection.execute(query.where(mine).order_by(deliveries.c.next_try, subscribers.c.id))
    ]
