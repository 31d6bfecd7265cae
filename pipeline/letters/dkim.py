"""DKIM (RFC 6376, RFC 8463): signatures that show that a letter comes from its domain and wasn't changed.

Everything between the marks of a letter is the same for all its readers, so it is brought into the canonical form
once; for each reader only what was filled in is added to the hash.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

SIGNED = (
    b"from", b"reply-to", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type",
    b"content-transfer-encoding", b"content-language", b"list-id", b"list-help", b"list-unsubscribe",
    b"list-unsubscribe-post", b"auto-submitted", b"precedence",
)  # fmt: skip
"""The fields that a signature covers where they are there; a second From or Subject added on the way breaks it."""
OVERSIGNED = (b"from", b"subject")
LINE = 72

_BLANKS = re.compile(rb"[ \t]+")


class Key(Protocol):
    """A private key as a signer needs it; `dkim_keys` has the real ones."""

    @property
    def selector(self) -> str:
        """The first part of the DNS record's name."""
        ...

    @property
    def domain(self) -> str:
        """The domain that signs."""
        ...

    @property
    def algorithm(self) -> str:
        """As the signature names it."""
        ...

    def sign(self, digestible: bytes) -> str:
        """The signature over these bytes, in base64."""
        ...


def signatures(keys: Sequence[Key], head: bytes, body: tuple[bytes, ...], values: Sequence[bytes], at: int) -> bytes:
    """The DKIM-Signature fields of a message, one for each key, each with its CRLF.

    `head` is its header as it goes over the wire; the body is given as the constant pieces between the marks and the
    values that fill them, which hold no blank. `at` is the second of signing, in POSIX time.
    """
    hashed = b64encode(_body_hash(body, values)).decode()
    fields = _fields(head)
    return b"".join(_signature(key, fields, hashed, at) for key in keys)


@lru_cache(maxsize=64)
def _canonical(pieces: tuple[bytes, ...]) -> "tuple[hashlib._Hash, tuple[bytes, ...]]":
    """The hash begun with the first piece, and the canonical form of the others (relaxed, RFC 6376, 3.4.4)."""
    done = [_BLANKS.sub(b" ", piece).replace(b" \r\n", b"\r\n") for piece in pieces]
    done[-1] = re.sub(rb"(\r\n)+\Z", b"\r\n", done[-1])
    return hashlib.sha256(done[0]), tuple(done[1:])


def _body_hash(pieces: tuple[bytes, ...], values: Sequence[bytes]) -> bytes:
    begun, others = _canonical(pieces)
    digest = begun.copy()
    for value, piece in zip(values, others, strict=True):
        digest.update(value)
        digest.update(piece)
    return digest.digest()


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """The signed fields in the order of `SIGNED`, each name with its canonical line (relaxed, RFC 6376, 3.4.2)."""
    found = dict(map(_field, _unfolded(head).split(b"\r\n")))
    return [(name, found[name]) for name in SIGNED if name in found]


def _unfolded(fields: bytes) -> bytes:
    return fields.replace(b"\r\n ", b" ").replace(b"\r\n\t", b"\t")


@lru_cache(maxsize=256)
def _field(line: bytes) -> tuple[bytes, bytes]:
    # All but a few fields of a letter are the same for all its readers.
    name, _, value = line.partition(b":")
    name = name.strip().lower()
    return name, name + b":" + _BLANKS.sub(b" ", value).strip(b" ")


def _signature(key: Key, fields: Sequence[tuple[bytes, bytes]], hashed: str, at: int) -> bytes:
    as_it_leaves, canonical = _own(key.algorithm, key.domain, key.selector, tuple([name for name, _ in fields]))
    tags, own = as_it_leaves % (at, hashed), canonical % (at, hashed)
    signed = key.sign(b"".join([line + b"\r\n" for _, line in fields]) + own.encode())
    folded = "\r\n ".join(signed[start : start + LINE] for start in range(0, len(signed), LINE))
    return f"DKIM-Signature: {tags}{folded}\r\n".encode()


@lru_cache(maxsize=64)
def _own(algorithm: str, domain: str, selector: str, named: tuple[bytes, ...]) -> tuple[str, str]:
    """The field itself as it leaves and in its canonical form, with a place for the instant and one for the hash."""
    tags = (
        f"v=1; a={algorithm}; c=relaxed/relaxed; d={domain}; s={selector};\r\n t=%d; q=dns/txt;\r\n "
        f"h={_folded_names(named)};\r\n bh=%s;\r\n b="
    )
    return tags, "dkim-signature:" + _BLANKS.sub(b" ", _unfolded(tags.encode())).decode()


def _folded_names(fields: tuple[bytes, ...]) -> str:
    """The names apart by colons, in lines that aren't too long."""
    lines, room = [""], LINE
    for name in (field.decode() for field in (*fields, *OVERSIGNED)):
        if len(lines[-1]) + len(name) > room:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n  ".join(lines).removesuffix(":")
