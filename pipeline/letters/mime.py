"""Bodies of a letter: parts and multiparts of RFC 2045 and 2046 in lines of at most 76 octets.

The same values give the same bytes, so boundaries are handed in, not drawn by chance. Marks stay whole in
quoted-printable, so that filling them in is joining bytes.
"""

import binascii
import re
from base64 import encodebytes
from dataclasses import dataclass

from pipeline.letters.headers import field


@dataclass(frozen=True, slots=True)
class Part:
    """One MIME entity: its header fields, each with its CRLF, and its encoded body."""

    fields: bytes
    body: bytes


def text_part(subtype: str, text: str, *marks: str) -> Part:
    """A readable part (`plain` or `html`) in quoted-printable, in which every one of the `marks` stays whole."""
    fields = field("Content-Type", f"text/{subtype}; charset=utf-8") + field(
        "Content-Transfer-Encoding", "quoted-printable"
    )
    return Part(fields, quoted_printable(text, *marks))


def quoted_printable(text: str, *marks: str) -> bytes:
    """The text in quoted-printable with CRLF; a soft line break within one of the marks is moved to its ends."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").replace("\n", "\r\n") + "\r\n"
    source = lines.encode()
    encoded = binascii.b2a_qp(source, istext=True)
    # Most marks are whole already, and making the expression costs more than a whole letter.
    torn = [mark for mark in marks if encoded.count(mark.encode()) != source.count(mark.encode())]
    return re.sub(b"|".join(map(_scattered, torn)), _gathered, encoded) if torn else encoded


def _scattered(mark: str) -> bytes:
    """For a search: the mark, a soft line break anywhere within it."""
    return rb"(?:=\r\n)?".join(re.escape(octet.encode()) for octet in mark)


def _gathered(found: re.Match[bytes]) -> bytes:
    whole = found[0].replace(b"=\r\n", b"")
    return whole if found[0] == whole else b"=\r\n" + whole + b"=\r\n"


def calendar_part(calendar: bytes, filename: str) -> Part:
    """An attached calendar; the method parameter is that of its METHOD property (RFC 6047), PUBLISH without one."""
    found = re.search(rb"^METHOD:([A-Z]+)\r?$", calendar, re.MULTILINE)
    method = found[1].decode() if found else "PUBLISH"
    fields = (
        field("Content-Type", f'text/calendar; method={method}; charset=utf-8;\r\n name="{filename}"')
        + field("Content-Transfer-Encoding", "base64")
        + field("Content-Disposition", f'attachment; filename="{filename}"')
    )
    return Part(fields, encodebytes(calendar).replace(b"\n", b"\r\n"))


def multipart(subtype: str, parts: tuple[Part, ...], boundary: str) -> Part:
    """The parts as one, with a boundary that begins with `=_`, which no quoted-printable or base64 line can."""
    edge = f"=_{boundary}"
    delimiter = f"--{edge}\r\n".encode()
    body = b"".join(delimiter + part.fields + b"\r\n" + part.body + b"\r\n" for part in parts)
    return Part(field("Content-Type", f'multipart/{subtype}; boundary="{edge}"'), body + f"--{edge}--\r\n".encode())
