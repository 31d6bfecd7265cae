"""What publishing and sending will do: the changes, every mail with its moment and readers, and what won't leave."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Connection

from pipeline.actions.build import Draft
from pipeline.catalogue.models import Catalogue
from pipeline.errors import N_
from pipeline.reminders.capacity import Load, come_too_late
from pipeline.reminders.occasions import Audience, Kind, Occasion, Omission, folded, outdone
from pipeline.reminders.plan import LOOKING_BACK, NOTHING_TOLD, Told, plan
from pipeline.reminders.rules import kinds_of_list
from pipeline.store.campaigns import LATE, RECENTLY_TOLD, SUPERSEDED, told_lines
from pipeline.store.choices import is_declined
from pipeline.store.expansion import CORRECTED
from pipeline.store.foreseeing import Audiences, Kept, kept_mailings
from pipeline.store.holding import HELD, held_campaigns

MISSED = N_("its hour passed while nothing ran, and it is too late now")
OUTDONE = N_("a reminder nearer to the event is due as well, and leaves instead of it")
_DROPPED: Final = {
    LATE: MISSED,
    SUPERSEDED: N_("a reminder nearer to the event left instead of it"),
    RECENTLY_TOLD: N_("its readers got the same reminder within the last 48 hours"),
    CORRECTED: N_("it was corrected"),
}
"""What the database notes of a mailing that it dropped, in words."""


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

    `is_declined` says whether somebody wants none of a rule's reminders.

    Without a database it is for nobody, and nothing was ever missed.
    """

    readers: Callable[[Occasion], int] = lambda _occasion: 0
    told: Told = field(default_factory=lambda: NOTHING_TOLD)
    kept: Mapping[str, Kept] | None = None
    held: Collection[str] = ()
    lists: Callable[[Occasion], Collection[str]] = lambda _occasion: ()
    is_declined: Callable[[str], bool] = lambda _rule: False


def known_of(connection: Connection, series: str, now: datetime) -> Known:
    """What a database knows of a series; the connection must stay open as long as it is asked."""
    audiences = Audiences(connection, series)
    return Known(
        audiences.readers,
        told_lines(connection, series),
        kept_mailings(connection, series),
        held_campaigns(connection, series, now),
        audiences.lists,
        cache(lambda rule: is_declined(connection, series, rule)),
    )


def forecast(draft: Draft, known: Known, now: datetime, until: datetime | None = None) -> Forecast:
    """The consequences of publishing this draft now, for the subscribers, lists and organiser of today."""
    found = plan(draft.edition, now - LOOKING_BACK, until, known.told)
    catalogue = draft.edition.catalogue
    leaving = [
        occasion
        for occasion in found.occasions
        if occasion.not_after > now and (until is None or occasion.due <= until) and _can_leave(occasion, known)
    ]
    rivals = outdone(one for one in leaving if one.due <= now)
    instead = {key for key, rival in rivals.items() if not known.is_declined(rival.rule)}
    coming = tuple(_expected(catalogue, one, known, now) for one in leaving if one.key not in instead)
    dropped = [(one, why) for one in found.occasions if (why := _why_dropped(one, known, now))]
    dropped += [(one, OUTDONE) for one in leaving if one.key in instead]
    omissions = (Omission(one.event, one.rule, why, one.revision) for one, why in dropped)
    return Forecast(draft, _limited(catalogue, coming, now), folded((*found.omissions, *omissions)))


def _expected(catalogue: Catalogue, occasion: Occasion, known: Known, now: datetime) -> Expected:
    proof = catalogue.mail.proof
    return Expected(
        occasion,
        known.readers(occasion),
        _lists(catalogue, occasion, known),
        None if proof is None else max(now, occasion.due - proof.before),
        occasion.key in known.held,
    )


def _lists(catalogue: Catalogue, occasion: Occasion, known: Known) -> tuple[str, ...]:
    """The mailing lists that it is posted to: by their kinds, and of a change those that heard of the event before."""
    if occasion.on_request:  # a list asks for nothing
        return ()
    kinds = {
        Audience.CHOSEN: {occasion.kind},
        Audience.INFORMED: {occasion.kind, Kind.REMINDERS},
        Audience.CORRECTED: set[Kind](),
    }[occasion.audience]
    heard = {address.casefold() for address in known.lists(occasion)}
    lists = catalogue.mail.lists
    return tuple(one.address for one in lists if one.address.casefold() in heard or kinds & kinds_of_list(one))


def _can_leave(occasion: Occasion, known: Known) -> bool:
    """Whether it wasn't given to its recipients or dropped before; what was dropped as late may have got more time."""
    kept = (known.kept or {}).get(occasion.key)
    return kept is None or kept.dropped in (LATE, HELD)


def _why_dropped(occasion: Occasion, known: Known, now: datetime) -> str:
    """Why it won't leave any more, although the plan still names it; empty where it will, or left."""
    if known.kept is None:
        return ""
    kept, is_late = known.kept.get(occasion.key), occasion.not_after <= now
    if kept is None:
        return MISSED if is_late else ""
    return "" if kept.dropped == LATE and not is_late else _DROPPED.get(kept.dropped, "")


def _limited(catalogue: Catalogue, coming: Iterable[Expected], now: datetime) -> tuple[Expected, ...]:
    """The mailings with how many mails of each the limits can't serve."""
    coming, mail = tuple(coming), catalogue.mail
    loads = [
        Load(one.occasion.due, one.occasion.not_after, one.occasion.priority, one.readers + len(one.lists))
        for one in coming
    ]
    late = come_too_late(loads, mail.per_second, mail.per_day, now)
    return tuple(replace(one, late=number) if number else one for one, number in zip(coming, late, strict=True))
