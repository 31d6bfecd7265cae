"""`tocsin build`: its options, and its last answer again where nothing is different, for which nothing is loaded."""

import argparse

from pipeline.actions.verdict_memory import KEPT_OF_BUILD
from pipeline.commands.check import said_again
from pipeline.commands.options import calendar_day


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `build`."""
    parser.add_argument(
        "--day", type=calendar_day, metavar="DATE", help="what is past and to come is seen from this day"
    )


def work(_options: argparse.Namespace) -> str:
    """The module that does it."""
    return "pipeline.commands.building"


def answer_at_once(options: argparse.Namespace) -> int | None:
    """Says that everything is as it was, if all that was read and all that was written is; None where it must build."""
    return said_again(options, KEPT_OF_BUILD)
