"""What a plan is made of: occasions for a mailing, and what was left out and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum


class Kind(StrEnum):
    """The kinds of mail among which a subscriber chooses."""

    ANNOUNCEMENTS = "announcements"
    REMINDERS = "reminders"
    CHANGES = "changes"
    FOLLOW_UPS = "follow-ups"
    NEWSLETTERS = "newsletters"


class Audience(StrEnum):
    """Who hears: those who chose the kind; or also everyone who was mailed about the event or is due a reminder; or
    exactly those who got another mailing, which this one corrects."""

    CHOSEN = "chosen"
    INFORMED = "informed"
    CORRECTED = "corrected"


class Priority(IntEnum):
    """The order in which waiting mail leaves; the smallest goes first."""

    CONFIRMATION = 0
    URGENT = 1
    REMINDER = 2
    NEWSLETTER = 3


@dataclass(frozen=True, slots=True)
class Occasion:
    """One mailing that falls due once; (event, rule, revision, occurrence) names it for ever.

    `event` is the event's id, empty for a mailing about the whole series. `revision` is the event's SEQUENCE, 0 for a
    newsletter. `occurrence` tells the dates of a recurring event apart. `due` and `not_after` are aware instants in
    UTC: it leaves from `due` on, and never after `not_after`. `starts` is when the event begins, where that is known:
    of two mails that are due together the earlier event's leaves first. `corrects` is the key of a wrong mailing.
    """

    event: str
    rule: str
    revision: int
    kind: Kind
    due: datetime
    not_after: datetime
    priority: Priority = Priority.REMINDER
    audience: Audience = Audience.CHOSEN
    tags: frozenset[str] = frozenset()
    occurrence: str = ""
    starts: datetime | None = None
    corrects: str = ""

    @property
    def key(self) -> str:
        """The deterministic name under which the outbox keeps it, unique within a series."""
        return "/".join((self.event, self.rule, str(self.revision), self.occurrence)).rstrip("/")


@dataclass(frozen=True, slots=True)
class Omission:
    """A mailing which a rule asks for and which won't leave, with the reason (an English pattern to translate)."""

    event: str
    rule: str
    reason: str
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """All occasions of an edition, by due instant, and all omissions."""

    occasions: tuple[Occasion, ...]
    omissions: tuple[Omission, ...]
