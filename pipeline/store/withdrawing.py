"""What waits for somebody who has chosen anew: what they don't want any more doesn't leave, what they do comes back.

What only a pause keeps from them waits for its end, where that isn't too late.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, bindparam, or_, select, update

from pipeline.store.campaigns import Campaign, campaign_in
from pipeline.store.deliveries import WAITING_AGAIN, freed
from pipeline.store.expansion import CONFIRMATION, PROOF, wants
from pipeline.store.tables import Instant, Progress, State, campaigns, deliveries, subscribers

UNWANTED: Final = "no longer wanted"
PAUSED: Final = "waits for the end of a pause"

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
_IS_WITHDRAWN: Final = or_(
    and_(deliveries.c.state == State.DROPPED, deliveries.c.reason == UNWANTED),
    and_(deliveries.c.state.in_((State.PENDING, State.RETRY)), deliveries.c.reason == PAUSED),
)
_WITHDRAWN_FROM: Final = (
    select(campaigns)
    .select_from(campaigns.join(deliveries))
    .where(
        deliveries.c.subscriber_id == bindparam("wanted"),
        _IS_WITHDRAWN,
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
    """Puts back what was withdrawn from a subscriber who wants it again, or will when a pause ends; how many.

    What is too late then stays away.
    """
    found = [campaign_in(row) for row in connection.execute(_WITHDRAWN_FROM, {"wanted": subscriber, "now": now}).all()]
    timely = [campaign for campaign in found if not _is_outdated(connection, campaign)]
    wanted = [campaign.id for campaign in timely if wants(connection, campaign, subscriber)]
    end = _end_of_pause(connection, subscriber, now)
    later = _wanted_after(connection, (each for each in timely if each.id not in wanted), subscriber, end)
    for of, next_try, reason in ((wanted, now, None), (later, end, PAUSED)):
        if of:
            mine = and_(deliveries.c.subscriber_id == subscriber, deliveries.c.campaign_id.in_(of), _IS_WITHDRAWN)
            anew = freed(WAITING_AGAIN, reason=reason, finished=None, next_try=next_try)
            connection.execute(update(deliveries).where(mine).values(anew))
            connection.execute(update(campaigns).where(campaigns.c.id.in_(of)).values(state=Progress.EXPANDED))
    return len(wanted) + len(later)


def _end_of_pause(connection: Connection, subscriber: int, now: datetime) -> datetime | None:
    query = select(subscribers.c.paused_until).where(subscribers.c.id == subscriber, subscribers.c.paused_until > now)
    end: datetime | None = connection.execute(query).scalar()
    return end


def _wanted_after(
    connection: Connection, found: Iterable[Campaign], subscriber: int, end: datetime | None
) -> list[int]:
    """Those that a subscriber wants when their pause ends, if that is in time."""
    return [
        campaign.id
        for campaign in found
        if end is not None and end < campaign.occasion.not_after and wants(connection, campaign, subscriber, end)
    ]


def _is_outdated(connection: Connection, campaign: Campaign) -> bool:
    """Whether the event has changed since: what was said of it is wrong now."""
    occasion = campaign.occasion
    given = {"series": campaign.series, "event": occasion.event, "revision": occasion.revision}
    return bool(occasion.event) and connection.execute(_LATER, given).first() is not None


def withdraw_unwanted(connection: Connection, subscriber: int, now: datetime) -> int:
    """Drops what waits for a subscriber and isn't among their choices; how many. What they must hear of stays.

    What they want when their pause ends is kept until then.
    """
    mine = deliveries.c.subscriber_id == subscriber
    found = [campaign_in(row) for row in connection.execute(_WAITING_FOR, {"wanted": subscriber}).all()]
    unwanted = [campaign for campaign in found if not wants(connection, campaign, subscriber)]
    if not unwanted:
        return 0
    those = update(deliveries).where(mine, _HASNT_BEGUN)
    end = _end_of_pause(connection, subscriber, now)
    if later := _wanted_after(connection, unwanted, subscriber, end):
        paused = freed(WAITING_AGAIN, reason=PAUSED, next_try=end)
        connection.execute(those.where(deliveries.c.campaign_id.in_(later)).values(paused))
    left = [campaign.id for campaign in unwanted if campaign.id not in later]
    dropped = freed(State.DROPPED, reason=UNWANTED, finished=now)
    return int(connection.execute(those.where(deliveries.c.campaign_id.in_(left)).values(dropped)).rowcount)
