"""What all commands share: the common options made into a project, a clock and a database, and how results are told."""

import argparse
import json
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.actions.project import Project, project_at
from pipeline.catalogue.when import local
from pipeline.clock import Clock, SystemClock
from pipeline.errors import Problem, Severity
from pipeline.settings import Settings, settings_of

DONE, WRONG, MISUSED, OUTSIDE, INTERRUPTED = 0, 1, 2, 3, 130


@dataclass(frozen=True)
class Shell:
    """The terminal, and what the common options say."""

    options: argparse.Namespace
    project: Project
    settings: Settings
    clock: Clock

    def say(self, text: str = "") -> None:
        """A result, on standard output."""
        sys.stdout.write(text + "\n")

    def tell(self, text: str) -> None:
        """A message about the work, on standard error; nothing under `--quiet`."""
        if not self.options.quiet:
            sys.stderr.write(text + "\n")

    def complain(self, text: str) -> None:
        """Trouble, on standard error, also under `--quiet`."""
        sys.stderr.write(f"tocsin: {text}\n")

    def say_json(self, value: Any) -> None:
        """A result for a program."""
        self.say(json.dumps(value, ensure_ascii=False, indent=2))

    def tell_problems(self, problems: Iterable[Problem]) -> None:
        """Problems, one a line, coloured on a terminal."""
        for problem in problems:
            sys.stderr.write(coloured(problem) + "\n")

    @property
    def database_url(self) -> str:
        """The database: the option, the environment, or the file beside the catalogue."""
        given = self.options.database or self.settings.database_url
        file = (self.project.folder / "var" / "tocsin.db").absolute()
        return given or f"sqlite:///{file}"


def shell_of(options: argparse.Namespace) -> Shell:
    """The shell of a parsed command line."""
    catalogue = Path(options.catalogue)
    project = project_at(catalogue, _path(options.out), _path(options.templates))
    return Shell(options, project, settings_of(project.folder), SystemClock(options.now))


def common_options(default: str | None) -> argparse.ArgumentParser:
    """The options that every command knows; after the command they must not reset those before it."""
    suppressed = default is argparse.SUPPRESS
    common = argparse.ArgumentParser(add_help=False)
    group = common.add_argument_group("common options")
    group.add_argument("--catalogue", metavar="FILE", default=default if suppressed else "events.toml",
                       help="the catalogue (default: events.toml)")  # fmt: skip
    group.add_argument("--out", metavar="DIR", default=default, help="where to publish (default: out/ beside it)")
    group.add_argument("--templates", metavar="DIR", default=default, help="your own templates (default: templates/)")
    group.add_argument("--database", metavar="URL", default=default, help="default: var/tocsin.db beside the catalogue")
    group.add_argument("--now", metavar="INSTANT", type=instant, default=default,
                       help="set the clock, which then runs on: 2026-05-07T10:00:00Z")  # fmt: skip
    switch = default if suppressed else False
    group.add_argument("--json", action="store_true", default=switch, help="results for a program")
    group.add_argument("--quiet", action="store_true", default=switch, help="no messages about the work")
    group.add_argument("--verbose", action="store_true", default=switch, help="more of them")
    return common


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None


def coloured(problem: Problem) -> str:
    """The problem on one line; its severity in front, in colour where a person reads along."""
    word = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.TODO: "to do"}[problem.severity]
    colour = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.TODO: "36"}[problem.severity]
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        word = f"\x1b[{colour}m{word}\x1b[0m"
    return f"{problem}" if problem.severity is Severity.ERROR else f"{problem} [{word}]"


def instant(text: str) -> datetime:
    """An ISO 8601 instant with its offset, for argparse."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant: write 2026-05-07T10:00:00Z") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no offset: write {text}Z, or {text}+02:00")
    return moment.astimezone(UTC)


def calendar_day(text: str) -> date:
    """A calendar day, for argparse."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a day: write 2026-05-07") from None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant that opens a day in a zone."""
    return local(day, time(), zone).astimezone(UTC)


def counted(number: int, noun: str) -> str:
    """`1 change`, `3 changes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def whole(text: str) -> int:
    """A positive whole number, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)
