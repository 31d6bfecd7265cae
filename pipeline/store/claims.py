"""Claims: which deliveries this process has in hand, for how long, and how they come free again."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, Connection, and_, bindparam, or_, select, tuple_, type_coerce, update

from pipeline.letters import Recipient
from pipeline.reminders.occasions import Priority
from pipeline.store.campaigns import LEAVING
from pipeline.store.deliveries import WAITING_AGAIN, Claimed, InDoubt, Settlement, doubted, freed, note
from pipeline.store.leases import later, shown
from pipeline.store.prepared import Prepared, instant, microseconds
from pipeline.store.tables import (
    IS_IN_HAND,
    IS_WAITING,
    MICROSECOND,
    Instant,
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
    """Takes up to `size` deliveries that may leave now, the most urgent campaign's first, for as long as the lease."""
    live = select(campaigns.c.id, campaigns.c.key, campaigns.c.not_after, campaigns.c.priority).where(
        campaigns.c.series == series,
        campaigns.c.state == Progress.EXPANDED,
        campaigns.c.not_after > now,
        campaigns.c.priority <= int(least_urgent),
    )
    found: list[Claimed] = []
    for together in _groups([_Live(*row) for row in connection.execute(live.order_by(*LEAVING))], size):
        if len(found) >= size:
            break
        found += _claim_from(connection, together, size - len(found), owner, lease, now)
    return tuple(found)


class _Live(NamedTuple):
    """A campaign whose deliveries may leave."""

    id: int
    key: str
    not_after: datetime
    priority: int


def _groups(rows: Sequence[_Live], size: int) -> Iterator[list[_Live]]:
    """The campaigns whose deliveries are claimed in one go: many confirmations, of one delivery each, or one other."""
    ones = [row for row in rows if row.priority == Priority.CONFIRMATION]
    yield from (ones[start : start + size] for start in range(0, len(ones), size))
    yield from ([row] for row in rows if row.priority != Priority.CONFIRMATION)


def renew(connection: Connection, owner: str, until: datetime, now: datetime) -> None:
    """Prolongs the leases of what is still claimed; one that has run out stays out."""
    lasting = update(deliveries).where(_claimed_by(owner), deliveries.c.lease_until > shown(now))
    connection.execute(lasting.values(lease_until=later(now, until - now)))


def release(connection: Connection, owner: str) -> None:
    """Puts back what is claimed and wasn't begun."""
    connection.execute(update(deliveries).where(_claimed_by(owner)).values(freed(WAITING_AGAIN)))


def put_off(connection: Connection, items: Iterable[tuple[Claimed, datetime]], owner: str) -> None:
    """Lets claimed deliveries wait, each until an instant of its own, without counting that as a try."""
    rows = [(item.campaign, item.recipient.subscriber, microseconds(until)) for item, until in items]
    if rows:
        _PUT_OFF.run(connection, rows, me=owner)


def reap(connection: Connection, owner: str, dead: Sequence[str], policy: InDoubt, now: datetime) -> tuple[int, int]:
    """Frees what dead senders hold and what leases have run out; returns how many, and how many of them in doubt."""
    ours_no_more = or_(deliveries.c.owner.in_(dead), deliveries.c.lease_until <= shown(now))
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


_PUT_OFF: Final = Prepared(
    update(deliveries)
    .where(
        deliveries.c.campaign_id == bindparam("campaign"),
        deliveries.c.subscriber_id == bindparam("subscriber"),
        deliveries.c.owner == bindparam("me"),
        deliveries.c.state == State.CLAIMED,
    )
    .values(freed(WAITING_AGAIN, next_try=bindparam("until", type_=Instant))),
    "campaign", "subscriber", "until",
)  # fmt: skip


def _claim_from(
    connection: Connection, of: Sequence[_Live], size: int, owner: str, lease: timedelta, now: datetime
) -> list[Claimed]:
    live = {campaign.id: campaign for campaign in of}
    among = deliveries.c.campaign_id.in_(live) if len(of) > 1 else deliveries.c.campaign_id == of[0].id
    ready = (
        _DETAILS.where(among, IS_WAITING, deliveries.c.next_try <= now)
        .order_by(deliveries.c.next_try, deliveries.c.subscriber_id)
        .limit(size)
        .with_for_update(of=deliveries, skip_locked=True)
    )
    found = [
        Claimed(
            campaign,
            live[campaign].key,
            Recipient(subscriber, mailbox, public_id),
            language,
            tries,
            doubts,
            None if dated is None else instant(dated),
            live[campaign].not_after,
        )
        for campaign, subscriber, mailbox, public_id, language, tries, doubts, dated in connection.execute(ready).all()
    ]
    if found:
        _take(connection, found, len(of) == 1, owner, lease, now)
    return found


def _take(
    connection: Connection, found: Sequence[Claimed], of_one: bool, owner: str, lease: timedelta, now: datetime
) -> None:
    if of_one:
        numbers = [item.recipient.subscriber for item in found]
        span, at = lease // MICROSECOND, microseconds(now)
        _TAKE.run_for(connection, numbers, campaign=found[0].campaign, me=owner, now=at, span=span)
        return
    both = tuple_(deliveries.c.campaign_id, deliveries.c.subscriber_id)
    taken = update(deliveries).where(both.in_([(item.campaign, item.recipient.subscriber) for item in found]))
    connection.execute(taken.values(state=State.CLAIMED, owner=owner, lease_until=later(now, lease)))


_TAKE: Final = Prepared(
    update(deliveries)
    .where(
        deliveries.c.campaign_id == bindparam("campaign"),
        deliveries.c.subscriber_id.in_(bindparam("subscribers", expanding=True)),
    )
    .values(
        state=State.CLAIMED,
        owner=bindparam("me"),
        lease_until=later(bindparam("now", type_=Instant), bindparam("span", type_=BigInteger)),
    ),
    "subscribers",
)

_DETAILS: Final = select(
    deliveries.c.campaign_id,
    deliveries.c.subscriber_id,
    subscribers.c.mailbox,
    subscribers.c.public_id,
    deliveries.c.language,
    deliveries.c.attempts,
    deliveries.c.doubts,
    type_coerce(deliveries.c.dated, BigInteger),  # few have one: a type that turned each into an instant takes longer
).select_from(deliveries.join(subscribers))
