"""Digests by the week and by the month: when they fall due, and whether they have anything to say."""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final

from pipeline.catalogue.models import Rule
from pipeline.catalogue.recurrence import at_one_time, occurrences
from pipeline.catalogue.timing import Monthly, Weekly
from pipeline.catalogue.when import starts
from pipeline.edition import Edition, Listing
from pipeline.ledger import LineKind
from pipeline.news import News
from pipeline.reminders.moments import in_utc
from pipeline.reminders.occasions import Kind, Occasion, Omission, Priority

NAMED: Final = 6
"""How many times of one recurring event a digest names."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What a digest tells: news since the last one, events to come, recordings since the last one."""

    news: tuple[News, ...]
    upcoming: tuple[Listing, ...]
    recordings: tuple[News, ...]
    more: frozenset[str] = frozenset()
    """The recurring events of which more times are to come than `upcoming` names."""

    @property
    def is_empty(self) -> bool:
        """A digest with nothing to say is not sent; the list of what is to come alone is no news after the last one."""
        return not (self.news or self.upcoming or self.recordings)


def digest(edition: Edition, rule: Rule, since: datetime, due: datetime, until: datetime) -> Digest:
    """What happened between `since` and `due`, and what takes place between `due` and `until`."""

    def wanted(tags: tuple[str, ...]) -> bool:
        return not rule.tags or bool(set(rule.tags) & set(tags))

    news = tuple(item for item in edition.news if since < item.last <= due and wanted(item.event.tags))
    wanted_ones = (listing for listing in edition.shown if wanted(listing.event.tags))
    coming = [times for listing in wanted_ones if (times := _times(listing, due, until))]
    return Digest(
        tuple(item for item in news if item.kind is not LineKind.RECORDING),
        tuple(sorted((one for times in coming for one in times[:NAMED]), key=_start)),
        tuple(item for item in news if item.kind is LineKind.RECORDING),
        frozenset(times[0].event.id for times in coming if len(times) > NAMED),
    )


def _times(listing: Listing, after: datetime, until: datetime) -> list[Listing]:
    """Each time at which the event starts between two instants as an event of its own, up to one more than is named."""
    if listing.event.repeats is None:
        start = starts(listing.event.when)
        return [listing] if start is not None and after < start <= until else []
    found = (
        when
        for _, when in occurrences(listing.event, after - timedelta(days=1), until)
        if (start := starts(when)) and after < start <= until
    )
    return [replace(listing, event=at_one_time(listing.event, when)) for when in islice(found, NAMED + 1)]


def _start(listing: Listing) -> float:
    start = starts(listing.event.when)
    return start.timestamp() if start is not None else 0.0


def digests(
    edition: Edition, rule: Rule, timing: Monthly | Weekly, since: datetime, until: datetime
) -> Iterator[Occasion | Omission]:
    """The digests between two instants that have something to say; one omission tells of those which haven't."""
    first = min((line.at for line in edition.ledger.lines), default=since)
    moments = _moments(edition, timing, max(first, since - timedelta(days=62)), until)
    empty = False
    for previous, due, following in zip(moments, moments[1:], moments[2:], strict=False):
        if digest(edition, rule, previous, due, following).is_empty:
            empty = True
            continue
        yield Occasion(
            "", rule.id, 0, Kind.NEWSLETTERS, due, due + max(edition.catalogue.mail.max_late, timedelta(hours=12)),
            Priority.NEWSLETTER, tags=frozenset(rule.tags), occurrence=_date_of(edition, due).isoformat(),
        )  # fmt: skip
    if empty:
        yield Omission("", rule.id, "a digest with nothing to say is not sent")


def around(edition: Edition, timing: Monthly | Weekly, due: datetime) -> tuple[datetime, datetime]:
    """The digest before and the one after that which is due at an instant."""
    moments = _moments(edition, timing, due - timedelta(days=70), due + timedelta(days=70))
    place = moments.index(due)
    return moments[place - 1], moments[place + 1]


def _date_of(edition: Edition, due: datetime) -> date:
    return due.astimezone(edition.series.zone).date()


def _moments(edition: Edition, timing: Monthly | Weekly, since: datetime, until: datetime) -> list[datetime]:
    """Every due instant from the last one before `since` to the first one after `until`."""
    zone = edition.series.zone
    days = _months(timing, since.date()) if isinstance(timing, Monthly) else _weeks(timing, since.date())
    moments: list[datetime] = []
    for day in days:
        moments.append(in_utc(day, timing.at, zone))
        if moments[-1] > until:
            return moments
    return moments


def _weeks(timing: Weekly, since: date) -> Iterator[date]:
    day = since - timedelta(days=(since.weekday() - timing.weekday) % 7 + 7)
    while True:
        yield day
        day += timedelta(days=7)


def _months(timing: Monthly, since: date) -> Iterator[date]:
    month = since.year * 12 + since.month - 3
    while True:
        year, number = divmod(month, 12)
        yield date(year, number + 1, min(timing.day, calendar.monthrange(year, number + 1)[1]))
        month += 1
