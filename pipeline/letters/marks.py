"""What differs between two recipients of one letter: marks in its bytes, and filling them in.

A letter begins with its Date field, whose value is the letter's nonce and the name of the mark. All marks start with
that nonce, which nobody who writes texts can know; so a stored letter tells by itself where its marks are.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache

from pipeline.errors import PermanentDeliveryError
from pipeline.letters.dkim import signatures
from pipeline.letters.expiring import PREFERENCES
from pipeline.letters.message import Letter, Message, Post, Recipient
from pipeline.letters.tokens import SIGNATURE_LENGTH, UNSUBSCRIBE, bounce_address, digest_for, token_octets

NONCE_LENGTH = 22
TOKEN_LENGTH = 16 + SIGNATURE_LENGTH
"""The usual length of a token. Its mark is as long, so that lines keep their length when it is filled in."""

_PADDING = TOKEN_LENGTH - NONCE_LENGTH - len(".token")
_WISHES = "wants"
"""The mark of the token for one's preferences; as long as `token`."""
_OPENING = re.compile(rb"Date: ([0-9a-z]{%d})\.date\r\n" % NONCE_LENGTH)
# What may stand in a mailbox without its name: nothing that could end it, begin another, or break the line.
_ADDRESS = re.compile(
    r'(?:[^\s\x00-\x1f\x7f<>()\[\],;:\\"@]+|"[^\x00-\x1f\x7f\\"]*")@[^\s\x00-\x1f\x7f<>()\[\],;:\\"@]+'
)


@dataclass(frozen=True, slots=True)
class Marks:
    """The marks of one letter, as they are written into headers and bodies, and a name for its MIME boundaries."""

    nonce: str
    boundary: str

    @property
    def date(self) -> str:
        """Stands for the sending time in the Date field, the first of the letter."""
        return f"{self.nonce}.date"

    @property
    def to(self) -> str:
        """Stands for the recipient's address."""
        return f"{self.nonce}.to"

    @property
    def message_id(self) -> str:
        """Stands for the Message-ID with its angle brackets."""
        return f"{self.nonce}.id"

    @property
    def token(self) -> str:
        """Stands for the unsubscribe token; as long as one, and made of characters that no encoding touches."""
        return f"{self.nonce}.token{'.' * _PADDING}"

    @property
    def preferences(self) -> str:
        """Stands for the token by which the reader sees and changes what they chose; made like `token`."""
        return f"{self.nonce}.{_WISHES}{'.' * _PADDING}"

    @property
    def in_texts(self) -> tuple[str, str]:
        """The marks that may stand in a readable part."""
        return self.token, self.preferences


def marks_for(name: str, secret: bytes) -> Marks:
    """The marks of the letter of that name, always the same ones."""
    digest = digest_for("marks", name, secret).hex()
    # Boundaries can be read by every recipient, so they must not tell the nonce.
    return Marks(digest[:NONCE_LENGTH], digest[-NONCE_LENGTH:])


@lru_cache(maxsize=64)
def _split(source: bytes) -> tuple[tuple[bytes, ...], tuple[str, ...]]:
    """The bytes between the marks, and the names of the marks between them."""
    opening = _OPENING.match(source)
    if opening is None:
        raise PermanentDeliveryError("a stored letter doesn't begin with its marks: it wasn't made by this program")
    parts = re.split(re.escape(opening[1]) + rb"\.(date|id|(?:token|wants)\.{%d}|to)" % _PADDING, source)
    return tuple(parts[::2]), tuple(name.decode().rstrip(".") for name in parts[1::2])


def finish(letter: Letter, recipient: Recipient, campaign: str, sent: datetime, post: Post) -> Message:
    """The letter as one recipient gets it. The same arguments give the same bytes; the Message-ID outlives `sent`.

    `campaign` is the occasion's key, `sent` the aware instant for the Date field. Raises PermanentDeliveryError for an
    address that can't stand in a To field.
    """
    address = recipient.address
    if _ADDRESS.fullmatch(address) is None:
        raise PermanentDeliveryError(f"{address!r} can't stand in a To field")
    message_id = message_id_of(campaign, recipient.public_id, post)
    between, marks = _split(letter.source)
    name = recipient.public_id.encode()
    values = {
        "date": _date(int(sent.timestamp())),
        "to": address.encode(),
        "id": message_id.encode(),
        "token": token_octets(name, UNSUBSCRIBE, post.secret),
    }
    if _WISHES in marks:
        values[_WISHES] = token_octets(name, PREFERENCES, post.secret)
    filled = [values[mark] for mark in marks]
    pieces = [b""] * (len(between) + len(filled))
    pieces[::2] = between
    pieces[1::2] = filled
    body = b"".join(pieces)
    if post.keys:
        above, below = _bodied(letter.source)
        head = body.partition(b"\r\n\r\n")[0]
        body = signatures(post.keys, head, below, filled[above:], int(sent.timestamp())) + body
    if post.bounces is None:
        return Message(post.sender_address, address, body, message_id)
    return Message(bounce_address(post.bounces, recipient.public_id, post.secret), address, body, message_id)


@lru_cache(maxsize=64)
def _bodied(source: bytes) -> tuple[int, tuple[bytes, ...]]:
    """How many marks stand in the header, and the pieces between the marks of the body."""
    between, _ = _split(source)
    last = next(number for number, piece in enumerate(between) if b"\r\n\r\n" in piece)
    return last, (between[last].partition(b"\r\n\r\n")[2], *between[last + 1 :])


@lru_cache(maxsize=16)
def _date(sent: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(sent, UTC)).encode()


def message_id_of(campaign: str, public_id: str, post: Post) -> str:
    """The Message-ID of a campaign's one message to a subscriber, the same whenever it is sent; no address in it."""
    digest = digest_for("message-id", f"{campaign} {public_id}", post.secret)[:16]
    return f"<{digest.hex()}@{post.message_domain}>"
