"""What a round takes in hand: deliveries claimed in batches, and the finished message of each."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import Final, NamedTuple

from sqlalchemy import Connection

from pipeline.actions.terms import Finish, Terms
from pipeline.clock import Clock
from pipeline.letters import Letter, Message
from pipeline.reminders.occasions import Priority
from pipeline.store.claims import claim, reap, renew
from pipeline.store.deliveries import Claimed, letters_of
from pipeline.store.outbox import close_finished, expire, used_of_day
from pipeline.store.senders import Sender

_BATCH: Final = 50
_BATCH_OF_A_CONNECTION: Final = 20
_LARGEST_BATCH: Final = 1000
_SOON: Final = timedelta(seconds=3)  # a batch that has left so fast may be larger the next time
_DAY: Final = timedelta(days=1)

Batch = tuple[tuple[Claimed, ...], dict[tuple[int, str], Letter]]
"""What was claimed, and its letters by campaign and language."""

_LETTER: Final = attrgetter("campaign", "language")


class _Making(NamedTuple):
    """A message that is being made in another thread, for a delivery that waits."""

    item: Claimed
    dated: datetime
    message: "Future[Message]"


class Supply:
    """The deliveries that are claimed and not begun. All that speaks to the database is given the transaction."""

    def __init__(self, sender: Sender, series: str, finish: Finish, clock: Clock, terms: Terms) -> None:
        self._sender, self._series, self._clock, self._terms = sender, series, clock, terms
        self._finish = finish
        self._letters: dict[tuple[int, str], Letter] = {}
        self._taken_in = self._renew_at = clock.now()
        self._least = self._size = max(_BATCH, _BATCH_OF_A_CONNECTION * terms.connections)
        self.waiting: deque[Claimed] = deque()
        # A thread signs on a core of its own: what does the arithmetic lets go of the interpreter meanwhile.
        self._makers = ThreadPoolExecutor(terms.makers, "make") if terms.makers > 1 else None
        self._making: dict[int, _Making] = {}  # by the identity of the delivery

    def take_in(self, batch: Batch, ahead: Sequence[Claimed] = ()) -> bool:
        """Adds what was claimed, when nothing waits any more; False for nothing. What is `ahead` may come back."""
        items, letters = batch
        self.waiting.extend(items)
        self._making.clear()
        # Only those in use are kept: each confirmation has a letter of its own.
        self._letters = {key: self._letters[key] for key in map(_LETTER, ahead)} | letters
        now = self._clock.now()
        # Claiming has its price, but others may want to send some too, and urgent news should not wait behind many.
        self._size = min(2 * self._size, _LARGEST_BATCH) if now - self._taken_in < _SOON else self._least
        self._taken_in = now
        if not ahead:  # else the older claims fall due before these
            self._renew_at = now + self._terms.lease / 2
        return bool(items)

    def claimed(self, connection: Connection, tried: int) -> Batch:
        """Claims a batch, and reads those of its letters that aren't known yet."""
        # In a long round people go on subscribing: each confirmation is a campaign that would be looked at again.
        close_finished(connection, self._series)
        items = self._allowed(connection, tried)
        wanted = set(map(_LETTER, items))
        known = {key: self._letters[key] for key in wanted & self._letters.keys()}
        return items, known | letters_of(connection, wanted - known.keys())

    def _allowed(self, connection: Connection, tried: int) -> tuple[Claimed, ...]:
        """Claims what the limits of the round and of the day leave room for."""
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

    def make_ahead(self) -> None:
        """Lets other threads begin with the messages that will be asked for next, where there are such threads."""
        if self._makers is None:
            return
        now = self._clock.now()
        for item in islice(self.waiting, 2 * (self._terms.connections + self._terms.makers)):
            if id(item) not in self._making:
                dated, letter = item.dated or now, self._letters[item.campaign, item.language]
                made = self._makers.submit(self._finish, letter, item.recipient, item.key, dated)
                self._making[id(item)] = _Making(item, dated, made)

    def finished(self, item: Claimed, now: datetime) -> tuple[Message, datetime]:
        """The message of one recipient, and its Date. Raises TocsinError where it can't be made."""
        if (making := self._making.pop(id(item), None)) is not None:
            return making.message.result(), making.dated
        dated, letter = item.dated or now, self._letters[item.campaign, item.language]
        return self._finish(letter, item.recipient, item.key, dated), dated

    def close(self) -> None:
        """Ends the threads that make messages."""
        if self._makers is not None:
            self._makers.shutdown(cancel_futures=True)

    def _claim(self, connection: Connection, size: int, least_urgent: Priority) -> tuple[Claimed, ...]:
        if size <= 0:
            return ()
        terms = self._terms
        return claim(connection, self._series, size, terms.owner, terms.lease, self._clock.now(), least_urgent)
