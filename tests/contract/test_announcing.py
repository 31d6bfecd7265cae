"""The next message is announced with the body of the one before, and only what has begun can ever be in doubt."""

import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from mail_sink import Sink, sink
from patience import PATIENCE
from sqlalchemy import update
from test_deliver import SERIES, address, finish, queue, state_of
from test_pipelining import FINE, GO_ON, Packets, serve

from pipeline.actions.deliver import Delivered, deliver
from pipeline.delivery import Fate, MailServer, Outcome, Step
from pipeline.delivery.connection import connect
from pipeline.delivery.conversation import Conversation
from pipeline.delivery.lines import Lines
from pipeline.letters import Message
from pipeline.store.database import Database
from pipeline.store.subscribers import listed
from pipeline.store.switch import hold, installation
from pipeline.store.tables import Standing, State, deliveries, subscribers

__all__ = ["serve", "sink"]

ONE = Message("b@example.org", "ada@example.org", b"Subject: One\r\n\r\nOne.\r\n", "<1@x>")
TWO = Message("b@example.org", "bo@example.org", b"Subject: Two\r\n\r\nTwo.\r\n", "<2@x>")
THREE = Message("b@example.org", "cy@example.org", b"Subject: Three\r\n\r\nThree.\r\n", "<3@x>")
ENVELOPE = b"MAIL FROM:<b@example.org>\r\nRCPT TO:<%s>\r\nDATA\r\n"
KEPT = b"250 2.0.0 kept\r\n"
PIPELINING = b"250-sink\r\n250 PIPELINING\r\n"


def opened(server: MailServer) -> Lines[str]:
    lines = Lines[str](partial(connect, server), 1)
    lines.widen(1)
    while not lines.free:
        lines.outcomes(5.0)
    return lines


def ended(lines: Lines[str]) -> tuple[str, Fate, Step]:
    while not (found := lines.outcomes(5.0)):
        pass
    ((item, outcome),) = found
    return item, outcome.fate, outcome.step


def test_the_envelope_of_the_next_leaves_with_the_body_and_its_own_body_when_it_begins(
    serve: Callable[..., Packets],
) -> None:
    server = serve(FINE + FINE + GO_ON, KEPT + FINE + FINE + GO_ON, KEPT, b"221 bye\r\n")
    lines = opened(server.server)
    one, two = "one", "two"
    lines.begin(one, ONE, following=(two, TWO))
    assert ended(lines) == (one, Fate.ACCEPTED, Step.END)
    assert (lines.due, lines.free) == ([two], 0)
    assert server.packets == [ENVELOPE % b"ada@example.org", ONE.body + b".\r\n" + ENVELOPE % b"bo@example.org"]
    lines.begin(two, TWO)
    assert ended(lines) == (two, Fate.ACCEPTED, Step.END)
    assert server.packets[2] == TWO.body + b".\r\n"
    assert (lines.due, lines.free) == ([], 1)
    lines.close()


@pytest.mark.parametrize(
    ("answers", "fate", "step"),
    [
        ((KEPT + FINE + b"550 5.1.1 nobody\r\n" + b"554 5.5.1 no recipients\r\n", KEPT), Fate.REFUSED, Step.RCPT),
        ((KEPT + b"421 4.3.2 closing\r\n", b""), Fate.BROKEN, Step.MAIL),
        ((KEPT, b""), Fate.BROKEN, Step.MAIL),
        ((KEPT + FINE + FINE + GO_ON, b""), Fate.UNKNOWN, Step.END),
        ((b"451 4.3.0 later\r\n" + FINE + FINE + GO_ON, KEPT), Fate.ACCEPTED, Step.END),
    ],
)
def test_what_the_server_says_to_an_announcement_holds_for_the_announced_one(
    serve: Callable[..., Packets], answers: tuple[bytes, bytes], fate: Fate, step: Step
) -> None:
    server = serve(FINE + FINE + GO_ON, *answers)
    lines = opened(server.server)
    one, two = "one", "two"
    lines.begin(one, ONE, following=(two, TWO))
    assert ended(lines)[0] == one
    if answers == (KEPT, b""):
        server.stop()
        lines.hurry(0.5)
    lines.begin(two, TWO)
    assert ended(lines) == (two, fate, step)
    lines.close()


def test_a_connection_that_is_lost_over_the_one_gives_the_announced_one_back(serve: Callable[..., Packets]) -> None:
    server = serve(FINE + FINE + GO_ON, b"")
    lines = opened(server.server)
    one, two = "one", "two"
    lines.begin(one, ONE, following=(two, TWO))
    assert ended(lines) == (one, Fate.UNKNOWN, Step.END)
    assert (lines.left_over(), lines.left_over(), lines.due) == ([two], [], [])
    lines.close()


def test_an_announced_one_that_must_not_leave_gets_no_octet_of_its_body(serve: Callable[..., Packets]) -> None:
    server = serve(FINE + FINE + GO_ON, KEPT + FINE + FINE + GO_ON, KEPT)
    lines = opened(server.server)
    one, two = "one", "two"
    lines.begin(one, ONE, following=(two, TWO))
    ended(lines)
    lines.withdraw(two)
    assert (lines.due, lines.free, lines.reserved) == ([], 0, [])
    server.stop()
    assert len(server.packets) == 2


class Narrow:
    """A connection that takes so many octets of a body and what stands behind it, and then breaks.

    What the server said last can still be read.
    """

    def __init__(self, most: int, *last: bytes) -> None:
        self._room, self._replies = [most, 10_000], [*last, FINE + FINE + GO_ON]  # the envelope is taken as a whole

    def setblocking(self, _flag: bool) -> None:
        pass

    def send(self, octets: bytes) -> int:
        if not self._room:
            raise ConnectionResetError
        return min(len(octets), self._room.pop())

    def recv(self, _most: int) -> bytes:
        if not self._replies:
            raise ConnectionResetError
        return self._replies.pop()


@pytest.mark.parametrize(
    ("beyond_the_dot", "fate", "step"),
    [(-1, Fate.BROKEN, Step.BODY), (0, Fate.UNKNOWN, Step.END), (9, Fate.UNKNOWN, Step.END)],
)
def test_only_the_dot_tells_whether_it_is_a_doubt_whatever_is_said_behind_it(
    beyond_the_dot: int, fate: Fate, step: Step
) -> None:
    outcome = broken_off(Narrow(len(ONE.body + b".\r\n") + beyond_the_dot))
    assert (outcome.fate, outcome.step) == (fate, step)


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        (KEPT, Fate.ACCEPTED),
        (b"451 4.3.0 later\r\n", Fate.LATER),
        (b"421 4.3.2 closing\r\n", Fate.BROKEN),
        (b"354 what\r\n", Fate.UNKNOWN),
        (b"hm\r\n", Fate.UNKNOWN),
    ],
)
def test_the_reply_to_the_dot_holds_where_the_server_hears_no_more_behind_it(said: bytes, fate: Fate) -> None:
    outcome = broken_off(Narrow(len(ONE.body + b".\r\n") + 9, said))
    assert (outcome.fate, outcome.step) == (fate, Step.END)


def broken_off(wire: Narrow) -> Outcome:
    """What comes of a message on a connection that breaks while it and the announcement behind it are said."""
    smtp = SimpleNamespace(sock=wire, has_extn=lambda name: name == "pipelining", close=lambda: None)
    talk = Conversation(SimpleNamespace(smtp=smtp, is_closed=False), lambda _name: None)
    assert talk.begin(ONE, following=TWO) is None
    outcome = talk.go_on()
    assert outcome is not None
    assert not talk.is_open
    return outcome


def test_only_the_announced_one_can_begin_next_on_a_connection(serve: Callable[..., Packets]) -> None:
    server = serve(FINE + FINE + GO_ON, KEPT + FINE + FINE + GO_ON, KEPT)
    talk = connect(server.server)
    outcome = talk.begin(ONE, following=TWO)
    while outcome is None:
        outcome = talk.go_on()
    other = talk.begin(THREE)
    assert other is not None
    assert (outcome.fate, other.fate, other.step) == (Fate.ACCEPTED, Fate.BROKEN, Step.MAIL)
    server.stop()
    assert len(server.packets) == 2


def round_to(
    sink: Sink,
    database: Database,
    connections: int = 1,
    per_second: float | None = None,
) -> Delivered:
    to = partial(connect, MailServer("127.0.0.1", sink.port, "smtp", helo="localhost"))
    return deliver(
        database, SERIES, to, finish, database.clock,
        owner="me", here=installation(database), connections=connections, lease=timedelta(hours=1),
        per_second=per_second,
    )  # fmt: skip


def test_while_one_is_in_doubt_the_announced_one_is_only_claimed(shared: Database, sink: Sink) -> None:
    sink.greeting, seen = PIPELINING, list[tuple[State, State]]()
    queue(shared, 6)

    def look() -> None:
        number = len(sink.kept)
        if number < 6:
            seen.append((state_of(shared, number - 1), state_of(shared, number)))

    sink.at_the_dot = look
    assert round_to(sink, shared).sent == 6
    assert seen == [(State.SENDING, State.CLAIMED)] * 5
    assert sink.connections == 1


def test_who_leaves_after_the_announcement_gets_nothing(shared: Database, sink: Sink) -> None:
    sink.greeting = PIPELINING
    queue(shared, 5)

    def leave() -> None:
        if len(sink.kept) == 1:
            gone = update(subscribers).where(subscribers.c.address == address(1))
            shared.run(lambda connection: connection.execute(gone.values(state=Standing.UNSUBSCRIBED)))

    sink.at_the_dot = leave
    done = round_to(sink, shared)
    assert (done.sent, done.dropped) == (4, 1)
    assert sink.copies() == {address(number): 1 for number in (0, 2, 3, 4)}


def test_a_hold_stops_the_announced_one_too(shared: Database, sink: Sink) -> None:
    sink.greeting = PIPELINING
    queue(shared, 4)

    def stop() -> None:
        if len(sink.kept) == 2:
            shared.run(hold)

    sink.at_the_dot = stop
    done = round_to(sink, shared)
    assert (done.sent, done.waiting, "tocsin hold" in done.held) == (2, 2, True)
    assert len(sink.kept) == 2


@pytest.mark.parametrize(("per_second", "announced"), [(None, 4), (1000.0, 0)])
def test_where_a_pace_decides_which_is_next_nothing_is_announced(
    database: Database, sink: Sink, monkeypatch: pytest.MonkeyPatch, per_second: float | None, announced: int
) -> None:
    sink.greeting, said = PIPELINING, list[bytes]()
    announcement = Conversation._announcement

    def noted(talk: Conversation) -> bytes:
        said.append(announcement(talk))
        return said[-1]

    monkeypatch.setattr(Conversation, "_announcement", noted)
    queue(database, 5)
    assert round_to(sink, database, per_second=per_second).sent == 5
    assert len([octets for octets in said if octets]) == announced


def test_an_announced_one_that_comes_back_when_all_is_claimed_still_leaves(database: Database, sink: Sink) -> None:
    sink.greeting = PIPELINING
    queue(database, 3)
    sink.answers[address(1)] = ["hang"]  # long enough that more is asked for meanwhile
    done = round_to(sink, database)
    assert (done.sent, done.trouble) == (3, None)
    assert sink.copies() == {address(0): 1, address(1): 1, address(2): 1}


def test_an_announced_one_that_this_sender_lost_and_claimed_anew_leaves_once(shared: Database, sink: Sink) -> None:
    sink.greeting = PIPELINING
    queue(shared, 60)
    is_again_in_hand, came_twice = threading.Event(), threading.Event()

    def lose() -> None:
        recipient = sink.kept[-1][0]
        if recipient == address(0):  # behind which the next one was announced
            with shared.look() as connection:
                (number,) = (one.id for one in listed(connection, SERIES) if one.address == address(1))
            row = update(deliveries).where(deliveries.c.subscriber_id == number)
            freed = row.values(state=State.PENDING, owner=None, lease_until=None)
            shared.run(lambda connection: connection.execute(freed))
            shared.clock.sleep(1.0)
            is_again_in_hand.wait(PATIENCE)
        elif recipient == address(1):
            if is_again_in_hand.is_set():
                came_twice.set()
            is_again_in_hand.set()
            came_twice.wait(1.0)

    sink.at_the_dot = lose
    assert round_to(sink, shared, connections=2).sent == 60
    assert is_again_in_hand.is_set()
    assert set(sink.copies().values()) == {1}


def test_a_domain_that_came_to_rest_gets_nothing_that_was_announced(database: Database, sink: Sink) -> None:
    sink.greeting = PIPELINING
    queue(database, 6)
    sink.answers[address(1)] = ["452 4.7.28 rate limit exceeded"]
    done = round_to(sink, database)
    assert (done.sent, done.retried, done.waiting) == (1, 5, 5)
    assert sink.copies() == {address(0): 1}
    assert state_of(database, 2) is State.PENDING


class Silent(Sink):
    """One that reads a packet as if nothing could stand behind a dot, and then waits for more."""

    def _take(self, wire: socket.socket, lines: Any, recipient: str) -> None:
        wire.sendall(b"354 go on\r\n")
        body = b""
        while not body.endswith(b"\r\n.\r\n"):
            body += lines.read1(65536)
        self.kept.append((recipient, body))
        wire.sendall(b"250 kept\r\n")


def test_a_server_that_falls_silent_over_announcements_hears_no_more_of_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.delivery.conversation.FINAL_TIMEOUT", 0.5)
    queue(database, 6)
    silent = Silent()
    silent.greeting = PIPELINING
    done = round_to(silent, database)
    assert (done.sent, done.retried, done.trouble) == (6, 1, None)
    queue(database, 6, "later")
    done = round_to(silent, database)
    assert (done.sent, done.retried, done.trouble) == (6, 0, None)
    silent.close()


def test_a_server_that_fell_silent_is_tried_with_one_message_by_each_later_round(
    database: Database, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.delivery.conversation.FINAL_TIMEOUT", 0.5)
    answers = threading.Event()
    sink.greeting, sink.at_the_dot = PIPELINING, lambda: bool(answers.wait(PATIENCE)) and None
    queue(database, 90)
    first = round_to(sink, database, 3)
    assert first.trouble
    heard = sink.connections
    second = round_to(sink, database, 3)
    assert second.trouble
    assert (second.sent, second.retried + second.doubt, sink.connections - heard) == (0, 1, 1)
    answers.set()
    third = round_to(sink, database, 3)
    assert third.trouble is None
    assert third.waiting == 0
    assert sink.connections - heard == 4
    assert len(sink.copies()) == 90
    # Each that was in doubt went twice, and none more often.
    assert sink.copies().total() - 90 <= first.retried + second.retried
