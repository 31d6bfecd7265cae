"""The command line: finds the command, reads its options, runs it, and turns what went wrong into an exit status."""

import argparse
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

from pipeline.commands.options import DONE, INTERRUPTED, MISUSED, common_options, language_of
from pipeline.commands.parsing import Parser, Say, asked_language, headed, saying, speaking
from pipeline.errors import N_

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
    "post": "without a server: post what is due to the mailing lists, once, from a pipeline",
    "run": "the service: sends what falls due, takes subscriptions, answers the links in mails",
    "status": "the queue, the next sends, trouble",
    "import": "events from an .ics, a CSV, a schedule.xml or a JSON into events.toml",
    "ledger": "what was published when: log, verify, diff, mend",
    "schema": "the JSON Schema of events.toml, for editors",
    "completion": "what a shell needs to complete commands and options: bash, zsh, fish",
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
USAGE = "tocsin COMMAND [options]"
WHAT_IT_DOES = "One catalogue of events in; calendars, feeds, pages and reminder mails out."


def program() -> NoReturn:
    """The process `tocsin`: one command, its exit status, and an end at once."""
    status = main()
    threading = sys.modules.get("threading")
    if threading is not None and threading.active_count() > 1:
        sys.exit(status)
    # To take apart what a program was made of takes a twentieth of a `check`, and all goes with the process anyway.
    os._exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status; no traceback reaches the person at the terminal."""
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    gc.disable()  # what a program is made of is no garbage
    try:
        return _heard(_main_or_help(arguments))
    except KeyboardInterrupt:
        say = saying(language_of(asked_language(arguments), os.environ))
        sys.stderr.write(f"tocsin: {say(N_('interrupted'))}\n")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        return int(_running().refused_by_the_system(error, language_of(asked_language(arguments), os.environ)))
    except Exception as error:  # noqa: BLE001 - the last line before the person
        return int(_running().unexpected(error, language_of(asked_language(arguments), os.environ)))
    finally:
        gc.enable()


def _main_or_help(arguments: Sequence[str]) -> int:
    try:
        return _main(arguments)
    except SystemExit as ending:  # argparse
        return ending.code if isinstance(ending.code, int) else MISUSED


def _heard(status: int) -> int:
    """The status, once all that was said has left: a disk without room for it is found only now."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    return status


def _main(arguments: Sequence[str]) -> int:
    language = language_of(asked_language(arguments), os.environ)
    say = saying(language)
    with speaking(language):
        top = _top_parser(say)
        options = top.parse_args(arguments)
        if options.command is None:
            top.print_help()
            return MISUSED
        if options.command not in COMMANDS:
            return int(_running().unknown_command(options.command, COMMANDS, language))
        module = importlib.import_module(f"pipeline.commands.{_module_of(options.command)}")
        parser = Parser(
            prog=f"tocsin {options.command}",
            description=COMMANDS[options.command],
            parents=[common_options(argparse.SUPPRESS)],
            say=say,
        )
        module.add_options(parser)
        options = parser.parse_args(options.rest, options)
    options.whole_parser = whole_parser
    at_once = getattr(module, "answer_at_once", None)
    if at_once is not None and (status := at_once(options)) is not None:
        return int(status)
    return int(_running().run(module, options))


def whole_parser() -> argparse.ArgumentParser:
    """Every command with all its options as one parser, of which completions, the manual and the reference are made."""
    whole = argparse.ArgumentParser(
        prog="tocsin",
        description=WHAT_IT_DOES,
        parents=[common_options(None)],
    )
    whole.add_argument("--version", action=_Version, nargs=0, help="which tocsin this is")
    verbs = whole.add_subparsers(dest="command", metavar="COMMAND")
    for command, what in COMMANDS.items():
        module = importlib.import_module(f"pipeline.commands.{_module_of(command)}")
        common = [common_options(argparse.SUPPRESS)]
        module.add_options(verbs.add_parser(command, help=what, description=what, parents=common))
    return whole


def _running() -> ModuleType:
    """What runs commands and tells what went wrong: `--help` and a verdict that still holds don't need it."""
    return importlib.import_module("pipeline.commands.running")


def _module_of(command: str) -> str:
    return MODULES.get(command, command.replace("-", "_"))


def _top_parser(say: Say) -> argparse.ArgumentParser:
    width = max(map(len, COMMANDS))
    groups = (("for organisers", ORGANISER), ("for operators", OPERATOR))
    listed = "\n\n".join(
        f"{headed(title, say)}\n" + "\n".join(f"  {name:{width}}  {say(what)}" for name, what in commands.items())
        for title, commands in groups
    )
    parser = Parser(
        prog="tocsin",
        usage=say(USAGE),
        description=f"{say(WHAT_IT_DOES)}\n\n{listed}",
        epilog="tocsin COMMAND --help tells the options of one command.",
        parents=[common_options(None)],
        say=say,
        as_written=True,
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
            sys.stdout.write(f"tocsin {metadata.version('tocsin')}\n")
        except metadata.PackageNotFoundError:
            sys.stdout.write("tocsin (from a checkout)\n")
        parser.exit()
