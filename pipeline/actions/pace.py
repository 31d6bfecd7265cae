"""What slows a round down on purpose: so many messages a second, so many a minute to one recipient domain."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from pipeline.actions.terms import Terms
from pipeline.clock import Clock
from pipeline.store.claims import put_off
from pipeline.store.deliveries import Claimed
from pipeline.store.pacing import REST, domain_of, reserve_slot, reserve_turns, rest, resting, take_turn, too_far

# Who comes for a turn and finds so little left of a full minute waits for its end: minutes begin a little late.
_SOON: Final = timedelta(seconds=30)


class Pace:
    """Slots of time and domains that rest; both are kept in the database, for all senders."""

    def __init__(self, series: str, clock: Clock, terms: Terms) -> None:
        self._series, self._clock, self._terms = series, clock, terms
        self._gap = timedelta(seconds=1 / (terms.per_second or 1.0))
        self._resting: dict[str, datetime] = {}
        self._tired: dict[str, datetime] = {}
        self._full: dict[str, datetime] = {}
        self.slot: datetime | None = None
        """When the next message may leave; None where that was not asked yet, or doesn't matter."""

    @property
    def wants_slot(self) -> bool:
        """Whether a slot has to be reserved before the next message."""
        return self._terms.per_second is not None and self.slot is None

    def reserved(self, connection: Connection) -> datetime:
        """Reserves the next slot in the database."""
        return reserve_slot(connection, self._series, self._gap, self._clock.now())

    @property
    def ahead(self) -> float:
        """Seconds until the next message may leave; 0 where it may."""
        if self.slot is None or (wait := self.slot - self._clock.now()) > too_far(self._gap):
            return 0.0
        return max(0.0, wait.total_seconds())

    @property
    def is_free(self) -> bool:
        """Whether nothing is slowed down: then it is no loss to say early which message is next."""
        bound = self._terms.per_second or self._terms.per_domain
        return not (bound or self._resting or self._full)

    def learn(self, connection: Connection) -> None:
        """Reads which domains rest."""
        self._resting = dict(resting(connection, self._clock.now()))

    def rests_until(self, item: Claimed) -> datetime | None:
        """Until when a recipient's domain is left alone, and a little more so that not all come at once; or None."""
        until = self._resting.get(domain_of(item.recipient.address)) if self._resting else None
        if until is None or until <= self._clock.now():
            return None
        return until + REST * (0.1 * self._terms.jitter())

    def is_full(self, item: Claimed) -> bool:
        """Whether a recipient's domain is known to have had its messages of this minute.

        So its other messages take no slot from those to other domains.
        """
        until = self._full.get(domain_of(item.recipient.address)) if self._full else None
        return until is not None and until > self._clock.now()

    def put_off(
        self, connection: Connection, full: Iterable[Claimed], resting: Iterable[tuple[Claimed, datetime]]
    ) -> None:
        """Lets messages wait: those to a full domain until their turn, so that nobody takes them in hand before it.

        Where its minute is almost over they come again at its end. A turn at the end of the line instead would leave
        the next minute, which most of them had, to nobody.
        """
        together = defaultdict[tuple[int, str], list[Claimed]](list)
        for item in full:
            together[item.campaign, domain_of(item.recipient.address)].append(item)
        waiting, most, now = list(resting), self._terms.per_domain or 1, self._clock.now()
        for (campaign, domain), items in together.items():
            until, number = self._full[domain], len(items)
            if until - now <= _SOON:
                turns = [until] * number
            else:
                turns = reserve_turns(connection, campaign, domain, most, number, until, items[0].not_after)
            waiting += zip(items, turns, strict=True)
        put_off(connection, waiting, self._terms.owner)

    def crowded(self, item: Claimed) -> None:
        """A recipient's domain has had too many: from now on it rests; `tell` must store that."""
        domain = domain_of(item.recipient.address)
        self._resting[domain] = self._tired[domain] = self._clock.now() + REST

    @property
    def tired(self) -> Mapping[str, datetime]:
        """The domains whose rest isn't stored yet."""
        return dict(self._tired)

    def tell(self, connection: Connection, tired: Mapping[str, datetime]) -> None:
        """Stores which domains rest, for other senders and later rounds."""
        for domain, until in tired.items():
            rest(connection, domain, until)

    def told(self, tired: Mapping[str, datetime]) -> None:
        """What has been stored."""
        for domain in tired:
            self._tired.pop(domain, None)

    def full(self, connection: Connection, items: Iterable[Claimed]) -> set[Claimed]:
        """Those whose domain has had its messages of this minute; they are put off until their turn."""
        if self._terms.per_domain is None:
            return set()
        full, now = set(), self._clock.now()
        for item in items:
            domain = domain_of(item.recipient.address)
            until = take_turn(connection, domain, self._terms.per_domain, now)
            if until is not None:
                self._full[domain] = until
                full.add(item)
        self.put_off(connection, full, ())
        return full
