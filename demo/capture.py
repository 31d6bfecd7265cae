"""A mail server on loopback that keeps every message as a file and sends nothing on."""

import asyncio
import email
import email.policy
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class Mailboxes:
    """What arrived, by recipient, in the order of arrival."""

    folder: Path
    messages: dict[str, list[bytes]] = field(default_factory=dict)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Keeps one message."""
        content = envelope.original_content or b""
        for recipient in envelope.rcpt_tos:
            kept = self.messages.setdefault(recipient, [])
            kept.append(content)
            file = self.folder / recipient / f"{len(kept):03}.eml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        return "250 kept"

    def header(self, recipient: str, name: str) -> str:
        """A header field of the newest message to somebody."""
        message = email.message_from_bytes(self.messages[recipient][-1], policy=email.policy.default)
        return str(message[name])


@contextmanager
def capture(folder: Path) -> Iterator[tuple[Mailboxes, str]]:
    """A running server on a free port, and its address for TOCSIN_SMTP_URL."""
    boxes = Mailboxes(folder)
    with listening(boxes) as port:
        yield boxes, f"smtp://127.0.0.1:{port}?helo=localhost"


@contextmanager
def listening(handler: object, ssl_context: ssl.SSLContext | None = None, **options: Any) -> Iterator[int]:
    """The port of a mail server that runs in a thread of its own, and hands what comes to `handler`."""
    loop = asyncio.new_event_loop()

    def talk() -> SMTP:
        return SMTP(handler, enable_SMTPUTF8=True, loop=loop, **options)

    # It listens before anybody is told where, so nobody has to wait for it.
    server = loop.run_until_complete(loop.create_server(talk, "127.0.0.1", 0, ssl=ssl_context))
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_ended(server))
        loop.close()


async def _ended(server: asyncio.Server) -> None:
    """Once the server, and each of its conversations, has ended."""
    server.close()
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for conversation in others:
        conversation.cancel()
    await asyncio.gather(*others, return_exceptions=True)
