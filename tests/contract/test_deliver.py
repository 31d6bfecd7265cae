"""The round of delivering, on each kind of database, with a mail server that answers what it is told to."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from pipeline.actions.deliver import Delivered, deliver
from pipeline.clock import FrozenClock
from pipeline.delivery import Fate, Outcome, Step
from pipeline.errors import PermanentDeliveryError, TransientDeliveryError
from pipeline.letters import Letter, Message, Recipient
from pipeline.reminders.occasions import Kind, Occasion, Plan, Priority
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.database import Database
from pipeline.store.deliveries import InDoubt
from pipeline.store.expansion import expand
from pipeline.store.outbox import Entry, Selection, doubtful, entries, resend
from pipeline.store.senders import sender_name
from pipeline.store.subscribers import add, listed, unsubscribe
from pipeline.store.switch import arm, hold, installation
from pipeline.store.tables import Standing, State, deliveries, subscribers
from pipeline.testing import ACCEPTED, BROKEN, UNKNOWN, CapturingTransport, deferred, refused

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
SERIES = "seminar"
LETTER = Letter("en", "Soon", b"Subject: Soon\r\n\r\nSoon.\r\n")
UNWELCOME = Outcome(Fate.UNWELCOME, Step.MAIL, 550, "5.7.1 not you")


def finish(letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
    head = f"Date: {sent:%H:%M:%S}\r\nTo: {recipient.address}\r\n".encode()
    return Message("bounces@example.org", recipient.address, head + letter.source, f"<{recipient.public_id}@x>")


def address(number: int) -> str:
    return f"reader{number}@example.org"


def queue(
    database: Database,
    readers: int,
    event: str = "talk",
    lasting: timedelta = timedelta(days=1),
    priority: Priority = Priority.REMINDER,
) -> None:
    occasion = Occasion(event, "day-before", 0, Kind.REMINDERS, NOW, NOW + lasting, priority)
    with database.begin() as connection:
        arm(connection, installation(database), NOW)
        for number in range(readers):
            add(connection, SERIES, address(number), "en", Kind, (), "by hand", NOW)
        reconcile(connection, SERIES, Plan((occasion,), ()), NOW)
        for campaign in due_campaigns(connection, SERIES, NOW):
            expand(connection, campaign, {"en": LETTER}, "en", NOW)


def round_of(database: Database, transport: Callable[[], CapturingTransport], **options: object) -> Delivered:
    values = {"owner": sender_name(), "here": installation(database), "jitter": lambda: 0.5} | options
    return deliver(database, SERIES, transport, finish, database.clock, **values)  # type: ignore[arg-type]


def reached(transport: CapturingTransport) -> list[str]:
    return [recipient for _, recipient, _ in transport.sent]


def state_of(database: Database, number: int = 0) -> State:
    with database.look() as connection:
        kept = {entry.address: entry.state for entry in entries(connection, SERIES, tuple(State))}
        return kept[address(number)]


def entry_of(database: Database, number: int) -> Entry:
    with database.look() as connection:
        (entry,) = entries(connection, SERIES, tuple(State), which=Selection(address(number)))
    return entry


def test_everybody_gets_it_once_over_one_connection(database: Database) -> None:
    queue(database, 120)
    transport = CapturingTransport()
    assert round_of(database, transport) == Delivered(sent=120)
    assert reached(transport) == [address(number) for number in range(120)]
    assert transport.opened == 1
    assert round_of(database, transport) == Delivered()
    assert transport.opened == 1


def test_nothing_leaves_unarmed(database: Database) -> None:
    queue(database, 1)
    with database.begin() as connection:
        hold(connection)
    transport = CapturingTransport()
    result = round_of(database, transport)
    assert (result.sent, result.waiting, "tocsin hold" in result.held) == (0, 1, True)
    with database.begin() as connection:
        arm(connection, installation(database), NOW)
    assert "the database was armed" in round_of(database, transport, here={"path": "/elsewhere"}).held
    assert transport.opened == 0


def test_hold_stops_between_two_messages(shared: Database) -> None:
    queue(shared, 5)

    def second(so_far: Delivered) -> None:
        if so_far.sent == 2:
            with shared.begin() as connection:
                hold(connection)

    result = round_of(shared, CapturingTransport(), progress=second)
    assert (result.sent, result.waiting) == (3, 2)  # the third was already on its way
    assert "tocsin hold" in result.held


def test_the_limit_and_the_stop_end_between_two_messages(database: Database) -> None:
    queue(database, 5)
    transport = CapturingTransport()
    assert round_of(database, transport, limit=2) == Delivered(sent=2, waiting=3)
    assert round_of(database, transport, stop=lambda: len(transport.sent) == 4) == Delivered(sent=2, waiting=1)
    assert round_of(database, transport) == Delivered(sent=1)
    assert len(set(reached(transport))) == len(transport.sent) == 5


def test_the_pace_is_kept(database: Database, clock: FrozenClock) -> None:
    queue(database, 5)
    assert round_of(database, CapturingTransport(), per_second=0.5).sent == 5
    assert clock.now() == NOW + timedelta(seconds=8)


def test_the_limit_of_a_day_keeps_a_part_for_what_is_urgent(database: Database, clock: FrozenClock) -> None:
    queue(database, 15, lasting=timedelta(days=9))
    transport = CapturingTransport()
    assert round_of(database, transport, per_day=10) == Delivered(sent=9, waiting=6)
    assert round_of(database, transport, per_day=10) == Delivered(waiting=6)
    queue(database, 0, "moved", priority=Priority.URGENT)
    assert round_of(database, transport, per_day=10) == Delivered(sent=1, waiting=20)
    assert round_of(database, transport, per_day=None, limit=2) == Delivered(sent=2, waiting=18)
    clock.sleep(86400)
    assert round_of(database, transport, per_day=100).sent == 6  # the notice has become too late


def test_a_copy_that_may_have_left_counts_for_its_day(database: Database, clock: FrozenClock) -> None:
    queue(database, 15, lasting=timedelta(days=9))
    transport = CapturingTransport({address(0): (UNKNOWN, ACCEPTED)})
    assert round_of(database, transport, per_day=10) == Delivered(sent=8, retried=1, waiting=7)
    assert len(transport.sent) == 9
    clock.sleep(86400)
    assert round_of(database, transport, per_day=10) == Delivered(sent=7)


def test_a_deferred_message_waits_longer_each_time_until_it_is_too_late(database: Database, clock: FrozenClock) -> None:
    queue(database, 1, lasting=timedelta(hours=4))
    transport = CapturingTransport({address(0): (deferred(),)})
    waits = []
    while (result := round_of(database, transport)).waiting:
        assert result.retried == 1
        with database.look() as connection:
            (entry,) = entries(connection, SERIES)
        waits.append((entry.at - clock.now()).total_seconds() / 60)
        clock.move_to(entry.at)
    assert waits == [1, 5, 15, 60, 60, 60]
    assert (result.dropped, state_of(database)) == (1, State.DROPPED)
    assert transport.sent == []


def test_jitter_spreads_the_waits(database: Database) -> None:
    queue(database, 2)
    numbers = iter([0.0, 1.0])
    answers = {address(0): (deferred(),), address(1): (deferred(),)}
    round_of(database, CapturingTransport(answers), jitter=lambda: next(numbers))
    with database.look() as connection:
        waits = [(entry.at - NOW).total_seconds() for entry in entries(connection, SERIES)]
    assert waits == pytest.approx([54, 66])


def test_refusals_stay_with_their_recipients(database: Database) -> None:
    queue(database, 4)
    answers = {address(0): (refused(),), address(1): (refused("no", 550),), address(2): (refused("5.7.1 policy"),)}
    transport = CapturingTransport(answers)
    assert round_of(database, transport) == Delivered(sent=1, failed=3)
    with database.look() as connection:
        kept = [(each.state, each.bounces) for each in listed(connection, SERIES)]
    assert kept == [(Standing.BOUNCED, 1), (Standing.ACTIVE, 1), (Standing.ACTIVE, 0), (Standing.ACTIVE, 0)]


def test_who_is_suspended_gets_nothing_of_the_next_campaign(database: Database) -> None:
    queue(database, 2)
    round_of(database, CapturingTransport({address(0): (refused(),)}))
    queue(database, 0, "next")
    transport = CapturingTransport()
    round_of(database, transport)
    assert reached(transport) == [address(1)]


@pytest.mark.parametrize("answer", [UNWELCOME, refused("5.7.1 spam", 554, Step.END)], ids=["MAIL", "the final dot"])
def test_a_server_that_refuses_us_costs_nobody_a_mail(database: Database, clock: FrozenClock, answer: Outcome) -> None:
    queue(database, 8)
    result = round_of(database, CapturingTransport({address(number): (answer,) for number in range(8)}))
    assert (result.failed, result.retried, result.waiting) == (0, 5, 8)
    assert "refuses every message" in str(result.trouble)
    assert round_of(database, CapturingTransport()) == Delivered(sent=3, waiting=5)
    clock.sleep(3600)
    assert round_of(database, CapturingTransport()) == Delivered(sent=5)


def test_a_broken_connection_blames_nobody_and_is_opened_again(database: Database) -> None:
    queue(database, 3)
    transport = CapturingTransport({address(1): (BROKEN, ACCEPTED)})
    assert round_of(database, transport) == Delivered(sent=3, retried=1)
    assert transport.opened == 2


def test_a_message_over_which_the_server_hangs_up_each_time_is_given_up_and_the_others_go_on(
    shared: Database, clock: FrozenClock
) -> None:
    queue(shared, 3, lasting=timedelta(days=1))
    cut = Outcome(Fate.BROKEN, Step.BODY, None, "Connection unexpectedly closed")
    transport = CapturingTransport({address(1): (cut,)})
    assert round_of(shared, transport) == Delivered(sent=2, retried=1, waiting=1)
    waits = []
    while (entry := entry_of(shared, 1)).state is State.RETRY:
        waits.append((entry.at - clock.now()).total_seconds() / 60)
        clock.move_to(entry.at)
        result = round_of(shared, transport)
    assert waits == [1, 5, 15, 60, 60, 60, 60, 60]
    assert (result.failed, result.waiting, result.trouble) == (1, 0, None)
    assert (entry.state, entry.doubts) == (State.FAILED, 0)
    assert "given up after 9 tries" in entry.reason
    assert "Connection unexpectedly closed" in entry.reason
    assert doubts(shared) == []
    with shared.begin() as connection:
        assert resend(connection, entry.campaign, entry.subscriber, clock.now())
    assert round_of(shared, transport) == Delivered(retried=1, waiting=1)
    assert reached(transport) == [address(0), address(2)]


def test_a_server_in_trouble_is_left_alone_and_told_once(database: Database, clock: FrozenClock) -> None:
    queue(database, 9)
    transport = CapturingTransport({address(number): (BROKEN,) for number in range(9)})
    result = round_of(database, transport)
    assert (result.retried, result.waiting, transport.opened) == (2, 9, 2)
    assert "Connection unexpectedly closed" in str(result.trouble)


def test_a_server_that_cannot_be_reached(database: Database) -> None:
    queue(database, 2)

    def nowhere() -> CapturingTransport:
        raise TransientDeliveryError("mail.example.org:25: Connection refused")

    done = round_of(database, nowhere)
    assert replace(done, trouble=None) == Delivered(waiting=2)
    assert str(done.trouble) == "mail.example.org:25: Connection refused"
    assert state_of(database) is State.PENDING


def test_in_doubt_it_goes_again_once_with_the_same_bytes(database: Database, clock: FrozenClock) -> None:
    queue(database, 2)
    transport = CapturingTransport({address(0): (UNKNOWN, ACCEPTED)})
    result = round_of(database, transport, per_second=0.1)
    assert (result.sent, result.retried, result.doubt) == (2, 1, 0)
    copies = [body for _, recipient, body in transport.sent if recipient == address(0)]
    assert len(copies) == 2
    assert copies[0] == copies[1]


def test_twice_in_doubt_waits_for_the_operator(database: Database) -> None:
    queue(database, 3)
    transport = CapturingTransport({address(0): (UNKNOWN,)})
    result = round_of(database, transport)
    assert (result.sent, result.doubt, reached(transport).count(address(0))) == (2, 1, 2)
    with database.look() as connection:
        assert [entry.state for entry in doubtful(connection, SERIES)] == [State.DOUBT]


def test_what_was_in_doubt_once_and_is_given_up_in_the_end_is_told_as_failed(
    shared: Database, clock: FrozenClock
) -> None:
    queue(shared, 1, lasting=timedelta(days=9))
    cut = Outcome(Fate.BROKEN, Step.BODY, None, "Connection unexpectedly closed")
    transport = CapturingTransport({address(0): (UNKNOWN, cut)})
    round_of(shared, transport)
    assert [entry.state for entry in doubts(shared)] == [State.RETRY]
    while entry_of(shared, 0).state is State.RETRY:
        clock.move_to(entry_of(shared, 0).at)
        round_of(shared, transport)
    assert entry_of(shared, 0).state is State.FAILED
    assert doubts(shared) == []


def test_hold_does_not_send_what_is_in_doubt_again(database: Database) -> None:
    queue(database, 1)
    transport = CapturingTransport({address(0): (UNKNOWN,)})
    assert round_of(database, transport, in_doubt=InDoubt.HOLD) == Delivered(doubt=1)
    assert len(transport.sent) == 1


def test_messages_are_made_by_other_threads_and_leave_in_their_order(database: Database, clock: FrozenClock) -> None:
    queue(database, 120)
    makers = set[str]()

    def noted(letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
        makers.add(threading.current_thread().name)
        clock.sleep(1.0)  # the more of them are made, the later it is
        return finish(letter, recipient, campaign, sent)

    transport = CapturingTransport({address(70): (UNKNOWN, ACCEPTED)})
    values = {"owner": "me", "here": installation(database), "makers": 2, "lease": timedelta(hours=1)}
    assert deliver(database, SERIES, transport, noted, clock, **values).sent == 120  # type: ignore[arg-type]
    assert list(dict.fromkeys(reached(transport))) == [address(number) for number in range(120)]
    assert threading.current_thread().name not in makers
    assert makers
    first, second = (body for _, recipient, body in transport.sent if recipient == address(70))
    assert first == second
    with database.look() as connection:
        dates = dict(
            connection.execute(
                select(subscribers.c.address, deliveries.c.dated).join_from(subscribers, deliveries)
            ).all()
        )
    assert all(f"Date: {dates[recipient]:%H:%M:%S}\r\n".encode() in body for _, recipient, body in transport.sent)


@pytest.mark.parametrize("makers", [0, 2])
def test_a_letter_that_cannot_be_finished_fails_alone(database: Database, makers: int) -> None:
    queue(database, 2)

    def picky(letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
        if recipient.address == address(0):
            raise PermanentDeliveryError("can't stand in a To field")
        return finish(letter, recipient, campaign, sent)

    transport = CapturingTransport()
    values = {"owner": "me", "here": installation(database), "makers": makers}
    result = deliver(database, SERIES, transport, picky, database.clock, **values)  # type: ignore[arg-type]
    assert (result.sent, result.failed, state_of(database)) == (1, 1, State.FAILED)


def test_who_leaves_in_the_meantime_gets_nothing_more(shared: Database) -> None:
    queue(shared, 4)

    def leave(so_far: Delivered) -> None:
        if so_far.sent == 1:
            with shared.begin() as connection:
                unsubscribe(connection, listed(connection, SERIES)[3].id, NOW)

    transport = CapturingTransport()
    assert round_of(shared, transport, progress=leave) == Delivered(sent=3, dropped=1)
    assert address(3) not in reached(transport)


def test_an_interruption_stores_what_is_known(database: Database) -> None:
    queue(database, 3)

    class Interrupted(CapturingTransport):
        def send(self, message: Message) -> Outcome:
            if len(self.sent) == 1:
                raise KeyboardInterrupt
            return super().send(message)

    with pytest.raises(KeyboardInterrupt):
        round_of(database, Interrupted())
    assert [state_of(database, number) for number in range(3)] == [State.SENT, State.SENDING, State.PENDING]
    transport = CapturingTransport()
    assert round_of(database, transport).sent == 2
    assert [entry.address for entry in doubts(database)] == [address(1)]


def doubts(database: Database) -> list[Entry]:
    with database.look() as connection:
        return list(doubtful(connection, SERIES))
