"""Holding back one campaign, and letting it go again."""

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, select, update

from pipeline.store.campaigns import stop
from pipeline.store.deliveries import freed
from pipeline.store.tables import Progress, State, campaigns, deliveries

HELD: Final = "held by hand"


def hold_campaign(connection: Connection, series: str, key: str, now: datetime) -> int | None:
    """Holds a campaign that is planned or leaving; how many waiting mails that stopped, None where it is neither."""
    row = connection.execute(select(campaigns.c.id, campaigns.c.state).where(*_named(series, key))).one_or_none()
    if row is None or row.state not in (Progress.PLANNED, Progress.EXPANDED):
        return None
    if row.state == Progress.EXPANDED:
        return stop(connection, row.id, HELD, now)
    held = update(campaigns).where(campaigns.c.id == row.id)
    connection.execute(held.values(state=Progress.DROPPED, reason=HELD))
    return 0


def release_campaign(connection: Connection, series: str, key: str, now: datetime) -> bool:
    """Lets a held campaign go; False where there is none of that name, or it would be too late."""
    held = and_(*_named(series, key), campaigns.c.reason == HELD, campaigns.c.not_after > now)
    row = connection.execute(select(campaigns.c.id, campaigns.c.expanded).where(held)).one_or_none()
    if row is None:
        return False
    state = Progress.PLANNED if row.expanded is None else Progress.EXPANDED
    connection.execute(update(campaigns).where(campaigns.c.id == row.id).values(state=state, reason=""))
    stopped = and_(
        deliveries.c.campaign_id == row.id,
        # What was in a sender's hands when the campaign was held was dropped by that sender, for the same reason.
        deliveries.c.state == State.DROPPED,
        deliveries.c.reason == HELD,
    )
    again = freed(State.PENDING, reason=None, next_try=now, finished=None)
    connection.execute(update(deliveries).where(stopped).values(again))
    return True


def held_campaigns(connection: Connection, series: str, now: datetime) -> tuple[str, ...]:
    """The keys of the campaigns that are held and could still leave, by due instant."""
    held = (campaigns.c.series == series, campaigns.c.reason == HELD, campaigns.c.not_after > now)
    return tuple(connection.execute(select(campaigns.c.key).where(*held).order_by(campaigns.c.due)).scalars())


def _named(series: str, key: str) -> tuple[ColumnElement[bool], ...]:
    return campaigns.c.series == series, campaigns.c.key == key
