"""What all commands share: the common options made into a project, a clock and a database, and how results are told."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import cached_property
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
    instant,
    whole,
)
from pipeline.commands.parsing import columns
from pipeline.commands.reader import language_of, on_one_line, with_the_line
from pipeline.errors import Problem, SettingsError
from pipeline.interface_words import translations, words
from pipeline.settings import Settings, settings_of

__all__ = [
    "DONE", "INTERRUPTED", "MISUSED", "OUTSIDE", "WRONG", "Shell", "calendar_day", "common_options",
    "instant", "midnight", "shell_of", "whole",
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

    def say_json_list(self, values: Iterable[Any]) -> None:
        """A list for a program, written as it is made: a long one is never held as a whole."""
        self._say_rows(values, "\n")
        self.say()

    def say_json_object(self, key: str, values: Iterable[Any], others: Mapping[str, Any]) -> None:
        """An object for a program that begins with such a list; `others` follow it, one at least."""
        sys.stdout.write(f'{{\n  "{key}": ')
        self._say_rows(values, "\n  ")
        self.say("," + json.dumps(others, ensure_ascii=False, indent=2)[1:])

    @staticmethod
    def _say_rows(rows: Iterable[Any], margin: str) -> None:
        encoder = json.JSONEncoder(ensure_ascii=False, indent=2)
        opening = "["
        for row in rows:
            sys.stdout.write(f"{opening}{margin}  ")
            sys.stdout.writelines(part.replace("\n", f"{margin}  ") for part in encoder.iterencode(row))
            opening = ","
        sys.stdout.write("[]" if opening == "[" else f"{margin}]")

    @cached_property
    def language(self) -> str:
        """The language of the person at the terminal."""
        return language_of(self.options.lang, os.environ)

    def words(self, text: str) -> str:
        """An English word or pattern of ours in that language."""
        return words(self.language)(text)

    def count(self, one: str, many: str, number: int) -> str:
        """English patterns of ours for one and for many in that language, `{count}` filled in."""
        return translations(self.language).ngettext(one, many, number).format(count=number)

    def tell_problems(self, problems: Iterable[Problem]) -> None:
        """Problems: with the line of the file on a terminal or under `--verbose`, one a line elsewhere."""
        terminal = sys.stderr.isatty()
        colour = terminal and "NO_COLOR" not in os.environ
        for problem in problems:
            if terminal or self.options.verbose:
                width = columns()
                shown = with_the_line(problem, self.language, colour=colour, width=width)
            else:
                shown = on_one_line(problem, self.language)
            sys.stderr.write(shown + "\n")

    def tell_refusal(self, problems: Sequence[Problem]) -> None:
        """Every problem of a file that was refused, and that nothing was done."""
        self.tell_problems(problems)
        said = translations(self.language).ngettext(
            "{count} problem; nothing was changed", "{count} problems; nothing was changed", len(problems)
        )
        self.complain(said.format(count=len(problems)))

    @property
    def database_url(self) -> str:
        """The database: the option, the environment, or the file beside the catalogue."""
        given = self.options.database or self.settings.database_url
        file = (self.project.folder / "var" / "tocsin.db").absolute()
        return given or f"sqlite:///{file}"


def shell_of(options: argparse.Namespace) -> Shell:
    """The shell of a parsed command line."""
    catalogue = Path(options.catalogue)
    if options.templates and not Path(options.templates).is_dir():
        raise SettingsError("there is no folder {folder!r} for --templates", folder=options.templates)
    project = project_at(catalogue, _path(options.out), _path(options.templates))
    return Shell(options, project, settings_of(project.folder), SystemClock(options.now))


def _path(value: str | None) -> Path | None:
    return Path(value) if value else None


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant that opens a day in a zone."""
    return local(day, time(), zone).astimezone(UTC)
