"""Several connections to the mail server side by side, in one thread, each with one message in hand at most."""

import math
import select
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pipeline.delivery.conversation import Conversation
from pipeline.delivery.outcomes import Fate, Outcome, Step, Transport
from pipeline.errors import N_, DeliveryError, TocsinError
from pipeline.letters import Message

T = TypeVar("T")

_BREAKS: Final = 2  # connections in a row that failed before they carried anything: then the server is in trouble
_HANG_UPS: Final = 200  # bodies in a row over which the server hung up: then it isn't the messages
_FAILED: Final = (Fate.BROKEN, Fate.UNKNOWN)
_LOOK: Final = 0.05  # seconds between two looks at a connection that is being opened


@dataclass(slots=True, eq=False)
class _Line(Generic[T]):
    transport: Transport
    talk: Conversation | None  # the transport, where it is one
    number: int  # of the connection's file
    since: int  # how many breaks there had been when it was opened
    has_carried: bool = False  # something to its end
    following: T | None = None  # what is next on it, and may have been announced


class Lines(Generic[T]):
    """Up to `most` connections, opened by `connect` when there is work for them.

    `trouble` says why the mail server can't be used; it stays None while one connection still can. Each connection is
    opened in a thread of its own, since that may take as long as the server likes; the first one alone, to learn
    whether the server wants us at all. After that all goes on in the caller's thread: a `Conversation` never waits, any
    other transport is done with a message as soon as it has begun.
    """

    def __init__(self, connect: Callable[[], Transport], most: int) -> None:
        self.trouble: TocsinError | None = None
        self.is_wary = False
        """Whether the server has fallen silent over messages: then none is announced, and one has to be through first.

        Until it is there is one connection, whose failure is trouble enough.
        """
        self._connect, self._most, self._is_through = connect, most, False
        self._lines: list[_Line[T]] = []
        self._free: list[_Line[T]] = []
        self._due: dict[int, _Line[T]] = {}  # by the identity of what is next on them
        self._left: list[T] = []
        self._in_hand: dict[int, tuple[T, _Line[T], Conversation]] = {}  # by the number of the connection's file
        self._poll = select.poll()
        self._overdue_from = math.inf  # before this instant of the monotonic clock nothing in hand is overdue
        self._opening: list[Future[Transport]] = []
        self._ended: list[tuple[T, Outcome]] = []
        self._breaks = self._hang_ups = 0  # since a connection has carried something to its end
        self._failure: TocsinError | None = None

    @property
    def free(self) -> int:
        """How many connections are open, have no message in hand, and nothing that is next on them."""
        return len(self._free)

    @property
    def due(self) -> list[T]:
        """What is next on connections that are free now."""
        return [line.following for line in self._due.values() if line.following is not None]

    @property
    def reserved(self) -> list[T]:
        """What is next on connections, free or not."""
        return [line.following for line in self._lines if line.following is not None]

    @property
    def looks_ahead(self) -> bool:
        """Whether a message can be announced together with the body of the one before."""
        if self.is_wary or self._breaks or self._hang_ups or not self._lines:
            return False
        talk = self._lines[0].talk
        return talk is not None and talk.looks_ahead

    @property
    def busy(self) -> bool:
        """Whether a message is in hand, or has ended and wasn't asked for yet."""
        return bool(self._ended or self._in_hand)

    @property
    def opening(self) -> bool:
        """Whether a connection is being opened."""
        return bool(self._opening)

    @property
    def suspicion(self) -> TocsinError | None:
        """What may be `trouble`: the server has hung up over several messages in a row; else None."""
        return self._failure if self._hang_ups >= _BREAKS else None

    @property
    def _is_tentative(self) -> bool:
        return self.is_wary and not self._is_through

    def widen(self, wanted: int) -> None:
        """Begins to open more connections where fewer than `wanted` are open."""
        if self.trouble:
            return
        most = min(wanted, self._most) if self._lines and not self._is_tentative else 1
        for _ in range(most - len(self._lines) - len(self._opening)):
            future = Future[Transport]()
            self._opening.append(future)
            threading.Thread(target=_fulfil, args=(future, self._connect), name="connect", daemon=True).start()

    def begin(
        self, item: T, message: Message, careful: bool = False, following: tuple[T, Message] | None = None
    ) -> None:
        """Hands a message to a free connection; `outcomes` gives `item` back with what came of it.

        For a `careful` one see `Conversation.begin`. After a break all are, until a message is through: the server may
        hang up over several. What is `following` is next on this connection, and given back by `left_over` if nothing
        comes of that.
        """
        line = self._due.pop(id(item), None) or self._free.pop()
        careful = careful or bool(self._breaks or self._hang_ups)
        line.following, next_message = following or (None, None)
        talk, number = line.talk, line.number
        try:
            outcome = talk.begin(message, careful, next_message) if talk else line.transport.send(message)
        except BaseException:  # nothing will ever come of it, and nobody may wait for that
            self._free.append(line)
            raise
        if outcome is not None:
            self._end(item, line, outcome)
        elif talk is not None:
            self._in_hand[number] = item, line, talk
            self._wait_for(number, talk)

    def withdraw(self, item: T) -> None:
        """Lets go of what was next on a free connection, which ends if that has been announced."""
        line = self._due.pop(id(item), None)
        if line is not None:
            line.transport.close()
            self._lines.remove(line)

    def left_over(self) -> list[T]:
        """What was next on connections that have ended, once."""
        left, self._left = self._left, []
        return left

    def outcomes(self, seconds: float, linger: float = 0.0) -> list[tuple[T, Outcome]]:
        """What has come of messages; waits up to so many seconds for the first of them, or for a new connection.

        For each further one it waits up to `linger` seconds more.
        """
        if self._ended or not self._in_hand:
            self._look_at_opening(0.0 if self._ended else seconds)
        else:
            self._attend_until_one_ends(seconds, linger)
        ended, self._ended = self._ended, []
        return ended

    def hurry(self, seconds: float) -> None:
        """Gives up what hasn't ended within so many seconds, connections that are being opened at once."""
        for future in self._opening:
            future.add_done_callback(_close_unused)
        self._opening.clear()
        for line in self._lines:
            if line.talk is not None:
                line.talk.hurry(seconds)
        self._overdue_from = 0.0

    def close(self) -> None:
        """Ends all connections; never raises."""
        self.hurry(0.0)
        for line in self._lines:
            line.transport.close()
        self._lines.clear()
        self._free.clear()
        self._due.clear()
        self._in_hand.clear()

    def _attend_until_one_ends(self, seconds: float, linger: float) -> None:
        free, until = len(self._free), time.monotonic() + seconds
        while not self._ended and self._in_hand:
            left = until - time.monotonic()
            self._look_at_opening(0.0)
            if left <= 0 or len(self._free) > free:
                return
            self._attend(min(left, _LOOK) if self.opening else left)
        before = 0
        while before < len(self._ended) and self._in_hand:
            before = len(self._ended)
            self._attend(linger)

    def _attend(self, seconds: float) -> None:
        """Lets the conversations go on that can, and gives up those that are overdue."""
        left = min(seconds, self._overdue_from - time.monotonic())
        for number, _ in self._poll.poll(max(0.0, left) * 1000):
            talk = self._in_hand[number][2]
            outcome = talk.go_on()
            if outcome is None:
                self._wait_for(number, talk)
            else:
                self._over(number, outcome)
        if self._overdue_from <= (now := time.monotonic()):
            for number, (_, _, talk) in list(self._in_hand.items()):
                if talk.deadline > now:
                    continue
                if (outcome := talk.overdue()) is None:
                    self._poll.register(number, talk.waits_for)
                else:
                    self._over(number, outcome)
            self._overdue_from = min((talk.deadline for _, _, talk in self._in_hand.values()), default=math.inf)

    def _wait_for(self, number: int, talk: Conversation) -> None:
        self._poll.register(number, talk.waits_for)
        self._overdue_from = min(self._overdue_from, talk.deadline)

    def _over(self, number: int, outcome: Outcome) -> None:
        self._poll.unregister(number)
        item, line, _ = self._in_hand.pop(number)
        self._end(item, line, outcome)

    def _end(self, item: T, line: _Line[T], outcome: Outcome) -> None:
        self._ended.append((item, outcome))
        if outcome.fate not in _FAILED:
            self._breaks, self._hang_ups, self._is_through, line.has_carried = 0, 0, True, True
            if line.talk is not None and not line.talk.is_open:
                self._drop(line)
            elif line.following is None:
                self._free.append(line)
            else:
                self._due[id(line.following)] = line
            return
        line.transport.close()
        self._drop(line)
        if line.has_carried and outcome.step is Step.MAIL:
            return  # many a server takes so many messages and no more over one connection
        self._failure = TocsinError(N_("the connection to the mail server failed: {reason}"), reason=outcome.told)
        if outcome.is_hang_up:  # the server wanted this message so far: the others may well get through
            self._hang_ups += 1
        elif line.since >= self._breaks:  # those that were open at an earlier break have broken with it
            self._breaks += 1
        if self._breaks >= (1 if self._is_tentative else _BREAKS) or self._hang_ups >= _HANG_UPS:
            self.trouble = self._failure

    def _drop(self, line: _Line[T]) -> None:
        self._lines.remove(line)
        if line.following is not None:
            self._left.append(line.following)

    def _look_at_opening(self, seconds: float) -> None:
        if not self._opening:
            return
        for opened in wait(self._opening, seconds, FIRST_COMPLETED).done:
            self._opening.remove(opened)
            self._take_up(opened)

    def _take_up(self, opened: "Future[Transport]") -> None:
        error = opened.exception()
        if error is None:
            transport = opened.result()
            talk = transport if isinstance(transport, Conversation) else None
            line = _Line[T](transport, talk, talk.fileno() if talk else -1, self._breaks)
            self._lines.append(line)
            self._free.append(line)
        elif not isinstance(error, DeliveryError):
            raise error
        elif others := len(self._lines) + len(self._opening):
            self._most = others  # the server wants no more of us at a time
        else:
            self.trouble = error


def _fulfil(future: "Future[Transport]", connect: Callable[[], Transport]) -> None:
    try:
        future.set_result(connect())
    except BaseException as error:  # noqa: BLE001 - who waits for it raises it
        future.set_exception(error)


def _close_unused(future: "Future[Transport]") -> None:
    if future.exception() is None:
        future.result().close()
