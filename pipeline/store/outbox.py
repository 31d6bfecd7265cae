"""The outbox as a whole: what waits, what is too late, what is over, what is in doubt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, exists, func, or_, select, update

from pipeline.store.addresses import normalised
from pipeline.store.campaigns import LATE, LEAVING, OVER
from pipeline.store.deliveries import freed
from pipeline.store.tables import (
    IS_IN_DOUBT,
    IS_IN_HAND,
    IS_WAITING,
    OPEN,
    WAITING,
    Progress,
    State,
    attempts,
    campaigns,
    deliveries,
    subscribers,
)

_OF_CAMPAIGN: Final = select(deliveries.c.campaign_id).where(deliveries.c.campaign_id == campaigns.c.id)

# Two questions and not one: each has an index that holds nothing else. The second is asked once for all campaigns:
# of each one, SQLite would look through all its deliveries instead.
NOTHING_OPEN: Final = and_(
    ~exists(_OF_CAMPAIGN.where(IS_WAITING)), campaigns.c.id.not_in(select(deliveries.c.campaign_id).where(IS_IN_HAND))
)
"""For a WHERE: whether nothing of a campaign waits, and nothing of it is under way."""

_DAY_LOCK: Final = 0x746F63  # the class of the locks by which senders share the mails of a day


def expire(connection: Connection, series: str, now: datetime) -> int:
    """Drops what waits beyond its campaign's last instant, or for one that is over; returns how many."""
    own = select(campaigns.c.id).where(campaigns.c.series == series)
    past = own.where(campaigns.c.state == Progress.EXPANDED, campaigns.c.not_after <= now)
    over = own.where(campaigns.c.state == Progress.DONE)
    return _give_up(connection, past, LATE, now) + _give_up(connection, over, OVER, now)


def close_finished(connection: Connection, series: str) -> None:
    """Ends the campaigns of which nothing waits and nothing is under way."""
    connection.execute(
        update(campaigns)
        .where(campaigns.c.series == series, campaigns.c.state == Progress.EXPANDED, NOTHING_OPEN)
        .values(state=Progress.DONE)
    )


def others_hold_until(connection: Connection, series: str, owner: str) -> datetime | None:
    """Until when other senders hold deliveries of this series; None where nobody does."""
    leases = _in_hand(func.max(deliveries.c.lease_until), deliveries.c.owner != owner)
    longest = select(func.max(leases.c.found)).select_from(leases.join(campaigns)).where(campaigns.c.series == series)
    return connection.execute(longest).scalar()


def waiting(connection: Connection, series: str) -> int:
    """How many deliveries wait to leave, now or at a later try, or are under way."""
    live = and_(campaigns.c.series == series, campaigns.c.state == Progress.EXPANDED)
    query = select(func.count()).select_from(deliveries.join(campaigns)).where(live, IS_WAITING)
    return int(connection.execute(query).scalar_one()) + _under_way(connection, live)


def _under_way(connection: Connection, those: ColumnElement[bool]) -> int:
    """How many deliveries of those campaigns are under way."""
    number = _in_hand(func.count())
    query = select(func.coalesce(func.sum(number.c.found), 0)).select_from(number.join(campaigns)).where(those)
    return int(connection.execute(query).scalar_one())


def _in_hand(what: ColumnElement[Any], *which: ColumnElement[bool]) -> Subquery:
    """Of each campaign something about its deliveries that are in somebody's hands.

    Asked of all campaigns at once: of each one, SQLite would look through all its deliveries instead.
    """
    campaign = deliveries.c.campaign_id
    return select(campaign, what.label("found")).where(IS_IN_HAND, *which).group_by(campaign).subquery()


@dataclass(frozen=True, slots=True)
class Entry:
    """One delivery, as `tocsin outbox` and `tocsin doubt` list it. `at` is its next try, or when it was over."""

    campaign: int
    subscriber: int
    key: str
    address: str
    state: State
    at: datetime
    attempts: int
    doubts: int
    code: int | None
    reason: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Selection:
    """Which deliveries are meant: of an address, of a campaign by its key, of both, or (without either) all."""

    address: str | None = None
    key: str | None = None


EVERYTHING = Selection()


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that went wrong with a delivery, and when."""

    at: datetime
    outcome: str
    code: int | None
    text: str


def counts(connection: Connection, series: str) -> dict[State, int]:
    """How many deliveries of a series are in each state."""
    query = select(deliveries.c.state, func.count()).select_from(deliveries.join(campaigns))
    query = query.where(campaigns.c.series == series).group_by(deliveries.c.state)
    return {State(state): number for state, number in connection.execute(query)}


def sent_since(connection: Connection, series: str, since: datetime) -> int:
    """How many mails of a series were sent after an instant, for the limit of a day."""
    # Nothing is sent after its campaign's last instant: those of earlier days needn't be looked at.
    query = (
        select(func.count())
        .select_from(deliveries.join(campaigns))
        .where(
            campaigns.c.series == series,
            campaigns.c.not_after > since,
            deliveries.c.state == State.SENT,
            deliveries.c.finished > since,
        )
    )
    return int(connection.execute(query).scalar_one())


def used_of_day(connection: Connection, series: str, since: datetime) -> int:
    """How many mails of a series were sent after an instant, may have been, or are in a sender's hands.

    Until the end of the transaction no other sender on PostgreSQL is told, so that two can't take the same room.
    """
    if connection.dialect.name == "postgresql":
        key = func.hashtext(f"tocsin day {series}")
        connection.execute(select(func.pg_advisory_xact_lock(_DAY_LOCK, key)))
    held = _under_way(connection, campaigns.c.series == series)
    return sent_since(connection, series, since) + _doubted_since(connection, series, since) + held


def _doubted_since(connection: Connection, series: str, since: datetime) -> int:
    """How many copies may have left, of which nobody knows: each was in doubt after an instant."""
    query = (
        select(func.count())
        .select_from(deliveries.join(campaigns).join(attempts))
        .where(campaigns.c.series == series, IS_IN_DOUBT, attempts.c.outcome == State.DOUBT, attempts.c.at > since)
    )
    return int(connection.execute(query).scalar_one())


def entries(
    connection: Connection,
    series: str,
    states: tuple[State, ...] = OPEN,
    limit: int | None = 1000,
    which: Selection = EVERYTHING,
) -> list[Entry]:
    """The deliveries of a series in these states, in the order in which they leave; `limit` None gives all."""
    meant = [campaigns.c.series == series, deliveries.c.state.in_(states)]
    if which.address is not None:
        # As it is compared, or (lists and the organiser, which stand apart) as it goes over the wire.
        box = normalised(which.address)
        meant.append(or_(subscribers.c.folded == box.folded, subscribers.c.mailbox == box.mailbox))
    if which.key is not None:
        meant.append(campaigns.c.key == which.key)
    return _entries(connection, and_(*meant), limit)


def doubtful(connection: Connection, series: str) -> list[Entry]:
    """The deliveries that are in doubt: those held, and those that go out, or went out, a second time.

    What was given up, by a person or after its last try, is in doubt no more: it is listed as what it is.
    """
    # The few are looked up first, by the index that holds nothing else.
    found = connection.execute(select(deliveries.c.campaign_id, deliveries.c.subscriber_id).where(IS_IN_DOUBT)).all()
    them = and_(
        deliveries.c.campaign_id.in_({row.campaign_id for row in found}),
        deliveries.c.subscriber_id.in_({row.subscriber_id for row in found}),
    )
    in_doubt = and_(IS_IN_DOUBT, deliveries.c.state.not_in((State.FAILED, State.DROPPED)))
    return _entries(connection, and_(campaigns.c.series == series, them, in_doubt), None)


def history(connection: Connection, campaign: int, subscriber: int) -> list[Attempt]:
    """What went wrong with a delivery, the oldest first."""
    query = select(attempts).where(attempts.c.campaign_id == campaign, attempts.c.subscriber_id == subscriber)
    rows = connection.execute(query.order_by(attempts.c.id))
    return [Attempt(row.at, row.outcome, row.code, row.text) for row in rows]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What went wrong how often with the same words, and when last."""

    outcome: str
    code: int | None
    text: str
    times: int
    last: datetime


def troubles(connection: Connection, series: str, since: datetime, limit: int = 10) -> tuple[Trouble, ...]:
    """What went wrong since an instant, the most frequent first."""
    times, last = func.count(), func.max(attempts.c.at)
    joined = attempts.join(campaigns, campaigns.c.id == attempts.c.campaign_id)
    query = (
        select(attempts.c.outcome, attempts.c.code, attempts.c.text, times, last)
        .select_from(joined)
        .where(campaigns.c.series == series, attempts.c.at > since)
        .group_by(attempts.c.outcome, attempts.c.code, attempts.c.text)
        .order_by(times.desc(), last.desc())
        .limit(limit)
    )
    return tuple(Trouble(*row) for row in connection.execute(query))


def resend(connection: Connection, campaign: int, subscriber: int, now: datetime) -> bool:
    """Sends again what is held in doubt or has failed, with the same Message-ID; False where it is neither."""
    held = deliveries.c.state.in_((State.DOUBT, State.FAILED))
    # What was given up after its last try gets as many anew.
    values = {"next_try": now, "finished": None, "attempts": 0}
    return _move(connection, campaign, subscriber, held, State.PENDING, values) and _reopened(connection, campaign)


def retry_now(connection: Connection, campaign: int, subscriber: int, now: datetime) -> bool:
    """Lets what waits for a later try go at once; False where it doesn't wait."""
    values = {"next_try": now}
    return _move(connection, campaign, subscriber, deliveries.c.state == State.RETRY, State.RETRY, values)


def retry_failed(connection: Connection, campaign: int, subscriber: int, next_try: datetime) -> bool:
    """Lets what was refused for a reason that wasn't its own go again; False where it hasn't failed."""
    values = {"next_try": next_try, "finished": None, "attempts": deliveries.c.attempts + 1}
    failed = deliveries.c.state == State.FAILED
    return _move(connection, campaign, subscriber, failed, State.RETRY, values) and _reopened(connection, campaign)


def drop_delivery(connection: Connection, campaign: int, subscriber: int, now: datetime) -> bool:
    """Gives up what waits or is held in doubt; False where it is neither."""
    held = deliveries.c.state.in_((*WAITING, State.DOUBT))
    values = {"reason": "dropped by hand", "finished": now}
    return _move(connection, campaign, subscriber, held, State.DROPPED, values)


def _give_up(connection: Connection, of: Select[tuple[int]], reason: str, now: datetime) -> int:
    waiting_there = and_(deliveries.c.campaign_id.in_(of), IS_WAITING)
    values = freed(State.DROPPED, reason=reason, finished=now)
    return int(connection.execute(update(deliveries).where(waiting_there).values(values)).rowcount)


def _reopened(connection: Connection, campaign: int) -> bool:
    """A campaign that was over has something waiting again."""
    over = update(campaigns).where(campaigns.c.id == campaign, campaigns.c.state == Progress.DONE)
    connection.execute(over.values(state=Progress.EXPANDED, reason=""))
    return True


def _move(
    connection: Connection,
    campaign: int,
    subscriber: int,
    held: ColumnElement[bool],
    state: State,
    values: Mapping[str, Any],
) -> bool:
    row = update(deliveries).where(deliveries.c.campaign_id == campaign, deliveries.c.subscriber_id == subscriber, held)
    return bool(connection.execute(row.values(freed(state, **values))).rowcount)


def _entries(connection: Connection, condition: ColumnElement[bool], limit: int | None) -> list[Entry]:
    query = (
        select(deliveries, campaigns.c.key, campaigns.c.not_after, subscribers.c.address)
        .select_from(deliveries.join(campaigns).join(subscribers))
        .where(condition)
        .order_by(*LEAVING, deliveries.c.next_try, subscribers.c.id)
        .limit(limit)
    )
    return [
        Entry(
            row.campaign_id,
            row.subscriber_id,
            row.key,
            row.address,
            State(row.state),
            row.finished or row.next_try,
            row.attempts,
            row.doubts,
            row.code,
            row.reason or "",
            row.not_after,
        )
        for row in connection.execute(query)
    ]
