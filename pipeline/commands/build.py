"""`tocsin build`: `out/` as a draft."""

import argparse

from pipeline.actions.build import build
from pipeline.commands.shell import DONE, Shell, calendar_day
from pipeline.commands.telling import tell_result


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `build`."""
    parser.add_argument(
        "--day", type=calendar_day, metavar="DATE", help="what is past and to come is seen from this day"
    )


def run(shell: Shell) -> int:
    """Builds and tells what publishing would change."""
    result = build(shell.project, shell.clock.now(), shell.options.day)
    tell_result(shell, result, "not published yet", "everything is published")
    return DONE
