"""What can come of one message, and what a way out for messages looks like."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from pipeline.letters import Message

TIMEOUT: Final = 30.0
"""Seconds for each reply of the mail server."""

FINAL_TIMEOUT: Final = 120.0
"""Seconds for its reply to the final dot: giving up there leaves the message in doubt."""

PATIENCE: Final = 4 * TIMEOUT + FINAL_TIMEOUT
"""Seconds that one message can take at most."""

Checkpoint = Callable[[str], object]
"""Is told each named point of a message's way, where a test may end the process."""

PASSED_BY: Final[Checkpoint] = len
"""The checkpoint of everybody else: of what does nothing to a name, a built-in function takes the least time."""

TIMED_OUT: Final = "timed out"
"""The text of an outcome where the server said nothing for too long."""


class Step(StrEnum):
    """Where in the conversation something happened."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    BODY = "the body"
    END = "the final dot"


class Fate(StrEnum):
    """What came of one message."""

    ACCEPTED = "accepted"  # 2xx to the final dot: it is the server's now
    LATER = "later"  # 4xx: the same message may be taken later
    REFUSED = "refused"  # 5xx: this message for this recipient never
    UNWELCOME = (
        "unwelcome"  # 5xx, but meant for us and not for the recipient: sender refused, login wanted, no relaying
    )
    BROKEN = "broken"  # the connection failed, and the server can't have taken it
    UNKNOWN = "unknown"  # the connection failed, and the server may have taken it


class Outcome(NamedTuple):
    """What came of one message, at which step, and in the server's own words; `code` is None without a reply."""

    fate: Fate
    step: Step
    code: int | None
    text: str

    @property
    def is_hang_up(self) -> bool:
        """Whether the server hung up over the body of the message, which it hadn't refused."""
        return self.fate is Fate.BROKEN and self.step is Step.BODY and self.code is None and self.text != TIMED_OUT

    @property
    def is_silence(self) -> bool:
        """Whether the server said nothing for too long."""
        return self.text == TIMED_OUT and self.fate in (Fate.BROKEN, Fate.UNKNOWN)

    @property
    def status(self) -> str:
        """The enhanced status code (RFC 3463) in the text, such as 5.1.1; empty where there is none."""
        found = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", self.text)
        return found.group() if found else ""

    @property
    def told(self) -> str:
        """For a person: `550 5.1.1 no such user (at RCPT)`."""
        return f"{self.code or ''} {self.text} (at {self.step})".strip()


class Transport(Protocol):
    """One way out for messages, used by one thread at a time."""

    def send(self, message: Message) -> Outcome:
        """Hands a message over and says what came of it; after `broken` and `unknown` the transport is of no use."""
        ...

    def close(self) -> None:
        """Ends the conversation; never raises."""
        ...
