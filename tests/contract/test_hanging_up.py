"""A mail server that hangs up in the middle of one message, each time: whether that is a doubt, and when it ends."""

import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from simulated import START
from test_deliver import SERIES, address, doubts, entry_of, finish, queue

from pipeline.actions.deliver import deliver
from pipeline.clock import FrozenClock
from pipeline.delivery import Fate, MailServer, Outcome, Step, conversation
from pipeline.delivery.connection import connect
from pipeline.delivery.lines import Lines
from pipeline.letters import Message
from pipeline.store.database import open_database
from pipeline.store.switch import installation
from pipeline.store.tables import State


class Touchy:
    """A server that reads the beginning of each body, and hangs up when it is for somebody whom it doesn't like."""

    def __init__(self, disliked: str) -> None:
        self.taken: list[str] = []
        self.heard: list[bytes] = []
        self._disliked = disliked
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.server = MailServer("127.0.0.1", self._listening.getsockname()[1], "smtp", helo="localhost")
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(wire,), daemon=True).start()

    def _talk(self, wire: socket.socket) -> None:
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
        if recipient == self._disliked:
            return False
        while not self.heard[-1].endswith(b"\r\n.\r\n"):
            self.heard[-1] += wire.recv(65536)
        self.taken.append(recipient)
        wire.sendall(b"250 kept\r\n")
        return True


@pytest.fixture
def touchy() -> Iterator[Touchy]:
    server = Touchy(address(1))
    yield server
    server.close()


def sent(server: MailServer, recipient: str, careful: bool) -> Outcome:
    message = Message("b@example.org", recipient, b"Subject: Soon\r\n\r\nSoon.\r\n", "<1@x>")
    lines: Lines[int] = Lines(partial(connect, server), 1)
    lines.widen(1)
    while not lines.free:
        lines.outcomes(5.0)
    lines.begin(1, message, careful=careful)
    while not (found := lines.outcomes(5.0)):
        pass
    lines.close()
    return found[0][1]


@pytest.mark.parametrize(("careful", "fate"), [(False, Fate.UNKNOWN), (True, Fate.BROKEN)])
def test_only_who_holds_the_final_dot_back_knows_that_the_body_was_not_taken(
    touchy: Touchy, careful: bool, fate: Fate
) -> None:
    outcome = sent(touchy.server, address(1), careful)
    assert outcome.fate is fate
    assert outcome.step is (Step.DATA if careful else Step.END)
    assert touchy.heard[0].endswith(b"\r\n.\r\n") is not careful


def test_a_dot_that_was_held_back_comes_after_a_moment(touchy: Touchy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "_HESITATION", 0.1)
    assert sent(touchy.server, address(0), careful=True) == Outcome(Fate.ACCEPTED, Step.END, 250, "kept")
    assert touchy.heard == [b"Subject: Soon\r\n\r\nSoon.\r\n.\r\n"]


@pytest.mark.parametrize("connections", [1, 3])
def test_the_message_is_given_up_in_the_end_and_the_others_go_on(
    touchy: Touchy, tmp_path: Path, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, connections: int
) -> None:
    monkeypatch.setattr(conversation, "_HESITATION", 0.1)

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
