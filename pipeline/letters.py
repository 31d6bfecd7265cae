"""Letters: one message composed for each occasion and language, then only what differs for each recipient."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole RFC 5322 message for one occasion and language, with marks where recipients differ."""

    language: str
    subject: str
    source: bytes


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom a letter goes to: the subscriber's row, the address for RCPT TO, and a random url-safe public name."""

    subscriber: int
    address: str
    public_id: str


@dataclass(frozen=True, slots=True)
class Message:
    """What goes over the wire: envelope sender and recipient, and the bytes of DATA (CRLF, not dot-stuffed)."""

    envelope_sender: str
    recipient: str
    body: bytes
    message_id: str
