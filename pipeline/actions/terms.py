"""How a round of delivering is to go, and what it did."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipeline.delivery import Checkpoint
from pipeline.errors import TocsinError
from pipeline.letters import Letter, Message, Recipient
from pipeline.store.deliveries import InDoubt

Finish = Callable[[Letter, Recipient, str, datetime], Message]
"""Makes one recipient's message from a letter, the recipient, the campaign's key and the Date."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a round did. `retried` went back for a later try, `waiting` is all that is still to leave, now or later.

    `trouble` says why the mail server couldn't be used, `held` why nothing may be sent, `busy` that another process
    sends from the same SQLite file, `more` that only the time of the round was over.
    """

    sent: int = 0
    failed: int = 0
    retried: int = 0
    dropped: int = 0
    doubt: int = 0
    waiting: int = 0
    trouble: TocsinError | None = None
    held: str = ""
    busy: bool = False
    more: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """How to deliver, once and for all of a round."""

    owner: str
    here: Mapping[str, str]
    lease: timedelta
    in_doubt: InDoubt
    limit: int | None
    per_second: float | None
    per_day: int | None
    per_domain: int | None
    connections: int
    patient: bool
    longest: timedelta
    lasts: timedelta | None
    jitter: Callable[[], float]
    stop: Callable[[], bool]
    progress: Callable[[Delivered], None]
    checkpoint: Checkpoint
    makers: int = 0
