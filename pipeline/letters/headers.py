"""Header fields of RFC 5322, written so that any name or title comes out of a parser as it went in.

The standard library's policies turn long `<URI>` lists into encoded words and lose the quotes of long names when they
fold; so these few functions fold by themselves, between the parts where each field may be folded.
"""

import re
import unicodedata
from collections.abc import Sequence
from email.header import Header

from pipeline.errors import PermanentDeliveryError

FOLD = "\r\n "
WIDTH = 76
LIMIT = 998
"""Octets that a line of a message may have, its CRLF not counted (RFC 5322, 2.1.1)."""

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")


def field(name: str, body: str) -> bytes:
    """One field with its CRLF from a body that is folded already; refuses what would break or begin another field."""
    unfolded = body.replace(FOLD, " ")
    _refuse_controls(name, unfolded)
    line = f"{name}: {body}\r\n".encode()
    if max(map(len, line.split(b"\r\n"))) > LIMIT:
        raise PermanentDeliveryError("{name}: a line would be longer than {limit} octets", name=name, limit=LIMIT)
    return line


def _refuse_controls(name: str, value: str) -> None:
    wrong = next((character for character in value if unicodedata.category(character) in {"Cc", "Cs"}), None)
    if wrong is not None:
        raise PermanentDeliveryError(
            "{name}: the character {character} can't stand in a header field",
            name=name,
            character=f"U+{ord(wrong):04X}",
        )


def unstructured(name: str, text: str) -> bytes:
    """A field of free text, such as Subject."""
    _refuse_controls(name, text)
    return field(name, _folded_words(name, text) or _encoded_words(name, text))


def _folded_words(name: str, text: str) -> str:
    """Printable ASCII folded at its single spaces; empty where only encoded words would keep it as it is."""
    pieces = text.split(" ")
    # An empty piece is a doubled or outer space, which a fold would lose; `=?` would be read as an encoded word.
    if not text.isascii() or "" in pieces or "=?" in text or max(map(len, pieces)) > WIDTH - len(name) - 2:
        return ""
    return _filled(pieces, " ", len(name) + 2)


def _encoded_words(name: str, text: str) -> str:
    return Header(text, "utf-8", maxlinelen=WIDTH, header_name=name).encode(linesep="\r\n")


def _filled(pieces: Sequence[str], separator: str, used: int) -> str:
    """The pieces joined by the separator, folded after it wherever a line would become too long."""
    lines, room = [pieces[0]], WIDTH - used - len(pieces[0])
    for piece in pieces[1:]:
        if len(separator) + len(piece) <= room:
            lines[-1] += separator + piece
            room -= len(separator) + len(piece)
        else:
            lines[-1] += separator.rstrip(" ")
            lines.append(piece)
            room = WIDTH - 1 - len(piece)
    return FOLD.join(lines)


def phrase(name: str, text: str) -> str:
    """A display name, folded for the field `name`: as atoms, as a quoted string, or as encoded words."""
    _refuse_controls(name, text)
    pieces = text.split(" ")
    foldable = text.isascii() and "" not in pieces and "=?" not in text and max(map(len, pieces)) < WIDTH // 2
    if not foldable:
        return _encoded_words(name, text)
    if _ATOMS.fullmatch(text):
        return _filled(pieces, " ", len(name) + 2)
    # A space within quotes may be folded like any other, and stays one space.
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", text) + '"'
    return _filled(quoted.split(" "), " ", len(name) + 2)


def mailbox(name: str, value: str) -> bytes:
    """A field with one mailbox, given as `address` or as `Name <address>`."""
    _refuse_controls(name, value)
    display, bracket, address = value.rpartition("<")
    display = _unquoted(display.strip())
    if not bracket or not display:
        return field(name, address.removesuffix(">"))
    return _named(name, display, address.removesuffix(">"))


def _unquoted(display: str) -> str:
    """The name without the quotes that people copy from mail programs."""
    quoted = len(display) > 1 and display[0] == display[-1] == '"'
    return re.sub(r"\\(.)", r"\1", display[1:-1]) if quoted else display


def identified(name: str, display: str, identifier: str) -> bytes:
    """A field such as List-Id: words for people, then the identifier between angle brackets."""
    return _named(name, display, identifier)


def _named(name: str, display: str, identifier: str) -> bytes:
    words = phrase(name, display)
    used = len(words.rpartition(FOLD)[2]) + (0 if FOLD in words else len(name) + 2)
    gap = " " if used + len(identifier) + 3 <= WIDTH else FOLD
    return field(name, f"{words}{gap}<{identifier}>")


def addresses(name: str, *uris: str) -> bytes:
    """A field of RFC 2369: the URIs between angle brackets, the preferred one first, folded only between them."""
    for uri in uris:
        if re.search(r"[\s<>,]", uri) or not uri.isascii():
            raise PermanentDeliveryError("{name}: {uri!r} can't stand in a list of addresses", name=name, uri=uri)
    return field(name, _filled([f"<{uri}>" for uri in uris], ", ", len(name) + 2))
