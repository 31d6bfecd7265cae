"""What a save costs the preview: the draft and the page in view, against making every file as a build does."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from catalogue import catalogue
from timing import Ratio, paired

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pipeline.actions.build import draft, files_of  # noqa: E402
from pipeline.actions.preview import look  # noqa: E402
from pipeline.actions.project import Project, project_at  # noqa: E402

NOW = datetime(2027, 1, 1, tzinfo=UTC)
IN_VIEW = "index.html"
"""The home page lists every event: of all pages it costs most."""


def measure(events: int = 1000, runs: int = 3) -> list[Ratio]:
    """CPU of a save for the seed and a long series; both in this process, which has loaded everything before."""
    with tempfile.TemporaryDirectory() as name:
        seed, long = Path(name) / "seed", Path(name) / "long"
        for folder in (seed, long):
            folder.mkdir()
        for file in ("events.toml", "ledger.jsonl"):
            shutil.copy(ROOT / file, seed)
        (long / "events.toml").write_text(catalogue(events), encoding="utf-8")
        return [
            _ratio("preview after a save, the seed", seed, 0.5, runs, 0.3),
            _ratio("preview after a save", long, 0.15, runs, 1.0),
        ]


def _ratio(name: str, folder: Path, goal: float, runs: int, seconds: float) -> Ratio:
    file = folder / "events.toml"
    project = project_at(file)
    save(project)
    everything(project)
    ours, theirs = list[float](), list[float]()
    for number in range(runs):
        file.write_text(file.read_text(encoding="utf-8") + f"# save {number}\n", encoding="utf-8")
        ours.append(cpu(save, project))
        theirs.append(cpu(everything, project))
    note = f"making every file ({min(ours):.2f} s of CPU, to be shown within {seconds:g} s)"
    return Ratio(name, paired(ours, theirs), goal, note)


def save(project: Project) -> None:
    """What a save asks for: the draft, and the page in view."""
    assert look(project, NOW).body(IN_VIEW)


def everything(project: Project) -> None:
    """The draft and every file of it, one by one, without writing them."""
    assert all(artifact.body for artifact in files_of(project, draft(project, NOW).edition))


def cpu(work: Callable[[Project], None], project: Project) -> float:
    """Seconds of CPU of this process."""
    begun = time.process_time()
    work(project)
    return time.process_time() - begun


def main() -> None:
    """Prints both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    for result in measure(options.events, options.runs):
        print(f"{result.name}: {result.value:.3f} of {result.note}")


if __name__ == "__main__":
    main()
