"""The man page `tocsin(1)`, from the command line's parser. No day stands on it: it changes only with the code."""

import argparse
from collections.abc import Iterator

from commands_page import STATUSES, commands_of, help_of, own, shown

from pipeline.cli import OPERATOR, ORGANISER, whole_parser
from pipeline.commands.options import common_options

NAME = r"tocsin \- calendars, feeds, a web site and reminder mails from one file"
ENVIRONMENT = {
    "TOCSIN_SMTP_URL": "the mail server: smtp+starttls://user:password@host:587",
    "TOCSIN_DATABASE_URL": "the database, instead of var/tocsin.db beside the catalogue",
    "TOCSIN_SECRET": "what links in mails are signed with; made once and kept in the database where absent",
}
FILES = {
    "events.toml": "the catalogue, the only file that people write",
    "ledger.jsonl": "what was published when; belongs into version control",
    "out/": "what is to be served",
    "var/tocsin.db": "subscribers and post",
    ".env": "settings of this machine, as NAME=value",
}


def man_page() -> str:
    """The page as roff."""
    parser = whole_parser()
    lines = ['.TH TOCSIN 1 "" tocsin "User commands"', ".SH NAME", NAME, ".SH SYNOPSIS"]
    lines += [".B tocsin", r"\fICOMMAND\fR [options]", ".SH DESCRIPTION", _escaped(str(parser.description))]
    commands = commands_of(parser)
    for title, group in (("COMMANDS FOR ORGANISERS", ORGANISER), ("COMMANDS FOR OPERATORS", OPERATOR)):
        lines.append(f".SH {title}")
        for name, what in group.items():
            lines += _command(name, commands[name], what)
    lines.append(".SH OPTIONS OF EVERY COMMAND")
    lines += _options(common_options(None)._actions)
    for title, terms in (("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        lines.append(f".SH {title}")
        lines += [line for term, what in terms.items() for line in _term(term, what)]
    lines.append(".SH EXIT STATUS")
    lines += [line for status, what in STATUSES.items() for line in _term(str(status), what)]
    return "\n".join(lines) + "\n"


def _command(name: str, parser: argparse.ArgumentParser, what: str) -> Iterator[str]:
    yield f".SS tocsin {_escaped(name)}"
    yield _escaped(f"{what[0].upper()}{what[1:]}.")
    verbs = commands_of(parser)
    if not verbs:
        yield from _options(own(parser))
    for verb, inner in verbs.items():
        yield from _term(f"{name} {verb}", help_of(parser, verb))
        yield ".RS"
        yield from _options(own(inner))
        yield ".RE"


def _options(actions: Iterator[argparse.Action] | list[argparse.Action]) -> Iterator[str]:
    for action in actions:
        if action.help != argparse.SUPPRESS:
            yield from _term(shown(action), " ".join((action.help or "").split()))


def _term(term: str, what: str) -> Iterator[str]:
    yield from (".TP", rf"\fB{_escaped(term)}\fR", _escaped(what))


def _escaped(text: str) -> str:
    plain = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain
