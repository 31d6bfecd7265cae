"""Which dates of a recurring event changed: added, dropped, moved; counted from the news on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from pipeline.catalogue.models import Event
from pipeline.catalogue.recurrence import LONGEST, occurrences
from pipeline.catalogue.when import When, first_day, is_over, starts
from pipeline.language import say_apart, words
from pipeline.news import News
from pipeline.phrases.facts import say_when

AHEAD: Final = timedelta(days=400)
"""How far the dates of a rule without end are compared."""
NAMED: Final = 6
"""How many dates are named one by one; of more the number is said."""
COMPARED: Final = 500


@dataclass(frozen=True, slots=True)
class DateChanges:
    """The times that came, went, or were moved from one to another; none that was over when it was told."""

    added: tuple[When, ...]
    dropped: tuple[When, ...]
    moved: tuple[tuple[When, When], ...]

    @property
    def count(self) -> int:
        """How many dates changed."""
        return len(self.added) + len(self.dropped) + len(self.moved)


def date_changes(news: News) -> DateChanges:
    """What a piece of news changed in the dates of a recurring event; another hour for all of them is none."""
    before = news.before
    if before is None or (before.repeats is None and news.event.repeats is None):
        return DateChanges((), (), ())
    since, until = news.last, _horizon(news, before)
    was, now = _times(before, since, until), _times(news.event, since, until)
    moved = _moved_dates(before), _moved_dates(news.event)
    return DateChanges(
        added=tuple(now[name] for name in now if name not in was),
        dropped=tuple(was[name] for name in was if name not in now),
        moved=tuple((was[name], now[name]) for name in now if name in was and moved[0].get(name) != moved[1].get(name)),
    )


def _horizon(news: News, before: Event) -> datetime:
    begins = [start for event in (before, news.event) if (start := starts(event.when)) is not None]
    return max([news.last, *begins]) + AHEAD


def _times(event: Event, since: datetime, until: datetime) -> Mapping[str, When]:
    """The times that aren't over at `since`, by the day which the rule gave them."""
    found = islice(occurrences(event, since - LONGEST, until), COMPARED)
    return {name or str(first_day(when)): when for name, when in found if first_day(when) and not is_over(when, since)}


def _moved_dates(event: Event) -> Mapping[str, object]:
    return {moment.original.isoformat(): (moment.date, moment.time) for moment in event.moved}


def say_dates(dates: Sequence[When], language: str, home: str | None) -> str:
    """Some dates on one line: `Tue 3 Nov 2026, 19:00; Tue 10 Nov 2026, 19:00; and 4 more`."""
    return say_apart(_said(dates, language, home), language)


def _said(dates: Sequence[When], language: str, home: str | None) -> Iterator[str]:
    # "And one more" takes as much room as naming it.
    shown = dates if len(dates) <= NAMED + 1 else dates[:NAMED]
    for when in shown:
        yield say_when(when, language, "short", home)
    if len(shown) < len(dates):
        yield words(language)("and {count} more").format(count=len(dates) - len(shown))
