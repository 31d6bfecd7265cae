"""Several connections to the mail server side by side, in one thread, each with one message in hand at most."""

import select
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from pipeline.delivery.conversation import Conversation
from pipeline.delivery.outcomes import Fate, Outcome, Transport
from pipeline.errors import DeliveryError
from pipeline.letters import Message

T = TypeVar("T")

_BREAKS: Final = 2  # connections in a row that failed before they carried anything: then the server is in trouble
_LOOK: Final = 0.05  # seconds between two looks at a connection that is being opened


@dataclass(slots=True)
class _Line(Generic[T]):
    transport: Transport
    since: int  # how many breaks there had been when it was opened
    item: T | None = None


class Lines(Generic[T]):
    """Up to `most` connections, opened by `connect` when there is work for them.

    `trouble` says why the mail server can't be used; it stays empty while one connection still can. A connection is
    opened in a thread of its own, since that may take as long as the server likes. After that all goes on in the
    caller's thread: a `Conversation` never waits, any other transport is done with a message as soon as it has begun.
    """

    def __init__(self, connect: Callable[[], Transport], most: int) -> None:
        self.trouble = ""
        self._connect, self._most = connect, most
        self._lines: list[_Line[T]] = []
        self._opening: Future[Transport] | None = None
        self._ended: deque[tuple[T, Outcome]] = deque()
        self._breaks = 0

    @property
    def free(self) -> int:
        """How many connections are open and have no message in hand."""
        return sum(line.item is None for line in self._lines)

    @property
    def busy(self) -> bool:
        """Whether a message is in hand, or has ended and wasn't asked for yet."""
        return bool(self._ended) or any(line.item is not None for line in self._lines)

    @property
    def opening(self) -> bool:
        """Whether a connection is being opened."""
        return self._opening is not None

    def widen(self, wanted: int) -> None:
        """Begins to open one more connection where fewer than `wanted` are open."""
        if self.trouble or self._opening is not None or len(self._lines) >= min(wanted, self._most):
            return
        self._opening = Future()
        threading.Thread(target=_fulfil, args=(self._opening, self._connect), name="connect", daemon=True).start()

    def begin(self, item: T, message: Message) -> None:
        """Hands a message to a free connection; `outcomes` gives `item` back with what came of it."""
        line = next(line for line in self._lines if line.item is None)
        line.item = item
        transport = line.transport
        try:
            outcome = transport.begin(message) if isinstance(transport, Conversation) else transport.send(message)
        except BaseException:  # nothing will ever come of it, and nobody may wait for that
            line.item = None
            raise
        if outcome is not None:
            self._end(line, outcome)

    def outcomes(self, seconds: float) -> list[tuple[T, Outcome]]:
        """What has come of messages; waits up to so many seconds for the first of them, or for a new connection."""
        if self._ended or not any(line.item is not None for line in self._lines):
            self._look_at_opening(0.0 if self._ended else seconds)
        else:
            self._look_at_opening(0.0)
            self._attend(min(seconds, _LOOK) if self.opening else seconds)
        ended = list(self._ended)
        self._ended.clear()
        return ended

    def hurry(self, seconds: float) -> None:
        """Gives up what hasn't ended within so many seconds, connections that are being opened at once."""
        if self._opening is not None:
            self._opening.add_done_callback(_close_unused)
            self._opening = None
        for line in self._lines:
            if isinstance(line.transport, Conversation):
                line.transport.hurry(seconds)

    def close(self) -> None:
        """Ends all connections; never raises."""
        self.hurry(0.0)
        for line in self._lines:
            line.transport.close()
        self._lines.clear()

    def _attend(self, seconds: float) -> None:
        """Lets the conversations go on that can, and gives up those that are overdue."""
        talking = {
            line.transport.fileno(): (line, line.transport)
            for line in self._lines
            if line.item is not None and isinstance(line.transport, Conversation)
        }
        poll, wait = select.poll(), seconds
        for number, (_, transport) in talking.items():
            poll.register(number, transport.waits_for)
            wait = min(wait, transport.patience)
        ready = {number for number, _ in poll.poll(max(0.0, wait) * 1000)}
        for number, (line, transport) in talking.items():
            outcome = transport.go_on() if number in ready else None
            if outcome is None and transport.patience < 0:
                outcome = transport.give_up()
            if outcome is not None:
                self._end(line, outcome)

    def _end(self, line: _Line[T], outcome: Outcome) -> None:
        item, line.item = line.item, None
        if item is not None:
            self._ended.append((item, outcome))
        if outcome.fate not in (Fate.BROKEN, Fate.UNKNOWN):
            self._breaks = 0
            if isinstance(line.transport, Conversation) and not line.transport.is_open:
                self._lines.remove(line)
            return
        line.transport.close()
        self._lines.remove(line)
        if line.since >= self._breaks:  # those that were open at an earlier break have broken with it
            self._breaks += 1
        if self._breaks >= _BREAKS:
            self.trouble = f"the connection to the mail server failed: {outcome.told}"

    def _look_at_opening(self, seconds: float) -> None:
        if self._opening is None:
            return
        try:
            error = self._opening.exception(seconds)
        except TimeoutError:
            return
        opened, self._opening = self._opening, None
        if error is None:
            self._lines.append(_Line(opened.result(), self._breaks))
        elif not isinstance(error, DeliveryError):
            raise error
        elif self._lines:
            self._most = len(self._lines)  # the server wants no more of us at a time
        else:
            self.trouble = str(error)


def _fulfil(future: "Future[Transport]", connect: Callable[[], Transport]) -> None:
    try:
        future.set_result(connect())
    except BaseException as error:  # noqa: BLE001 - who waits for it raises it
        future.set_exception(error)


def _close_unused(future: "Future[Transport]") -> None:
    if future.exception() is None:
        future.result().close()
