"""A campaign given to a million recipients, against listing the same million in the first place."""

import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

from sqlalchemy import text
from timing import Ratio

from pipeline.clock import SystemClock
from pipeline.letters import Letter
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.database import Database, open_database
from pipeline.store.expansion import expand
from pipeline.store.subscribers import add

SERIES = "bench"
NUMBER = 1_000_000
LISTED = """INSERT INTO subscribers SELECT {columns} FROM subscribers
CROSS JOIN (
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number - 1) SELECT i FROM n
) AS n"""
CHANGED = {
    "id": "id + i",
    "address": "address || i",
    "mailbox": "mailbox || i",
    "folded": "folded || i",
    "public_id": "public_id || i",
}


def enlist(database: Database, number: int) -> None:
    """So many subscribers, all but the first copied from it by the database itself."""
    now = database.clock.now()
    with database.begin() as connection:
        add(connection, SERIES, "reader@example.org", "en", Kind, (), "by hand", now)
        names = [row[0] for row in connection.execute(text("SELECT * FROM subscribers LIMIT 0")).cursor.description]
        columns = ", ".join(CHANGED.get(name, name) for name in names)
        connection.execute(text(LISTED.format(columns=columns)), {"number": number})


def expanded(database: Database) -> int:
    """One campaign, given to everybody."""
    now = database.clock.now()
    occasion = Occasion("talk", "day-before", 0, Kind.REMINDERS, now, now + timedelta(days=1))
    with database.begin() as connection:
        reconcile(connection, SERIES, Plan((occasion,), ()), now)
        (campaign,) = due_campaigns(connection, SERIES, now)
        return expand(connection, campaign, {"en": Letter("en", "Soon", b"Subject: Soon\r\n\r\n.\r\n")}, "en", now)


def measure(number: int = NUMBER) -> list[Ratio]:
    """CPU of the expansion over that of listing the subscribers."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        with open_database(url, SystemClock()) as database:
            started = time.process_time()
            enlist(database, number)
            listed = time.process_time()
            got = expanded(database)
            ended = time.process_time()
    if got != number:
        raise SystemExit(f"{got} of {number} recipients")
    peak = getrusage(RUSAGE_SELF).ru_maxrss / 1024
    note = f"CPU over that of inserting them ({ended - listed:.1f} s for {number:,}; peak {peak:.0f} MiB)"
    return [Ratio("recipients expanded", (ended - listed) / (listed - started), 2, note)]


if __name__ == "__main__":
    for result in measure(int(sys.argv[1]) if sys.argv[1:] else NUMBER):
        print(f"{result.name}: {result.value:.2f} (goal {result.goal}), {result.note}")
