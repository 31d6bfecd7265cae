"""What differs between two recipients of one letter: marks in its bytes, and filling them in.

A letter begins with its Date field, whose value is the letter's nonce and the name of the mark. All marks start with
that nonce, which nobody who writes texts can know; so a stored letter tells by itself where its marks are.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from operator import itemgetter

from pipeline.errors import PermanentDeliveryError
from pipeline.letters.dkim import signatures
from pipeline.letters.expiring import PREFERENCES, STAMP_LENGTH
from pipeline.letters.message import Letter, Message, Post, Recipient
from pipeline.letters.tokens import SIGNATURE_LENGTH, UNSUBSCRIBE, bounce_address, digest_for, token_octets

NONCE_LENGTH = 22
TOKEN_LENGTH = 16 + SIGNATURE_LENGTH
"""The usual length of a token. Its mark is as long, so that lines keep their length when it is filled in."""

_PADDING = TOKEN_LENGTH - NONCE_LENGTH - len(".token")
_WISHES = "wants"
"""The mark of the token for one's preferences; as long as `token`."""
_ANSWER = "answer"
"""Opens the mark of the token by which one person confirms."""
_OPENING = re.compile(rb"Date: ([0-9a-z]{%d})\.date\r\n" % NONCE_LENGTH)
_NAMES = ("date", "to", "id", "token", _WISHES)
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
    def confirmation(self) -> str:
        """Stands for the token of a confirmation link, which `answered` fills in; as long as one."""
        return f"{self.nonce}.{_ANSWER}{'.' * (_PADDING + STAMP_LENGTH - len(_ANSWER) + len('token'))}"

    @property
    def in_texts(self) -> tuple[str, str]:
        """The marks that may stand in a readable part."""
        return self.token, self.preferences


def marks_for(name: str, secret: bytes) -> Marks:
    """The marks of the letter of that name, always the same ones."""
    digest = digest_for("marks", name, secret).hex()
    # Boundaries can be read by every recipient, so they must not tell the nonce.
    return Marks(digest[:NONCE_LENGTH], digest[-NONCE_LENGTH:])


def answered(letter: Letter, token: str) -> Letter:
    """The letter that asks one person to confirm, by their token: until then it is the same for all."""
    opening = _OPENING.match(letter.source)
    if opening is None:
        raise PermanentDeliveryError("a letter doesn't begin with its marks: it wasn't made by this program")
    mark = Marks(opening[1].decode(), "").confirmation
    return replace(letter, source=letter.source.replace(mark.encode(), token.encode()))


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A stored letter, looked through once: for each reader the empty pieces, every second one, are filled in."""

    pieces: tuple[bytes, ...]
    placed: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    """From the values of all `_NAMES` to what fills the pieces, in their order."""
    has_wishes: bool
    """Whether the token for one's preferences is among them."""
    above: int
    """How many marks stand in the header."""
    below: tuple[bytes, ...]
    """What stands between the marks of the body."""
    is_transparent: bool
    """Whether all that it becomes, for an address in ASCII, is whole lines of that without a dot at their beginning."""


@lru_cache(maxsize=64)
def _pattern(source: bytes) -> _Pattern:
    opening = _OPENING.match(source)
    if opening is None:
        raise PermanentDeliveryError("a stored letter doesn't begin with its marks: it wasn't made by this program")
    parts = re.split(re.escape(opening[1]) + rb"\.(date|id|(?:token|wants)\.{%d}|to)" % _PADDING, source)
    between, marks = parts[::2], tuple(name.decode().rstrip(".") for name in parts[1::2])
    parts[1::2] = [b""] * len(marks)
    above = next(number for number, piece in enumerate(between) if b"\r\n\r\n" in piece)
    below = between[above].partition(b"\r\n\r\n")[2], *between[above + 1 :]
    # Of what is filled in only an address may begin with a dot, and it stands behind the name of its field.
    lines = source.split(b"\r\n")
    is_whole = not lines.pop() and not any(line.startswith(b".") or b"\r" in line or b"\n" in line for line in lines)
    placed = itemgetter(*map(_NAMES.index, marks))  # two at least: each letter has a Date and a To
    return _Pattern(tuple(parts), placed, _WISHES in marks, above, below, is_whole and source.isascii())


def finish(letter: Letter, recipient: Recipient, campaign: str, sent: datetime, post: Post) -> Message:
    """The letter as one recipient gets it. The same arguments give the same bytes; the Message-ID outlives `sent`.

    `campaign` is the occasion's key, `sent` the aware instant for the Date field. Raises PermanentDeliveryError for an
    address that can't stand in a To field.
    """
    _, address, public_id = recipient
    secret = post.secret
    if _ADDRESS.fullmatch(address) is None:
        raise PermanentDeliveryError("{address!r} can't stand in a To field", address=address)
    pattern, at = _pattern(letter.source), int(sent.timestamp())
    message_id, name = _message_id(f"{campaign} {public_id}", post), public_id.encode()
    wishes = token_octets(name, PREFERENCES, secret) if pattern.has_wishes else b""
    token = token_octets(name, UNSUBSCRIBE, secret)
    filled = pattern.placed((_date(at), address.encode(), message_id.encode(), token, wishes))
    pieces = list(pattern.pieces)
    pieces[1::2] = filled
    body = b"".join(pieces)
    if post.keys:
        head = body[: body.index(b"\r\n\r\n")]
        body = signatures(post.keys, head, pattern.below, filled[pattern.above :], at) + body
    sender = post.sender_address if post.bounces is None else bounce_address(post.bounces, public_id, secret)
    return Message(sender, address, body, message_id, pattern.is_transparent and address.isascii())


@lru_cache(maxsize=16)
def _date(sent: int) -> bytes:
    return format_datetime(datetime.fromtimestamp(sent, UTC)).encode()


def _message_id(copy: str, post: Post) -> str:
    """The Message-ID of a campaign's one message to a subscriber, the same whenever it is sent; no address in it."""
    return f"<{digest_for('message-id', copy, post.secret)[:16].hex()}@{post.message_domain}>"
