"""The command line: finds the command, reads its options, runs it, and turns what went wrong into an exit status."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from types import ModuleType
from typing import Any

from pipeline.commands.options import DONE, INTERRUPTED, MISUSED, OUTSIDE, WRONG, common_options
from pipeline.errors import DeliveryError, FileError, InputError, SettingsError, StoreError, TemplateError, TocsinError

ORGANISER = {
    "init": "begin a series: an events.toml that explains itself",
    "check": "every problem in events.toml at once, with its line and what to type",
    "preview": "the site and every mail in a local browser, made anew at each save",
    "plan": "what would change, and who gets which mail when",
    "simulate": "every letter of the season as a file, nothing leaves",
    "build": "write out/ as a draft, to look at",
    "publish": "announce: the ledger, out/ and what is mailed from now on",
    "retire": "take a published event out for good",
}
OPERATOR = {
    "arm": "allow sending",
    "hold": "stop all sending",
    "send": "send all that is due now, then end",
    "run": "the service: sends what falls due, takes subscriptions, answers the links in mails",
    "status": "the queue, the next sends, trouble",
    "import": "events from an .ics, a CSV, a schedule.xml or a JSON into events.toml",
    "ledger": "what was published when: log, verify, diff, mend",
    "schema": "the JSON Schema of events.toml, for editors",
    "subscribers": "add, import, list, export, forget, stats",
    "backup": "a whole copy of the database, also while it is in use",
    "restore": "put a backup in its place, held",
    "doubt": "what may or may not have arrived: list, resend, drop",
    "outbox": "what waits and what failed: list, retry, cancel",
    "bounces": "read what came back: a Maildir, an mbox, standard input",
    "test-mail": "send one letter to one address",
    "doctor": "look at all that sending needs",
}
COMMANDS = ORGANISER | OPERATOR
"""Each command is the module of its name in `pipeline.commands`, imported only when it is called."""
MODULES = {"import": "importing"}
"""The modules of commands whose name can't be one in Python."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; no traceback reaches the person at the terminal."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        return _main(arguments)
    except SystemExit as ending:  # argparse
        return ending.code if isinstance(ending.code, int) else MISUSED
    except KeyboardInterrupt:
        _complain("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:  # noqa: BLE001 - the last line before the person
        return _unexpected(error)


def _main(arguments: Sequence[str]) -> int:
    top = _top_parser()
    options = top.parse_args(arguments)
    if options.command is None:
        top.print_help()
        return MISUSED
    if options.command not in COMMANDS:
        return _unknown_command(options.command)
    module = importlib.import_module(f"pipeline.commands.{_module_of(options.command)}")
    parser = argparse.ArgumentParser(
        prog=f"tocsin {options.command}",
        description=COMMANDS[options.command],
        parents=[common_options(argparse.SUPPRESS)],
    )
    module.add_options(parser)
    options = parser.parse_args(options.rest, options)
    return _run(module, options)


def _module_of(command: str) -> str:
    return MODULES.get(command, command.replace("-", "_"))


def _run(module: ModuleType, options: argparse.Namespace) -> int:
    shell: Any = None
    try:
        shell = importlib.import_module("pipeline.commands.shell").shell_of(options)
        return int(module.run(shell))
    except InputError as error:
        shell.tell_refusal(error.problems)
        return WRONG
    except TemplateError as error:
        _complain(str(error))
        return WRONG
    except SettingsError as error:
        _complain(str(error))
        return MISUSED
    except (StoreError, DeliveryError, FileError, TocsinError) as error:
        _complain(str(error))
        return OUTSIDE
    except OSError as error:
        _complain(f"{error.filename or 'the system'}: {error.strerror or error}")
        return OUTSIDE


def _complain(text: str) -> None:
    sys.stderr.write(f"tocsin: {text}\n")


def _unknown_command(name: str) -> int:
    meant = get_close_matches(name, COMMANDS, n=1)
    _complain(f"there is no command {name!r}" + (f"; did you mean `tocsin {meant[0]}`?" if meant else "; try --help"))
    return MISUSED


def _unexpected(error: Exception) -> int:
    if os.environ.get("TOCSIN_DEBUG"):
        importlib.import_module("traceback").print_exception(error)
    _complain(f"an error that we did not foresee ({type(error).__name__}: {error}); nothing is lost")
    _complain("please report it, with what TOCSIN_DEBUG=1 prints before the same command")
    return OUTSIDE


def _top_parser() -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    groups = (("for organisers", ORGANISER), ("for operators", OPERATOR))
    listed = "\n\n".join(
        f"{title}:\n" + "\n".join(f"  {name:{width}}  {what}" for name, what in commands.items())
        for title, commands in groups
    )
    parser = argparse.ArgumentParser(
        prog="tocsin",
        usage="tocsin COMMAND [options]",
        description="One catalogue of events in; calendars, feeds, pages and reminder mails out.\n\n" + listed,
        epilog="tocsin COMMAND --help tells the options of one command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[common_options(None)],
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="which tocsin this is")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser


class _Version(argparse.Action):
    """Reads the version only when it is asked for: doing so takes longer than all other options together."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        metadata = importlib.import_module("importlib.metadata")
        try:
            parser.exit(message=f"tocsin {metadata.version('tocsin')}\n")
        except metadata.PackageNotFoundError:
            parser.exit(message="tocsin (from a checkout)\n")
