"""The reference of the command line: every command, argument, option and exit status, from the parser itself."""

import argparse
from collections.abc import Iterator

from pipeline.cli import OPERATOR, ORGANISER, whole_parser
from pipeline.commands.options import DONE, INTERRUPTED, MISUSED, OUTSIDE, WRONG, common_options

HEAD = """# Every command

*Made from the command line's parser by `make reference`.*

`tocsin COMMAND --help` tells the same. `python -m pipeline` is the same as `tocsin`. Messages go to standard error,
results to standard output.
"""
STATUSES = {
    DONE: "done; nothing is wrong but perhaps warnings",
    WRONG: "the catalogue, a template or the data is wrong, or sending is held; nothing was changed",
    MISUSED: "the call is wrong: an unknown command or option, a setting that can't be read",
    OUTSIDE: "the outside failed: mail server, database, disk; nothing is lost, the same call may be tried again",
    INTERRUPTED: "interrupted with Ctrl-C",
}


def commands_page() -> str:
    """The whole page as Markdown."""
    parts = [HEAD, "## Exit status\n\n| status | meaning |\n| --- | --- |"]
    parts += [f"| {status} | {meaning} |" for status, meaning in STATUSES.items()]
    parts.append("\n## Options that every command knows\n" + _options(common_options(None)))
    commands = commands_of(whole_parser())
    for title, group in (("For organisers", ORGANISER), ("For operators", OPERATOR)):
        parts.append(f"\n## {title}")
        parts += [_command(name, commands[name], what) for name, what in group.items()]
    return "\n".join(parts) + "\n"


def commands_of(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """The commands of a parser, or the verbs of a command, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _command(name: str, parser: argparse.ArgumentParser, what: str) -> str:
    verbs = commands_of(parser)
    text = f"\n### tocsin {name}\n\n{what[0].upper()}{what[1:]}.\n\n    {_usage(parser)}\n{_options(parser)}"
    for verb, inner in verbs.items():
        text += f"\n`tocsin {name} {verb}`: {inner.description or help_of(parser, verb)}\n{_options(inner)}"
    return text


def help_of(parser: argparse.ArgumentParser, verb: str) -> str:
    """What a verb of a command does, in a few words."""
    choices = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return next((one.help or "" for one in choices._choices_actions if one.dest == verb), "")


def _usage(parser: argparse.ArgumentParser) -> str:
    words = ["tocsin", parser.prog.partition(" ")[2]]
    for action in own(parser):
        said = shown(action).split(", ")[-1]
        words.append(said if not action.option_strings and action.nargs != "?" else f"[{said}]")
    return " ".join(words)


def own(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments and options of one command alone, without those that all share and those that are hidden."""
    shared = {option for action in common_options(None)._actions for option in action.option_strings}
    for action in parser._actions:
        hidden = action.help == argparse.SUPPRESS or isinstance(action, argparse._HelpAction)
        if not hidden and (parser.prog == "tocsin" or not shared & set(action.option_strings)):
            yield action


def _options(parser: argparse.ArgumentParser) -> str:
    shared = parser.prog == common_options(None).prog
    found = [action for action in (parser._actions if shared else own(parser)) if action.help != argparse.SUPPRESS]
    rows = [f"| `{shown(action)}` | {_about(action)} |" for action in found if not _is_verbs(action)]
    return "\n| | |\n| --- | --- |\n" + "\n".join(rows) + "\n" if rows else ""


def _is_verbs(action: argparse.Action) -> bool:
    return isinstance(action, argparse._SubParsersAction)


def shown(action: argparse.Action) -> str:
    """An argument or option as it is typed."""
    name = action.metavar if isinstance(action.metavar, str) else None
    choices = "{" + ",".join(map(str, action.choices or ())) + "}"
    value = choices if action.choices and (name is None or "|" in name) else name or action.dest.upper()
    if not action.option_strings:
        return value + (" …" if action.nargs in ("*", "+") else "")
    takes = "" if action.nargs == 0 else f" {value}"
    return ", ".join(option + takes for option in action.option_strings)


def _about(action: argparse.Action) -> str:
    return " ".join((action.help or "").split()).replace("|", "\\|")
