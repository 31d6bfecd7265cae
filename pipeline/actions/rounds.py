"""One round of delivering: claim a batch, and for each message store the last outcome, start, send, judge."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeVar

from sqlalchemy import Connection

from pipeline.actions.verdicts import is_impersonal, settlement
from pipeline.clock import Clock
from pipeline.delivery import Fate, Outcome, Transport
from pipeline.errors import DeliveryError, StoreError, TocsinError
from pipeline.letters import Letter, Message, Recipient
from pipeline.reminders.occasions import Priority
from pipeline.store.claims import claim, reap, release, renew
from pipeline.store.deliveries import Claimed, InDoubt, Settlement, letter, refuse_claimed, set_aside, settle, start
from pipeline.store.outbox import close_finished, expire, others_hold_until, retry_failed, sent_since, waiting
from pipeline.store.senders import Sender
from pipeline.store.switch import why_held
from pipeline.store.tables import State

T = TypeVar("T")

Finish = Callable[[Letter, Recipient, str, datetime], Message]
"""Makes one recipient's message from a letter, the recipient, the campaign's key and the Date."""

_BATCH: Final = 50
_BREAKS: Final = 2  # connections in a row that failed before they carried anything: then the server is in trouble
_STRIKES: Final = 5  # refusals in a row that say nothing of the recipient: then the server refuses us, not them
_DAY: Final = timedelta(days=1)
_AFTER_A_BREAK: Final = timedelta(minutes=1)
_AFTER_STRIKES: Final = timedelta(minutes=15)
_LOOK_AGAIN: Final = 1.0  # seconds between two looks at what other senders still hold


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a round did. `retried` went back for a later try, `waiting` is all that is still to leave, now or later.

    `trouble` says why the mail server couldn't be used, `held` why nothing may be sent, `busy` that another process
    sends from the same SQLite file.
    """

    sent: int = 0
    failed: int = 0
    retried: int = 0
    dropped: int = 0
    doubt: int = 0
    waiting: int = 0
    trouble: str | None = None
    held: str = ""
    busy: bool = False


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
    patient: bool
    longest: timedelta
    jitter: Callable[[], float]
    stop: Callable[[], bool]
    progress: Callable[[Delivered], None]
    checkpoint: Callable[[str], None]


class Round:
    """One connection's way through the outbox. Each transaction first stores the outcome that isn't stored yet."""

    def __init__(
        self,
        sender: Sender,
        series: str,
        connect: Callable[[], Transport],
        finish: Finish,
        clock: Clock,
        terms: Terms,
    ) -> None:
        self._sender, self._series, self._clock, self._terms = sender, series, clock, terms
        self._connect, self._finish = connect, finish
        self._checkpoint = terms.checkpoint
        self._transport: Transport | None = None
        self._unsettled: tuple[Claimed, Settlement] | None = None
        self._result = Delivered()
        self._letters: dict[tuple[int, str], Letter] = {}
        self._tried = 0
        self._late_before = self._late_after = 0
        self._breaks = 0
        self._broken: set[tuple[int, int]] = set()
        self._struck: list[Claimed] = []
        self._renew_at = self._slot = clock.now()

    def carried(self) -> Delivered:
        """Goes on until there is nothing to do or a reason to end; what is known is stored whatever happens."""
        try:
            self._write(self._tidied)
            while not self._is_over() and (batch := self._next_batch()):
                for item in batch:
                    if self._is_over():
                        break
                    self._carry(item)
            self._checkpoint("before_last_commit")
            left = self._write(self._put_back)  # counts the last outcome, so it comes first
            dropped = self._result.dropped + self._late_before + self._late_after
            return replace(self._result, waiting=left, dropped=dropped)
        except BaseException:
            with suppress(StoreError):  # the first trouble is the one to tell
                self._write(self._put_back)
            raise
        finally:
            self._hang_up()

    def _is_over(self) -> bool:
        limit = self._terms.limit
        done = limit is not None and self._tried >= limit
        return done or self._result.trouble is not None or bool(self._result.held) or self._terms.stop()

    def _write(self, work: Callable[[Connection], T]) -> T:
        """One transaction: the outcome that isn't stored yet, then `work`. Nothing is sent before it has succeeded."""
        pending, now = self._unsettled, self._clock.now()

        def both(connection: Connection) -> tuple[State | None, T]:
            state = None
            if pending is not None:
                item, outcome = pending
                state = settle(connection, item, self._terms.owner, outcome, self._terms.in_doubt, now)
            return state, work(connection)

        state, result = self._sender.run(both)
        self._unsettled = None
        if state is not None:
            self._count(_COUNTED[state])
        return result

    def _count(self, what: str, by: int = 1) -> None:
        self._result = replace(self._result, **{what: getattr(self._result, what) + by})
        self._terms.progress(self._result)

    # Claiming

    def _next_batch(self) -> tuple[Claimed, ...]:
        left = _BATCH if self._terms.limit is None else min(_BATCH, self._terms.limit - self._tried)
        while not (batch := self._write(lambda connection: self._claimed(connection, left))):
            if not self._terms.patient or self._terms.stop() or not self._write(self._others_hold):
                break
            self._clock.sleep(_LOOK_AGAIN)
            self._write(self._tidied)
        self._renew_at = self._clock.now() + self._terms.lease / 2
        self._checkpoint("after_claim")
        return batch

    def _claimed(self, connection: Connection, size: int) -> tuple[Claimed, ...]:
        per_day, now = self._terms.per_day, self._clock.now()
        if per_day is None:
            return self._claim(connection, size, Priority.NEWSLETTER)
        room = per_day - sent_since(connection, self._series, now - _DAY)
        urgent = self._claim(connection, min(size, room), Priority.URGENT)
        # What is not urgent leaves a tenth of the day for what will be.
        left = min(size, room - per_day // 10) - len(urgent)
        return urgent + self._claim(connection, left, Priority.NEWSLETTER)

    def _claim(self, connection: Connection, size: int, least_urgent: Priority) -> tuple[Claimed, ...]:
        if size <= 0:
            return ()
        terms = self._terms
        return claim(connection, self._series, size, terms.owner, terms.lease, self._clock.now(), least_urgent)

    def _others_hold(self, connection: Connection) -> bool:
        return others_hold_until(connection, self._series, self._terms.owner) is not None

    def _tidied(self, connection: Connection) -> None:
        """Frees what the dead hold, and drops what is too late."""
        dead, now = self._sender.others_dead(connection), self._clock.now()
        reap(connection, self._terms.owner, dead, self._terms.in_doubt, now)
        self._late_before = expire(connection, self._series, now)

    def _put_back(self, connection: Connection) -> int:
        release(connection, self._terms.owner)
        self._late_after = expire(connection, self._series, self._clock.now())
        close_finished(connection, self._series)
        return waiting(connection, self._series)

    # Sending

    def _carry(self, item: Claimed) -> None:
        dated = item.dated or self._clock.now()
        try:
            message = self._finish(self._letter(item), item.recipient, item.key, dated)
        except TocsinError as error:
            text = str(error)
            self._write(lambda c: refuse_claimed(c, item, self._terms.owner, text, self._clock.now()))
            self._count("failed")
            return
        transport = self._open()
        if transport is None:
            return
        self._wait_for_slot()
        self._checkpoint("before_start")
        if self._may_leave(item, dated):
            self._checkpoint("after_start")
            self._tried += 1
            self._judge(item, transport.send(message))
            self._checkpoint("after_outcome")

    def _letter(self, item: Claimed) -> Letter:
        key = item.campaign, item.language
        if key not in self._letters:
            self._letters[key] = self._write(lambda connection: letter(connection, *key))
        return self._letters[key]

    def _open(self) -> Transport | None:
        if self._transport is None:
            try:
                self._transport = self._connect()
            except DeliveryError as error:
                self._result = replace(self._result, trouble=str(error))
        return self._transport

    def _wait_for_slot(self) -> None:
        if self._terms.per_second is None:
            return
        ahead = (self._slot - self._clock.now()).total_seconds()
        if ahead > 0:
            self._write(lambda _connection: None)  # what is known must not wait with us
            self._clock.sleep(ahead)
        self._slot = max(self._slot, self._clock.now()) + timedelta(seconds=1 / self._terms.per_second)

    def _may_leave(self, item: Claimed, dated: datetime) -> bool:
        started, reason, held = self._write(lambda connection: self._started(connection, item, dated))
        if held:
            self._result = replace(self._result, held=held)
        if reason:
            self._count("dropped")
        return started

    def _started(self, connection: Connection, item: Claimed, dated: datetime) -> tuple[bool, str, str]:
        owner, now = self._terms.owner, self._clock.now()
        if now >= self._renew_at:
            renew(connection, owner, now + self._terms.lease, now)
            self._renew_at = now + self._terms.lease / 2
        # Nobody may take it for abandoned while the server is only slow.
        if start(connection, item, owner, now + self._terms.lease + self._terms.longest, dated, now):
            return True, "", ""
        return False, set_aside(connection, item, owner, now), why_held(connection, self._terms.here)

    # Judging

    def _judge(self, item: Claimed, outcome: Outcome) -> None:
        key = item.campaign, item.recipient.subscriber
        pause = _AFTER_A_BREAK if key in self._broken else timedelta(0)
        now, jitter = self._clock.now(), self._terms.jitter()
        self._unsettled = item, settlement(outcome, item.attempts + 1, item.not_after, now, jitter, pause)
        if outcome.fate in (Fate.BROKEN, Fate.UNKNOWN):
            self._broken.add(key)
            self._breaks += 1
            self._hang_up()
            if self._breaks >= _BREAKS:
                self._result = replace(
                    self._result, trouble=f"the connection to the mail server failed: {outcome.told}"
                )
            return
        self._breaks = 0
        self._struck = [*self._struck, item] if is_impersonal(outcome) else []
        if len(self._struck) >= _STRIKES:
            forgiven = self._write(self._forgiven)
            self._count("failed", -forgiven)
            self._count("retried", forgiven)
            self._result = replace(self._result, trouble=f"the mail server refuses every message: {outcome.told}")

    def _forgiven(self, connection: Connection) -> int:
        """Those who were refused in our place get another try."""
        now = self._clock.now()
        return sum(
            retry_failed(connection, item.campaign, item.recipient.subscriber, now + _AFTER_STRIKES)
            for item in self._struck
        )

    def _hang_up(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self._transport = None


_COUNTED: Final = {
    State.SENT: "sent",
    State.FAILED: "failed",
    State.RETRY: "retried",
    State.PENDING: "retried",
    State.DROPPED: "dropped",
    State.DOUBT: "doubt",
}
