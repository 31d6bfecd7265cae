"""Sending what is due now: for each series a tick, then deliveries until nothing is left."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import Connection

from pipeline.actions.deliver import CONNECTIONS, LEASE, Delivered, deliver
from pipeline.actions.mailing import Office, Ticked, sending_edition, tick
from pipeline.clock import Clock
from pipeline.delivery import PASSED_BY, Checkpoint, Transport
from pipeline.edition import Edition
from pipeline.errors import EditionError, StoreError, TocsinError, told_once
from pipeline.store.database import Database
from pipeline.store.deliveries import InDoubt
from pipeline.store.editions import NOTHING_YET, published_series
from pipeline.store.outbox import Entry, entries, waiting
from pipeline.store.switch import set_last_tick, why_held

_LOOK_AGAIN: Final = timedelta(minutes=1)  # so long at most goes on what was begun, before all is planned anew

_MOST_MAKERS: Final = 8  # more would sign faster than anything sends

BRAKE = "the published catalogue says hold = true under [mail]; delete that line and publish to let mail leave"


@dataclass(frozen=True)
class Sender:
    """A sending process: its name, its installation, its templates and key, and how it reaches the server."""

    name: str
    here: Mapping[str, str]
    office: Office
    connect: Callable[[], Transport]
    lease: timedelta = LEASE
    in_doubt: InDoubt = InDoubt.RESEND
    connections: int = CONNECTIONS
    per_domain: int | None = None
    stop: Callable[[], bool] = field(default=lambda: False)
    checkpoint: Checkpoint = PASSED_BY


@dataclass(frozen=True)
class Rehearsed:
    """What sending now would send, and why nothing would be sent of some series."""

    waiting: tuple[Entry, ...]
    unread: tuple[TocsinError, ...] = ()


@dataclass(frozen=True)
class Held:
    """Why nothing may be sent, and what would be."""

    reason: str
    rehearsed: Rehearsed


class _TakenBack(Exception):  # noqa: N818 - it is no error, it only ends the transaction
    """Takes back all that a rehearsal wrote."""


def all_series(database: Database) -> tuple[str, ...]:
    """The series that were published into the database; StoreError where there is none."""
    with database.look() as connection:
        found = published_series(connection)
    if not found:
        raise StoreError(NOTHING_YET)
    return found


def held(database: Database, sender: Sender, clock: Clock) -> Held | None:
    """Why nothing may be sent from here, with what is due; None where sending is allowed."""
    with database.look() as connection:
        reason = why_held(connection, sender.here)
    return Held(reason, rehearse(database, sender, clock)) if reason else None


def rehearse(database: Database, sender: Sender, clock: Clock) -> Rehearsed:
    """What sending now would send, without a trace in the database."""
    found, unread = list[Entry](), list[EditionError]()
    for series in all_series(database):
        try:
            with database.begin() as connection:
                prepare(series, sender.office, clock, connection)
                found += entries(connection, series)
                raise _TakenBack
        except _TakenBack:
            continue
        except EditionError as error:
            unread.append(error)
    return Rehearsed(tuple(found), tuple(unread))


def prepare(series: str, office: Office, clock: Clock, connection: Connection) -> tuple[Edition, Ticked]:
    """One tick for one series: plans, queues what is due, notes that it was done."""
    now = clock.now()
    edition = sending_edition(connection, series, now, office.memory)
    ticked = tick(connection, edition, office, now)
    set_last_tick(connection, now)
    return edition, ticked


@dataclass(frozen=True)
class Sent:
    """What a round over all series did, and which letters could not be composed."""

    delivered: Delivered = field(default_factory=Delivered)
    troubles: tuple[TocsinError, ...] = ()
    late: tuple[str, ...] = ()
    """The mailings that came too late and were dropped."""
    unread: tuple[TocsinError, ...] = ()
    """Why nothing was sent of some series, while the others went on."""


def send_due(
    database: Database,
    sender: Sender,
    clock: Clock,
    limit: int | None = None,
    patient: bool = False,
    progress: Callable[[Delivered], None] = lambda _so_far: None,
) -> Sent:
    """Sends all that is due in every series: the sums of what was done, and every trouble."""
    total = Sent()
    goes_on = True
    while goes_on:
        goes_on, total = False, replace(total, delivered=replace(total.delivered, waiting=0))
        for series in all_series(database):
            left = None if limit is None else limit - total.delivered.sent
            if left is not None and left <= 0:
                return total
            told = partial(_tell_all, progress, total.delivered)
            try:
                one = _round(database, sender, clock, series, left, patient, told)
            except EditionError as error:
                one = Sent(unread=(error,))
            goes_on = goes_on or one.delivered.more
            total = _both(total, one)
        goes_on = goes_on and not (total.delivered.trouble or sender.stop())
    return total


def _round(
    database: Database,
    sender: Sender,
    clock: Clock,
    series: str,
    limit: int | None,
    patient: bool,
    progress: Callable[[Delivered], None],
) -> Sent:
    """Plans for one series and sends, for a while: what became due or was published meanwhile has its turn then."""
    edition, ticked = database.run(partial(prepare, series, sender.office, clock))
    if edition.catalogue.mail.hold:
        return Sent(Delivered(held=BRAKE, waiting=_waiting(database, series)), ticked.troubles, ticked.late)
    done = deliver(
        database,
        series,
        sender.connect,
        sender.office.finisher(edition.catalogue),
        clock,
        owner=sender.name,
        here=sender.here,
        lease=sender.lease,
        in_doubt=sender.in_doubt,
        connections=sender.connections,
        per_domain=sender.per_domain,
        limit=limit,
        per_second=edition.catalogue.mail.per_second,
        per_day=edition.catalogue.mail.per_day,
        patient=patient,
        lasts=_LOOK_AGAIN,
        stop=sender.stop,
        progress=progress,
        checkpoint=sender.checkpoint,
        makers=min(usable_cores(), _MOST_MAKERS) if sender.office.keys else 0,
    )
    return Sent(done, ticked.troubles, ticked.late)


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tell_all(progress: Callable[[Delivered], None], before: Delivered, so_far: Delivered) -> None:
    progress(added(before, so_far))


def _both(one: Sent, other: Sent) -> Sent:
    troubles, unread = told_once((*one.troubles, *other.troubles)), told_once((*one.unread, *other.unread))
    return Sent(added(one.delivered, other.delivered), troubles, (*one.late, *other.late), unread)


def _waiting(database: Database, series: str) -> int:
    with database.look() as connection:
        return waiting(connection, series)


def added(one: Delivered, other: Delivered) -> Delivered:
    """Two rounds as one."""
    return Delivered(
        one.sent + other.sent,
        one.failed + other.failed,
        one.retried + other.retried,
        one.dropped + other.dropped,
        one.doubt + other.doubt,
        one.waiting + other.waiting,
        one.trouble or other.trouble,
        one.held or other.held,
        one.busy or other.busy,
    )
