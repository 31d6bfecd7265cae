"""One delivery for each recipient of a campaign, and its way: pending, claimed, sending, sent.

`sending` is committed before the first byte of its message leaves, the outcome right after the server's reply: after a
crash only what is between the two is in doubt. Owner and state stand in every WHERE: a process that was stopped beyond
its lease finds its claims gone and sends nothing new.
"""

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    exists,
    null,
    or_,
    select,
    update,
)

from pipeline.letters import Letter, Recipient
from pipeline.store.campaigns import LATE, OVER
from pipeline.store.expansion import may_hear
from pipeline.store.leases import later, shown
from pipeline.store.prepared import Prepared, microseconds
from pipeline.store.subscribers import count_bounce
from pipeline.store.switch import armed_switch
from pipeline.store.tables import (
    IS_IN_HAND,
    MICROSECOND,
    Instant,
    Progress,
    State,
    attempts,
    campaigns,
    deliveries,
    letters,
    subscribers,
    written_out,
)

_TEXT_LENGTH: Final = 200

# What was tried before waits for a retry, what wasn't is pending.
WAITING_AGAIN = case((deliveries.c.attempts > 0, State.RETRY.value), else_=State.PENDING.value)


class InDoubt(StrEnum):
    """What becomes of a message that the server may or may not have taken."""

    RESEND = "resend"
    HOLD = "hold"


class Bounce(StrEnum):
    """What a refusal says of the address."""

    NONE = "none"
    COUNTED = "counted"
    SUSPENDING = "suspending"


class Claimed(NamedTuple):
    """A delivery in this process's hands. `dated` is set where a first copy is in doubt: the second has its Date."""

    campaign: int
    key: str
    recipient: Recipient
    language: str
    attempts: int
    doubts: int
    dated: datetime | None
    not_after: datetime


class Settlement(NamedTuple):
    """What came of a message: its next state, the server's code and text, when to try again, and the address's part."""

    state: State
    code: int | None = None
    text: str = ""
    next_try: datetime | None = None
    bounce: Bounce = Bounce.NONE


def letters_of(connection: Connection, wanted: AbstractSet[tuple[int, str]]) -> dict[tuple[int, str], Letter]:
    """The stored letters of campaigns in languages, by both."""
    if not wanted:
        return {}
    query = select(letters).where(
        letters.c.campaign_id.in_({campaign for campaign, _ in wanted}),
        letters.c.language.in_({language for _, language in wanted}),
    )
    rows = connection.execute(query)
    return {
        key: Letter(row.language, row.subject, row.source)
        for row in rows
        if (key := (row.campaign_id, row.language)) in wanted
    }


_START = Prepared(
    update(deliveries)
    .where(
        deliveries.c.campaign_id == bindparam("campaign"),
        deliveries.c.subscriber_id.in_(bindparam("subscribers", expanding=True)),
        deliveries.c.owner == bindparam("me"),
        # `sending` too: the commit may be repeated when its confirmation was lost on the way. With another Date it is
        # another copy, made before this sender lost the delivery and claimed it anew.
        or_(deliveries.c.state == State.CLAIMED, deliveries.c.dated == bindparam("at", type_=Instant)),
        deliveries.c.lease_until > shown(bindparam("now", type_=Instant)),
        armed_switch(),
        exists(
            select(campaigns.c.id)
            .select_from(campaigns.join(subscribers, subscribers.c.id == deliveries.c.subscriber_id))
            .where(
                campaigns.c.id == bindparam("campaign"),
                campaigns.c.state == Progress.EXPANDED,
                campaigns.c.not_after > bindparam("now", type_=Instant),
                may_hear(),
            )
            .correlate(deliveries)
        ),
    )
    .values(
        state=State.SENDING,
        lease_until=later(bindparam("now", type_=Instant), bindparam("span", type_=BigInteger)),
        dated=bindparam("at", type_=Instant),
    ),
    "subscribers",
)

_SENT = Prepared(
    update(deliveries)
    .where(
        deliveries.c.campaign_id == bindparam("campaign"),
        deliveries.c.subscriber_id == bindparam("subscriber"),
        # Known to be sent, it is sent, also when somebody freed it in the meantime because we took so long.
        or_(deliveries.c.state != written_out(State.SENDING), deliveries.c.owner == bindparam("me")),
    )
    .values(
        state=written_out(State.SENT),
        owner=null(),
        lease_until=null(),
        finished=bindparam("at", type_=Instant),
        code=bindparam("said"),
        reason=bindparam("words"),
    ),
    "campaign", "subscriber", "said", "words",
)  # fmt: skip


def start(connection: Connection, item: Claimed, owner: str, until: datetime, dated: datetime, now: datetime) -> bool:
    """Lets a message leave: once this is committed it counts as sending. False where it must not leave any more."""
    return start_all(connection, [(item, dated)], owner, until, now) == [True]


def start_all(
    connection: Connection, items: Sequence[tuple[Claimed, datetime]], owner: str, until: datetime, now: datetime
) -> list[bool]:
    """The same for several messages with the Date of each, in a statement for all alike; says which may leave."""
    alike = defaultdict[tuple[int, datetime], list[int]](list)
    for item, dated in items:
        alike[item.campaign, dated].append(item.recipient.subscriber)
    shared = {"me": owner, "now": microseconds(now), "span": (until - now) // MICROSECOND}
    changed = sum(
        _START.run_for(connection, several, campaign=campaign, at=microseconds(dated), **shared)
        for (campaign, dated), several in alike.items()
    )
    if changed == len(items):
        return [True] * len(items)
    ours = and_(IS_IN_HAND, deliveries.c.owner == owner, deliveries.c.state == State.SENDING)
    copies = select(deliveries.c.campaign_id, deliveries.c.subscriber_id, deliveries.c.dated).where(ours)
    begun = {tuple(row) for row in connection.execute(copies)}
    return [(item.campaign, item.recipient.subscriber, dated) in begun for item, dated in items]


def set_aside(connection: Connection, item: Claimed, owner: str, now: datetime) -> str:
    """Drops a claimed delivery that must not leave and says why; empty where it only waits again, or isn't ours."""
    joined = deliveries.join(campaigns).join(subscribers)
    mine = and_(_is(item), deliveries.c.owner == owner, deliveries.c.state == State.CLAIMED)
    row = connection.execute(
        select(
            campaigns.c.state,
            campaigns.c.reason,
            campaigns.c.not_after,
            subscribers.c.state.label("standing"),
            may_hear().label("may_hear"),
        )
        .select_from(joined)
        .where(mine)
    ).one_or_none()
    if row is None:
        return ""
    if not row.may_hear:
        reason = str(row.standing)
    elif row.state != Progress.EXPANDED:
        reason = row.reason or OVER
    elif row.not_after <= now:
        reason = LATE
    else:  # the lease is over, or sending was stopped
        connection.execute(update(deliveries).where(mine).values(freed(WAITING_AGAIN)))
        return ""
    connection.execute(update(deliveries).where(mine).values(freed(State.DROPPED, reason=reason, finished=now)))
    return reason


def settle(
    connection: Connection, item: Claimed, owner: str, outcome: Settlement, policy: InDoubt, now: datetime
) -> State:
    """Stores what came of a message, and returns the state in which that leaves it."""
    (state,) = settle_all(connection, [(item, outcome)], owner, policy, now)
    return state


def settle_all(
    connection: Connection, ended: Sequence[tuple[Claimed, Settlement]], owner: str, policy: InDoubt, now: datetime
) -> list[State]:
    """Stores what came of several messages; those that were sent, by far the most, in one statement."""
    sent = [
        (item.campaign, item.recipient.subscriber, outcome.code, outcome.text[:_TEXT_LENGTH])
        for item, outcome in ended
        if outcome.state is State.SENT
    ]
    if sent:
        _SENT.run(connection, sent, me=owner, at=microseconds(now))
        if len(sent) == len(ended):
            return [State.SENT] * len(sent)
    return [
        State.SENT if outcome.state is State.SENT else _settle_other(connection, item, owner, outcome, policy, now)
        for item, outcome in ended
    ]


def _settle_other(
    connection: Connection, item: Claimed, owner: str, outcome: Settlement, policy: InDoubt, now: datetime
) -> State:
    state, values = _settled(item, outcome, policy, now)
    ours = and_(_is(item), deliveries.c.state == State.SENDING, deliveries.c.owner == owner)
    changed = connection.execute(update(deliveries).where(ours).values(values)).rowcount
    if changed:
        note(connection, item.campaign, item.recipient.subscriber, outcome, now)
    if changed and outcome.bounce is not Bounce.NONE:
        suspend = outcome.bounce is Bounce.SUSPENDING
        count_bounce(connection, item.recipient.subscriber, now, suspend=suspend)
    return state


def refuse_claimed(connection: Connection, item: Claimed, owner: str, text: str, now: datetime) -> None:
    """Gives up a claimed delivery whose message can't be made."""
    mine = and_(_is(item), deliveries.c.owner == owner, deliveries.c.state == State.CLAIMED)
    outcome = Settlement(State.FAILED, None, text)
    values = freed(State.FAILED, reason=text[:_TEXT_LENGTH], finished=now)
    if connection.execute(update(deliveries).where(mine).values(values)).rowcount:
        note(connection, item.campaign, item.recipient.subscriber, outcome, now)


def _is(item: Claimed) -> ColumnElement[bool]:
    return and_(deliveries.c.campaign_id == item.campaign, deliveries.c.subscriber_id == item.recipient.subscriber)


def freed(state: Any, **values: Any) -> dict[str, Any]:
    """The values of a row that nobody holds any more."""
    return {"state": state, "owner": None, "lease_until": None, **values}


def _settled(item: Claimed, outcome: Settlement, policy: InDoubt, now: datetime) -> tuple[State, dict[str, Any]]:
    said = {"code": outcome.code, "reason": outcome.text[:_TEXT_LENGTH]}
    if outcome.state is State.DOUBT:
        values = doubted(item.doubts, policy, now, outcome.text)
        return values["state"], values
    # The next try gets a Date of its own, unless an earlier copy may be out there.
    again = {"next_try": outcome.next_try or now, **said, **({} if item.doubts else {"dated": None})}
    if outcome.state is State.RETRY:
        return State.RETRY, freed(State.RETRY, attempts=item.attempts + 1, **again)
    if outcome.state is State.PENDING:  # nobody's fault: not counted as an attempt
        state = State.RETRY if item.attempts else State.PENDING
        return state, freed(state, **again)
    return outcome.state, freed(outcome.state, finished=now, **said)


def doubted(doubts: int, policy: InDoubt, now: datetime, text: str) -> dict[str, Any]:
    """Once in doubt it may go again, with its old Date; a second time it waits for the operator."""
    again = policy is InDoubt.RESEND and doubts == 0
    state = State.PENDING if again else State.DOUBT
    when = {"next_try": now} if again else {"finished": now}
    return freed(state, doubts=doubts + 1, reason=text[:_TEXT_LENGTH], **when)


def note(connection: Connection, campaign: int, subscriber: int, outcome: Settlement, now: datetime) -> None:
    """Remembers one thing that went wrong with a delivery."""
    connection.execute(
        attempts.insert().values(
            campaign_id=campaign,
            subscriber_id=subscriber,
            at=now,
            outcome=outcome.state.value,
            code=outcome.code,
            text=outcome.text[:_TEXT_LENGTH],
        )
    )
