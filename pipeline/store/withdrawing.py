"""What waits for somebody who has chosen anew: what they don't want any more doesn't leave, what they do comes back."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from pipeline.store.campaigns import Campaign, campaign_in
from pipeline.store.deliveries import freed
from pipeline.store.expansion import CONFIRMATION, PROOF, wants
from pipeline.store.tables import Instant, Progress, State, campaigns, deliveries

UNWANTED: Final = "no longer wanted"

# The mails that one chooses among; there may be thousands of others, each of them one person's.
_IS_CHOSEN: Final = and_(campaigns.c.kind != CONFIRMATION, campaigns.c.kind != PROOF)
# What a sender has only claimed can be taken from it: it asks again before the first byte.
_HASNT_BEGUN: Final = deliveries.c.state.in_((State.PENDING, State.RETRY, State.CLAIMED))
_WAITING_FOR: Final = (
    select(campaigns)
    .select_from(campaigns.join(deliveries))
    .where(
        campaigns.c.state == Progress.EXPANDED,
        _IS_CHOSEN,
        deliveries.c.subscriber_id == bindparam("wanted"),
        _HASNT_BEGUN,
    )
)

_WITHDRAWN_FROM: Final = (
    select(campaigns)
    .select_from(campaigns.join(deliveries))
    .where(
        deliveries.c.subscriber_id == bindparam("wanted"),
        deliveries.c.state == State.DROPPED,
        deliveries.c.reason == UNWANTED,
        _IS_CHOSEN,
        campaigns.c.not_after > bindparam("now", type_=Instant),
        # One that was stopped says so in its reason.
        or_(campaigns.c.state == Progress.EXPANDED, and_(campaigns.c.state == Progress.DONE, campaigns.c.reason == "")),
    )
)
_LATER: Final = select(campaigns.c.id).where(
    campaigns.c.series == bindparam("series"),
    campaigns.c.event == bindparam("event"),
    campaigns.c.revision > bindparam("revision"),
)


def restore_wanted(connection: Connection, subscriber: int, now: datetime) -> int:
    """Puts back what was withdrawn from a subscriber who wants it again, where it isn't too late; how many."""
    found = [campaign_in(row) for row in connection.execute(_WITHDRAWN_FROM, {"wanted": subscriber, "now": now}).all()]
    again = [
        campaign.id
        for campaign in found
        if not _is_outdated(connection, campaign) and wants(connection, campaign, subscriber)
    ]
    if again:
        mine = and_(deliveries.c.subscriber_id == subscriber, deliveries.c.campaign_id.in_(again))
        anew = freed(State.PENDING, reason=None, finished=None, next_try=now)
        connection.execute(update(deliveries).where(mine, deliveries.c.state == State.DROPPED).values(anew))
        connection.execute(update(campaigns).where(campaigns.c.id.in_(again)).values(state=Progress.EXPANDED))
    return len(again)


def _is_outdated(connection: Connection, campaign: Campaign) -> bool:
    """Whether the event has changed since: what was said of it is wrong now."""
    occasion = campaign.occasion
    given = {"series": campaign.series, "event": occasion.event, "revision": occasion.revision}
    return bool(occasion.event) and connection.execute(_LATER, given).first() is not None


def withdraw_unwanted(connection: Connection, subscriber: int, now: datetime) -> int:
    """Drops what waits for a subscriber and isn't among their choices; how many. What they must hear of stays."""
    mine = deliveries.c.subscriber_id == subscriber
    found = [campaign_in(row) for row in connection.execute(_WAITING_FOR, {"wanted": subscriber}).all()]
    unwanted = [campaign.id for campaign in found if not wants(connection, campaign, subscriber)]
    if not unwanted:
        return 0
    those = update(deliveries).where(mine, deliveries.c.campaign_id.in_(unwanted), _HASNT_BEGUN)
    return int(connection.execute(those.values(freed(State.DROPPED, reason=UNWANTED, finished=now))).rowcount)
