"""The only place that reads the wall clock; everybody else is handed a `Clock` or an instant."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is, and how to wait."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    def sleep(self, seconds: float) -> None:
        """Waits for so many seconds of this clock."""
        ...


def elapsed() -> float:
    """Seconds since some moment, by a clock that nobody sets: it tells how long something takes, and never when."""
    return time.monotonic()


class SystemClock:
    """The wall clock, or one that started at a given instant and has run on since."""

    def __init__(self, start: datetime | None = None) -> None:
        self._shift = timedelta(0) if start is None else start - self._wall()

    @staticmethod
    def _wall() -> datetime:
        return datetime.now(UTC)  # noqa: TID251 - the one place

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        return self._wall() + self._shift

    def sleep(self, seconds: float) -> None:
        """Waits for so many real seconds."""
        time.sleep(max(0.0, seconds))


class FrozenClock:
    """Simulated time: it stands until somebody moves it, and sleeping moves it at once."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        """The simulated instant, aware, in UTC."""
        return self._instant

    def sleep(self, seconds: float) -> None:
        """Moves the clock on by so many seconds without waiting."""
        self._instant += timedelta(seconds=max(0.0, seconds))

    def move_to(self, instant: datetime) -> None:
        """Moves the clock on to an instant; it never goes back."""
        self._instant = max(self._instant, instant.astimezone(UTC))
