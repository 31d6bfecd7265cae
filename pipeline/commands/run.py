"""`tocsin run`: one process that sends what falls due, takes subscriptions and answers the links in mails."""

import argparse
import logging
import os
import re
import resource
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from gettext import gettext
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

import uvicorn

from pipeline.actions.following import RIGHT_AGAIN, Follower
from pipeline.actions.posting import UNUSABLE
from pipeline.actions.programmes import main_language
from pipeline.actions.retention import tidy
from pipeline.actions.send import Sender, Sent, all_series, send_due
from pipeline.alerts import Alarm, messenger
from pipeline.commands.journal import keep_journal
from pipeline.commands.options import refused
from pipeline.commands.send import StopSignal
from pipeline.commands.sending import add_sending_options, sender_of, server_of
from pipeline.commands.shell import DONE, OUTSIDE, Shell
from pipeline.errors import N_, SettingsError, StoreError, TocsinError, reason_of
from pipeline.interface_words import words
from pipeline.store.campaigns import next_due
from pipeline.store.database import Database, open_database
from pipeline.store.switch import why_held
from pipeline.ticker import SAFETY_NET, Ticker
from pipeline.web import Service, application
from pipeline.web.connection import Connection
from pipeline.web.guard import BIGGEST_HEAD

log = logging.getLogger("tocsin.run")

LONGEST_IDLE: Final = 125
"""Seconds that a kept connection may rest: longer than web servers in front keep one (two minutes at most), since a
request that meets a connection that we close is lost."""

MOST_CONNECTIONS: Final = 4000
"""So many connections are kept at most, of which the door lets far fewer wait for an answer."""
FILES_BESIDE: Final = 200
"""So many files the process needs beside its connections: the database, the mail server, templates."""

_WHOSE: Final = re.compile(r"(?:\"[^\"\n]{1,64}\"|[^\s<>()\"',;:]{1,256})@(?=[\w\[])")
"""The part of an address that tells whose it is."""

SHORT_TURN: Final = 0.0005
"""Seconds after which a thread that computes lets another one in: answering takes many short turns beside sending."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `run`."""
    parser.add_argument("--listen", default="127.0.0.1:8025", metavar="HOST:PORT",
                        help="where the service answers; a web server in front speaks https")  # fmt: skip
    parser.add_argument("--no-web", action="store_true", help="only send")
    parser.add_argument("--host", action="append", default=[], metavar="NAME",
                        help="a name under which it answers too, beside that of [site] service")  # fmt: skip
    parser.add_argument("--trusted-proxy", action="append", default=[], metavar="NETWORK", type=network,
                        help="a web server in front that is believed (default: this machine)")  # fmt: skip
    parser.add_argument("--metrics-to", action="append", default=[], metavar="NETWORK", type=network,
                        help="who may read /metrics, beside this machine: 10.0.0.0/8")  # fmt: skip
    parser.add_argument("--source", choices=("git", "git-published"),
                        help="take over what is pushed to the branch that is checked out here: `git` publishes it and "
                        "pushes the ledger, `git-published` waits until a pipeline has published it")  # fmt: skip
    parser.add_argument("--pull-every", type=positive, default=60.0, metavar="SECONDS",
                        help="how often to look there (default: 60)")  # fmt: skip
    parser.add_argument("--every", type=float, default=SAFETY_NET, metavar="SECONDS", help=argparse.SUPPRESS)
    add_sending_options(parser)


def positive(text: str) -> float:
    """A number of seconds above zero, for argparse."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise refused(gettext("{text!r} is not a number of seconds: write 60"), text)
    return number


def network(text: str) -> IPv4Network | IPv6Network:
    """A network or one address, for argparse."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise refused(gettext("{text!r} is not a network: write 10.0.0.0/8 or 192.0.2.7"), text) from None


def run(shell: Shell) -> int:
    """Runs until it is asked to stop (the message in hand is finished), or until it can't do its work any more."""
    keep_journal(shell.options.json)
    server = server_of(shell)
    tell = messenger(shell.settings.variables.get("TOCSIN_ALERT", ""))
    ended = threading.Event()
    with open_database(shell.database_url, shell.clock) as database:

        def speech() -> Callable[[str], str]:
            # A service has nobody at its terminal: who minds it speaks the first language of the series.
            return words(shell.options.lang or main_language(database) or shell.language)

        alarm = Alarm(tell, speech)
        sender = sender_of(shell, database, server, ended.is_set)
        rounds = Rounds(shell, database, sender, alarm)
        ticker = Ticker(rounds.tick, shell.clock, shell.options.every)
        rounds.beat = ticker.beat
        stopped = StopSignal()
        with _following(shell, database, ticker, Alarm(tell, speech)):
            ticker.start()
            try:
                with (
                    nullcontext(lambda: True)
                    if shell.options.no_web
                    else _answering(shell, database, sender, ticker) as up
                ):
                    return _watched(stopped, ticker, up, alarm)
            finally:
                ended.set()
                if ticker.hangs():
                    _abandon()
                ticker.stop()


@contextmanager
def _following(shell: Shell, database: Database, ticker: Ticker, alarm: Alarm) -> Iterator[None]:
    """Takes over edits, once before anything else and then every so often, in a thread of its own: git may be slow."""
    if shell.options.source is None:
        yield
        return
    follower = Follower(shell.project, database, shell.clock, writes=shell.options.source == "git")
    ended = threading.Event()

    def look() -> None:
        try:
            found = follower.look()
        except Exception:
            log.exception("edits could not be taken over; the next look comes in %s s", shell.options.pull_every)
            return
        if found.trouble is not None:
            log.warning("%s", found.trouble)
        # A group's slip may stay for weeks, and must not hide that nothing can be published.
        alarm.troubles({found.trouble.message: found.trouble} if found.trouble is not None else {})
        if found.recovered:
            log.info(RIGHT_AGAIN)
            alarm.say(TocsinError(RIGHT_AGAIN))
        if found.untold is not None:
            log.warning("the hub was not told: %s; the next look tries again", found.untold)
        if found.changes:
            log.info("%s changes published", found.changes)
            ticker.wake()

    def follow() -> None:
        while not ended.wait(shell.options.pull_every):
            look()

    look()
    thread = threading.Thread(target=follow, name="source", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(5)  # a publication that is cut off is completed by the next one


def _abandon() -> None:
    """Ends at once: a thread that hangs would keep the process alive for ever, and nothing is lost with it."""
    logging.shutdown()
    os._exit(OUTSIDE)


def _watched(stopped: Callable[[], bool], ticker: Ticker, up: Callable[[], bool], alarm: Alarm) -> int:
    """Waits; ends in error where a part of the service is dead, so that whoever started it starts it again."""
    while not stopped():
        threading.Event().wait(0.2)
        ticker.mind_the_clock()
        trouble = None
        if ticker.hangs():
            trouble = TocsinError(
                "the ticker has given no sign of life for {seconds} s; the service ends", seconds=round(ticker.age())
            )
        elif not up():
            trouble = TocsinError("the web server has ended; the service ends")
        if trouble is not None:
            log.error(trouble)
            alarm.troubles({"service": trouble})
            return OUTSIDE
    return DONE


@dataclass
class Rounds:
    """What each tick does: erases what may not be kept, sends what is due, and tells trouble once."""

    shell: Shell
    database: Database
    sender: Sender
    alarm: Alarm
    beat: Callable[[], None] = lambda: None

    def tick(self) -> datetime | None:
        """One round; the next instant at which something will be due."""
        try:
            erased = tidy(self.database, self.shell.clock.now())
            for number, what in erased.told():
                log.info("%s %s were erased", number, what)
            following, troubles = self._sent()
        except StoreError as error:
            log.warning("%s", error)
            following, troubles = None, {"database": error}
        self.alarm.troubles(troubles, self._discreet)
        return following

    def _log(self, sent: Sent) -> None:
        done = sent.delivered
        for why in sent.unread:
            log.warning("%s", why)
        for trouble in sent.troubles:
            log.warning("a letter could not be composed and waits: %s", self._discreet(str(trouble)))
        if done.sent or done.failed or done.trouble:
            server = f"; {self._discreet(str(done.trouble))}" if done.trouble else ""
            log.info("%s sent, %s refused, %s waiting%s", done.sent, done.failed, done.waiting, server)

    def _discreet(self, text: str) -> str:
        """The text without the names in addresses, which a mail server may repeat, unless they are asked for."""
        return text if self.shell.options.verbose else _WHOSE.sub("…@", text)

    def _sent(self) -> tuple[datetime | None, Mapping[str, TocsinError]]:
        with self.database.look() as connection:
            held = why_held(connection, self.sender.here)
        if held:
            log.info("nothing is sent: %s", held)
            return None, {}
        sent = send_due(self.database, self.sender, self.shell.clock, progress=lambda _so_far: self.beat())
        self._log(sent)
        waits = N_("a letter could not be composed and waits: {reason}")
        troubles = {f"letter {trouble}": TocsinError(waits, reason=trouble) for trouble in sent.troubles}
        troubles |= {f"edition {why}": why for why in sent.unread}
        if sent.delivered.trouble is not None:
            troubles["server"] = TocsinError(UNUSABLE, reason=sent.delivered.trouble)
        names = all_series(self.database)
        with self.database.look() as connection:
            return min((due for name in names if (due := next_due(connection, name))), default=None), troubles


@contextmanager
def _answering(shell: Shell, database: Database, sender: Sender, ticker: Ticker) -> Iterator[Callable[[], bool]]:
    """Answers requests in a thread of its own, so that the signals stay ours; yields whether it still does."""
    options = shell.options
    place = _bound(options.listen)
    service = Service(
        database, sender.office.renderer, sender.office.secret, shell.clock,
        wake=ticker.wake, age=ticker.age, patience=ticker.patience,
        hosts=frozenset(name.casefold() for name in options.host), watchers=tuple(options.metrics_to),
    )  # fmt: skip
    believed = ["127.0.0.0/8", "::1", *map(str, options.trusted_proxy)]
    # No access log: it would keep addresses of machines, and links that are secrets of their readers.
    settings = uvicorn.Config(application(service), access_log=False, server_header=False, log_config=None,
                              proxy_headers=True, forwarded_allow_ips=believed, http=Connection, ws="none",
                              h11_max_incomplete_event_size=BIGGEST_HEAD, limit_concurrency=_most_connections(),
                              timeout_keep_alive=LONGEST_IDLE, timeout_graceful_shutdown=5)  # fmt: skip
    sys.setswitchinterval(SHORT_TURN)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, args=([place],), name="web", daemon=True)
    thread.start()
    try:
        yield thread.is_alive
    finally:
        server.should_exit = True
        thread.join(10)
        place.close()


def _most_connections() -> int:
    """As many as are kept, or as the system gives us files for; it is asked for more than it gives unasked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + FILES_BESIDE
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(soft, wanted) - FILES_BESIDE)


def _bound(listen: str) -> socket.socket:
    """The socket of the service; SettingsError where it can't be had."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdecimal() or int(port) > 65535:
        raise SettingsError("{listen!r} is not a place to listen: write 127.0.0.1:8025", listen=listen)
    try:
        return socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise SettingsError(
            "can't listen at {listen}: {reason}; name another place by --listen",
            listen=listen,
            reason=reason_of(error),
        ) from None
