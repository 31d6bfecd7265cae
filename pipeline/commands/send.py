"""`tocsin send`: all that is due now, then ends."""

import argparse
import gc
import signal
import sys
from dataclasses import asdict

from pipeline.actions.deliver import Delivered
from pipeline.actions.retention import tidy
from pipeline.actions.send import Held, Rehearsed, Sender, Sent, held, rehearse, send_due
from pipeline.commands.sending import add_sending_options, sender_of, server_of
from pipeline.commands.shell import DONE, OUTSIDE, WRONG, Shell, whole
from pipeline.store.database import Database, open_database
from pipeline.testing import crash_point


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `send`."""
    parser.add_argument("--dry-run", action="store_true", help="say who would get what, send nothing")
    parser.add_argument("--limit", type=whole, metavar="N", help="at most so many messages")
    add_sending_options(parser)


def run(shell: Shell) -> int:
    """Sends, and tells what came of it."""
    stopped = StopSignal()
    server = None if shell.options.dry_run else server_of(shell)
    with open_database(shell.database_url, shell.clock) as database:
        sender = sender_of(shell, database, server, stopped, crash_point())
        if shell.options.dry_run:
            rehearsed = rehearse(database, sender, shell.clock)
            tell_rehearsed(shell, rehearsed)
            return WRONG if rehearsed.unread else DONE
        if (reason := held(database, sender, shell.clock)) is not None:
            return tell_held(shell, reason)
        tidy(database, shell.clock.now())
        return tell_delivered(shell, _send(shell, database, sender))


def _send(shell: Shell, database: Database, sender: Sender) -> Sent:
    progress = _Progress(shell)
    gc.freeze()  # what the program is made of is there to stay: looking through it takes as long as a thousand messages
    return send_due(database, sender, shell.clock, shell.options.limit, patient=True, progress=progress)


class StopSignal:
    """True once the system asked us to stop; the message in hand is still finished."""

    def __init__(self) -> None:
        self._asked = False
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._ask)

    def _ask(self, _signal: int, _frame: object) -> None:
        self._asked = True

    def __call__(self) -> bool:
        return self._asked


class _Progress:
    """How far a long sending has come, on a terminal only."""

    def __init__(self, shell: Shell) -> None:
        self._shown = sys.stderr.isatty() and not shell.options.quiet
        self._said = shell.words("{sent} sent, {waiting} waiting")

    def __call__(self, so_far: Delivered) -> None:
        if self._shown:
            sys.stderr.write("\r" + self._said.format(sent=so_far.sent, waiting=so_far.waiting) + " ")
            sys.stderr.flush()


def tell_rehearsed(shell: Shell, rehearsed: Rehearsed) -> None:
    """Who would get what, and of which series nobody would get anything."""
    for why in rehearsed.unread:
        shell.complain(why.said(shell.words))
    found = rehearsed.waiting
    if shell.options.json:
        shell.say_json([{"address": entry.address, "mail": entry.key, "state": entry.state.value} for entry in found])
        return
    for entry in found:
        shell.say(f"{entry.address}  {entry.key}")
    shell.say(shell.count("{count} letter would leave now", "{count} letters would leave now", len(found)))


def tell_held(shell: Shell, reason: Held) -> int:
    """Why nothing leaves."""
    shell.complain(shell.words("nothing was sent: {reason}").format(reason=shell.words(reason.reason)))
    tell_rehearsed(shell, reason.rehearsed)
    return WRONG


def tell_delivered(shell: Shell, sent: Sent) -> int:
    """What came of a round, and the exit status that follows."""
    done = sent.delivered
    if shell.options.json:
        shell.say_json(
            {
                **asdict(done),
                "trouble": str(done.trouble) if done.trouble else None,
                "not_composed": [*map(str, sent.troubles)],
                "too_late": sent.late,
                "unread": [*map(str, sent.unread)],
            }
        )
    elif done.busy:
        shell.say(shell.words("another process is sending from this database; nothing to do here"))
    else:
        said = shell.words(
            "{sent} sent, {failed} refused, {retried} set aside for later, {dropped} dropped, {doubt} in doubt"
        )
        shell.say(said.format_map(asdict(done)))
    for why in sent.unread:
        shell.complain(why.said(shell.words))
    for key in sent.late:
        shell.complain(shell.words("too late to be of use, dropped: {mailing}").format(mailing=key))
    for trouble in sent.troubles:
        said = shell.words("a letter could not be composed and waits: {what}")
        shell.complain(said.format(what=trouble.said(shell.words)))
    waiting = shell.count("{count} letter", "{count} letters", done.waiting)
    if done.held:
        said = shell.words("nothing more is sent: {reason}; still waiting: {letters}")
        shell.complain(said.format(reason=shell.words(done.held), letters=waiting))
    if done.trouble:
        said = shell.words("the mail server can't be used: {reason}; still waiting: {letters}")
        shell.complain(said.format(reason=done.trouble.said(shell.words), letters=waiting))
        return OUTSIDE
    return WRONG if done.held or sent.troubles or sent.unread else DONE
