"""`tocsin build`: its options, and its last answer again where nothing is different, for which nothing is loaded."""

import argparse
import sys
from pathlib import Path

from pipeline.actions.verdict_memory import KEPT_OF_BUILD, remembered
from pipeline.clock import SystemClock
from pipeline.commands.check import question
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
    folder = Path(options.catalogue).parent
    templates = Path(options.templates) if options.templates else folder / "templates"
    now = SystemClock(options.now).now().timestamp()
    if (kept := remembered(folder, templates, question(options), now, KEPT_OF_BUILD)) is None:
        return None
    sys.stderr.write(kept["err"])
    sys.stdout.write(kept["out"])
    return int(kept["status"])
