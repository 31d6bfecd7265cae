"""`tocsin check` on the seed and `tocsin --help`, against an interpreter that does nothing."""

import sys
from pathlib import Path

from timing import median_ratio, run

ROOT = Path(__file__).parent.parent
RUNS = 9


def main() -> None:
    """Prints one line for each command."""
    for name, arguments in (("check", ["check", "--quiet"]), ("--help", ["--help"])):
        ours, floor = [], []
        for _ in range(RUNS):
            ours.append(run([sys.executable, "-m", "pipeline", *arguments], ROOT).cpu)
            floor.append(run([sys.executable, "-c", "pass"], ROOT).cpu)
        print(f"tocsin {name}: {median_ratio(ours, floor)} times the CPU of `python -c pass`")


if __name__ == "__main__":
    main()
