"""What the database tells of mail to come: who would get it today, and what became of each mailing so far."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from sqlalchemy import Connection, select

from pipeline.reminders.occasions import Audience, Kind, Occasion
from pipeline.store.campaigns import UNPLANNED, Campaign
from pipeline.store.choices import followed_events, pauses
from pipeline.store.expansion import audience_lists, audience_size
from pipeline.store.tables import EPOCH, Progress, Role, campaigns


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


class Audiences:
    """Who would get the mailings of a series if they fell due now: asked of the database as giving them out does.

    Mailings with the same answer are asked about once. The connection must stay open as long as this is asked.
    """

    def __init__(self, connection: Connection, series: str) -> None:
        self._followed, self._pauses = followed_events(connection, series), pauses(connection, series)
        self._given_out = _given_out(connection, series)
        # No row has the number 0: it is as good as one that isn't planned yet.
        self._readers = cache(lambda one: audience_size(connection, Campaign(0, series, one), Role.READER))
        self._lists = cache(lambda one: audience_lists(connection, Campaign(0, series, one)))

    def readers(self, occasion: Occasion) -> int:
        """How many readers."""
        return self._readers(self._alike(occasion))

    def lists(self, occasion: Occasion) -> frozenset[str]:
        """The addresses of the mailing lists, as far as they are known here."""
        return self._lists(self._alike(occasion))

    def _alike(self, occasion: Occasion) -> Occasion:
        """One for all with this audience: without what only matters after earlier mail, to followers or in a pause."""
        if self._goes_by_earlier_mail(occasion):
            return occasion
        over = bisect_right(self._pauses, occasion.due)
        due = self._pauses[over - 1] if over else EPOCH
        event = occasion.event if occasion.event in self._followed else ""
        # No mailing has the revision -1: nothing was mailed before it.
        return replace(occasion, event=event, revision=-1, occurrence="", due=due, not_after=due, starts=None)

    def _goes_by_earlier_mail(self, occasion: Occasion) -> bool:
        earlier = self._given_out.get(occasion.event, ())
        if occasion.audience is Audience.INFORMED:
            return bool(earlier)
        return occasion.kind is Kind.REMINDERS and any(
            occurrence == occasion.occurrence and (kind == Kind.REMINDERS or rule == occasion.rule)
            for kind, rule, occurrence in earlier
        )


def _given_out(connection: Connection, series: str) -> Mapping[str, set[tuple[str, str, str]]]:
    """By event the kind, rule and occurrence of each campaign that was given to its recipients."""
    query = select(campaigns.c.event, campaigns.c.kind, campaigns.c.rule, campaigns.c.occurrence).where(
        campaigns.c.series == series, campaigns.c.expanded.is_not(None)
    )
    found: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for event, kind, rule, occurrence in connection.execute(query.distinct()):
        found[event].add((kind, rule, occurrence))
    return found
