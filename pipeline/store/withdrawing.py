"""What waits for somebody who has chosen anew: what they don't want any more doesn't leave."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select, update

from pipeline.reminders.occasions import Kind
from pipeline.store.campaigns import campaign_in
from pipeline.store.deliveries import freed
from pipeline.store.expansion import wants
from pipeline.store.tables import IS_WAITING, Progress, State, campaigns, deliveries

UNWANTED: Final = "no longer wanted"


def withdraw_unwanted(connection: Connection, subscriber: int, now: datetime) -> int:
    """Drops what waits for a subscriber and isn't among their choices; how many. What they must hear of stays."""
    mine = deliveries.c.subscriber_id == subscriber
    kinds = [kind.value for kind in Kind]
    waiting = (
        select(campaigns)
        .select_from(campaigns.join(deliveries))
        .where(campaigns.c.state == Progress.EXPANDED, campaigns.c.kind.in_(kinds), mine, IS_WAITING)
    )
    found = [campaign_in(row) for row in connection.execute(waiting).all()]
    unwanted = [campaign.id for campaign in found if not wants(connection, campaign, subscriber)]
    those = update(deliveries).where(mine, deliveries.c.campaign_id.in_(unwanted), IS_WAITING)
    return int(connection.execute(those.values(freed(State.DROPPED, reason=UNWANTED, finished=now))).rowcount)
