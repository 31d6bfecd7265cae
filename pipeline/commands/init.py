"""`tocsin init`: a new series, from six answers given on the terminal or as options."""

import argparse
import os
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from pipeline.actions.forges import PIPELINES, requirement_here, write_pipeline
from pipeline.actions.starting import (
    Answers,
    copy_templates,
    refusal_of,
    refuse_to_overwrite,
    start,
    zone_of_this_machine,
)
from pipeline.commands.shell import DONE, Shell
from pipeline.errors import N_, SettingsError

SOON = timedelta(days=60)


class Question(NamedTuple):
    """One answer: the option that gives it, what is asked, and what an empty answer means (None: it must be given)."""

    key: str
    option: str
    asked: str
    default: str | None


QUESTIONS = (
    Question("title", "--title", N_("Title of the series"), None),
    Question("organiser", "--organiser", N_("Who organises it"), None),
    Question("url", "--url", N_("Address of the web site to come (https://…)"), None),
    Question("timezone", "--timezone", N_("Time zone"), ""),
    Question("languages", "--languages", N_("Languages, the main one first (en, fr, …)"), ""),
    Question("sender", "--from", N_("Who writes the mails: Name <name@example.org>, empty for nobody yet"), ""),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `init`."""
    parser.add_argument("folder", metavar="DIR", nargs="?", help="where to begin (default: here)")
    parser.add_argument("--title", metavar="TEXT", help="the title of the series")
    parser.add_argument("--organiser", metavar="NAME", help="who organises it")
    parser.add_argument("--url", metavar="URL", help="where the site will be: https://talks.example/")
    parser.add_argument("--timezone", metavar="ZONE", help="default: that of this machine")
    parser.add_argument("--languages", metavar="CODES", help="en,fr: the main one first (default: yours)")
    parser.add_argument("--from", dest="sender", metavar="MAILBOX", help="who writes the mails")
    parser.add_argument("--forge", choices=PIPELINES, help="the pipeline of a forge that checks, publishes and posts")
    # Here `--templates` copies them; for all other commands it names a folder.
    copying = parser.add_argument_group(conflict_handler="resolve")
    copying.add_argument(
        "--templates", dest="copy_templates", action="store_true", help="copy the templates too, to change them"
    )


def run(shell: Shell) -> int:
    """Asks what the options don't say, writes the files, and says what to type next."""
    folder = Path(shell.options.folder) if shell.options.folder else shell.project.folder
    name = shell.project.catalogue.name
    adding = shell.options.copy_templates or shell.options.forge
    if not (adding and (folder / name).exists()):
        refuse_to_overwrite(folder, name)
        day = shell.clock.now().date() + SOON
        written = start(folder, name, _answers(shell, day), day)
        shell.say(shell.words("written in {folder}: {files}").format(folder=folder, files=", ".join(written)))
        shell.say(
            shell.words("next: fill in {file}, then type `tocsin check` and `tocsin build` there").format(file=name)
        )
    if shell.options.copy_templates:
        _tell_templates(shell, folder / "templates")
    if shell.options.forge:
        _tell_pipeline(shell, folder)
    return DONE


def _tell_pipeline(shell: Shell, folder: Path) -> None:
    installed = requirement_here()
    name, written = write_pipeline(folder, shell.options.forge, installed)
    if not written:
        shell.tell(shell.words("left as they were: {files}").format(files=name))
        return
    shell.say(shell.words("{file} is written; its first lines say what to set at the forge").format(file=name))
    if installed.startswith("./"):
        shell.say(shell.words("it installs {file}: put that into the repository").format(file=installed))


def _tell_templates(shell: Shell, folder: Path) -> None:
    copied, left = copy_templates(folder)
    shell.say(shell.words("{folder}: {count} templates copied; delete those that you don't change").format(
        folder=folder, count=len(copied)))  # fmt: skip
    if left:
        shell.tell(shell.words("left as they were: {files}").format(files=", ".join(left)))


def _answers(shell: Shell, day: date) -> Answers:
    given = {question.key: getattr(shell.options, question.key) for question in QUESTIONS}
    ask = _ask if sys.stdin.isatty() else None
    missing = [question.option for question in QUESTIONS if given[question.key] is None and question.default is None]
    if missing and ask is None:
        raise SettingsError("give {options}, or type `tocsin init` on a terminal", options=", ".join(missing))
    found = {question.key: _answer(shell, question, given[question.key], day, ask) for question in QUESTIONS}
    return Answers(**found)  # type: ignore[arg-type]


def _answer(
    shell: Shell, question: Question, given: str | None, day: date, ask: Callable[[Shell, str, str], str] | None
) -> object:
    """The answer as the option gives it, else as the person at the terminal does, asked until it can be taken."""
    default = _default(shell, question)
    asking = given is None and ask is not None
    while True:
        if asking and ask is not None:
            given = ask(shell, question.asked, default)
        value = _read(question.key, given if given is not None else default)
        if (problem := refusal_of(question.key, value, day)) is None:
            return value
        why = f"{problem.what(shell.words)} ({problem.remedy(shell.words)})"
        if not asking:
            raise SettingsError("{option}: {reason}", option=question.option, reason=why)
        shell.complain(why)


def _default(shell: Shell, question: Question) -> str:
    match question.key:
        case "timezone":
            return zone_of_this_machine(os.environ)
        case "languages":
            return shell.language
        case _:
            return ""


def _read(key: str, text: str) -> object:
    if key == "languages":
        return tuple(dict.fromkeys(text.replace(",", " ").split()))
    return text.strip()


def _ask(shell: Shell, asked: str, default: str) -> str:
    shown = f" [{default}]" if default else ""
    sys.stderr.write(f"{shell.words(asked)}{shown}: ")
    sys.stderr.flush()
    line = sys.stdin.readline()
    if not line:
        sys.stderr.write("\n")
        raise SettingsError(shell.words("the answers ended early; nothing was written"))
    return line.strip() or default
