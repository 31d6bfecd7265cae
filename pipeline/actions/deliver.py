"""Delivering: what the outbox holds and is due goes to the mail server over several connections, and never twice.

The outcomes of messages and the start of the next ones are one commit. So no message leaves before it is on record that
it may have, and after a crash one message at most is in doubt for each connection.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from secrets import SystemRandom
from typing import Final

from pipeline.actions.rounds import Round
from pipeline.actions.terms import Delivered, Finish, Terms
from pipeline.clock import Clock
from pipeline.delivery import PASSED_BY, PATIENCE, Checkpoint, Transport
from pipeline.store.database import Database
from pipeline.store.deliveries import InDoubt
from pipeline.store.outbox import waiting
from pipeline.store.senders import sending
from pipeline.store.switch import why_held

__all__ = ["CONNECTIONS", "LEASE", "LONGEST", "Delivered", "Finish", "deliver"]

CONNECTIONS: Final = 5
"""How many connections a sender opens at most where nothing is said: servers take so many from one client."""
LEASE: Final = timedelta(seconds=60)
LONGEST: Final = timedelta(seconds=PATIENCE)
_JITTER: Final = SystemRandom().random


def deliver(
    database: Database,
    series: str,
    connect: Callable[[], Transport],
    finish: Finish,
    clock: Clock,
    *,
    owner: str,
    here: Mapping[str, str],
    lease: timedelta = LEASE,
    in_doubt: InDoubt = InDoubt.RESEND,
    limit: int | None = None,
    per_second: float | None = None,
    per_day: int | None = None,
    per_domain: int | None = None,
    connections: int = 1,
    patient: bool = False,
    longest: timedelta = LONGEST,
    lasts: timedelta | None = None,
    jitter: Callable[[], float] = _JITTER,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Delivered], None] = lambda _so_far: None,
    checkpoint: Checkpoint = PASSED_BY,
    makers: int = 0,
) -> Delivered:
    """Sends what a series has due, until nothing is left, `limit` messages were tried, or `stop()` says so.

    Up to `connections` are opened, fewer where little waits. At most `per_second` leave in a second and `per_domain` in
    a minute to one recipient domain, counted over all senders; a domain that says that it gets too many rests for some
    minutes. At most `per_day` leave in any 24 hours, a tenth of which is kept for confirmations and urgent notices.
    `owner` is `senders.sender_name()`, `here` is `switch.installation()`. A `patient` round also waits for what other
    senders hold, no longer than their leases. `longest` is the time that one message can take: so much longer than its
    lease nobody takes it for abandoned, unless its sender is known to be dead. A round begins no more messages once
    it `lasts` for so long. `jitter` gives numbers from 0 to 1. `stop` is asked and `progress` told between two
    messages; those in hand then have some seconds to end. `checkpoint` is called at the named points where a test may
    end the process. With several `makers` `finish` is called in so many threads, ahead of time. Trouble with the mail
    server is in the result, trouble with the database is raised as StoreError.
    """
    with sending(database, owner) as sender:
        if sender is None:
            return Delivered(busy=True)
        held = sender.run(lambda connection: why_held(connection, here))
        if held:
            return Delivered(held=held, waiting=sender.run(lambda connection: waiting(connection, series)))
        terms = Terms(
            owner,
            here,
            lease,
            in_doubt,
            limit,
            per_second,
            per_day,
            per_domain,
            connections,
            patient,
            longest,
            lasts,
            jitter,
            stop,
            progress,
            checkpoint,
            makers,
        )
        return Round(sender, series, connect, finish, clock, terms).carried()
