"""Parsers of the command line that speak the reader's language; light, so that `--help` loads nothing else."""

import argparse
import gettext
import importlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import zip_longest
from typing import Any

from pipeline.commands.options import LANGUAGES, without_region

Say = Callable[[str], str]


def asked_language(arguments: Sequence[str]) -> str | None:
    """The language that `--lang` names, before anything is parsed: what is wrong is said in it, too.

    None where it names none of ours: then that of the locale tells which there are.
    """
    for argument, following in zip_longest(arguments, arguments[1:], fillvalue=""):
        option, _, value = argument.partition("=")
        if option == "--lang" and (code := without_region(value or following)) in LANGUAGES:
            return code
    return None


def saying(language: str) -> Say:
    """The function that says an English help text in a language."""
    if language == "en":
        return str
    return importlib.import_module("pipeline.interface_words").words(language)  # type: ignore[no-any-return]


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Lets argparse speak a language: it asks gettext, which knows one domain and language for the whole program."""
    if language == "en":
        yield
        return
    interface = importlib.import_module("pipeline.interface_words")
    domain, asked = gettext.textdomain(), os.environ.get("LANGUAGE")
    gettext.bindtextdomain(interface.DOMAIN, interface.LOCALES)
    gettext.textdomain(interface.DOMAIN)
    os.environ["LANGUAGE"] = language
    try:
        yield
    finally:
        gettext.textdomain(domain)
        os.environ.pop("LANGUAGE")
        os.environ.update({"LANGUAGE": asked} if asked is not None else {})


def columns() -> int:
    """How wide the terminal is, as `COLUMNS` or the system says; 80 where neither does."""
    # What Python has for it loads all that packs archives.
    try:
        return int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size().columns or 80
    except (ValueError, OSError):
        return 80


def headed(heading: str, say: Say) -> str:
    """A heading with its colon, before which French has a space."""
    return say("{heading}:").format(heading=say(heading))


class Helping(argparse.HelpFormatter):
    """Help texts, headings and descriptions in the reader's language."""

    def __init__(self, prog: str, say: Say = str, **widths: Any) -> None:
        super().__init__(prog, **{"width": columns() - 2, **widths})
        self._say = say

    def start_section(self, heading: str | None) -> None:
        """A section under its heading."""
        # The last colon is put there by who prints it.
        super().start_section(headed(heading, self._say).removesuffix(":") if heading else heading)

    def add_text(self, text: str | None) -> None:
        """A paragraph."""
        super().add_text(self._say(text) if text and text is not argparse.SUPPRESS else text)

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return self._say(action.help) if action.help else action.help


class AsWritten(Helping, argparse.RawDescriptionHelpFormatter):
    """The same, with the lines of descriptions as they are."""


class Parser(argparse.ArgumentParser):
    """A parser whose help is said in the reader's language, as is that of the verbs below it."""

    def __init__(self, *arguments: Any, say: Say = str, as_written: bool = False, **options: Any) -> None:
        form = AsWritten if as_written else Helping
        super().__init__(*arguments, **{"formatter_class": partial(form, say=say), **options})
        self._speech = say

    def add_subparsers(self, **options: Any) -> Any:
        """Verbs, each with a parser of its own."""
        return super().add_subparsers(**{"parser_class": partial(Parser, say=self._speech), **options})
