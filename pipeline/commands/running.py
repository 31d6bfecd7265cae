"""Running a command: its errors become one line for the person and an exit status for the machine."""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

from pipeline.commands.options import MISUSED, OUTSIDE, WRONG, language_of
from pipeline.errors import N_, InputError, SettingsError, TemplateError, TocsinError, reason_of

RARELY = (50_000, 20, 50)
"""After how many new values, and how many rounds among the young and the middle-aged, garbage is looked for."""


def run(module: ModuleType, options: argparse.Namespace) -> int:
    """Runs a command's module, or the one that it names, and turns what went wrong into an exit status."""
    shell: Any = None
    try:
        if (work := getattr(module, "work", None)) is not None:
            module = importlib.import_module(work(options))
        shell = importlib.import_module("pipeline.commands.shell").shell_of(options)
        # A catalogue is millions of values without a cycle: looking for cycles as often as usual takes long.
        gc.set_threshold(*RARELY)
        keep_for_good()
        return int(module.run(shell))
    except InputError as error:
        shell.tell_refusal(error.problems)
        return WRONG
    except TemplateError as error:
        _complain(error.said(_words(options)))
        return WRONG
    except SettingsError as error:
        _complain(error.said(_words(options)))
        return MISUSED
    except TocsinError as error:
        _complain(error.said(_words(options)))
        return OUTSIDE
    except BrokenPipeError:
        raise  # whoever read our output has seen enough: the caller's affair
    except OSError as error:
        return refused_by_the_system(error, language_of(options.lang, os.environ))


def refused_by_the_system(error: OSError, language: str) -> int:
    """Says which file, or what else, the system didn't give, and why."""
    say = _in(language)
    place = error.filename or say(N_("the system"))
    _complain(say("{place}: {reason}").format(place=place, reason=reason_of(error).said(say)))
    return OUTSIDE


def keep_for_good() -> None:
    """What is in memory by now is there to stay: from here on garbage is looked for, only among what comes later."""
    gc.freeze()
    gc.enable()


def _words(options: argparse.Namespace) -> Callable[[str], str]:
    return _in(language_of(options.lang, os.environ))


def _in(language: str) -> Callable[[str], str]:
    said: Callable[[str], str] = importlib.import_module("pipeline.interface_words").words(language)
    return said


def _complain(text: str) -> None:
    sys.stderr.write(f"tocsin: {text}\n")


def unknown_command(name: str, commands: Iterable[str], language: str) -> int:
    """Says that there is no such command, and which one may be meant."""
    meant = importlib.import_module("difflib").get_close_matches(name, list(commands), n=1)
    pattern = (
        N_("there is no command {name!r}; did you mean `tocsin {meant}`?")
        if meant
        else N_("there is no command {name!r}; try --help")
    )
    _complain(_in(language)(pattern).format(name=name, meant=meant[0] if meant else ""))
    return MISUSED


def unexpected(error: Exception, language: str) -> int:
    """Says in a line what nobody foresaw, and how to report it."""
    if os.environ.get("TOCSIN_DEBUG"):
        importlib.import_module("traceback").print_exception(error)
    say, what = _in(language), f"{type(error).__name__}: {error}"
    _complain(say(N_("an error that we did not foresee ({what}); nothing is lost")).format(what=what))
    _complain(say(N_("please report it, with what TOCSIN_DEBUG=1 prints before the same command")))
    return OUTSIDE
