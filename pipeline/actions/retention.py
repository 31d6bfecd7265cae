"""What may not be kept longer: erased by each tick, whoever sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from pipeline.actions.joining import VALID_FOR
from pipeline.actions.offers import is_live
from pipeline.actions.programmes import Programmes
from pipeline.catalogue.models import Catalogue, Event
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.timing import InDays, InHours, Side
from pipeline.catalogue.when import Unscheduled
from pipeline.reminders.moments import due_instant
from pipeline.reminders.plan import HORIZON
from pipeline.reminders.rules import rules_of
from pipeline.store.choices import followed_events
from pipeline.store.database import Database
from pipeline.store.limits import forget_uses
from pipeline.store.pending import erase_confirmations, erase_unconfirmed
from pipeline.store.reports import forget_reports
from pipeline.store.retention import busy_events, erase_deliveries, erase_followers, last_tidied, note_tidied
from pipeline.store.stamps import stamps

MAILS_KEPT: Final = timedelta(days=90)
"""So long after its event is over, or a newsletter has left, it is known who got a mail, when, and with which words."""

FOLLOWED_UP: Final = timedelta(days=1)
"""So long after its event and its last mail, an address is kept that was given for that event alone."""


AWAITED: Final = timedelta(days=30)
"""So long after an event it is waited for what a follow-up needs, such as the recording."""

NEWS_HEARD: Final = timedelta(days=7)
"""So long after the last publication the news of an event that is gone may still be on its way."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many unconfirmed addresses, addresses of readers of single events, and records of mails were erased."""

    unconfirmed: int
    followers: int
    mails: int

    def told(self) -> list[tuple[int, str]]:
        """What was erased, in words for the log."""
        found = [
            (self.unconfirmed, "unconfirmed addresses"),
            (self.followers, "addresses that came for an event which is over"),
            (self.mails, "records of old mails"),
        ]
        return [(number, what) for number, what in found if number]


def tidy(database: Database, now: datetime) -> Erased:
    """Erases old counts and unconfirmed addresses; once an hour who came for an event that is over, and old records.

    Of bounces and complaints nothing is kept but a digest of each report, for as long as it is still seen.
    """
    hour = f"{now:%Y-%m-%dT%H}"
    with database.look() as connection:
        is_due = last_tidied(connection) != hour
    published = Programmes(database).all() if is_due else {}
    return database.run(lambda connection: _erased(connection, published, hour, now))


def _erased(connection: Connection, published: Mapping[str, Catalogue], hour: str, now: datetime) -> Erased:
    forget_uses(connection, now)
    erase_confirmations(connection, now)
    unconfirmed = erase_unconfirmed(connection, now - VALID_FOR)
    followers = mails = 0
    if published:
        note_tidied(connection, hour)
        forget_reports(connection, now)
    for series, catalogue in published.items():
        followers += erase_followers(connection, series, _over(connection, series, catalogue, now))
        live = [event.id for event in catalogue.events if is_live(event, now - MAILS_KEPT)]
        mails += erase_deliveries(connection, series, live, now - MAILS_KEPT)
    return Erased(unconfirmed, followers, mails)


def _over(connection: Connection, series: str, catalogue: Catalogue, now: datetime) -> frozenset[str]:
    """The single events about which no mail will come any more."""
    candidates = followed_events(connection, series)
    if stamps(connection)[series][0] > now - NEWS_HEARD:
        # What was called off without a date, or taken out, is news that may not have been planned yet.
        candidates &= {event.id for event in catalogue.events if not isinstance(event.when, Unscheduled)}
    kept = {event.id for event in catalogue.events if event.id in candidates and _is_followed(catalogue, event, now)}
    return candidates - kept - busy_events(connection, series)


def _is_followed(catalogue: Catalogue, event: Event, now: datetime) -> bool:
    """Whether who came for this event alone may still get a mail about it: until a day after it and its follow-ups."""
    instant = now - FOLLOWED_UP
    if is_live(event, instant):
        return True
    rules = [read for read in rules_of(catalogue) if read.applies_to(event)]
    after = [
        (each, AWAITED if any(not getattr(event, need) for need in read.rule.needs) else timedelta(0))
        for read in rules
        if isinstance(each := read.timing, InDays | InHours) and each.side is Side.AFTER
    ]
    # It is over: only its last time counts.
    last = max(
        (
            due + longer
            for _, when in occurrences(event, now - HORIZON, now)
            for each, longer in after
            if (due := due_instant(each, when))
        ),
        default=datetime.min.replace(tzinfo=UTC),
    )
    return last > instant
