"""What a plan is made of: occasions for a mailing, and what was left out and why."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Final

RECENTLY: Final = timedelta(hours=48)
"""A reminder of a changed event is spared to whom the same one reached so shortly before."""


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
    `topics` are what readers can choose the event by, each as `topic:value`; one `on_request` is only for those who
    asked for its rule.
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
    topics: frozenset[str] = frozenset()
    on_request: bool = False

    @property
    def key(self) -> str:
        """The deterministic name under which the outbox keeps it, unique within a series."""
        return "/".join((self.event, self.rule, str(self.revision), self.occurrence)).rstrip("/")


@dataclass(frozen=True, slots=True)
class Omission:
    """A mailing which a rule asks for and which won't leave, with the reason (an English pattern to translate).

    `dates` says of how many dates of a recurring event that is so.
    """

    event: str
    rule: str
    reason: str
    revision: int = 0
    dates: int = 1


def folded(omissions: Iterable[Omission]) -> tuple[Omission, ...]:
    """Each omission once, however many dates of an event it is about."""
    counts: Counter[Omission] = Counter()
    for omission in omissions:
        counts[_about(omission, 1)] += omission.dates
    return tuple(_about(omission, number) for omission, number in counts.items())


def _about(omission: Omission, dates: int) -> Omission:
    return omission if omission.dates == dates else replace(omission, dates=dates)


def outdone(due: Iterable[Occasion]) -> Mapping[str, Occasion]:
    """Of reminders of one date that are due together all but the last, by key, each with that last one.

    It is the nearest to the event, and leaves instead of them. What only goes to who asked for it outdoes no other, and
    is outdone by none.
    """
    rivals = [one for one in due if one.kind is Kind.REMINDERS and one.event and not one.on_request]
    nearest = {
        (one.event, one.occurrence): one for one in sorted(rivals, key=lambda one: (one.revision, one.due))
    }  # the last one stays
    return {one.key: last for one in rivals if (last := nearest[one.event, one.occurrence]).key != one.key}


@dataclass(frozen=True, slots=True)
class Plan:
    """All occasions of an edition, by due instant, and all omissions.

    `revisions` holds the SEQUENCE of every event: what waits to tell of an older one is out of date.
    """

    occasions: tuple[Occasion, ...]
    omissions: tuple[Omission, ...]
    revisions: Mapping[str, int] = field(default_factory=dict)
