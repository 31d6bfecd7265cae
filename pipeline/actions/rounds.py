"""One round of delivering over several connections: store the last outcomes, start, send, judge.

One commit carries the steps of all connections that are ready: the outcomes of the messages that have ended, and the
start of the next ones. Each connection has one message in hand at most, so each has one in doubt at most.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import Connection

from pipeline.actions.pace import Pace
from pipeline.actions.supply import Supply
from pipeline.actions.terms import Delivered, Finish, Terms
from pipeline.actions.verdicts import accepted, is_crowded, is_impersonal, settlement
from pipeline.clock import Clock
from pipeline.delivery import Fate, Outcome, Transport
from pipeline.delivery.lines import Lines
from pipeline.errors import N_, StoreError, TocsinError
from pipeline.letters import Message
from pipeline.store.claims import release
from pipeline.store.deliveries import Claimed, Settlement, refuse_claimed, set_aside, settle_all, start_all
from pipeline.store.outbox import close_finished, expire, others_hold_until, retry_failed, waiting
from pipeline.store.pacing import note_silence, was_silent
from pipeline.store.senders import Sender
from pipeline.store.switch import why_held
from pipeline.store.tables import State

T = TypeVar("T")

_STRIKES: Final = 5  # refusals in a row that say nothing of the recipient: then the server refuses us, not them
_AFTER_A_BREAK: Final = timedelta(minutes=1)
_AFTER_STRIKES: Final = timedelta(minutes=15)
_AFTER_ALL: Final = timedelta(hours=1)  # for what would be given up, but the server took nothing else either
_MOST_TRIES: Final = 24  # of a message over which the server hangs up, when it takes nothing else: some 20 hours
_LOOK_AGAIN: Final = 1.0  # seconds between two looks at what other senders still hold, and at a stop signal
_LISTEN: Final = 0.2  # seconds to wait for a reply before looking whether we shall stop
_GRACE: Final = 7.0  # seconds that the messages in hand have when we shall stop
_SHARE: Final = 0.25  # of the time that a commit takes, to wait for one more outcome that it may carry
_LONGEST_LINGER: Final = 0.002  # seconds
_A_LINE_FOR: Final = 20  # messages waiting, for one more connection to be worth while


class _Start(NamedTuple):
    """A message that is ready to leave."""

    item: Claimed
    dated: datetime
    message: Message


class Round:
    """The way of several connections through the outbox."""

    def __init__(
        self, sender: Sender, series: str, connect: Callable[[], Transport], finish: Finish, clock: Clock, terms: Terms
    ) -> None:
        self._sender, self._series, self._clock, self._terms = sender, series, clock, terms
        self._checkpoint = terms.checkpoint
        self._lines: Lines[_Start] = Lines(connect, terms.connections)
        self._supply = Supply(sender, series, finish, clock, terms)
        self._unsettled: list[tuple[Claimed, Settlement]] = []
        self._result = Delivered()
        self._tried = 0
        self._dry = self._stopping = False
        self._late_before = self._late_after = 0
        self._linger = 0.0
        self._broken: set[tuple[int, int]] = set()
        self._struck: list[Claimed] = []
        self._given_up: list[Claimed] = []
        self._pace = Pace(series, clock, terms)
        self._fell_silent = False  # and that isn't stored yet
        self._until = clock.now() + terms.lasts if terms.lasts else None

    def carried(self) -> Delivered:
        """Goes on until there is nothing to do or a reason to end; what is known is stored whatever happens."""
        try:
            self._write(self._tidied)
            while self._goes_on():
                pass
            self._spare()
            self._checkpoint("before_last_commit")
            left = self._write(self._put_back)  # counts the last outcomes, so it comes first
            dropped = self._result.dropped + self._late_before + self._late_after
            return replace(self._result, waiting=left, dropped=dropped)
        except Exception:
            self._end_what_is_in_hand()
            self._rescue()
            raise
        except BaseException:
            self._rescue()
            raise
        finally:
            self._lines.close()
            self._supply.close()

    def _goes_on(self) -> bool:
        """One turn: what has ended is stored with the start of what may leave, then somebody has to answer."""
        over = self._is_over()
        if not over and not self._supplied():
            over = not self._lines.busy and not self._unsettled
        starts = self._announced() if over else self._ready()
        if starts or self._unsettled:
            self._begin(starts)
        if self._lines.busy or (self._lines.opening and not over):
            self._listen()
            return True
        if not over and not starts and self._supply.waiting:
            self._wait_for_slot()
        return not over or bool(self._unsettled)

    def _is_over(self) -> bool:
        if self._lines.trouble and self._result.trouble is None:
            self._result = replace(self._result, trouble=self._lines.trouble)
        if self._terms.stop():
            if not self._stopping:
                self._lines.hurry(_GRACE)
            self._stopping = True
        limit = self._terms.limit
        done = limit is not None and self._tried >= limit
        if done or self._stopping or self._result.trouble is not None or self._result.held:
            return True
        # One message at least, so that many short rounds come to an end too.
        if self._until is not None and self._tried and self._clock.now() >= self._until:
            self._result = replace(self._result, more=True)
        return self._result.more

    def _write(self, work: Callable[[Connection], T]) -> T:
        """One transaction: the outcomes that aren't stored yet, then `work`; nothing is sent before it succeeds."""
        ended, tired, now = list(self._unsettled), self._pace.tired, self._clock.now()

        def both(connection: Connection) -> tuple[list[State], T]:
            states = settle_all(connection, ended, self._terms.owner, self._terms.in_doubt, now)
            self._pace.tell(connection, tired)
            if self._fell_silent:
                note_silence(connection, now)
            return states, work(connection)

        states, result = self._sender.run(both)
        self._linger = max(0.0, min(_LONGEST_LINGER, _SHARE * (self._clock.now() - now).total_seconds()))
        self._unsettled.clear()
        self._pace.told(tired)
        self._fell_silent = False
        for state, what in _COUNTED.items():
            if by := states.count(state):
                self._count(what, by)
        return result

    def _count(self, what: str, by: int = 1) -> None:
        self._result = replace(self._result, **{what: getattr(self._result, what) + by})
        self._terms.progress(self._result)

    # Supply

    def _supplied(self) -> bool:
        """Whether something is claimed, or could be; waits for what other senders hold where that was asked for."""
        if self._supply.waiting:
            return True
        due = bool(self._lines.due)
        if self._dry and (due or self._lines.busy):
            return due  # asked again when all has ended: some of it may have to go again
        ahead = [start.item for start in self._lines.reserved]
        tried = self._tried + len(ahead)
        while not self._supply.take_in(self._write(lambda connection: self._supply.claimed(connection, tried)), ahead):
            self._dry = True
            if due or self._lines.busy or not self._terms.patient or self._terms.stop():
                return due
            if not self._write(self._others_hold):
                return False
            self._clock.sleep(_LOOK_AGAIN)
            self._write(self._tidied)
        self._dry = False
        self._checkpoint("after_claim")
        return True

    def _others_hold(self, connection: Connection) -> bool:
        return others_hold_until(connection, self._series, self._terms.owner) is not None

    def _tidied(self, connection: Connection) -> None:
        self._late_before = self._supply.tidied(connection)
        self._pace.learn(connection)
        self._lines.is_wary = was_silent(connection, self._clock.now())

    def _put_back(self, connection: Connection) -> int:
        release(connection, self._terms.owner)
        self._late_after = expire(connection, self._series, self._clock.now())
        close_finished(connection, self._series)
        return waiting(connection, self._series)

    def _rescue(self) -> None:
        with suppress(StoreError):  # the first trouble is the one to tell
            self._write(self._put_back)

    def _end_what_is_in_hand(self) -> None:
        self._lines.hurry(_GRACE)
        while self._lines.busy:
            for start, outcome in self._lines.outcomes(_LISTEN):
                self._note(start.item, outcome)

    # Starting

    def _announced(self) -> list[_Start]:
        """What is next on connections, where only the time of this round is over: then that leaves first."""
        result = self._result
        timely = result.more and not (self._stopping or result.trouble is not None or result.held)
        return self._awake() if timely else []

    def _awake(self) -> list[_Start]:
        """What is next on connections that are free, but for those to a domain that came to rest meanwhile."""
        if self._pace.is_free:
            return self._lines.due
        awake, resting = list[_Start](), list[tuple[Claimed, datetime]]()
        for start in self._lines.due:
            if (until := self._pace.rests_until(start.item)) is None:
                awake.append(start)
            else:
                self._lines.withdraw(start)
                resting.append((start.item, until))
        self._put_off((), resting)
        return awake

    def _put_off(self, full: Sequence[Claimed], resting: Sequence[tuple[Claimed, datetime]]) -> None:
        if full or resting:
            self._write(lambda connection: self._pace.put_off(connection, full, resting))
            self._count("retried", len(resting))

    def _ready(self) -> list[_Start]:
        """A finished message for each connection that is free, as far as pace and domains allow."""
        queue, found = self._supply.waiting, self._awake()
        full, resting = list[Claimed](), list[tuple[Claimed, datetime]]()
        self._lines.widen(1 + len(queue) // _A_LINE_FOR)
        self._make_ahead()
        room, now = len(found) + self._lines.free, self._clock.now()
        while queue and len(found) < room and self._may_leave_now():
            item = queue.popleft()
            if self._pace.is_full(item):
                full.append(item)
            elif (until := self._pace.rests_until(item)) is not None:
                resting.append((item, until))
            elif (start := self._finished(item, now)) is not None:
                found.append(start)
                self._pace.slot = None
        self._put_off(full, resting)
        return found

    def _finished(self, item: Claimed, now: datetime) -> _Start | None:
        try:
            message, dated = self._supply.finished(item, now)
            return _Start(item, dated, message)
        except TocsinError as error:
            text = str(error)
            self._write(lambda c: refuse_claimed(c, item, self._terms.owner, text, self._clock.now()))
            self._count("failed")
            return None

    def _make_ahead(self) -> None:
        # What is slowed down would have the Date of a moment long before it leaves.
        if self._pace.is_free:
            self._supply.make_ahead()

    def _may_leave_now(self) -> bool:
        if self._pace.wants_slot:
            self._pace.slot = self._write(self._pace.reserved)
        return not self._pace.ahead

    def _wait_for_slot(self) -> None:
        self._clock.sleep(min(self._pace.ahead, _LOOK_AGAIN))
        if self._supply.must_renew:
            self._write(self._supply.renewed)

    def _begin(self, starts: list[_Start]) -> None:
        if starts:
            self._checkpoint("before_start")
        begun, troubles, held = self._write(lambda connection: self._started(connection, starts))
        if held:
            self._result = replace(self._result, held=held)
        for _ in filter(None, troubles):
            self._count("dropped")
        for start in starts if len(begun) < len(starts) else ():
            if start not in begun:
                self._lines.withdraw(start)
        # All are made before the first one leaves: between other work, each would take longer.
        following_each = self._following(begun)
        self._make_ahead()
        for start, following in zip(begun, following_each, strict=True):
            self._checkpoint("after_start")
            self._tried += 1
            # Where an earlier copy is in doubt, a server that hangs up over each body shall not leave another doubt.
            self._lines.begin(start, start.message, start.item.doubts > 0, following and (following, following.message))

    def _following(self, begun: Sequence[_Start]) -> list[_Start | None]:
        """For each the message that may be announced with its body; only a later commit begins that one."""
        if not begun or self._result.more or not (self._lines.looks_ahead and self._pace.is_free):
            return [None] * len(begun)
        queue, now = self._supply.waiting, self._clock.now()
        return [self._finished(queue.popleft(), now) if queue and not start.item.doubts else None for start in begun]

    def _started(self, connection: Connection, starts: list[_Start]) -> tuple[list[_Start], list[str], str]:
        """Which of them may leave, why others were dropped, and why nothing may leave at all."""
        if not starts:
            return [], [], ""
        owner, now = self._terms.owner, self._clock.now()
        if self._supply.must_renew:
            self._supply.renewed(connection)
        full = self._pace.full(connection, [start.item for start in starts])
        # Nobody may take it for abandoned while the server is only slow.
        until = now + self._terms.lease + self._terms.longest
        left = [start for start in starts if start.item not in full] if full else starts
        may = start_all(connection, [(start.item, start.dated) for start in left], owner, until, now)
        if all(may):
            return left, [], ""
        begun = [start for start, allowed in zip(left, may, strict=True) if allowed]
        refused = [start.item for start, allowed in zip(left, may, strict=True) if not allowed]
        reasons = [set_aside(connection, item, owner, now) for item in refused]
        return begun, reasons, why_held(connection, self._terms.here)

    # Judging

    def _listen(self) -> None:
        wait = min(_LISTEN, self._pace.ahead) if self._supply.waiting and self._pace.slot else _LISTEN
        for start, outcome in self._lines.outcomes(wait, self._linger):
            self._note(start.item, outcome)
            if outcome.fate is Fate.ACCEPTED:
                self._struck.clear()
            else:
                self._strike(start.item, outcome)
                if outcome.is_silence and not self._stopping:
                    self._lines.is_wary = self._fell_silent = True
            self._checkpoint("after_outcome")
        self._supply.waiting.extendleft(start.item for start in self._lines.left_over())

    def _note(self, item: Claimed, outcome: Outcome) -> None:
        if outcome.fate is Fate.ACCEPTED:
            self._unsettled.append((item, accepted(outcome)))
            return
        key = item.campaign, item.recipient.subscriber
        pause = _AFTER_A_BREAK if key in self._broken else timedelta(0)
        now, jitter = self._clock.now(), self._terms.jitter()
        settled = settlement(outcome, item.attempts + 1, item.not_after, now, jitter, pause)
        self._unsettled.append((item, settled))
        if outcome.fate in (Fate.BROKEN, Fate.UNKNOWN):
            self._broken.add(key)
            if settled.state is State.FAILED:
                self._given_up.append(item)
        if is_crowded(outcome):
            self._pace.crowded(item)

    def _strike(self, item: Claimed, outcome: Outcome) -> None:
        """Several refusals in a row that say nothing of their recipients are meant for us."""
        if outcome.fate in (Fate.BROKEN, Fate.UNKNOWN):
            return
        self._struck = [*self._struck, item] if is_impersonal(outcome) else []
        # What the other connections still had in hand then is refused for the same reason.
        if len(self._struck) >= _STRIKES or (self._struck and self._result.trouble is not None):
            self._forgive(self._struck, _AFTER_STRIKES)
            self._struck = []
            refused = TocsinError(N_("the mail server refuses every message: {reason}"), reason=outcome.told)
            self._result = replace(self._result, trouble=refused)

    def _spare(self) -> None:
        """Where the server hung up over all that it was given, it isn't the messages: none is given up for that."""
        if self._result.sent:
            return
        if self._result.trouble is None and self._lines.suspicion:
            self._result = replace(self._result, trouble=self._lines.suspicion)
        given_up = [item for item in self._given_up if item.attempts < _MOST_TRIES]
        if self._result.trouble is not None and given_up:
            self._forgive(given_up, _AFTER_ALL)

    def _forgive(self, items: Sequence[Claimed], wait: timedelta) -> None:
        """Those who had to bear what was meant for us, or for nobody, get another try."""
        until = self._clock.now() + wait
        forgiven = self._write(
            lambda connection: sum(
                retry_failed(connection, item.campaign, item.recipient.subscriber, until) for item in items
            )
        )
        self._count("failed", -forgiven)
        self._count("retried", forgiven)


_COUNTED: Final = {
    State.SENT: "sent",
    State.FAILED: "failed",
    State.RETRY: "retried",
    State.PENDING: "retried",
    State.DROPPED: "dropped",
    State.DOUBT: "doubt",
}
