"""Editions for tests: small catalogues published one after the other, a day apart, the way `tocsin publish` does."""

from datetime import UTC, date, datetime, timedelta

from pipeline.actions.newsletters import due_newsletters
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Catalogue
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines, retirement

FIRST = datetime(2026, 1, 5, 10, tzinfo=UTC)
"""When the first version is published, unless a test says otherwise."""

HEAD = """
format = 1
[series]
id = "talks"
title.en = "Evening talks; tea, cake"
title.fr = "Causeries du soir"
timezone = "Europe/Paris"
default_language = "en"
languages = ["en", "fr"]
organiser = {name = "The Society", url = "https://society.example/", email = "hello@society.example"}
[site]
url = "https://talks.example/cycle/"
[[venue]]
id = "hall"
name = "Town hall"
street = "1, High Street"
postal_code = "75001"
city = "Paris"
geo = [48.8606, 2.3376]
[[venue]]
id = "library"
name = "Library"
city = "Lyon"
"""

TALK = """
[[event]]
id = "talk"
title = "A talk"
date = 2026-10-20
time = "19:00"
venue = "hall"
"""


def catalogue(events: str, head: str = HEAD) -> Catalogue:
    """A valid catalogue of the usual series with these events."""
    return load(Source("events.toml", head + events)).catalogue


def edition(
    *versions: str, head: str = HEAD, day: date = date(2026, 2, 1), step: timedelta = timedelta(days=1)
) -> Edition:
    """The edition after publishing each version, a `step` apart; an event that is left out later counts as retired."""
    ledger, now = Ledger(), FIRST
    loaded = catalogue("")
    for text in versions:
        loaded = catalogue(text, head)
        gone = [event for event in ledger.events if event not in loaded.event_by_id]
        ledger = ledger.extended(retirement(loaded, ledger, event, now) for event in gone)
        out = due_newsletters(Edition(loaded, ledger, now.date()), now)
        ledger = ledger.extended((*pending_lines(loaded, ledger, now), *out))
        now += step
    return Edition(loaded, ledger, day)
