"""What `tocsin check` does: every problem at once, and the verdict kept for the next time."""

import importlib
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TextIO, cast
from zoneinfo import ZoneInfo

from pipeline.actions.project import Project, check
from pipeline.actions.verdict_memory import FOREVER, KEPT_IN, Looked, memory
from pipeline.catalogue.load import Loaded
from pipeline.commands.check import question
from pipeline.commands.reader import as_json
from pipeline.commands.shell import DONE, WRONG, Shell, midnight
from pipeline.errors import FileError, InputError, Problem, Severity
from pipeline.files import write_whole
from pipeline.interface_words import translations


def nothing_further(_loaded: Loaded) -> Iterable[Problem]:
    """For a check of what lies here alone."""
    return ()


def run(shell: Shell) -> int:
    """Tells every problem; 0 where there is none but warnings. The verdict is kept for the next time."""
    now = shell.clock.now()
    asked, looked = question(shell.options), Looked()
    for file in (shell.project.catalogue, shell.project.ledger):
        looked.at_file(shell.project.folder, file.name)
    with _heard() as (out, err):
        status, holds = tell(shell, replace(shell.project, looked=looked), now)
    kept = memory(asked, looked, status, ("".join(out.said), "".join(err.said)), holds)
    with suppress(OSError, FileError):  # where nothing can be written, nothing is kept
        write_whole(shell.project.folder / KEPT_IN, kept)
    return status


def tell(
    shell: Shell, project: Project, now: datetime, further: Callable[[Loaded], Iterable[Problem]] = nothing_further
) -> tuple[int, tuple[float, float]]:
    """Tells every problem, with what `further` finds; the exit status, and the seconds from and to which it holds."""
    try:
        loaded = check(project, now)
    except InputError as error:
        _refuse(shell, error.problems)
        return WRONG, (0, FOREVER)
    remarks = sorted((*loaded.remarks, *further(loaded)), key=lambda problem: problem.position)
    valid = not (shell.options.strict and remarks)
    if shell.options.format:
        _annotate(shell, remarks)
    elif shell.options.json:
        _say_json(shell, remarks, valid=valid)
    else:
        if not shell.options.quiet or shell.options.strict:
            shell.tell_problems(remarks)
        _say_counts(shell, len(loaded.catalogue.events), remarks)
    return DONE if valid else WRONG, day_around(now, loaded.catalogue.series.zone)


def day_around(now: datetime, zone: ZoneInfo) -> tuple[float, float]:
    """The local day: from one to the next, what is past may change."""
    today = now.astimezone(zone).date()
    return midnight(today, zone).timestamp(), midnight(today + timedelta(days=1), zone).timestamp()


def _refuse(shell: Shell, problems: Sequence[Problem]) -> None:
    if shell.options.format:
        _annotate(shell, problems)
    elif shell.options.json:
        _say_json(shell, problems, valid=False)
    else:
        shell.tell_refusal(problems)


class _Ear:
    """Passes on what is written, and remembers it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.said: list[str] = []

    def write(self, text: str) -> int:
        self.said.append(text)
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _heard() -> Iterator[tuple[_Ear, _Ear]]:
    """Remembers what is written to standard output and standard error meanwhile."""
    out, err = _Ear(sys.stdout), _Ear(sys.stderr)
    with redirect_stdout(cast("TextIO", out)), redirect_stderr(cast("TextIO", err)):
        yield out, err


def _annotate(shell: Shell, problems: Iterable[Problem]) -> None:
    """Paths are told from where the command is called, which in a pipeline is the top of the repository."""
    folder = shell.project.folder
    annotating = importlib.import_module("pipeline.commands.annotating")
    if shell.options.format == "gitlab":
        shell.say_json(annotating.code_quality(problems, folder, shell.words))
        return
    for command in annotating.workflow_commands(problems, folder, shell.words):
        shell.say(command)


def _say_json(shell: Shell, problems: Iterable[Problem], *, valid: bool) -> None:
    shell.say_json({"valid": valid, "problems": [as_json(problem, shell.words) for problem in problems]})


def _say_counts(shell: Shell, events: int, remarks: Iterable[Problem]) -> None:
    found = Counter(remark.severity for remark in remarks)
    count = translations(shell.language).ngettext
    parts = (
        count("{count} event", "{count} events", events).format(count=events),
        shell.words("no error"),
        count("{count} warning", "{count} warnings", found[Severity.WARNING]).format(count=found[Severity.WARNING]),
        count("{count} open question", "{count} open questions", found[Severity.TODO]).format(
            count=found[Severity.TODO]
        ),
    )
    shell.say(f"{shell.project.catalogue}: " + ", ".join(parts))
