"""CPU of whole processes, by the system's own accounting, in alternated pairs."""

import os
import statistics
import subprocess
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """One finished process: user and system seconds, and its peak memory in MiB."""

    user: float
    system: float
    memory: float

    @property
    def cpu(self) -> float:
        """User and system seconds together."""
        return self.user + self.system


def run(command: Sequence[str], folder: Path, **environment: str) -> Run:
    """Runs a command to its end and reads what it cost; Python may keep what it compiled, as on anybody's machine."""
    everything = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
    process = subprocess.Popen(command, cwd=folder, env=everything, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    with process.stderr or nullcontext(BytesIO()) as said:
        if process.returncode:
            raise SystemExit(f"{command} ended with {process.returncode}: {said.read().decode()[-500:]}")
    return Run(usage.ru_utime, usage.ru_stime, usage.ru_maxrss / 1024)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> str:
    """The median of the paired ratios, with the lowest and the highest."""
    ratios = sorted(one / other for one, other in zip(ours, theirs, strict=True))
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


@dataclass(frozen=True)
class Ratio:
    """One result of a measurement: tocsin's cost over a peer's, or a peer's over ours where more is `better`.

    `goal` is what we hold ourselves to (0: none is set), `note` says against what and anything a reader must know.
    """

    name: str
    value: float
    goal: float = 0.0
    note: str = ""
    more_is_better: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal is met; true where none is set."""
        return not self.goal or (self.value >= self.goal if self.more_is_better else self.value <= self.goal)

    def worse_than(self, before: float, by: float = 1 / 3) -> bool:
        """Whether it got worse than an earlier value by more than that share."""
        return self.value < before / (1 + by) if self.more_is_better else self.value > before * (1 + by)


def paired(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the paired ratios."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
