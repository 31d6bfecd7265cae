"""The single times of a recurring event that are told to machines; they don't depend on the day of the build."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Final

from pipeline.catalogue.models import schedule
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.when import When, starts
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
    """All times of a recurring event where there are few, else the next ones after its last published change."""
    event = listing.event
    start = starts(event.when)
    if event.repeats is None or start is None:
        return ()
    found = list(islice(occurrences(event, start, start + AHEAD), MOST + 1))
    if len(found) > MOST:
        since = max(start, listing.revision.updated - timedelta(days=1))
        found = list(islice(occurrences(event, since, since + AHEAD), MOST))
    moved = {moment.original.isoformat() for moment in event.moved}
    return tuple(
        Instance(name, when, schedule(event, date.fromisoformat(name), event.time) if name in moved else None)
        for name, when in found
    )
