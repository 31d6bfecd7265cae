"""What publishing and sending will do: the changes, every mail with its moment and readers, and what won't leave."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from pipeline.actions.build import Draft
from pipeline.actions.mailing import kinds_of_list
from pipeline.catalogue.models import Catalogue
from pipeline.reminders.occasions import Audience, Kind, Occasion, Omission
from pipeline.reminders.plan import plan
from pipeline.store.subscribers import Subscriber
from pipeline.store.tables import Standing


@dataclass(frozen=True, slots=True)
class Expected:
    """One mailing to come: how many subscribers would get it today, which lists, and when the organiser sees a proof.

    `held` says that somebody holds it back.
    """

    occasion: Occasion
    readers: int
    lists: tuple[str, ...] = ()
    proof: datetime | None = None
    held: bool = False


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything to come from an instant on."""

    draft: Draft
    mailings: tuple[Expected, ...]
    omissions: tuple[Omission, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows: the subscribers, who got a campaign (by its key), and which campaigns are held."""

    subscribers: Iterable[Subscriber] = ()
    got: Callable[[str], Collection[int]] = lambda _key: ()
    held: Collection[str] = ()


def forecast(draft: Draft, known: Known, now: datetime, until: datetime | None = None) -> Forecast:
    """The consequences of publishing this draft now, for the subscribers, lists and organiser of today."""
    active = [subscriber for subscriber in known.subscribers if subscriber.state is Standing.ACTIVE]
    found = plan(draft.edition, now, until)
    catalogue = draft.edition.catalogue
    coming = tuple(
        Expected(
            occasion,
            _readers(active, occasion, known),
            _lists(catalogue, occasion),
            _proof(catalogue, occasion, now),
            occasion.key in known.held,
        )
        for occasion in found.occasions
        if until is None or occasion.due <= until
    )
    return Forecast(draft, coming, found.omissions)


def _readers(active: Iterable[Subscriber], occasion: Occasion, known: Known) -> int:
    if occasion.audience is Audience.CORRECTED:
        got = known.got(occasion.corrects)
        return sum(subscriber.id in got for subscriber in active)
    return sum(hears(subscriber, occasion) for subscriber in active)


def _lists(catalogue: Catalogue, occasion: Occasion) -> tuple[str, ...]:
    return tuple(one.address for one in catalogue.mail.lists if occasion.kind in kinds_of_list(one))


def _proof(catalogue: Catalogue, occasion: Occasion, now: datetime) -> datetime | None:
    proof = catalogue.mail.proof
    return None if proof is None else max(now, occasion.due - proof.before)


def hears(subscriber: Subscriber, occasion: Occasion) -> bool:
    """Whether an active subscriber chose such a mail; who was mailed about an event before hears of its changes too."""
    fits = not occasion.tags or not subscriber.tags or bool(subscriber.tags & occasion.tags)
    informed = occasion.audience is Audience.INFORMED and Kind.REMINDERS in subscriber.kinds
    return fits and (occasion.kind in subscriber.kinds or informed)
