"""What is said to a mail server for one message, and how its bytes leave. Pure."""

from dataclasses import dataclass
from typing import Final

from pipeline.delivery.outcomes import Step
from pipeline.letters import Message

DOT: Final = b".\r\n"
"""Ends a body that ends with a line break."""

_NOT_IN_AN_ADDRESS: Final = bytes((*range(0x21), *b"<>\x7f"))


@dataclass(frozen=True, slots=True)
class Command:
    """What is said, which replies let it go on, and the name of the point between this and the next."""

    step: Step | None
    welcome: tuple[int, ...]
    passed: str = ""


RESET: Final = Command(None, (250,))
MAIL: Final = Command(Step.MAIL, (250,), "after_mail")
RCPT: Final = Command(Step.RCPT, (250, 251), "after_rcpt")
DATA: Final = Command(Step.DATA, (354,), "after_data")
END: Final = Command(Step.END, ())
ENVELOPE: Final = (MAIL, RCPT, DATA)


def transparent(body: bytes, is_known_to_be: bool = False, behind: bytes = b"") -> bytes:
    """The bytes of DATA with their final dot, and what is said behind it.

    A dot that begins a line is doubled (RFC 5321, 4.5.2).
    """
    if is_known_to_be:
        return b"".join((body, DOT, behind))
    stuffed = body.replace(b"\r\n.", b"\r\n..")
    stuffed = b"." + stuffed if stuffed.startswith(b".") else stuffed
    return b"".join((stuffed, b"" if stuffed.endswith(b"\r\n") else b"\r\n", DOT, behind))


def fault_of(message: Message) -> str:
    """Why a message must not go over the wire: a bare line end is a command to some servers."""
    addresses = (message.envelope_sender + message.recipient).encode(errors="replace")
    if len(addresses.translate(None, _NOT_IN_AN_ADDRESS)) < len(addresses):
        return "an address holds a character that can't stand in one"
    if message.is_transparent:
        return ""
    bare = message.body.replace(b"\r\n", b"")
    return "the message holds a bare CR or LF" if b"\r" in bare or b"\n" in bare else ""
