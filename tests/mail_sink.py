"""A mail server for tests that keeps every message, and answers as it is told."""

import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from listening import Listening

__all__ = ["Sink", "sink"]

HANGING = 1.0  # seconds


class Sink(Listening):
    """A mail server that keeps every message at its final dot, and only then thinks about its answer."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []
        self.senders: dict[str, str] = {}
        self.at_the_dot: Callable[[], None] = lambda: time.sleep(0.002)
        self.answers: dict[str, list[str]] = {}
        self.greeting = b"250 fine\r\n"
        self.connections = 0
        super().__init__()

    def copies(self) -> Counter[str]:
        return Counter(recipient for recipient, _ in self.kept)

    def talk(self, wire: socket.socket) -> None:
        self.connections += 1
        sender = recipient = ""
        try:
            with wire, wire.makefile("rb") as lines:
                wire.sendall(b"220 sink\r\n")
                while line := lines.readline():
                    verb, argument = line[:4].upper(), line.decode().partition("<")[2].partition(">")[0]
                    if verb == b"RCPT":
                        recipient = argument
                        self.senders[recipient] = sender
                    if verb == b"MAIL":
                        sender = argument
                    if verb == b"DATA":
                        self._take(wire, lines, recipient)
                    else:
                        wire.sendall(self.greeting if verb == b"EHLO" else b"250 fine\r\n")
        except (ConnectionError, ValueError):
            return  # the other end was killed, or we hung up

    def _take(self, wire: socket.socket, lines: Any, recipient: str) -> None:
        """A body, and the answer to its dot: what was asked for its recipient, then always yes."""
        wire.sendall(b"354 go on\r\n")
        body = []
        while (line := lines.readline()) not in (b".\r\n", b""):
            body.append(line)
        if not line:
            return
        answers = self.answers.get(recipient, [])
        answer = answers.pop(0) if answers else "250 kept"
        if answer.startswith(("250", "drop")):
            self.kept.append((recipient, b"".join(body)))
        self.at_the_dot()
        if answer == "hang":
            time.sleep(HANGING)
        if not answer[:3].isdigit():
            wire.shutdown(socket.SHUT_RDWR)
        wire.sendall(answer.encode() + b"\r\n")


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    yield server
    server.close()
