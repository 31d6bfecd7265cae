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
from pipeline.commands.options import (
    DONE,
    INTERRUPTED,
    MISUSED,
    OUTSIDE,
    WRONG,
    calendar_day,
    common_options,
    counted,
    instant,
    whole,
)
from pipeline.errors import Problem, Severity
from pipeline.settings import Settings, settings_of

__all__ = [
    "DONE", "INTERRUPTED", "MISUSED", "OUTSIDE", "WRONG", "Shell", "calendar_day", "coloured", "common_options",
    "counted", "instant", "midnight", "shell_of", "whole",
]  # fmt: skip


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


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None


def coloured(problem: Problem) -> str:
    """The problem on one line; its severity in front, in colour where a person reads along."""
    word = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.TODO: "to do"}[problem.severity]
    colour = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.TODO: "36"}[problem.severity]
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        word = f"\x1b[{colour}m{word}\x1b[0m"
    return f"{problem}" if problem.severity is Severity.ERROR else f"{problem} [{word}]"


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant that opens a day in a zone."""
    return local(day, time(), zone).astimezone(UTC)
