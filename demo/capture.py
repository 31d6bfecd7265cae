"""A mail server on loopback that keeps every message as a file and sends nothing on."""

import email
import email.policy
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from aiosmtpd.controller import Controller
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
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    controller = Controller(boxes, hostname="127.0.0.1", port=port, enable_SMTPUTF8=True)
    controller.start()
    try:
        yield boxes, f"smtp://127.0.0.1:{port}?helo=localhost"
    finally:
        controller.stop()
