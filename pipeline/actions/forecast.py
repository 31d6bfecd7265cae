"""What publishing and sending will do: the changes, every mail with its moment and readers, and what won't leave."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.actions.build import Draft
from pipeline.reminders.occasions import Audience, Kind, Occasion, Omission
from pipeline.reminders.plan import plan
from pipeline.store.subscribers import Subscriber
from pipeline.store.tables import Standing


@dataclass(frozen=True, slots=True)
class Expected:
    """One mailing to come and how many would get it today."""

    occasion: Occasion
    readers: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything to come from an instant on."""

    draft: Draft
    mailings: tuple[Expected, ...]
    omissions: tuple[Omission, ...]


def forecast(draft: Draft, subscribers: Iterable[Subscriber], now: datetime, until: datetime | None = None) -> Forecast:
    """The consequences of publishing this draft now, for these subscribers."""
    active = [subscriber for subscriber in subscribers if subscriber.state is Standing.ACTIVE]
    found = plan(draft.edition, now, until)
    coming = tuple(
        Expected(occasion, sum(hears(subscriber, occasion) for subscriber in active))
        for occasion in found.occasions
        if until is None or occasion.due <= until
    )
    return Forecast(draft, coming, found.omissions)


def hears(subscriber: Subscriber, occasion: Occasion) -> bool:
    """Whether an active subscriber chose such a mail; who was mailed about an event before hears of its changes too."""
    fits = not subscriber.tags or bool(subscriber.tags & occasion.tags)
    informed = occasion.audience is Audience.INFORMED and Kind.REMINDERS in subscriber.kinds
    return fits and (occasion.kind in subscriber.kinds or informed)
