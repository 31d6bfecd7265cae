"""What the database tells of mail to come: who would get it today, and what became of each mailing so far."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pipeline.reminders.occasions import Occasion
from pipeline.store.campaigns import UNPLANNED, Campaign
from pipeline.store.expansion import audience_lists, audience_size
from pipeline.store.tables import Progress, Role, campaigns


@dataclass(frozen=True, slots=True)
class Kept:
    """A mailing that the database remembers: given to its recipients, dropped for a reason, or neither yet."""

    given_out: bool
    dropped: str


def kept_mailings(connection: Connection, series: str) -> Mapping[str, Kept]:
    """Every mailing of a series that isn't waiting for its hour any more, by its key."""
    query = select(campaigns.c.key, campaigns.c.state, campaigns.c.reason, campaigns.c.expanded).where(
        campaigns.c.series == series, campaigns.c.state != Progress.PLANNED, campaigns.c.reason != UNPLANNED
    )
    return {
        row.key: Kept(row.expanded is not None, row.reason if row.state == Progress.DROPPED else "")
        for row in connection.execute(query)
    }


def lists_of(connection: Connection, series: str, occasion: Occasion) -> frozenset[str]:
    """The addresses of the mailing lists that would get a mailing if it fell due now, as far as they are known here."""
    return audience_lists(connection, Campaign(0, series, occasion))


def readers_of(connection: Connection, series: str, occasion: Occasion) -> int:
    """How many readers would get a mailing if it fell due now: asked of the database as giving it out does."""
    # No row has the number 0: it is as good as one that isn't planned yet.
    return audience_size(connection, Campaign(0, series, occasion), Role.READER)
