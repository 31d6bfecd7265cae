"""A whole season in simulated time: the clock jumps from one due instant to the next, all else is as in earnest."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from pipeline.actions.mailing import Office, Ticked, sending_edition, tick
from pipeline.actions.publish import store_edition
from pipeline.actions.remembering import Memory
from pipeline.catalogue.recurrence import EVER, occurrences
from pipeline.catalogue.when import starts
from pipeline.clock import FrozenClock
from pipeline.edition import Edition, as_of
from pipeline.errors import TocsinError
from pipeline.reminders.moments import proof_lead
from pipeline.reminders.occasions import Plan
from pipeline.reminders.plan import LOOKING_BACK, NOTHING_TOLD, Outline, Told, completed, next_due, outline, plan
from pipeline.store.database import Database

A_YEAR = timedelta(days=366)
A_MONTH = timedelta(days=30)
IN_SIGHT = timedelta(days=300)
"""How far ahead a plan that was outlined within a month names all that falls due."""


@dataclass
class Foresight(Memory):
    """A memory for instants that follow one another: what a plan holds whatever readers were told lasts for a month."""

    _outlined: tuple[Edition, datetime, Outline] | None = field(default=None, init=False)

    def plan(self, edition: Edition, now: datetime, told: Told = NOTHING_TOLD) -> Plan:
        """As that of any memory, but that it reaches up to a month less far."""
        since = now - LOOKING_BACK
        known = self._outlined
        if known is None or known[0].ledger is not edition.ledger or not timedelta(0) <= since - known[1] <= A_MONTH:
            known = self._outlined = edition, since, outline(edition, since)
        return completed(edition, known[2], since, told)


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of the season at which letters were queued."""

    now: datetime
    edition: Edition
    queued: int
    troubles: tuple[TocsinError, ...] = ()
    """The letters that could not be composed."""


def season(
    edition: Edition, database: Database, office: Office, clock: FrozenClock, until: datetime | None = None
) -> Iterator[Step]:
    """Moves the clock through the season, publishing each revision at its instant, and yields after each queueing.

    The caller delivers between two steps. It ends when nothing more falls due, or at `until`.
    """
    office, stored = replace(office, memory=Foresight()), None
    while True:
        now = clock.now()
        if stored is None or any(stored < line.at <= now for line in edition.ledger.all_lines):
            store_edition(database, as_of(edition, now), now)
        stored = now
        current, ticked = database.run(partial(_tick, edition.series.id, office, now))
        if ticked.queued or ticked.troubles:
            yield Step(now, current, ticked.queued, ticked.troubles)
        following = _following(edition, current, office.memory, now)
        if following is None or (until is not None and following > until):
            return
        clock.move_to(following)


def _tick(series: str, office: Office, now: datetime, connection: Connection) -> tuple[Edition, Ticked]:
    current = sending_edition(connection, series, now, office.memory)
    return current, tick(connection, current, office, now)


def _following(edition: Edition, current: Edition, memory: Memory, now: datetime) -> datetime | None:
    """The next instant at which anything happens: something falls due, or a revision was published."""
    published = min((line.at for line in edition.ledger.lines if line.at > now), default=None)
    lead = proof_lead(current)
    due = next_due(memory.plan(current, now), now, lead)
    if due is None or due > now + IN_SIGHT:
        due = next_due(plan(current, now - LOOKING_BACK), now, lead)
    return min((moment for moment in (published, due) if moment is not None), default=None)


def beginning(edition: Edition) -> datetime:
    """The instant of the first publication, where a season begins."""
    return min((line.at for line in edition.ledger.lines), default=edition.morning)


def horizon(edition: Edition, since: datetime) -> datetime | None:
    """Where a season that begins at an instant is cut, since something recurs for longer; None where all ends sooner.

    It is a year after the edition's day and after the last date of what doesn't recur.
    """
    events = [listing.event for listing in edition.shown]
    dates = [start for event in events if event.repeats is None and (start := starts(event.when))]
    last = max((since, edition.morning, *dates)) + A_YEAR
    recurring = (event for event in events if event.repeats is not None)
    return last if any(next(occurrences(event, last, EVER), None) for event in recurring) else None
