"""What a piece of news changed, fact by fact: as it was, and as it is."""

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.catalogue.models import Event, Venue
from pipeline.catalogue.when import Unscheduled
from pipeline.language import words
from pipeline.news import News
from pipeline.phrases.dates import date_changes, say_dates
from pipeline.phrases.facts import place_line, say_when, status_word, title_of
from pipeline.phrases.zones import ANYWHERE


class Change(NamedTuple):
    """One fact that changed: its name, and how it was and is said; empty where there was or is none."""

    fact: str
    before: str
    after: str


def changes(news: News, language: str, home: str | None = None) -> tuple[Change, ...]:
    """The changes a reader has to know of, date first; none for an announcement. `home` as for `say_when`."""
    if news.before is None:
        return ()
    found = _facts(news, news.before, language, home)
    return tuple(change for change in found if change.before != change.after)


def _facts(news: News, before: Event, language: str, home: str | None) -> Iterator[Change]:
    say, event = words(language), news.event
    # An hour that moved from one zone to another means nothing without them.
    home = home if before.timezone == event.timezone else ANYWHERE
    yield Change(say("Status"), say_status(before, language), say_status(event, language))
    yield Change(say("Date"), say_when(before.when, language, home=home), say_when(event.when, language, home=home))
    yield from _dates(news, language, home)
    if not isinstance(event.when, Unscheduled):
        yield Change(say("Time zone"), before.timezone, event.timezone)
    yield Change(say("Place"), _place(news.venue_before, language), _place(news.venue, language))
    yield Change(say("Online"), _online(before), _online(event))
    if before.title is not None or event.title is not None:
        yield Change(say("Title"), title_of(before, language).text, title_of(event, language).text)


def _dates(news: News, language: str, home: str | None) -> Iterator[Change]:
    """The single dates of a recurring event: what came, what went, and each that was moved."""
    say, found = words(language), date_changes(news)
    yield Change(say("Dates added"), "", say_dates(found.added, language, home))
    yield Change(say("Dates dropped"), say_dates(found.dropped, language, home), "")
    for was, now in found.moved:
        yield Change(say("Date moved"), say_when(was, language, "short", home), say_when(now, language, "short", home))


def say_status(event: Event, language: str) -> str:
    """Where an event stands, in a word: of what is confirmed that it is."""
    return status_word(event, language) or words(language)("Confirmed")


def _place(venue: Venue | None, language: str) -> str:
    return place_line(venue, language) if venue else ""


def _online(event: Event) -> str:
    # A secret link is for letters alone.
    return (event.online.url or "") if event.online else ""
