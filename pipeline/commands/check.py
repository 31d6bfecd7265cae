"""`tocsin check`: its options, and the last verdict said again where it still holds, for which nothing is loaded."""

import argparse
import os
import sys
from pathlib import Path

from pipeline.actions.verdict_memory import KEPT_IN, remembered
from pipeline.clock import SystemClock
from pipeline.commands.options import language_of
from pipeline.commands.parsing import columns

FORMATS = ("github", "gitlab")
_NOT_ASKED = frozenset({"now", "command", "rest", "whole_parser"})


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `check`."""
    parser.add_argument("--strict", action="store_true", help="warnings and open questions are errors too")
    parser.add_argument("--format", choices=FORMATS, help="as a forge reads them: marks beside the lines of a proposal")
    parser.add_argument("--links", action="store_true", help="open every address too, and say which don't answer")


def work(options: argparse.Namespace) -> str:
    """The module that does it: what opens addresses is loaded only when asked for."""
    return "pipeline.commands.checking_links" if options.links else "pipeline.commands.checking"


def answer_at_once(options: argparse.Namespace) -> int | None:
    """Says the last verdict again if it still holds; None where the catalogue must be read."""
    if options.links:
        return None  # what others serve changes without a trace here
    return said_again(options, KEPT_IN)


def said_again(options: argparse.Namespace, kept_in: Path) -> int | None:
    """Says what was said last time and gives its exit status, if it still holds; None where the work must be done."""
    folder = Path(options.catalogue).parent
    templates = Path(options.templates) if options.templates else folder / "templates"
    now = SystemClock(options.now).now().timestamp()
    if options.templates and not templates.is_dir():
        return None
    if (kept := remembered(folder, templates, question(options), now, kept_in)) is None:
        return None
    sys.stderr.write(kept["err"])
    sys.stdout.write(kept["out"])
    return int(kept["status"])


def question(options: argparse.Namespace) -> dict[str, object]:
    """All that shapes the answer besides the files and the hour: the options, the reader and the terminal."""
    terminal = sys.stderr.isatty()
    return {
        "options": {name: str(value) for name, value in sorted(vars(options).items()) if name not in _NOT_ASKED},
        "language": language_of(options.lang, os.environ),
        "width": columns() if terminal or options.verbose else 0,
        "colour": terminal and "NO_COLOR" not in os.environ,
        "folder": str(Path.cwd()),
        "python": sys.version,
    }
