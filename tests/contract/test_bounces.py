"""Bounces and complaints count for the one whose token they carry, and once."""

import pytest
from bounce_mail import AUTO_REPLY, complaint, delivery_report

from pipeline.actions.bounces import Verdict, deal_with
from pipeline.clock import FrozenClock
from pipeline.letters import bounce_address, unsubscribe_token
from pipeline.reminders.occasions import Kind
from pipeline.store.database import Database
from pipeline.store.subscribers import Subscriber, add, by_id, unsubscribe
from pipeline.store.tables import Standing

KEY = b"a key"


@pytest.fixture
def ada(database: Database, clock: FrozenClock) -> Subscriber:
    with database.begin() as connection:
        number, _ = add(connection, "seminar", "ada@example.org", "en", Kind, (), "by hand", clock.now())
        found = by_id(connection, number)
    assert found is not None
    return found


def verp(subscriber: Subscriber, key: bytes = KEY) -> str:
    return bounce_address("post-bounces@seminar.example", subscriber.public_id, key)


def now_of(database: Database, subscriber: Subscriber) -> Subscriber:
    with database.look() as connection:
        found = by_id(connection, subscriber.id)
    assert found is not None
    return found


def test_an_address_that_does_not_exist_is_suspended_at_once_and_by_one_report_once(
    database: Database, clock: FrozenClock, ada: Subscriber
) -> None:
    report = delivery_report(to=verp(ada))
    said: list[tuple[str, Verdict]] = []
    assert deal_with(database, report, KEY, clock.now(), told=lambda *what: said.append(what)) is Verdict.SUSPENDED
    assert deal_with(database, report, KEY, clock.now()) is Verdict.KNOWN
    assert said == [("ada@example.org", Verdict.SUSPENDED)]
    assert (now_of(database, ada).state, now_of(database, ada).bounces) == (Standing.BOUNCED, 1)


def test_a_plain_refusal_counts_and_the_third_suspends(database: Database, clock: FrozenClock, ada: Subscriber) -> None:
    verdicts = [
        deal_with(database, delivery_report(status="5.0.0", to=verp(ada)) + b"%d" % number, KEY, clock.now())
        for number in range(3)
    ]
    assert verdicts == [Verdict.COUNTED, Verdict.COUNTED, Verdict.SUSPENDED]


@pytest.mark.parametrize("status", ["4.2.2", "5.2.2", "5.7.1", "5.1.8"])
def test_a_full_mailbox_and_what_is_about_us_blame_nobody(
    database: Database, clock: FrozenClock, ada: Subscriber, status: str
) -> None:
    assert deal_with(database, delivery_report(status=status, to=verp(ada)), KEY, clock.now()) is Verdict.SOFT
    assert (now_of(database, ada).state, now_of(database, ada).bounces) == (Standing.ACTIVE, 0)


def test_a_forged_token_and_an_automatic_answer_change_nothing(
    database: Database, clock: FrozenClock, ada: Subscriber
) -> None:
    forged = delivery_report(to=verp(ada, b"another key"))
    assert deal_with(database, forged, KEY, clock.now()) is Verdict.NOBODY
    assert deal_with(database, AUTO_REPLY, KEY, clock.now(), verp(ada)) is Verdict.OTHER
    assert now_of(database, ada) == ada


def test_a_server_that_folds_the_case_of_the_address_changes_nothing(
    database: Database, clock: FrozenClock, ada: Subscriber
) -> None:
    assert deal_with(database, delivery_report(to=verp(ada).upper()), KEY, clock.now()) is Verdict.SUSPENDED


@pytest.mark.parametrize("by", ["envelope sender", "unsubscribe token"])
def test_a_complaint_unsubscribes_at_once(database: Database, clock: FrozenClock, ada: Subscriber, by: str) -> None:
    if by == "envelope sender":
        report = complaint(sender=verp(ada))
    else:
        mark = b"AbCdEfGhIjKlMnOp0123456789012345678901"
        report = complaint(sender="").replace(mark, unsubscribe_token(ada.public_id, KEY).encode())
    assert deal_with(database, report, KEY, clock.now()) is Verdict.COMPLAINED
    assert now_of(database, ada).state is Standing.COMPLAINED


def test_who_had_left_before_complaining_stays_gone(database: Database, clock: FrozenClock, ada: Subscriber) -> None:
    database.run(lambda connection: unsubscribe(connection, ada.id, clock.now()))
    assert deal_with(database, complaint(sender=verp(ada)), KEY, clock.now()) is Verdict.COMPLAINED
    assert now_of(database, ada).state is Standing.UNSUBSCRIBED
