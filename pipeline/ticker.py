"""The ticker: APScheduler wakes us, and knows nothing else. The truth of what is due lies in the database."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from pipeline.clock import Clock, SystemClock

SAFETY_NET = 30
"""Seconds between two ticks at most, so that a missed wake-up or a moved clock costs no more."""

log = logging.getLogger("tocsin.ticker")


class Ticker:
    """Calls an idempotent tick every so often, and at the instant which the last tick named."""

    def __init__(self, tick: Callable[[], datetime | None], clock: Clock, every: float = SAFETY_NET) -> None:
        self._tick = tick
        self._clock = clock
        self._every = every
        self._busy = threading.Lock()
        # The scheduler lives by the real clock, also where `--now` has set ours.
        self._wall = SystemClock()
        # In memory, in UTC: jobs are never stored, local hours never scheduled.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Ticks at once and from then on."""
        self._scheduler.add_job(
            self._round, "interval", seconds=self._every, id="often", next_run_time=self._wall.now()
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Lets the tick in hand finish, then ends."""
        self._scheduler.shutdown(wait=True)

    def _round(self) -> None:
        """One tick; whatever goes wrong in it, the next one comes. Two at a time would only wait for each other."""
        if not self._busy.acquire(blocking=False):
            return
        try:
            self._wake_at(self._tick())
        except Exception:
            log.exception("a tick failed; the next one comes within %s s", self._every)
        finally:
            self._busy.release()

    def _wake_at(self, following: datetime | None) -> None:
        wait = (following - self._clock.now()).total_seconds() if following else self._every
        if 0 < wait < self._every:
            at = self._wall.now() + timedelta(seconds=wait)
            self._scheduler.add_job(self._round, "date", run_date=at, id="due", replace_existing=True)
