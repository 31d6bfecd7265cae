"""MAIL, RCPT and DATA in one packet where the server offers it, and what its replies then mean."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
from patience import PATIENCE

from pipeline.delivery import Fate, MailServer, Outcome, Step
from pipeline.delivery.connection import connect
from pipeline.letters import Message

MESSAGE = Message("b@example.org", "ada@example.org", b"Subject: Soon\r\n\r\nSoon.\r\n", "<1@x>")
FINE = b"250 fine\r\n"
GO_ON = b"354 go on\r\n"


class Packets:
    """A server that offers PIPELINING and answers each packet as a whole with what it was given for it."""

    def __init__(self, answers: list[bytes]) -> None:
        self.packets: list[bytes] = []
        self._answers = answers
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.server = MailServer("127.0.0.1", self._listening.getsockname()[1], "smtp", helo="localhost")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._listening.close()
        self._thread.join(PATIENCE)

    def _serve(self) -> None:
        wire, _ = self._listening.accept()
        with wire:
            wire.sendall(b"220 hello\r\n")
            wire.recv(65536)
            wire.sendall(b"250-hello\r\n250 PIPELINING\r\n")
            for answer in self._answers:
                packet = wire.recv(65536)
                if not packet:
                    return
                self.packets.append(packet)
                if not answer:
                    return
                wire.sendall(answer)


@pytest.fixture
def serve() -> Iterator[Callable[..., Packets]]:
    running: list[Packets] = []

    def start(*answers: bytes) -> Packets:
        running.append(Packets(list(answers)))
        return running[-1]

    yield start
    for server in running:
        server.stop()


def test_the_envelope_leaves_in_one_packet_and_the_body_in_the_next(serve: Callable[..., Packets]) -> None:
    server = serve(FINE + FINE + GO_ON, b"250 2.0.0 kept\r\n", b"221 bye\r\n")
    transport = connect(server.server)
    assert transport.send(MESSAGE) == Outcome(Fate.ACCEPTED, Step.END, 250, "2.0.0 kept")
    transport.close()
    assert server.packets[:2] == [
        b"MAIL FROM:<b@example.org>\r\nRCPT TO:<ada@example.org>\r\nDATA\r\n",
        MESSAGE.body + b".\r\n",
    ]


def test_a_refused_recipient_is_forgotten_in_the_packet_of_the_next(serve: Callable[..., Packets]) -> None:
    refusal = FINE + b"550 5.1.1 no such user\r\n" + b"554 5.5.1 no valid recipients\r\n"
    server = serve(refusal, FINE + FINE + FINE + GO_ON, FINE, b"221 bye\r\n")
    transport = connect(server.server)
    assert transport.send(MESSAGE) == Outcome(Fate.REFUSED, Step.RCPT, 550, "5.1.1 no such user")
    assert transport.send(MESSAGE).fate is Fate.ACCEPTED
    transport.close()
    assert server.packets[1].startswith(b"RSET\r\nMAIL FROM:")


def test_a_server_that_wants_a_body_for_nobody_gets_a_dot_and_no_letter(serve: Callable[..., Packets]) -> None:
    server = serve(FINE + b"450 4.2.0 greylisted\r\n" + GO_ON, b"554 5.5.1 nobody\r\n", b"221 bye\r\n")
    transport = connect(server.server)
    assert transport.send(MESSAGE) == Outcome(Fate.LATER, Step.RCPT, 450, "4.2.0 greylisted")
    transport.close()
    assert server.packets[1] == b".\r\n"


def test_what_was_refused_stays_refused_when_the_server_then_hangs_up(serve: Callable[..., Packets]) -> None:
    server = serve(b"550 5.7.1 not from you\r\n421 4.3.2 closing\r\n")
    outcome = connect(server.server).send(MESSAGE)
    assert outcome == Outcome(Fate.UNWELCOME, Step.MAIL, 550, "5.7.1 not from you")


@pytest.mark.parametrize(
    ("answers", "fate", "step"),
    [([b""], Fate.BROKEN, Step.MAIL), ([FINE + FINE + GO_ON, b""], Fate.UNKNOWN, Step.END)],
)
def test_only_after_the_dot_a_lost_connection_is_a_doubt(
    serve: Callable[..., Packets], answers: list[bytes], fate: Fate, step: Step
) -> None:
    outcome = connect(serve(*answers).server).send(MESSAGE)
    assert (outcome.fate, outcome.step) == (fate, step)


def test_a_message_that_is_given_up_before_its_dot_is_no_doubt(serve: Callable[..., Packets]) -> None:
    transport = connect(serve(FINE).server)
    assert transport.begin(MESSAGE) is None
    assert transport.give_up("stopped").fate is Fate.BROKEN
    assert not transport.is_open
