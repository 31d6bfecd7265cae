"""`tocsin run`: one process that sends what falls due and answers the links in mails."""

import argparse
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime

import uvicorn

from pipeline.actions.send import Sender, all_series, send_due
from pipeline.commands.send import StopSignal
from pipeline.commands.sending import add_sending_options, sender_of, server_of
from pipeline.commands.shell import DONE, Shell
from pipeline.errors import SettingsError, StoreError
from pipeline.store.campaigns import next_due
from pipeline.store.database import Database, open_database
from pipeline.store.switch import why_held
from pipeline.ticker import SAFETY_NET, Ticker
from pipeline.web import application


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument("--listen", default="127.0.0.1:8025", metavar="HOST:PORT",
                        help="where the links in mails are answered; a web server in front speaks https")  # fmt: skip
    parser.add_argument("--no-web", action="store_true", help="only send")
    parser.add_argument("--every", type=float, default=SAFETY_NET, metavar="SECONDS", help=argparse.SUPPRESS)
    add_sending_options(parser)


def run(shell: Shell) -> int:
    """Runs until it is asked to stop; the message in hand is finished."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    for library in ("apscheduler", "uvicorn"):
        logging.getLogger(library).setLevel(logging.WARNING)
    server = server_of(shell)
    ended = threading.Event()
    with open_database(shell.database_url, shell.clock) as database:
        sender = sender_of(shell, database, server, ended.is_set)
        ticker = Ticker(lambda: _tick(shell, database, sender), shell.clock, shell.options.every)
        stopped = StopSignal()
        ticker.start()
        try:
            with nullcontext() if shell.options.no_web else _answering(shell, database, sender):
                while not stopped():
                    threading.Event().wait(0.2)
        finally:
            ended.set()
            ticker.stop()
    return DONE


def _tick(shell: Shell, database: Database, sender: Sender) -> datetime | None:
    """Sends what is due; the next instant at which something will be."""
    log = logging.getLogger("tocsin.run")
    with database.look() as connection:
        held = why_held(connection, sender.here)
    if held:
        log.info("nothing is sent: %s", held)
        return None
    try:
        sent = send_due(database, sender, shell.clock)
        names = all_series(database)
    except StoreError as error:
        log.warning("%s", error)
        return None
    done = sent.delivered
    for trouble in sent.troubles:
        log.warning("a letter could not be composed and waits: %s", trouble)
    if done.sent or done.failed or done.trouble:
        log.info("%s sent, %s refused, %s waiting%s", done.sent, done.failed, done.waiting,
                 f"; {done.trouble}" if done.trouble else "")  # fmt: skip
    with database.look() as connection:
        return min((due for name in names if (due := next_due(connection, name))), default=None)


@contextmanager
def _answering(shell: Shell, database: Database, sender: Sender) -> Iterator[None]:
    """Answers requests in a thread of its own, so that the signals stay ours."""
    host, _, port = shell.options.listen.rpartition(":")
    if not port.isdecimal():
        raise SettingsError(f"{shell.options.listen!r} is not a place to listen: write 127.0.0.1:8025")
    app = application(database, sender.office.renderer, sender.office.secret, shell.clock)
    # No access log: it would keep addresses of machines, and links that are secrets of their readers.
    settings = uvicorn.Config(app, host.strip("[]") or "127.0.0.1", int(port), access_log=False, server_header=False,
                              log_config=None, timeout_graceful_shutdown=5)  # fmt: skip
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, name="web")
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
