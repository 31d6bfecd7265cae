"""What publishing and sending will do: the changes, every mail with its moment and readers, and what won't leave."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection

from pipeline.actions.build import Draft
from pipeline.actions.mailing import LOOKING_BACK, kinds_of_list
from pipeline.catalogue.models import Catalogue
from pipeline.errors import N_
from pipeline.reminders.capacity import Load, come_too_late
from pipeline.reminders.occasions import Occasion, Omission, folded
from pipeline.reminders.plan import NOTHING_TOLD, Told, plan
from pipeline.store.campaigns import LATE, told_lines
from pipeline.store.foreseeing import Kept, kept_mailings, readers_of
from pipeline.store.holding import HELD, held_campaigns

MISSED = N_("its hour passed while nothing ran, and it is too late now")


@dataclass(frozen=True, slots=True)
class Expected:
    """One mailing to come: how many subscribers would get it today, which lists, and when the organiser sees a proof.

    `held` says that somebody holds it back, `late` how many of its mails the limits of sending can't serve in time.
    """

    occasion: Occasion
    readers: int
    lists: tuple[str, ...] = ()
    proof: datetime | None = None
    held: bool = False
    late: int = 0


@dataclass(frozen=True, slots=True)
class Forecast:
    """Everything to come from an instant on."""

    draft: Draft
    mailings: tuple[Expected, ...]
    omissions: tuple[Omission, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows: who would get a mailing, what readers were told, and what became of each mailing.

    Without a database it is for nobody, and nothing was ever missed.
    """

    readers: Callable[[Occasion], int] = lambda _occasion: 0
    told: Told = field(default_factory=lambda: NOTHING_TOLD)
    kept: Mapping[str, Kept] | None = None
    held: Collection[str] = ()


def known_of(connection: Connection, series: str, now: datetime) -> Known:
    """What a database knows of a series; the connection must stay open as long as it is asked."""
    return Known(
        lambda occasion: readers_of(connection, series, occasion),
        told_lines(connection, series),
        kept_mailings(connection, series),
        held_campaigns(connection, series, now),
    )


def forecast(draft: Draft, known: Known, now: datetime, until: datetime | None = None) -> Forecast:
    """The consequences of publishing this draft now, for the subscribers, lists and organiser of today."""
    found = plan(draft.edition, now - LOOKING_BACK, until, known.told)
    catalogue = draft.edition.catalogue
    coming = tuple(
        _expected(catalogue, occasion, known, now)
        for occasion in found.occasions
        if occasion.not_after > now and (until is None or occasion.due <= until) and _can_leave(occasion, known)
    )
    missed = [
        Omission(one.event, one.rule, MISSED, one.revision) for one in found.occasions if _was_missed(one, known, now)
    ]
    return Forecast(draft, _limited(catalogue, coming, now), folded((*found.omissions, *missed)))


def _expected(catalogue: Catalogue, occasion: Occasion, known: Known, now: datetime) -> Expected:
    proof = catalogue.mail.proof
    lists = () if occasion.on_request else catalogue.mail.lists  # a list asks for nothing
    return Expected(
        occasion,
        known.readers(occasion),
        tuple(one.address for one in lists if occasion.kind in kinds_of_list(one)),
        None if proof is None else max(now, occasion.due - proof.before),
        occasion.key in known.held,
    )


def _can_leave(occasion: Occasion, known: Known) -> bool:
    """Whether it wasn't given to its recipients or dropped before; what was dropped as late may have got more time."""
    kept = (known.kept or {}).get(occasion.key)
    return kept is None or kept.dropped in (LATE, HELD)


def _was_missed(occasion: Occasion, known: Known, now: datetime) -> bool:
    if known.kept is None or occasion.not_after > now:
        return False
    kept = known.kept.get(occasion.key)
    return kept is None or kept.dropped == LATE


def _limited(catalogue: Catalogue, coming: Iterable[Expected], now: datetime) -> tuple[Expected, ...]:
    """The mailings with how many mails of each the limits can't serve."""
    coming, mail = tuple(coming), catalogue.mail
    loads = [
        Load(one.occasion.due, one.occasion.not_after, one.occasion.priority, one.readers + len(one.lists))
        for one in coming
    ]
    late = come_too_late(loads, mail.per_second, mail.per_day, now)
    return tuple(replace(one, late=number) if number else one for one, number in zip(coming, late, strict=True))
