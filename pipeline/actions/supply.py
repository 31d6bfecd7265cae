"""What a round takes in hand: deliveries claimed in batches, and the finished message of each."""

from collections import deque
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from pipeline.actions.terms import Finish, Terms
from pipeline.clock import Clock
from pipeline.letters import Letter, Message
from pipeline.reminders.occasions import Priority
from pipeline.store.claims import claim, reap, renew
from pipeline.store.deliveries import Claimed, letter
from pipeline.store.outbox import expire, used_of_day
from pipeline.store.senders import Sender

_BATCH: Final = 50
_BATCH_OF_A_CONNECTION: Final = 20
_DAY: Final = timedelta(days=1)


class Supply:
    """The deliveries that are claimed and not begun. All that speaks to the database is given the transaction."""

    def __init__(self, sender: Sender, series: str, finish: Finish, clock: Clock, terms: Terms) -> None:
        self._sender, self._series, self._clock, self._terms = sender, series, clock, terms
        self._finish = finish
        self._letters: dict[tuple[int, str], Letter] = {}
        self._renew_at = clock.now()
        self._size = max(_BATCH, _BATCH_OF_A_CONNECTION * terms.connections)
        self.waiting: deque[Claimed] = deque()

    def take_in(self, batch: tuple[Claimed, ...]) -> bool:
        """Adds what was claimed; False for nothing."""
        self.waiting.extend(batch)
        self._renew_at = self._clock.now() + self._terms.lease / 2
        return bool(batch)

    def claimed(self, connection: Connection, tried: int) -> tuple[Claimed, ...]:
        """Claims a batch: what the limits of the round and of the day leave room for."""
        size = self._size if self._terms.limit is None else min(self._size, self._terms.limit - tried)
        per_day, now = self._terms.per_day, self._clock.now()
        if per_day is None:
            return self._claim(connection, size, Priority.NEWSLETTER)
        room = per_day - used_of_day(connection, self._series, now - _DAY)
        urgent = self._claim(connection, min(size, room), Priority.URGENT)
        # What is not urgent leaves a tenth of the day for what will be.
        left = min(size, room - per_day // 10) - len(urgent)
        return urgent + self._claim(connection, left, Priority.NEWSLETTER)

    def tidied(self, connection: Connection) -> int:
        """Frees what the dead hold and what this sender left of an earlier round; drops what is too late: how many."""
        dead, now = self._sender.others_dead(connection), self._clock.now()
        reap(connection, "", (*dead, self._terms.owner), self._terms.in_doubt, now)
        return expire(connection, self._series, now)

    @property
    def must_renew(self) -> bool:
        """Whether half of the lease is over."""
        return bool(self.waiting) and self._clock.now() >= self._renew_at

    def renewed(self, connection: Connection) -> None:
        """Prolongs the lease of what is claimed."""
        now = self._clock.now()
        renew(connection, self._terms.owner, now + self._terms.lease, now)
        self._renew_at = now + self._terms.lease / 2

    def unread(self, item: Claimed) -> bool:
        """Whether the letter of a delivery has to be read first."""
        return (item.campaign, item.language) not in self._letters

    def read(self, connection: Connection, item: Claimed) -> Letter:
        """The letter of a delivery, from the database."""
        return letter(connection, item.campaign, item.language)

    def keep(self, item: Claimed, found: Letter) -> None:
        """Keeps a letter for the others who get it."""
        self._letters[item.campaign, item.language] = found

    def finished(self, item: Claimed, dated: datetime) -> Message:
        """The message of one recipient. Raises TocsinError where it can't be made."""
        return self._finish(self._letters[item.campaign, item.language], item.recipient, item.key, dated)

    def _claim(self, connection: Connection, size: int, least_urgent: Priority) -> tuple[Claimed, ...]:
        if size <= 0:
            return ()
        terms = self._terms
        return claim(connection, self._series, size, terms.owner, terms.lease, self._clock.now(), least_urgent)
