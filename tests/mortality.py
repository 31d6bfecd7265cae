"""A process that may die at each of its transactions, and a clock that jumps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from pipeline.store.database import Database

T = TypeVar("T")


class Died(BaseException):
    """The process was killed; nothing of it catches this."""


class JumpingClock:
    """Simulated time that goes forth and back as it is told."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant

    def sleep(self, seconds: float) -> None:
        self.instant += timedelta(seconds=max(0.0, seconds))


@dataclass
class Life:
    """When the process dies: before or after its `left`th transaction is committed; once dead it does nothing more."""

    left: int | None = None
    after: bool = False
    dead: bool = False

    def die(self) -> None:
        self.dead = True
        raise Died

    def step(self) -> bool:
        """Whether this transaction is the last one."""
        if self.dead:
            raise Died
        if self.left is not None:
            self.left -= 1
        return self.left == 0


class MortalDatabase(Database):
    """A database as a process sees it that may die at each of its transactions."""

    def __init__(self, engine: Engine, clock: JumpingClock, life: Life) -> None:
        super().__init__(engine, clock)
        self.life = life

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        last = self.life.step()
        with super().begin() as connection:
            yield connection
            if last and not self.life.after:
                self.life.die()
        if last:
            self.life.die()

    def persist(
        self, connection: Connection, work: Callable[[Connection], T], is_worth_it: Callable[[DBAPIError], bool]
    ) -> T:
        last = self.life.step()

        def fatal(inner: Connection) -> T:
            result = work(inner)
            if last and not self.life.after:
                self.life.die()
            return result

        result = super().persist(connection, fatal, is_worth_it)
        if last:
            self.life.die()
        return result
