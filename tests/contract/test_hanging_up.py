"""A mail server that hangs up in the middle of one message, each time: whether that is a doubt, and when it ends."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from answering_servers import Scripted
from listening import Listening
from simulated import START
from test_deliver import SERIES, address, doubts, entry_of, finish, queue

from pipeline.actions.deliver import Delivered, deliver
from pipeline.clock import FrozenClock
from pipeline.delivery import Fate, MailServer, Outcome, Step, conversation, lines
from pipeline.delivery.connection import connect
from pipeline.delivery.lines import Lines
from pipeline.letters import Message
from pipeline.store.database import Database, open_database
from pipeline.store.switch import installation
from pipeline.store.tables import State


class Touchy(Listening):
    """A server that reads the beginning of each body, and hangs up when it is for somebody whom it doesn't like."""

    def __init__(self, *disliked: str) -> None:
        self.taken: list[str] = []
        self.heard: list[bytes] = []
        self._disliked = frozenset(disliked)
        super().__init__()
        self.server = MailServer("127.0.0.1", self.port, "smtp", helo="localhost")

    def grow_up(self) -> None:
        self._disliked = frozenset()

    def talk(self, wire: socket.socket) -> None:
        recipient = ""
        with wire:
            wire.sendall(b"220 hello\r\n")
            while packet := wire.recv(65536):
                if packet.startswith(b"RCPT"):
                    recipient = packet.decode().partition("<")[2].partition(">")[0]
                if not packet.startswith(b"DATA"):
                    wire.sendall(b"250 fine\r\n")
                    continue
                wire.sendall(b"354 go on\r\n")
                if not self._took(wire, recipient):
                    return

    def _took(self, wire: socket.socket, recipient: str) -> bool:
        self.heard.append(wire.recv(65536))
        if recipient in self._disliked:
            return False
        while not self.heard[-1].endswith(b"\r\n.\r\n"):
            self.heard[-1] += wire.recv(65536)
        self.taken.append(recipient)
        wire.sendall(b"250 kept\r\n")
        return True


class Strict(Listening):
    """A server that says what it thinks of a body when it has read its beginning, and hangs up."""

    def __init__(self, verdict: bytes) -> None:
        self._verdict = verdict
        super().__init__()
        self.server = MailServer("127.0.0.1", self.port, "smtp", helo="localhost")

    def talk(self, wire: socket.socket) -> None:
        with wire:
            wire.sendall(b"220 hello\r\n")
            while not wire.recv(4096).startswith(b"DATA"):
                wire.sendall(b"250 fine\r\n")
            wire.sendall(b"354 go on\r\n")
            wire.recv(4)
            wire.sendall(self._verdict)


@pytest.fixture
def touchy() -> Iterator[Touchy]:
    server = Touchy(address(1))
    yield server
    server.close()


def sent(server: MailServer, recipient: str, careful: bool, text: bytes = b"Soon.\r\n") -> Outcome:
    message = Message("b@example.org", recipient, b"Subject: Soon\r\n\r\n" + text, "<1@x>")
    one: Lines[int] = Lines(partial(connect, server), 1)
    one.widen(1)
    while not one.free:
        one.outcomes(5.0)
    one.begin(1, message, careful=careful)
    while not (found := one.outcomes(5.0)):
        pass
    one.close()
    return found[0][1]


def tried(
    database: Database, server: MailServer, clock: FrozenClock, owner: str = "only", connections: int = 1
) -> Delivered:
    """One round to that server."""
    here, to = installation(database), partial(connect, server)
    return deliver(database, SERIES, to, finish, clock, owner=owner, here=here, connections=connections)


def hesitating(monkeypatch: pytest.MonkeyPatch, seconds: float = 2.0) -> None:
    """Holds a dot back for as long as a server of these tests may need to hang up, on a loaded machine too."""
    monkeypatch.setattr(conversation, "_HESITATION", seconds)


@pytest.mark.parametrize(("careful", "fate"), [(False, Fate.UNKNOWN), (True, Fate.BROKEN)])
def test_only_who_holds_the_final_dot_back_knows_that_the_body_was_not_taken(
    touchy: Touchy, careful: bool, fate: Fate, monkeypatch: pytest.MonkeyPatch
) -> None:
    hesitating(monkeypatch)
    outcome = sent(touchy.server, address(1), careful)
    assert outcome.fate is fate
    assert outcome.step is (Step.BODY if careful else Step.END)
    assert touchy.heard[0].endswith(b"\r\n.\r\n") is not careful


@pytest.mark.parametrize(("careful", "text"), [(True, b"Soon.\r\n"), (False, b"Soon.\r\n" * 2_000_000)])
@pytest.mark.parametrize(
    ("verdict", "fate", "code"),
    [
        (b"552 5.3.4 too big\r\n", Fate.REFUSED, 552),
        (b"452 4.3.1 no room\r\n", Fate.LATER, 452),
        (b"421 4.3.2 closing\r\n", Fate.BROKEN, 421),
        (b"", Fate.BROKEN, None),
    ],
)
def test_what_a_server_says_before_it_hangs_up_over_a_body_is_its_answer(
    verdict: bytes, fate: Fate, code: int | None, careful: bool, text: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hesitating(monkeypatch)
    server = Strict(verdict)
    outcome = sent(server.server, address(1), careful, text)
    assert (outcome.fate, outcome.step, outcome.code) == (fate, Step.BODY, code)
    server.close()


def test_a_dot_that_was_held_back_comes_after_a_moment(touchy: Touchy, monkeypatch: pytest.MonkeyPatch) -> None:
    hesitating(monkeypatch, 0.1)
    assert sent(touchy.server, address(0), careful=True) == Outcome(Fate.ACCEPTED, Step.END, 250, "kept")
    assert touchy.heard == [b"Subject: Soon\r\n\r\nSoon.\r\n.\r\n"]


@pytest.mark.parametrize("connections", [1, 3])
def test_the_message_is_given_up_in_the_end_and_the_others_go_on(
    touchy: Touchy, tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    hesitating(monkeypatch)

    def carry_on(connect_to: Callable[..., object]) -> None:
        values = {"owner": f"at {clock.now()}", "here": installation(database), "connections": connections}
        deliver(database, SERIES, partial(connect_to, touchy.server), finish, clock, **values)  # type: ignore[arg-type]

    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as database:
        queue(database, 60)
        carry_on(connect)
        assert sorted(touchy.taken) == sorted(address(number) for number in range(60) if number != 1)
        while (entry := entry_of(database, 1)).state in (State.RETRY, State.PENDING):
            clock.move_to(max(entry.at, clock.now()))
            carry_on(connect)
        assert entry.state is State.FAILED
        assert "given up after 9 tries" in entry.reason
        assert doubts(database) == []
        assert touchy.taken.count(address(1)) == 0
        assert len(touchy.heard) == 59 + 10  # one doubt, and nine tries that left none
        assert clock.now() > START


@pytest.mark.parametrize("connections", [1, 4])
def test_hundreds_over_which_the_server_hangs_up_keep_nobody_waiting(
    tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    hesitating(monkeypatch)
    poison = [address(number) for number in range(150)]
    server = Touchy(*poison)
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as database:
        queue(database, 170)
        done = tried(database, server.server, clock, connections=connections)
        assert sorted(server.taken) == sorted(address(number) for number in range(150, 170))
        assert (done.sent, done.trouble) == (20, None)
        # Those that were on the way when it hung up for the first time are in doubt, and no other one.
        assert len([entry for entry in map(partial(entry_of, database), range(150)) if entry.doubts]) <= connections
        assert {entry_of(database, number).state for number in range(150)} == {State.RETRY}
    server.close()


def test_nobody_is_given_up_while_the_server_hangs_up_over_all(
    tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hesitating(monkeypatch)
    server = Touchy(address(0), address(1), address(2))
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as database:
        queue(database, 3, lasting=timedelta(days=2))
        for tries in range(12):
            done = tried(database, server.server, clock, f"number {tries}")
            assert "the connection to the mail server failed" in str(done.trouble)
            assert (done.failed, done.waiting) == (0, 3)
            clock.move_to(max(entry_of(database, number).at for number in range(3)))
        server.grow_up()
        hesitating(monkeypatch, 0.1)  # it hangs up no more
        done = tried(database, server.server, clock, "the last")
        assert (done.sent, done.trouble) == (3, None)
    server.close()


def test_a_few_over_which_the_server_always_hangs_up_come_to_an_end_too(
    tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hesitating(monkeypatch)
    server = Touchy(address(0), address(1))
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as database:
        queue(database, 2, lasting=timedelta(days=9))
        for tries in range(40):
            tried(database, server.server, clock, f"number {tries}")
            entries = [entry_of(database, number) for number in range(2)]
            if all(entry.state is State.FAILED for entry in entries):
                break
            clock.move_to(max(clock.now(), *(entry.at for entry in entries)))
        assert [entry.state for entry in entries] == [State.FAILED, State.FAILED]
        assert all("given up after 25 tries" in entry.reason for entry in entries)
    server.close()


def test_who_hangs_up_at_the_command_says_nothing_of_the_message(database: Database, clock: FrozenClock) -> None:
    server = Scripted({"DATA": None})
    queue(database, 9)
    done = tried(database, server.server, clock)
    assert "(at DATA)" in str(done.trouble)
    assert (done.retried, done.waiting) == (2, 9)
    server.stop()


def test_a_server_that_hangs_up_over_every_body_is_left_alone_for_a_while(
    tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    hesitating(monkeypatch)
    monkeypatch.setattr(lines, "_HANG_UPS", 20)
    server = Touchy(*(address(number) for number in range(60)))
    with open_database(f"sqlite:///{tmp_path / 'tocsin.db'}", clock) as database:
        queue(database, 60)
        done = tried(database, server.server, clock)
        assert "the connection to the mail server failed" in str(done.trouble)
        assert done.waiting == 60
        assert 20 <= len(server.heard) <= 22
    server.close()
