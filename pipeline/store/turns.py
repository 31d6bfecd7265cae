"""Who writes next: the threads of a process stand in line, and small writes share one commit.

SQLite lets one connection write and the others sleep and try again, the unlucky ones for seconds. A line is fair, and
while a commit waits for the disk all that is asked for meanwhile is gathered for the next one.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


class Turns:
    """A line of threads; whoever has the turn goes on alone."""

    def __init__(self, patience: float) -> None:
        """After `patience` seconds in the line one goes on without the turn: the database itself has the last word."""
        self._patience = patience
        self._guard = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._taken = False

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for one's turn, and has it for the length of the block."""
        has_it = self._came()
        try:
            yield
        finally:
            if has_it:
                self._pass_on()

    def _came(self) -> bool:
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            place = threading.Event()
            self._line.append(place)
        if place.wait(self._patience):
            return True
        with self._guard:
            if place.is_set():  # it came in the very last moment
                return True
            self._line.remove(place)
            return False

    def _pass_on(self) -> None:
        with self._guard:
            if self._line:
                self._line.popleft().set()
            else:
                self._taken = False


class FailedForAll(Exception):  # noqa: N818 - what went wrong is its cause
    """Says of a gathered write that each of its works would fail alike: its cause is the error of each."""


@dataclass(eq=False)
class _Asked:
    """What one thread wants written, and how it went: not at all, as long as `is_written` is false."""

    work: Callable[[Any], Any]
    over: threading.Event = field(default_factory=threading.Event)
    is_written: bool = False
    result: Any = None
    trouble: BaseException | None = None


class Gathering:
    """Small writes of many threads: the first one to ask writes for all who come before its turn does."""

    def __init__(self, turns: Turns, write: Callable[[Sequence[Callable[[Any], Any]]], Sequence[Any]]) -> None:
        """`write` does several works in one transaction, all of them or none, and returns what each gave.

        It may raise FailedForAll, so that nobody tries alone.
        """
        self._turns, self._write = turns, write
        self._guard = threading.Lock()
        self._asked: list[_Asked] = []

    def written(self, work: Callable[[Any], Any]) -> tuple[bool, Any]:
        """Whether the work was written, with what it gave; where the transaction failed nothing was, and it is alone.

        It returns after the commit, never before.
        """
        mine = _Asked(work)
        with self._guard:
            self._asked.append(mine)
            leads = self._asked[0] is mine
        if leads:
            self._lead()
        else:
            mine.over.wait()
        if mine.trouble is not None:
            raise mine.trouble
        return mine.is_written, mine.result

    def _lead(self) -> None:
        together: list[_Asked] = []
        try:
            with self._turns.turn():
                with self._guard:
                    together, self._asked = self._asked, []
                for asked, result in zip(together, self._write([one.work for one in together]), strict=True):
                    asked.result, asked.is_written = result, True
        except FailedForAll as error:
            for asked in together:
                asked.trouble = error.__cause__
        except Exception:  # noqa: BLE001 - whose error it is shows when each goes on alone
            return
        finally:
            for asked in together:
                asked.over.set()
