"""One VTIMEZONE for a zone and a first year, short and in RRULE form, right for every instant from then to 2037.

It is derived from `zoneinfo`: each change of the offset is found, and changes that follow one yearly rule become one
observance. The onset stands in the offset that was valid before it, as RFC 5545 wants. There are neither RDATEs nor
comments, since common readers misread the one and refuse the other; nor what ended before, since some fail at it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard
from icalendar.prop import vRecur

from pipeline.outputs.contentlines import Text

LAST_YEAR = 2037
# A rule is told from here on, however much later the first year is: so it reads alike in most files.
RULES_SINCE = 1990
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# The search would miss two changes within one step; the nearest two since 1990 are a week apart.
STEP = timedelta(days=3)
# A rule that held for so many years up to the last one is taken to go on.
FOR_EVER = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the offset. `onset` is naive: the wall time of the old offset at which the new one begins."""

    onset: datetime
    before: timedelta
    after: timedelta
    name: str
    daylight: bool

    @property
    def kind(self) -> tuple[object, ...]:
        """What all changes of one observance share."""
        return (
            self.before, self.after, self.name, self.daylight,
            self.onset.month, self.onset.weekday(), self.onset.time(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """Changes of one kind in consecutive years, and the yearly rules (see `_rules`) that give exactly these."""

    changes: tuple[Change, ...]
    rules: frozenset[str]

    def joined(self, change: Change) -> "Run | None":
        """The run with one more year, or None where the change doesn't continue it."""
        rules = self.rules & _rules(change.onset)
        if not rules or change.onset.year != self.changes[-1].onset.year + 1:
            return None
        return Run((*self.changes, change), rules)


@cache
def vtimezone(name: str, first_year: int) -> Timezone:
    """The VTIMEZONE of an IANA zone for what begins in that year or later. The component is shared: don't change it."""
    # From a year earlier, when both summer and winter have come once: readers exist that fail where one hasn't.
    since = min(first_year, LAST_YEAR) - 1
    found = changes(name, min(since, RULES_SINCE))
    valid = max(change.onset for change in found if change.onset <= datetime(since, 1, 1))  # noqa: DTZ001
    component = Timezone()
    component.add("tzid", name)
    for run in sorted(_runs(found), key=lambda run: run.changes[0].onset):
        if run.changes[-1].onset >= valid:
            component.add_component(_observance(run))
    return component


@cache
def changes(name: str, since: int) -> tuple[Change, ...]:
    """Every change of a zone's offset from a year to 2037, after one that gives the offset which held as it began."""
    zone = ZoneInfo(name)
    start = datetime(since, 1, 1, tzinfo=UTC)
    found = tuple(_search(zone, start, datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)))
    return (_opening(zone, start), *found)


def _offset(zone: ZoneInfo, moment: datetime) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()


def _search(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[Change]:
    moment, offset = start, _offset(zone, start)
    while moment < end:
        following = min(moment + STEP, end)
        if (new := _offset(zone, following)) != offset:
            yield _change(zone, _instant(zone, moment, following))
            offset = new
        moment = following


def _instant(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The first second with the new offset; it lies after `low`, at `high` at the latest."""
    before = _offset(zone, low)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset(zone, middle) == before:
            low = middle
        else:
            high = middle
    return high


def _change(zone: ZoneInfo, instant: datetime) -> Change:
    old, new = (instant - timedelta(seconds=1)).astimezone(zone), instant.astimezone(zone)
    before, after = old.utcoffset() or timedelta(), new.utcoffset() or timedelta()
    # Some zones count winter as "negative summer time"; for readers the later clock is the daylight one everywhere.
    daylight = after > before and bool(old.dst() or new.dst())
    return Change((instant + before).replace(tzinfo=None), before, after, new.tzname() or name_of(after), daylight)


def name_of(offset: timedelta) -> str:
    """A name for an offset that has none: `+0530`."""
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}{abs(minutes) % 60:02}"


def _opening(zone: ZoneInfo, start: datetime) -> Change:
    local = start.astimezone(zone)
    offset = local.utcoffset() or timedelta()
    daylight = (local.dst() or timedelta()) > timedelta()
    onset = datetime(min(start.year, 1970), 1, 1)  # noqa: DTZ001
    return Change(onset, offset, offset, local.tzname() or name_of(offset), daylight)


def _rules(onset: datetime) -> frozenset[str]:
    """Every yearly rule within the month that gives this day: nth or last weekday, or the weekday in a week of days."""
    day, weekday = onset.day, WEEKDAYS[onset.weekday()]
    last = (onset.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    found = {f"{(day - 1) // 7 + 1}{weekday}"} if day <= 28 else set[str]()
    if day + 7 > last.day:
        found.add(f"-1{weekday}")
    found.update(f"{weekday}@{first}" for first in range(max(1, day - 6), min(day, last.day - 6) + 1))
    return frozenset(found)


def _runs(found: tuple[Change, ...]) -> list[Run]:
    runs: list[Run] = []
    open_runs: dict[tuple[object, ...], int] = {}
    for change in found:
        index = open_runs.get(change.kind)
        joined = None if index is None or change.before == change.after else runs[index].joined(change)
        if index is None or joined is None:
            open_runs[change.kind] = len(runs)
            runs.append(Run((change,), _rules(change.onset)))
        else:
            runs[index] = joined
    return runs


def _observance(run: Run) -> TimezoneStandard | TimezoneDaylight:
    first = run.changes[0]
    observance = TimezoneDaylight() if first.daylight else TimezoneStandard()
    observance.add("dtstart", first.onset)
    observance.add("tzoffsetfrom", first.before)
    observance.add("tzoffsetto", first.after)
    observance["tzname"] = Text(first.name)
    if len(run.changes) > 1:
        observance.add("rrule", _recurrence(run))
    return observance


def _recurrence(run: Run) -> vRecur:
    first, last = run.changes[0], run.changes[-1]
    # The last and nth weekday read better, and everywhere; a week of days is for the rest.
    rule = min(run.rules, key=lambda rule: ("@" in rule, rule))
    recurrence = vRecur({"FREQ": "YEARLY", "BYMONTH": first.onset.month})
    if "@" in rule:
        weekday, _, day = rule.partition("@")
        recurrence["BYDAY"] = weekday
        recurrence["BYMONTHDAY"] = list(range(int(day), int(day) + 7))
    else:
        recurrence["BYDAY"] = rule
    if last.onset.year < LAST_YEAR or len(run.changes) < FOR_EVER:
        # Two days later than the last onset: some readers compare UNTIL, which is in UTC, with the local time.
        recurrence["UNTIL"] = (last.onset - last.before + timedelta(days=2)).replace(tzinfo=UTC)
    return recurrence
