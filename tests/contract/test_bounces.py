"""Bounces and complaints count for the one whose token they carry, and once."""

from collections.abc import Callable

import pytest
from bounce_mail import AUTO_REPLY, complaint, delivery_report, request_to_leave
from sqlalchemy import func, select

from pipeline.actions.bounces import Verdict, deal_with
from pipeline.clock import FrozenClock
from pipeline.letters import bounce_address, token, unsubscribe_token
from pipeline.reminders.occasions import Kind
from pipeline.store.database import Database
from pipeline.store.reports import forget_reports
from pipeline.store.subscribers import Subscriber, add, by_id, confirm, unsubscribe
from pipeline.store.tables import Standing, reports, subscribers

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


def folded(text: str) -> str:
    return text.replace(" ", "\n ")


def encoded(text: str) -> str:
    return f"=?utf-8?q?{text.replace('_', '=5F').replace(' ', '_')}?="


WRITTEN: tuple[Callable[[str], str], ...] = (
    str, str.upper, str.lower, str.title, folded, encoded, "Re: {}".format, "AW: Re: {}".format, "{}.".format,
    "[EXTERNAL] Antwort: {}".format, "Ref : [spam?]{} [sic]".format,
    "{} >".format, lambda text: text.replace("unsubscribe ", "Unsubscribe   <") + ">", "{}=".format,
    lambda text: text.replace(" ", " =3D"), lambda text: text.replace("-", "%2D").replace("_", "%5F"),
)  # fmt: skip


def test_a_mail_to_the_address_in_the_header_ends_the_subscription_however_it_was_written(
    database: Database, clock: FrozenClock
) -> None:
    with database.begin() as connection:
        rows = [add(connection, "seminar", f"a{each}@example.org", "en", Kind, (), "by hand", clock.now())[0]
                for each in range(3 * len(WRITTEN))]  # fmt: skip
        readers = [by_id(connection, row) for row in rows]
    left = set()
    for made, leaver in zip(WRITTEN * 3, readers, strict=True):
        assert leaver is not None
        subject = made(f"unsubscribe {unsubscribe_token(leaver.public_id, KEY)}")
        assert deal_with(database, request_to_leave(subject), KEY, clock.now()) is Verdict.LEFT, subject
        left.add(leaver.id)
        with database.look() as connection:
            gone = select(subscribers.c.id).where(subscribers.c.state == Standing.UNSUBSCRIBED)
            assert set(connection.execute(gone).scalars()) == left, subject


def test_who_has_come_back_does_not_leave_by_the_mail_of_then_but_by_a_new_one(
    database: Database, clock: FrozenClock, ada: Subscriber
) -> None:
    subject = f"unsubscribe {unsubscribe_token(ada.public_id, KEY)}"
    assert deal_with(database, request_to_leave(subject), KEY, clock.now()) is Verdict.LEFT
    database.run(lambda connection: confirm(connection, ada.id, "form", clock.now()))
    assert deal_with(database, request_to_leave(subject), KEY, clock.now()) is Verdict.KNOWN
    assert now_of(database, ada).state is Standing.ACTIVE
    again = request_to_leave(subject, "Date: Mon, 1 Mar 2027 10:00:00 +0100\n")
    assert deal_with(database, again, KEY, clock.now()) is Verdict.LEFT


@pytest.mark.parametrize(
    ("subject", "more"),
    [
        ("unsubscribe {foreign}", ""), ("unsubscribe {cut}", ""), ("unsubscribe {preferences}", ""),
        ("unsubscribe", ""), ("unsubscribe me please, I have had enough of it", ""), ("please unsubscribe {token}", ""),
        ("Reminder", ""), ("unsubscribe {token} and {token}", ""), ("unsubscribe =?x?q?{token}?=", ""),
        ("unsubscribe {token}", "Auto-Submitted: auto-replied\n"),
    ],
)  # fmt: skip
def test_a_mail_without_a_token_of_ours_changes_nobody(
    database: Database, clock: FrozenClock, ada: Subscriber, subject: str, more: str
) -> None:
    whole = unsubscribe_token(ada.public_id, KEY)
    tokens = {
        "token": whole, "foreign": unsubscribe_token(ada.public_id, b"another key"), "cut": whole[:-1],
        "preferences": token(ada.public_id, "preferences", KEY),
    }  # fmt: skip
    raw = request_to_leave(subject.format(**tokens), more)
    said = deal_with(database, raw, KEY, clock.now())
    assert said in {Verdict.NOBODY, Verdict.OTHER}
    assert now_of(database, ada) == ada


def test_what_is_known_of_reports_is_kept_as_long_as_they_are_shown(
    database: Database, clock: FrozenClock, ada: Subscriber
) -> None:
    kept, gone = (delivery_report(status="5.0.0", to=verp(ada)) + each for each in (b"kept", b"gone"))
    for raw in (kept, gone):
        assert deal_with(database, raw, KEY, clock.now()) is Verdict.COUNTED
    for _ in range(20):
        clock.sleep(100 * 86400)
        assert deal_with(database, kept, KEY, clock.now()) is Verdict.KNOWN
        database.run(lambda connection: forget_reports(connection, clock.now()))
    with database.look() as connection:
        assert connection.execute(select(func.count()).select_from(reports)).scalar() == 1
