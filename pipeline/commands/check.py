"""`tocsin check`: every problem at once."""

import argparse
from collections import Counter
from collections.abc import Iterable

from pipeline.actions.project import check
from pipeline.commands.reader import as_json
from pipeline.commands.shell import DONE, WRONG, Shell
from pipeline.errors import InputError, Problem, Severity
from pipeline.language import translations


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("--strict", action="store_true", help="warnings and open questions are errors too")


def run(shell: Shell) -> int:
    """Tells every problem; 0 where there is none but warnings."""
    try:
        loaded = check(shell.project, shell.clock.now())
    except InputError as error:
        if not shell.options.json:
            raise
        _say_json(shell, error.problems, valid=False)
        return WRONG
    valid = not (shell.options.strict and loaded.remarks)
    if shell.options.json:
        _say_json(shell, loaded.remarks, valid=valid)
        return DONE if valid else WRONG
    if not shell.options.quiet or shell.options.strict:
        shell.tell_problems(loaded.remarks)
    _say_counts(shell, len(loaded.catalogue.events), loaded.remarks)
    return DONE if valid else WRONG


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
