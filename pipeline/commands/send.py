"""`tocsin send`: all that is due now, then ends."""

import argparse
import signal
import sys
from dataclasses import asdict

from pipeline.actions.deliver import Delivered
from pipeline.actions.retention import tidy
from pipeline.actions.send import Held, Sender, Sent, held, rehearse, send_due
from pipeline.commands.sending import add_sending_options, sender_of, server_of
from pipeline.commands.shell import DONE, OUTSIDE, WRONG, Shell, counted, whole
from pipeline.store.database import Database, open_database
from pipeline.store.outbox import Entry
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
            tell_entries(shell, rehearse(database, sender, shell.clock))
            return DONE
        if (reason := held(database, sender, shell.clock)) is not None:
            return tell_held(shell, reason)
        tidy(database, shell.clock.now())
        return tell_delivered(shell, _send(shell, database, sender))


def _send(shell: Shell, database: Database, sender: Sender) -> Sent:
    progress = _Progress(shell)
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

    def __call__(self, so_far: Delivered) -> None:
        if self._shown:
            sys.stderr.write(f"\r{so_far.sent} sent, {so_far.waiting} waiting ")
            sys.stderr.flush()


def tell_entries(shell: Shell, found: tuple[Entry, ...]) -> None:
    """Who would get what."""
    if shell.options.json:
        shell.say_json([{"address": entry.address, "mail": entry.key, "state": entry.state.value} for entry in found])
        return
    for entry in found:
        shell.say(f"{entry.address}  {entry.key}")
    shell.say(f"{counted(len(found), 'letter')} would leave now")


def tell_held(shell: Shell, reason: Held) -> int:
    """Why nothing leaves."""
    shell.complain(f"nothing was sent: {reason.reason}")
    tell_entries(shell, reason.waiting)
    return WRONG


def tell_delivered(shell: Shell, sent: Sent) -> int:
    """What came of a round, and the exit status that follows."""
    done = sent.delivered
    if shell.options.json:
        shell.say_json({**asdict(done), "not_composed": sent.troubles, "too_late": sent.late})
    elif done.busy:
        shell.say("another process is sending from this database; nothing to do here")
    else:
        shell.say(
            f"{done.sent} sent, {done.failed} refused, {done.retried} set aside for later, {done.dropped} dropped, "
            f"{done.doubt} in doubt"
        )
    for key in sent.late:
        shell.complain(f"too late to be of use, dropped: {key}")
    for trouble in sent.troubles:
        shell.complain(f"a letter could not be composed and waits: {trouble}")
    if done.held:
        shell.complain(f"nothing more is sent: {done.held}; {counted(done.waiting, 'letter')} wait")
    if done.trouble:
        shell.complain(f"the mail server can't be used: {done.trouble}; {done.waiting} letters wait")
        return OUTSIDE
    return WRONG if done.held or sent.troubles else DONE
