"""How long the preview takes to make everything anew after a save, in CPU: the seed and a long series."""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from catalogue import catalogue

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from pipeline.actions.preview import look  # noqa: E402
from pipeline.actions.project import project_at  # noqa: E402

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def remade(folder: Path, runs: int) -> float:
    """Seconds of CPU for one making after a save, the median; the first one, which loads everything, is left out."""
    file = folder / "events.toml"
    project = project_at(file)
    look(project, NOW)
    took = []
    for number in range(runs):
        file.write_text(file.read_text(encoding="utf-8") + f"# save {number}\n", encoding="utf-8")
        begun = time.process_time()
        look(project, NOW)
        took.append(time.process_time() - begun)
    return statistics.median(took)


def main() -> None:
    """Prints both, beside their goals of 0.3 s and 1 s."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        seed, long = Path(name) / "seed", Path(name) / "long"
        for folder in (seed, long):
            folder.mkdir()
        for file in ("events.toml", "ledger.jsonl"):
            shutil.copy(ROOT / file, seed)
        (long / "events.toml").write_text(catalogue(options.events), encoding="utf-8")
        print(f"the seed: {remade(seed, options.runs):.2f} s of CPU after a save (goal 0.3)")
        print(f"{options.events} events: {remade(long, options.runs):.2f} s of CPU after a save (goal 1)")


if __name__ == "__main__":
    main()
