"""The ticker: APScheduler wakes us, and knows nothing else. The truth of what is due lies in the database."""

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.background import BackgroundScheduler

from pipeline.clock import Clock, SystemClock, elapsed
from pipeline.delivery import PATIENCE

SAFETY_NET = 30
"""Seconds between two ticks at most, so that a missed wake-up or a moved clock costs no more."""

MISSED = 5
"""So many intervals without a sign of life, and the ticker hangs."""

GATHERED = 1.0
"""Seconds between being woken and the tick: where many people ask for mail at once, one tick serves them."""

_WOKEN = "woken"

log = logging.getLogger("tocsin.ticker")


class Ticker:
    """Calls an idempotent tick every so often, and at the instant which the last tick named.

    It hangs when it gave no sign of life for `patience` seconds: by default five intervals, and never less than one
    message may take with a slow mail server.
    """

    def __init__(
        self,
        tick: Callable[[], datetime | None],
        clock: Clock,
        every: float = SAFETY_NET,
        patience: float | None = None,
    ) -> None:
        self._tick = tick
        self._clock = clock
        self._every = every
        self.patience = max(MISSED * every, PATIENCE + every) if patience is None else patience
        self._busy = threading.Lock()
        self._asked = threading.Event()
        # The scheduler lives by the real clock, also where `--now` has set ours.
        self._wall = SystemClock()
        self._lead = self._lead_of_the_wall_clock()
        # Silence is measured by a clock that nobody sets: a wall clock that is set forward makes nobody hang.
        self._alive = elapsed()
        # In memory, in UTC: jobs are never stored, local hours never scheduled. A round that comes while another one is
        # in hand ends at once, so a second one may be begun.
        self._scheduler = BackgroundScheduler(
            timezone=UTC, job_defaults={"max_instances": 3, "coalesce": True, "misfire_grace_time": None}
        )

    def start(self) -> None:
        """Ticks at once and from then on."""
        self._begin()
        self._scheduler.start()

    def mind_the_clock(self) -> None:
        """Ticks at once where the wall clock was set; to be called every so often."""
        # Set forward, something may be due by now. Set back, the scheduler would sleep until the hour comes again for
        # which it has planned the next tick.
        lead = self._lead_of_the_wall_clock()
        if abs(lead - self._lead) > GATHERED:
            self._lead = lead
            self._begin()

    def stop(self) -> None:
        """Lets the tick in hand finish, then ends; one that hangs isn't waited for."""
        self._scheduler.shutdown(wait=not self.hangs())

    def wake(self) -> None:
        """Ticks in a moment, or once more after the tick in hand: something is due that it didn't know of."""
        self._asked.set()
        # Who holds the lock looks for the note after giving it back: in a long tick a thousand wakings are one.
        if self._busy.locked():
            return
        at = self._wall.now() + timedelta(seconds=GATHERED)
        job = self._scheduler.get_job(_WOKEN)
        # Where the wall clock was set back, what was to happen in a moment lies far ahead.
        if job is None or job.trigger.run_date > at:
            self._scheduler.add_job(self._round, "date", run_date=at, id=_WOKEN, replace_existing=True)

    def beat(self) -> None:
        """A sign of life from within a long tick."""
        self._alive = elapsed()

    def age(self) -> float:
        """Seconds since the last sign of life, whatever the wall clock shows."""
        return elapsed() - self._alive

    def hangs(self) -> bool:
        """Whether it has been silent for longer than any tick can be."""
        return self.age() > self.patience

    def _lead_of_the_wall_clock(self) -> float:
        """Seconds that it is ahead of the clock that nobody sets: the same as long as nobody sets it."""
        return self._wall.now().timestamp() - elapsed()

    def _begin(self) -> None:
        self._scheduler.add_job(
            self._round, "interval", seconds=self._every, id="often", next_run_time=self._wall.now(),
            replace_existing=True,
        )  # fmt: skip

    def _round(self) -> None:
        """One tick; whatever goes wrong in it, the next one comes. Two at a time would only wait for each other.

        Who finds a tick in hand leaves a note: it is looked for after the lock is free again, so that none is lost.
        """
        self._asked.set()
        while self._asked.is_set() and self._busy.acquire(blocking=False):
            try:
                self._asked.clear()
                self._wake_at(self._tick())
            except Exception:
                log.exception("a tick failed; the next one comes within %s s", self._every)
            finally:
                self.beat()
                self._busy.release()

    def _wake_at(self, following: datetime | None) -> None:
        wait = (following - self._clock.now()).total_seconds() if following else self._every
        if 0 < wait < self._every:
            at = self._wall.now() + timedelta(seconds=wait)
            self._scheduler.add_job(self._round, "date", run_date=at, id="due", replace_existing=True)
