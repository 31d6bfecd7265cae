"""`tocsin check`: every problem at once."""

import argparse
from collections import Counter

from pipeline.actions.project import check
from pipeline.commands.shell import DONE, WRONG, Shell, counted
from pipeline.errors import Severity


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("--strict", action="store_true", help="warnings and open questions are errors too")


def run(shell: Shell) -> int:
    """Tells every problem; 0 where there is none but warnings."""
    loaded = check(shell.project, shell.clock.now())
    if not shell.options.quiet or shell.options.strict:
        shell.tell_problems(loaded.remarks)
    found = Counter(remark.severity for remark in loaded.remarks)
    events = len(loaded.catalogue.events)
    shell.say(
        f"{shell.project.catalogue}: {counted(events, 'event')}, no error, "
        f"{counted(found[Severity.WARNING], 'warning')}, {counted(found[Severity.TODO], 'open question')}"
    )
    return WRONG if shell.options.strict and loaded.remarks else DONE
