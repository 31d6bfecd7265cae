"""`tocsin subscribers import` of 100,000 rows, against reading the same rows and judging each address, and no more."""

import csv
import sys
import tempfile
from pathlib import Path

from timing import Ratio, Run, paired, run

ROOT = Path(__file__).parent.parent
ROWS = 100_000
HOSTS = 700
READ = (
    "import csv, sys\nfrom email_validator import validate_email\n"
    "for row in csv.DictReader(open(sys.argv[1])):\n"
    "    validate_email(row['address'], check_deliverability=False)\n"
)


def write(path: Path) -> None:
    """People of some hundred hosts, a fifth with a subject, two thirds with kinds of their own."""
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("address", "language", "kinds", "tags", "consent"))
        for number in range(ROWS):
            rows.writerow((
                f"reader.{number}@host{number % HOSTS}.example", "fr" if number % 2 else "en",
                "reminders changes" if number % 3 else "", "" if number % 5 else "law", "on paper, 2026-01-01",
            ))  # fmt: skip


def imported(folder: Path, people: Path) -> Run:
    """A whole process over a new database."""
    for old in folder.glob("people.db*"):
        old.unlink()
    command = [sys.executable, "-m", "pipeline", "subscribers", "import", str(people)]
    catalogue, database = str(ROOT / "events.toml"), f"sqlite:///{folder / 'people.db'}"
    return run([*command, "--catalogue", catalogue, "--database", database], folder, PYTHONPATH=str(ROOT))


def measure(runs: int = 3) -> list[Ratio]:
    """How many times the CPU of reading the rows and judging each address a whole import takes."""
    with tempfile.TemporaryDirectory() as name:
        folder, people = Path(name), Path(name) / "people.csv"
        write(people)
        ours, theirs = [], []
        for _ in range(runs):
            ours.append(imported(folder, people))
            theirs.append(run([sys.executable, "-c", READ, str(people)], folder))
    cost, memory = min(one.cpu for one in ours), max(one.memory for one in ours)
    note = f"import of {ROWS} rows over judging their addresses alone ({cost:.0f} s, {memory:.0f} MiB of 20 and 150)"
    return [Ratio("importing subscribers", paired([one.cpu for one in ours], [one.cpu for one in theirs]), 4, note)]


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.2f}, {result.note}")
