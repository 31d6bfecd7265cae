"""The single times of a recurring event that are told to machines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final

from pipeline.catalogue.models import Event, schedule
from pipeline.catalogue.recurrence import EVER, LONGEST, is_endless, occurrences
from pipeline.catalogue.when import When, is_over, starts
from pipeline.edition import Listing

MOST: Final = 60
"""How many times of one event are told; of more, those from its last published change on."""
AHEAD: Final = timedelta(days=3660)


@dataclass(frozen=True, slots=True)
class Instance:
    """One time of a recurring event, by the ISO date that its rule gives it."""

    name: str
    when: When
    moved_from: When | None
    """When the rule would have it, where the organisers moved it."""


def instances(listing: Listing) -> Sequence[Instance]:
    """All times of a recurring event where these are few, else the next ones after its last published change."""
    event = listing.event
    start = starts(event.when)
    if event.repeats is None or start is None:
        return ()
    found = [] if is_endless(event) else list(islice(occurrences(event, start, EVER), MOST + 1))
    if not 0 < len(found) <= MOST:
        since = max(start, listing.revision.updated - timedelta(days=1))
        found = list(islice(occurrences(event, since, since + AHEAD), MOST))
    return _instances(event, found)


def coming(event: Event, morning: datetime, most: int) -> Sequence[Instance]:
    """The next times of a recurring event: the first ones that aren't over on a morning."""
    times = occurrences(event, morning - LONGEST, morning + AHEAD)
    return _instances(event, islice((time for time in times if not is_over(time[1], morning)), most))


def _instances(event: Event, found: Iterable[tuple[str, When]]) -> Sequence[Instance]:
    moved = {moment.original.isoformat() for moment in event.moved}
    return tuple(
        Instance(name, when, schedule(event, date.fromisoformat(name), event.time) if name in moved else None)
        for name, when in found
    )
