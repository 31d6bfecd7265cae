"""`tocsin check` and `tocsin --help` against an interpreter that does nothing, and the loader against `tomllib`."""

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import catalogue
from timing import Ratio, Run, paired, run

ROOT = Path(__file__).parent.parent
RUNS = 9
EVENTS = 10_000
TOCSIN = (sys.executable, "-m", "pipeline")
PARSE = "import sys, tomllib; tomllib.loads(open(sys.argv[1], encoding='utf-8').read())"


def measure() -> list[Ratio]:
    """The three commands against nothing, and a long catalogue against Python's own reader."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("events.toml", "ledger.jsonl"):
            shutil.copy(ROOT / file, folder)
        check = [*TOCSIN, "check", "--quiet", "--catalogue", str(folder / "events.toml")]
        return [
            against_nothing("check", check, lambda: (folder / "var" / "check.json").unlink(missing_ok=True), 15),
            against_nothing("check, nothing changed", check, lambda: None, 5),
            against_nothing("--help", [*TOCSIN, "--help"], lambda: None, 4),
            long_catalogue(folder / "long" / "events.toml"),
        ]


def against_nothing(name: str, command: list[str], before: Callable[[], object], goal: float) -> Ratio:
    """How many times the CPU of `python -c pass` a command takes."""
    ours, floor = [], []
    for _ in range(RUNS):
        before()
        ours.append(run(command, ROOT).cpu)
        floor.append(run([sys.executable, "-c", "pass"], ROOT).cpu)
    return Ratio(f"tocsin {name}", paired(ours, floor), goal, "the CPU of `python -c pass`")


def long_catalogue(file: Path) -> Ratio:
    """A catalogue of many events, against what Python's own reader takes to read the same text."""
    file.parent.mkdir()
    file.write_text(catalogue.catalogue(EVENTS), encoding="utf-8")
    ours: list[Run] = []
    floor: list[Run] = []
    for _ in range(3):
        (file.parent / "var" / "check.json").unlink(missing_ok=True)
        ours.append(run([*TOCSIN, "check", "--quiet", "--catalogue", str(file)], ROOT))
        floor.append(run([sys.executable, "-c", PARSE, str(file)], ROOT))
    note = f"the user CPU of `tomllib` reading the same text ({ours[0].memory:.0f} MiB)"
    return Ratio(
        f"tocsin check, {EVENTS} events", paired([one.user for one in ours], [one.user for one in floor]), 3, note
    )


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.2f} times {result.note}")
