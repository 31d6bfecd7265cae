"""kill -9 in the middle of sending: nobody is left out, and each death costs one copy at most for each connection."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.clock import SystemClock
from pipeline.letters import Letter
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.database import open_database
from pipeline.store.expansion import expand
from pipeline.store.outbox import counts, doubtful
from pipeline.store.subscribers import add
from pipeline.store.switch import arm, installation
from pipeline.store.tables import State

HERE = Path(__file__).parent
SERIES = "seminar"
POINTS = (
    "after_claim",
    "before_start",
    "after_start",
    "after_mail",
    "after_rcpt",
    "after_data",
    "after_dot",
    "after_reply",
    "after_outcome",
    "before_last_commit",
)
ONCE = ("after_claim", "before_last_commit")


class Sink:
    """A mail server that keeps every message at its final dot, and only then thinks about its answer."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []
        self.senders: dict[str, str] = {}
        self.at_the_dot: Callable[[], None] = lambda: time.sleep(0.002)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def copies(self) -> Counter[str]:
        return Counter(recipient for recipient, _ in self.kept)

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(wire,), daemon=True).start()

    def _talk(self, wire: socket.socket) -> None:
        sender = recipient = ""
        try:
            with wire, wire.makefile("rb") as lines:
                wire.sendall(b"220 sink\r\n")
                while line := lines.readline():
                    if line.upper().startswith(b"MAIL"):
                        sender = line.decode().partition("<")[2].partition(">")[0]
                    if line.upper().startswith(b"RCPT"):
                        recipient = line.decode().partition("<")[2].partition(">")[0]
                        self.senders[recipient] = sender
                    if line.upper() != b"DATA\r\n":
                        wire.sendall(b"250 fine\r\n")
                        continue
                    wire.sendall(b"354 go on\r\n")
                    body = []
                    while (line := lines.readline()) not in (b".\r\n", b""):
                        body.append(line)
                    if line:
                        self.kept.append((recipient, b"".join(body)))
                        self.at_the_dot()
                        wire.sendall(b"250 kept\r\n")
        except ConnectionError:
            return  # the other end was killed


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    yield server
    server.close()


@pytest.fixture(scope="module")
def postgresql() -> Iterator[Any]:
    file = HERE.parent / "contract" / "postgresql_server.py"
    spec = importlib.util.spec_from_file_location("postgresql_server", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with module.running() as server:
        yield server


def new_database(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'tocsin.db'}"
    return str(request.getfixturevalue("postgresql").database())


def queue(url: str, readers: int) -> set[str]:
    """As many mails as readers, ready to leave; their addresses."""
    now = SystemClock().now()
    occasion = Occasion("talk", "day-before", 0, Kind.REMINDERS, now, now + timedelta(days=1))
    addresses = {f"reader{number}@example.org" for number in range(readers)}
    with open_database(url, SystemClock()) as database, database.begin() as connection:
        for address in addresses:
            add(connection, SERIES, address, "en", Kind, (), "by hand", now)
        reconcile(connection, SERIES, Plan((occasion,), ()), now)
        (campaign,) = due_campaigns(connection, SERIES, now)
        expand(connection, campaign, {"en": Letter("en", "Soon", b"Subject: Soon\r\n\r\nSoon.\r\n")}, "en", now)
    with open_database(url, SystemClock()) as database:
        here = installation(database)
        with database.begin() as connection:
            arm(connection, here, now)
    return addresses


def start(url: str, sink: Sink, crash_at: str = "", policy: str = "resend") -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", str(HERE / "process_to_kill.py"), url, str(sink.port), policy]
    environment = {**os.environ, "TOCSIN_CRASH_AT": crash_at, "PYTHONPATH": str(HERE.parent.parent)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> str:
    """Waits for a process that must end well; what it printed."""
    said, complained = process.communicate(timeout=30)
    assert process.returncode == 0, complained
    return said


def die(process: "subprocess.Popen[str]") -> None:
    """Waits for a process that must have been killed."""
    _, complained = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL, complained


def assert_copies_are_equal(sink: Sink) -> None:
    bodies: dict[str, set[bytes]] = {}
    for recipient, body in sink.kept:
        bodies.setdefault(recipient, set()).add(body)
    assert all(len(different) == 1 for different in bodies.values())


def outcome(url: str) -> dict[State, int]:
    with open_database(url, SystemClock()) as database, database.look() as connection:
        return counts(connection, SERIES)


@pytest.mark.parametrize(
    ("kind", "point"),
    [*(("sqlite", point) for point in POINTS), *(("postgresql", point) for point in POINTS[::4])],
)
def test_killed_at_a_point_the_next_start_sends_the_rest(
    kind: str, point: str, request: pytest.FixtureRequest, tmp_path: Path, sink: Sink
) -> None:
    url = new_database(kind, request, tmp_path)
    expected = queue(url, 4)
    die(start(url, sink, point if point in ONCE else f"{point}:2"))
    finish(start(url, sink))
    assert set(sink.copies()) == expected
    # An outcome is stored with the start of the next message, so that each point but the first may cost a copy.
    assert sink.copies().total() - len(expected) <= (point != "after_claim")
    assert_copies_are_equal(sink)
    assert outcome(url) == {State.SENT: 4}


@pytest.mark.parametrize(("kind", "point"), [("sqlite", "after_start"), ("postgresql", "after_dot")])
def test_with_hold_nothing_goes_twice_and_what_is_in_doubt_is_listed(
    kind: str, point: str, request: pytest.FixtureRequest, tmp_path: Path, sink: Sink
) -> None:
    url = new_database(kind, request, tmp_path)
    expected = queue(url, 4)
    die(start(url, sink, f"{point}:2", "hold"))
    finish(start(url, sink, policy="hold"))
    assert sink.copies().total() == len(sink.copies())
    with open_database(url, SystemClock()) as database, database.look() as connection:
        doubts = {entry.address for entry in doubtful(connection, SERIES)}
    assert len(doubts) == 1
    assert set(sink.copies()) | doubts == expected
    assert outcome(url) == {State.SENT: 3, State.DOUBT: 1}


@pytest.mark.parametrize(("kind", "senders", "kills"), [("sqlite", 1, 4), ("postgresql", 3, 6)])
def test_killed_again_and_again_at_the_worst_moment(
    kind: str, senders: int, kills: int, request: pytest.FixtureRequest, tmp_path: Path, sink: Sink
) -> None:
    url = new_database(kind, request, tmp_path)
    expected = queue(url, 120)
    killer = Killer(kills)
    sink.at_the_dot = killer.at_the_dot
    deadline = time.monotonic() + 60
    while killer.replace_the_dead(senders, lambda: start(url, sink)) and time.monotonic() < deadline:
        time.sleep(0.01)
    finish(start(url, sink))
    assert killer.killed == kills
    assert set(sink.copies()) == expected
    assert sink.copies().total() - len(expected) <= kills
    assert_copies_are_equal(sink)
    assert outcome(url) == {State.SENT: 120}


class Killer:
    """Kills senders between a message's final dot and the reply, every tenth time, until it has killed enough."""

    def __init__(self, wanted: int) -> None:
        self.killed = 0
        self._wanted = wanted
        self._dots = 0
        self._alive: list[subprocess.Popen[str]] = []
        self._done = False
        self._lock = threading.Lock()

    def at_the_dot(self) -> None:
        time.sleep(0.002)
        with self._lock:
            self._dots += 1
            victims = [process for process in self._alive if process.poll() is None]
            if self._dots % 10 == 0 and self.killed < self._wanted and victims:
                victims[self._dots // 10 % len(victims)].kill()
                self.killed += 1

    def replace_the_dead(self, senders: int, start: Callable[[], "subprocess.Popen[str]"]) -> bool:
        """Keeps so many senders alive until one has ended by itself; False once all have ended."""
        with self._lock:
            ended = [process for process in self._alive if process.poll() is not None]
            self._alive = [process for process in self._alive if process not in ended]
            for process in ended:
                (die if process.returncode == -signal.SIGKILL else finish)(process)
                self._done = self._done or process.returncode == 0
            while not self._done and len(self._alive) < senders:
                self._alive.append(start())
            return bool(self._alive)


def test_stopped_and_woken_beyond_its_lease_a_sender_sends_nothing_new(postgresql: Any, sink: Sink) -> None:
    url = postgresql.database()
    expected = queue(url, 40)
    asleep = threading.Event()
    first = start(url, sink)

    def at_the_dot() -> None:
        if len(sink.kept) == 5:
            first.send_signal(signal.SIGSTOP)
            asleep.set()

    sink.at_the_dot = at_the_dot
    assert asleep.wait(30)
    finish(start(url, sink))  # waits for what the sleeper holds, until its lease is over
    first.send_signal(signal.SIGCONT)
    finish(first)
    assert set(sink.copies()) == expected
    assert sink.copies().total() - len(expected) <= 1
    assert_copies_are_equal(sink)
    assert outcome(url) == {State.SENT: 40}


def test_a_second_sender_on_one_file_says_so_and_ends_well(tmp_path: Path, sink: Sink) -> None:
    url = f"sqlite:///{tmp_path / 'tocsin.db'}"
    queue(url, 2)
    reached, go_on = threading.Event(), threading.Event()

    def at_the_dot() -> None:
        reached.set()
        go_on.wait(30)

    sink.at_the_dot = at_the_dot
    first = start(url, sink)
    assert reached.wait(30)
    assert "busy=True" in finish(start(url, sink))
    go_on.set()
    assert "sent=2" in finish(first)
