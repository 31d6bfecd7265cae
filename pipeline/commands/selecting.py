"""What `doubt` and `outbox` share: which letters are meant, and how letters are told."""

import argparse
from collections.abc import Iterable

from pipeline.actions.outbox import Moved
from pipeline.commands.shell import DONE, WRONG, Shell
from pipeline.errors import SettingsError
from pipeline.store.outbox import Entry, Selection


def add_selection(parser: argparse.ArgumentParser, verbs: tuple[str, ...]) -> None:
    """What to do, and to which letters."""
    parser.add_argument("what", choices=verbs, metavar="|".join(verbs))
    parser.add_argument("address", nargs="?", metavar="ADDRESS", help="only those to this address")
    parser.add_argument("--mailing", metavar="KEY", help="only those of this mailing, by its key in the list")
    parser.add_argument("--all", action="store_true", help="really all of them")


def selection_of(shell: Shell) -> Selection:
    """Which letters are meant."""
    return Selection(shell.options.address, shell.options.mailing)


def chosen(shell: Shell) -> Selection:
    """The same for what can't be undone: without an address or a mailing `--all` must be said."""
    found = selection_of(shell)
    if found == Selection() and not shell.options.all:
        raise SettingsError(
            "which ones? name an ADDRESS, --mailing KEY, or --all; see them with: tocsin {command} list",
            command=shell.options.command,
        )
    return found


def tell_entries(shell: Shell, found: Iterable[Entry], none: str) -> int:
    """The letters, one a line."""
    found = tuple(found)
    if shell.options.json:
        shell.say_json([as_json(entry) for entry in found])
        return DONE
    for entry in found:
        said = f"  {entry.code or ''} {entry.reason}".rstrip() if entry.reason or entry.code else ""
        shell.say(f"{entry.state.value:8} {entry.at:%Y-%m-%d %H:%M:%S}Z  {entry.address}  {entry.key}{said}")
    if not found:
        shell.say(none)
    return DONE


def tell_moved(shell: Shell, moved: Moved, done: str) -> int:
    """What was done, and for which letters it was too late; exit 1 where there are such, or it was done to none."""
    if shell.options.json:
        shell.say_json({"done": [as_json(one) for one in moved.done], "late": [as_json(one) for one in moved.late]})
    else:
        shell.say(done)
    for entry in moved.late:
        said = shell.words("too late, left as it is: {address}  {mailing} (until {moment})")
        moment = f"{entry.not_after:%Y-%m-%d %H:%M}Z"
        shell.complain(said.format(address=entry.address, mailing=entry.key, moment=moment))
    return WRONG if moved.late or not moved.done else DONE


def as_json(entry: Entry) -> dict[str, object]:
    """A letter for a program."""
    return {
        "address": entry.address,
        "mailing": entry.key,
        "state": entry.state.value,
        "at": entry.at.isoformat(),
        "not_after": entry.not_after.isoformat(),
        "attempts": entry.attempts,
        "doubts": entry.doubts,
        "code": entry.code,
        "reason": entry.reason,
    }
