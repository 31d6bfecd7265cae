"""The news in the lines of the ledger: what readers hear of an event, in the order in which it became known."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from pipeline.catalogue.models import Event, Status, Venue
from pipeline.ledger import SCHEDULING, Line, LineKind, changed_keys, event_of, kind_of_change
from pipeline.ledger_lines import is_redated

OFF = (Status.CANCELLED, Status.POSTPONED)
"""Of what doesn't take place on its date; no set, since a look into one costs more than both comparisons."""


class News(NamedTuple):
    """One piece of news about an event: several lines within `settle` count as one, with the net result."""

    id: str
    """A `tag:` URI, the same in every feed of one language."""
    kind: LineKind
    event: Event
    venue: Venue | None
    before: Event | None
    """The event as it was before this news; None when it is announced."""
    venue_before: Venue | None
    changed: frozenset[str]
    """The names of the facts that changed."""
    published: datetime
    updated: datetime
    """The last line of this news; or the moment since which its entry says on top, or says no more, that it is off."""
    cancelled_later: datetime | None
    """When the event was cancelled or postponed after this news, if it still is."""
    last: datetime
    """The instant of its last line, from which `settle` counts."""
    sequence: int
    """The event's SEQUENCE once this news was out."""

    @property
    def reschedules(self) -> bool:
        """Whether a scheduling fact changed."""
        return bool(self.changed & SCHEDULING)

    @property
    def redated(self) -> bool:
        """Whether what was off takes place on a new date."""
        return is_redated(self.kind, self.changed) and self.event.date is not None


Told = Callable[[Line], tuple[Event, Venue | None]]


def _read(line: Line) -> tuple[Event, Venue | None]:
    return event_of(line.facts)


def news_of(lines: Iterable[Line], settle: timedelta, told: Told = _read) -> list[News]:
    """The news in the lines of one event, oldest first; what follows within `settle` belongs to the same news.

    `told` gives the event of a line and its venue.
    """
    lines = tuple(lines)
    if len(lines) == 1:
        # Of most events nothing is told but that they take place.
        return [_announced(lines[0], told)]
    groups: list[list[Line]] = []
    for line in lines:
        if groups and line.at - groups[-1][0].at <= settle:
            groups[-1].append(line)
        else:
            groups.append([line])
    found = []
    for number, group in enumerate(groups):
        before = groups[number - 1][-1] if number else None
        later = [line for following in groups[number + 1 :] for line in following]
        sequence = sum(line.reschedules for line in [line for group in groups[: number + 1] for line in group][1:])
        if (item := one_news(before, group, later, sequence, told)) is not None:
            found.append(item)
    return found


def _announced(line: Line, told: Told) -> News:
    at = line.at
    return News(line.news, LineKind.ANNOUNCED, *told(line), None, None, frozenset(), at, at, None, at, 0)


def one_news(before: Line | None, group: list[Line], later: list[Line], sequence: int, told: Told) -> News | None:
    """What a group of lines tells of its event against the line before them; None where that is nothing."""
    last = group[-1]
    if before is None:
        kind = LineKind.ANNOUNCED
    elif last.kind is LineKind.RETIRED:
        kind = LineKind.RETIRED
    else:
        kind = _kind(before, group)
    changed = changed_keys(before.facts, last.facts) if before else frozenset[str]()
    if kind is LineKind.EDITED or (before and not changed):
        return None
    event, venue = told(last)
    event_before, venue_before = told(before) if before else (None, None)
    cancelled_later, updated = None, last.at
    if later and last.facts.get("status") not in OFF:
        cancelled_later, updated = _cancelled_since(last, later)
    return News(
        group[0].news, kind, event, venue, event_before, venue_before, changed, group[0].at, updated, cancelled_later,
        last.at, sequence,
    )  # fmt: skip


def _kind(before: Line, group: list[Line]) -> LineKind:
    """What a group of lines tells, against the line before it; what was once published as news stays news."""
    kind = kind_of_change(before.facts, group[-1].facts)
    if kind in {LineKind.EDITED, LineKind.RECORDING} and any(
        line.kind is LineKind.CHANGED and kind_of_change(one.facts, line.facts) is not LineKind.CHANGED
        for one, line in pairwise((before, *group))
    ):
        return kind_of_change(before.facts, group[-1].facts, any_wording=True)
    return kind


def _cancelled_since(last: Line, later: list[Line]) -> tuple[datetime | None, datetime]:
    """Since when what took place at `last` is off, if it still is; and the last turn of that, or `last` itself.

    Cancelled is another than postponed.
    """
    since, turned, state = None, last.at, None
    for line in later:
        status = line.facts.get("status")
        now = status if status in OFF else None
        if now != state:
            turned, state = line.at, now
            since = turned if now else None
    return since, turned
