"""What a tick costs once nothing has changed, against the tick that reads and plans the edition: CPU, one process.

.venv/bin/python bench/run.py ticks
"""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from timing import Ratio

from pipeline import ledger as journal
from pipeline.actions.mailing import Office
from pipeline.actions.publish import store_edition
from pipeline.actions.send import prepare
from pipeline.catalogue.load import Source, load
from pipeline.clock import FrozenClock
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.rendering import Renderer
from pipeline.store.database import open_database

START = datetime(2027, 1, 1, 10, tzinfo=UTC)
EVENTS = 10_000
HEAD = """format = 1
[series]
id = "talks"
title = "Talks"
timezone = "Europe/Paris"
default_language = "en"
organiser = "Somebody"
[site]
url = "https://talks.example/"
[mail]
from = "Somebody <talks@talks.example>"
[[reminder]]
id = "two-days-before"
when = "2 days before at 10:00"
[[reminder]]
id = "morning"
when = "on the day at 08:00"
"""


def cost(work: Callable[[], object]) -> float:
    """The CPU of some work, in seconds."""
    before = time.process_time()
    work()
    return time.process_time() - before


def catalogue(events: int) -> str:
    """So many events, a few a day from March on."""
    first = date(2027, 3, 1)
    return HEAD + "".join(
        f'[[event]]\nid = "talk-{number}"\ntitle = "Talk {number}"\ndate = {first + timedelta(days=number // 30)}\n'
        f'time = "{8 + number % 12:02}:00"\nspeakers = [{{ name = "Speaker {number % 700}" }}]\n'
        for number in range(events)
    )


def measure(events: int = EVENTS) -> list[Ratio]:
    """How many times dearer the tick is that reads and plans; the median of five ticks without anything new."""
    clock = FrozenClock(START)
    loaded = load(Source("events.toml", catalogue(events))).catalogue
    ledger = Ledger(pending_lines(loaded, Ledger(), START))
    edition = Edition(loaded, journal.read(journal.write(ledger)), START.date())
    office = Office(Renderer(), b"key", {})
    with open_database("sqlite://", clock) as database:
        store_edition(database, edition, START)

        def tick() -> None:
            clock.sleep(30)
            database.run(lambda connection: prepare("talks", office, clock, connection))

        first = cost(tick)
        again = sorted(cost(tick) for _ in range(5))
    note = f"a tick with nothing new, {again[2] * 1000:.0f} ms, against one that reads and plans, {first:.2f} s"
    return [Ratio(f"idle tick, {events} events", first / max(again[2], 0.001), 20, note, more_is_better=True)]


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.0f} times; {result.note}")
