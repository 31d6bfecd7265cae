"""`tocsin bounces`: reads what came back to the bounce address, and the mails of those who leave."""

import argparse
import mailbox
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict
from pathlib import Path

from pipeline.actions.bounces import Dealt, Verdict, deal_with
from pipeline.commands.sending import office_of
from pipeline.commands.shell import DONE, Shell
from pipeline.delivery.imap import PASSWORD, is_address, mail_account, unseen
from pipeline.errors import N_, SettingsError
from pipeline.store.database import open_database

SAID = {
    Verdict.SUSPENDED: N_("{address} gets no more mail: the address doesn't exist"),
    Verdict.COUNTED: N_("{address} was refused; the third time suspends the address"),
    Verdict.SOFT: N_("{address} didn't get a mail this time"),
    Verdict.COMPLAINED: N_("{address} complained and gets no more mail"),
    Verdict.LEFT: N_("{address} left and gets no more mail"),
}


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `bounces`."""
    parser.add_argument("source", nargs="?", default="-", metavar="MAILBOX",
                        help="a Maildir, an mbox file, imaps://user@host/FOLDER (the password in "
                             f"{PASSWORD}), or - for one message on standard input (default)")  # fmt: skip
    parser.add_argument("--recipient", default="", metavar="ADDRESS",
                        help="to which address the message came, where its header doesn't tell")  # fmt: skip


def run(shell: Shell) -> int:
    """Deals with each message once, and tells what came of it."""
    dealt = Dealt()
    with open_database(shell.database_url, shell.clock, create=False) as database:
        key = office_of(shell, database).secret

        def told(address: str, verdict: Verdict) -> None:
            if not shell.options.json:
                shell.say(shell.words(SAID[verdict]).format(address=address))

        with _messages(shell) as messages:
            for raw in messages:
                verdict = deal_with(database, raw, key, shell.clock.now(), shell.options.recipient, told)
                dealt = dealt.with_one(verdict)
    if shell.options.json:
        shell.say_json(asdict(dealt))
        return DONE
    said = shell.words(
        "{suspended} suspended, {counted} counted, {soft} passing, {complained} complaints, {left} left, "
        "{nobody} not about our mail, {other} no bounces, {known} seen before"
    )
    shell.say(said.format_map(asdict(dealt)))
    return DONE


def _messages(shell: Shell) -> AbstractContextManager[Iterator[bytes]]:
    source = shell.options.source
    if is_address(source):
        return unseen(mail_account(source, shell.settings.variables.get(PASSWORD)))
    return nullcontext(_at_hand(source))


def _at_hand(source: str) -> Iterator[bytes]:
    if source == "-":
        yield sys.stdin.buffer.read()
        return
    path = Path(source)
    if path.is_dir():
        yield from _in_maildir(path)
    elif path.is_file():
        with closing(mailbox.mbox(path, create=False)) as box:
            for key in box.keys():  # noqa: SIM118 - a mailbox iterates over messages
                yield box.get_bytes(key)
    else:
        raise SettingsError("there is no Maildir and no mbox at {source}", source=source)


def _in_maildir(path: Path) -> Iterator[bytes]:
    """Every message; a new one is marked as seen once it was dealt with."""
    if not (path / "new").is_dir() or not (path / "cur").is_dir():
        raise SettingsError("{path} is no Maildir: it has no folders `new` and `cur`", path=path)
    with closing(mailbox.Maildir(path, create=False)) as box:
        for key in list(box.keys()):
            yield box.get_bytes(key)
            message = box.get_message(key)
            if message.get_subdir() == "new":
                message.set_subdir("cur")
                message.add_flag("S")
                box[key] = message
