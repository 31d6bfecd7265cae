"""Mail servers that answer as they are told: one that knows SMTP, and one that only says its lines."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from capture import listening
from patience import PATIENCE

from pipeline.delivery import MailServer, mail_server

__all__ = ["Answering", "Scripted", "script", "serve"]


class Answering:
    """A server that accepts, or answers one command with the line that it was given for it."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.kept: list[Any] = []

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        envelope.mail_from, envelope.mail_options = address, options
        return self.answers.get("MAIL", "250 2.1.0 fine")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802 - aiosmtpd's name
        if "RCPT" in self.answers and address.startswith("ada"):
            return self.answers["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if "END" in self.answers:
            return self.answers["END"]
        self.kept.append(SimpleNamespace(**vars(envelope), peer=session.peer, ssl=session.ssl, login=session.auth_data))
        return "250 2.0.0 kept"


@pytest.fixture
def serve() -> Iterator[Callable[..., MailServer]]:
    with ExitStack() as running:

        def start(handler: Any, scheme: str = "smtp", query: str = "", login: str = "", **options: Any) -> MailServer:
            port = running.enter_context(listening(handler, **options))
            return mail_server(f"{scheme}://{login}127.0.0.1:{port}?helo=localhost{query}")

        yield start


class Scripted:
    """A server that says its lines to commands as they come; None hangs up, a number is so many seconds of silence."""

    def __init__(self, lines: dict[str, Any]) -> None:
        self.lines = {"": "220 hello", "EHLO": "250 8BITMIME", "DATA": "354 go on", "QUIT": "221 bye"} | lines
        self.accepted = 0
        self._stopped = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.server = MailServer("127.0.0.1", self._listening.getsockname()[1], "smtp", helo="localhost")
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(PATIENCE)

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self._listening.accept()
            except OSError:
                return
            with wire, wire.makefile("rb") as lines:
                self._talk(wire, lines)

    def _talk(self, wire: socket.socket, lines: Any) -> None:
        if not self._say(wire, ""):
            return
        while line := lines.readline():
            verb = line[:4].decode().strip().upper()
            # As it was said: once the other side has heard it, a test may have another line for the next message.
            goes_on = verb == "DATA" and str(self.lines["DATA"]).startswith("354")
            if not self._say(wire, verb):
                return
            if goes_on:
                while lines.readline() not in (b".\r\n", b""):
                    pass
                self.accepted += 1
                if not self._say(wire, "."):
                    return

    def _say(self, wire: socket.socket, verb: str) -> bool:
        line = self.lines.get(verb, "250 fine")
        if isinstance(line, float):
            self._stopped.wait(line)
            return False
        if line is None:
            return False
        wire.sendall(line.encode() + b"\r\n")
        return True


@pytest.fixture
def script() -> Iterator[Callable[..., Scripted]]:
    running: list[Scripted] = []

    def start(**lines: Any) -> Scripted:
        server = Scripted(
            {"." if verb == "END" else "" if verb == "HELLO" else verb: line for verb, line in lines.items()}
        )
        running.append(server)
        return server

    yield start
    for server in running:
        server.stop()
