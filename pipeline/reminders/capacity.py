"""Whether the limits of sending serve every mailing in time: the hours to come, played through. Pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush

from pipeline.reminders.occasions import Priority

A_DAY = timedelta(days=1)
_ENDLESS = 2**62
KEPT = 10
"""One part in so many of a day's mail is kept for what is urgent."""


@dataclass(frozen=True, slots=True)
class Load:
    """So many mails that leave from `due` on and are of no use from `not_after` on (aware instants)."""

    due: datetime
    not_after: datetime
    priority: Priority
    number: int


@dataclass(slots=True)
class _Day:
    """What left within the last 24 hours."""

    limit: int | None
    left: deque[tuple[datetime, int]] = field(default_factory=deque)

    def room(self, now: datetime, priority: Priority) -> int:
        if self.limit is None:
            return _ENDLESS
        while self.left and self.left[0][0] <= now - A_DAY:
            self.left.popleft()
        limit = self.limit if priority <= Priority.URGENT else self.limit - self.limit // KEPT
        return limit - sum(number for _, number in self.left)


def come_too_late(
    loads: Sequence[Load], per_second: float | None, per_day: int | None, now: datetime
) -> tuple[int, ...]:
    """For each load, how many of its mails can't leave in time; the most urgent go first, as in sending."""
    if per_second is None and per_day is None:
        return (0,) * len(loads)
    late = [0] * len(loads)
    day = _Day(per_day)
    coming = deque(sorted((number for number in range(len(loads))), key=lambda number: loads[number].due))
    waiting: list[tuple[Priority, datetime, int, int]] = []
    while coming or waiting:
        if not waiting:
            now = max(now, loads[coming[0]].due)
        while coming and loads[coming[0]].due <= now:
            load = loads[number := coming.popleft()]
            heappush(waiting, (load.priority, load.due, number, load.number))
        priority, due, number, left = heappop(waiting)
        if loads[number].not_after <= now:
            late[number] = left
            continue
        following = loads[coming[0]].due if coming else None
        sent, now = _served(day, loads[number], left, per_second, now, following)
        if left > sent:
            heappush(waiting, (priority, due, number, left - sent))
    return tuple(late)


def _served(
    day: _Day, load: Load, left: int, per_second: float | None, now: datetime, following: datetime | None
) -> tuple[int, datetime]:
    """How many of a load leave now, and when that is over: at the latest when something else falls due."""
    until = load.not_after if following is None else min(following, load.not_after)
    room = day.room(now, load.priority)
    if room <= 0:
        frees = day.left[0][0] + A_DAY if day.left else load.not_after
        return 0, max(min(frees, until), now + timedelta(seconds=1))
    sent = min(left, room)
    if per_second is None:
        day.left.append((now, sent))
        return sent, now
    sent = max(1, min(sent, int((until - now).total_seconds() * per_second)))
    ends = now + timedelta(seconds=sent / per_second)
    day.left.append((now, sent))
    return sent, ends
