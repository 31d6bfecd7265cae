"""Bounces, complaints, requests to leave: each message is dealt with once, and only for whom its token names."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial

from sqlalchemy import Connection

from pipeline.actions.verdicts import bounce_of_status
from pipeline.delivery.reports import Report, Sort, identity_of, read_report
from pipeline.letters import read_token
from pipeline.letters.tokens import SIGNATURE_LENGTH, UNSUBSCRIBE, found_in, is_folded, read_bounce_address
from pipeline.store.database import Database
from pipeline.store.deliveries import Bounce
from pipeline.store.reports import is_new
from pipeline.store.subscribers import Subscriber, by_folded_id, by_public_id, count_bounce, set_state, unsubscribe
from pipeline.store.tables import Standing


class Verdict(StrEnum):
    """What became of a message in the bounce mailbox."""

    SUSPENDED = "suspended"
    COUNTED = "counted"
    SOFT = "soft"
    COMPLAINED = "complained"
    LEFT = "left"
    NOBODY = "nobody"  # a report without one of our tokens
    OTHER = "other"
    KNOWN = "known"  # dealt with before


@dataclass(frozen=True, slots=True)
class Dealt:
    """How many messages came to each end."""

    suspended: int = 0
    counted: int = 0
    soft: int = 0
    complained: int = 0
    left: int = 0
    nobody: int = 0
    other: int = 0
    known: int = 0

    def with_one(self, verdict: Verdict) -> "Dealt":
        """One more of them."""
        return replace(self, **{verdict.value: getattr(self, verdict.value) + 1})


def deal_with(
    database: Database,
    raw: bytes,
    key: bytes,
    now: datetime,
    recipient: str = "",
    told: Callable[[str, Verdict], None] = lambda _address, _verdict: None,
) -> Verdict:
    """Deals with one message; the same one a second time changes nothing.

    `told` hears the address of each subscriber whom it was about.
    """
    report = read_report(raw, recipient)
    verdict, address = database.run(partial(_dealt, report, identity_of(raw), key, now))
    if address:
        told(address, verdict)
    return verdict


def _dealt(report: Report, digest: str, key: bytes, now: datetime, connection: Connection) -> tuple[Verdict, str]:
    if report.sort is Sort.OTHER:
        return Verdict.OTHER, ""
    subscriber = _whose(connection, report, key)
    if subscriber is None:
        return Verdict.NOBODY, ""
    if not is_new(connection, digest, now):
        return Verdict.KNOWN, ""
    if report.sort is Sort.COMPLAINT:
        if subscriber.state is not Standing.UNSUBSCRIBED:
            set_state(connection, subscriber.id, Standing.COMPLAINED, now)
        return Verdict.COMPLAINED, subscriber.address
    if report.sort is Sort.LEAVING:
        unsubscribe(connection, subscriber.id, now)
        return Verdict.LEFT, subscriber.address
    return _counted(connection, subscriber, report.status, now), subscriber.address


def _counted(connection: Connection, subscriber: Subscriber, status: str, now: datetime) -> Verdict:
    bounce = bounce_of_status(status)
    if bounce is Bounce.NONE:
        return Verdict.SOFT
    count_bounce(connection, subscriber.id, now, suspend=bounce is Bounce.SUSPENDING)
    after = by_public_id(connection, subscriber.public_id)
    suspended = after is not None and after.state is Standing.BOUNCED
    return Verdict.SUSPENDED if suspended else Verdict.COUNTED


def _whose(connection: Connection, report: Report, key: bytes) -> Subscriber | None:
    """The subscriber whom a token that we made names: nobody can make another one bounce or leave."""
    if report.sort is Sort.LEAVING:
        return _who_leaves(connection, found_in(report.tokens[0]), key)
    names = [read_bounce_address(address, key) for address in report.addresses]
    names += [read_token(token, UNSUBSCRIBE, key) for token in report.tokens]
    return next((found for name in names if name and (found := by_public_id(connection, name))), None)


def _who_leaves(connection: Connection, given: str, key: bytes) -> Subscriber | None:
    """Whose token it is; people and programs may have written it in other letters, large or small."""
    name = read_token(given, UNSUBSCRIBE, key)
    if name is not None:
        return by_public_id(connection, name)
    alike = by_folded_id(connection, given[:-SIGNATURE_LENGTH])
    return next((who for who in alike if is_folded(given, who.public_id, UNSUBSCRIBE, key)), None)
