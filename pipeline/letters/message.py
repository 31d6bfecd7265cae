"""The values that letters are made of: what is composed once, whom it goes to, what goes over the wire."""

from dataclasses import dataclass, field, replace
from typing import NamedTuple

from pipeline.letters.dkim import Key

TEXT_ONLY = "text:"
"""Opens the name of a letter without an HTML part, which goes on with its language: `text:fr`."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A whole RFC 5322 message for one occasion and language, with marks where recipients differ."""

    language: str
    subject: str
    source: bytes


class Recipient(NamedTuple):
    """Whom a letter goes to: the subscriber's row, the address for RCPT TO, and a random url-safe public name."""

    subscriber: int
    address: str
    public_id: str


class Message(NamedTuple):
    """What goes over the wire: envelope sender and recipient, and the bytes of DATA (CRLF, not dot-stuffed)."""

    envelope_sender: str
    recipient: str
    body: bytes
    message_id: str
    is_transparent: bool = False
    """Known to be lines of ASCII that end in CRLF, none of which begins with a dot: nobody need look through it."""


@dataclass(frozen=True, slots=True)
class Post:
    """What holds for all letters of a series: who writes, where answers, bounces and farewells go.

    `sender` and `reply_to` are mailboxes (`Name <address>`), `unsubscribe` and `bounces` bare addresses. `service` is
    the address, without a slash at its end, below which `/unsubscribe/<token>` answers; None where leaving goes by
    mail only. Without `unsubscribe` and `bounces` it is the post to a mailing list, which has its own.
    """

    sender: str
    reply_to: str | None
    list_id: str
    unsubscribe: str | None
    bounces: str | None
    site: str
    service: str | None
    message_domain: str
    secret: bytes = field(repr=False)
    keys: tuple[Key, ...] = ()
    """The DKIM keys with which each message is signed."""

    @property
    def sender_address(self) -> str:
        """The bare address of the sender."""
        return self.sender.rpartition("<")[2].removesuffix(">")

    @property
    def one_click(self) -> bool:
        """Whether a letter may offer RFC 8058: only https will do."""
        return self.service is not None and self.service.startswith("https://")

    @property
    def is_to_list(self) -> bool:
        """Whether it goes to an existing mailing list, whose archive may be public."""
        return self.unsubscribe is None

    def to_mailing_list(self) -> "Post":
        """The same post without tokens, VERP and ways to leave, which an existing mailing list adds by itself."""
        return replace(self, unsubscribe=None, bounces=None, service=None)
