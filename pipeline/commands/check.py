"""`tocsin check`: every problem at once."""

import argparse
from collections import Counter

from pipeline.actions.project import check
from pipeline.commands.shell import DONE, WRONG, Shell
from pipeline.errors import Severity


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("--strict", action="store_true", help="warnings and open questions are errors too")


def run(shell: Shell) -> int:
    """Tells every problem; 0 where there is none but warnings."""
    loaded = check(shell.project, shell.clock.now())
    shell.tell_problems(loaded.remarks)
    counted = Counter(remark.severity for remark in loaded.remarks)
    events = len(loaded.catalogue.events)
    shell.say(
        f"{shell.project.catalogue}: {events} events, no error, {counted[Severity.WARNING]} warnings, "
        f"{counted[Severity.TODO]} open questions"
    )
    return WRONG if shell.options.strict and loaded.remarks else DONE
