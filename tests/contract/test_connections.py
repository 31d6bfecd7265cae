"""Several connections at once: limits hold over all of them, and a domain that has had enough is left alone."""

import threading
from collections import Counter
from datetime import datetime, timedelta

import pytest
from patience import PATIENCE
from sqlalchemy import update
from test_deliver import NOW, SERIES, address, queue, reached, round_of, state_of

from pipeline.actions.deliver import Delivered
from pipeline.actions.verdicts import is_crowded
from pipeline.clock import FrozenClock
from pipeline.delivery import Fate, Outcome, Step
from pipeline.delivery.lines import Lines
from pipeline.errors import TransientDeliveryError
from pipeline.letters import Message
from pipeline.reminders.occasions import Priority
from pipeline.store.database import Database, open_database
from pipeline.store.outbox import entries
from pipeline.store.pacing import (
    MINUTE,
    REST,
    note_silence,
    reserve_slot,
    reserve_turns,
    rest,
    resting,
    take_turn,
    was_silent,
)
from pipeline.store.tables import State, subscribers
from pipeline.testing import ACCEPTED, BROKEN, UNKNOWN, CapturingTransport, deferred, refused

CROWDED = deferred("4.7.0 too many messages from you", 450)


def test_everybody_gets_it_once_over_several_connections(database: Database) -> None:
    queue(database, 90)
    transport = CapturingTransport()
    assert round_of(database, transport, connections=4) == Delivered(sent=90)
    assert sorted(reached(transport)) == sorted(map(address, range(90)))
    assert 1 < transport.opened <= 4


def test_little_mail_opens_one_connection(database: Database) -> None:
    queue(database, 15)
    transport = CapturingTransport()
    assert round_of(database, transport, connections=9).sent == 15
    assert transport.opened == 1


def test_every_outcome_finds_its_own_message(database: Database) -> None:
    queue(database, 40)
    answers = {address(3): (refused(),), address(11): (deferred(),), address(20): (UNKNOWN, ACCEPTED)}
    transport = CapturingTransport(answers)
    result = round_of(database, transport, connections=5)
    assert (result.sent, result.failed, result.waiting) == (38, 1, 1)
    assert [state_of(database, number) for number in (3, 11, 20)] == [State.FAILED, State.RETRY, State.SENT]
    assert reached(transport).count(address(20)) == 2


def test_the_limit_and_the_pace_hold_over_all_connections(database: Database, clock: FrozenClock) -> None:
    queue(database, 30)
    transport = CapturingTransport()
    assert round_of(database, transport, connections=5, limit=7) == Delivered(sent=7, waiting=23)
    assert clock.now() == NOW
    assert round_of(database, transport, connections=5, per_second=2.0) == Delivered(sent=23)
    assert clock.now() == NOW + timedelta(seconds=11)


def test_the_pace_goes_on_where_the_last_sender_left_it(shared: Database, clock: FrozenClock) -> None:
    gap = timedelta(seconds=10)
    with shared.begin() as connection:
        slots = [reserve_slot(connection, SERIES, gap, NOW) for _ in range(3)]
    assert slots == [NOW, NOW + gap, NOW + 2 * gap]
    with shared.begin() as connection:
        # A clock that was set back an hour doesn't wait for the hour to come again.
        assert reserve_slot(connection, SERIES, gap, NOW - timedelta(hours=1)) == NOW - timedelta(hours=1)


def test_a_server_that_takes_one_connection_only_gets_one(database: Database) -> None:
    queue(database, 60)
    transport = CapturingTransport()

    def connect() -> CapturingTransport:
        if transport.opened:
            raise TransientDeliveryError("mail.example.org:25: 421 too many connections")
        return transport()

    assert round_of(database, connect, connections=5) == Delivered(sent=60)


def test_after_the_first_connection_the_others_are_opened_side_by_side() -> None:
    first, together = threading.Event(), threading.Barrier(3, timeout=PATIENCE)

    def connect() -> CapturingTransport:
        if first.is_set():
            together.wait()  # nobody comes through alone
        first.set()
        return CapturingTransport()

    lines: Lines[int] = Lines(connect, 4)
    while lines.free < 4:
        lines.widen(4)
        lines.outcomes(5.0)
    assert (lines.trouble, lines.opening) == (None, False)
    lines.close()


def test_a_server_that_refuses_one_connection_keeps_those_that_are_on_their_way() -> None:
    lock, refused_one, number = threading.Lock(), threading.Event(), iter(range(9))
    transport = CapturingTransport({address(0): (BROKEN,)})

    def connect() -> CapturingTransport:
        with lock:
            mine = next(number)
        if mine == 1:
            raise TransientDeliveryError("mail.example.org:25: 421 too many connections")
        if mine in (2, 3):
            refused_one.wait(PATIENCE)
        return transport()

    lines: Lines[int] = Lines(connect, 4)
    settle(lines)
    lines.widen(4)
    lines.outcomes(PATIENCE)
    refused_one.set()
    settle(lines)
    lines.begin(1, Message("b@example.org", address(0), b"\r\n", "<1@x>"))
    assert lines.free == 2
    settle(lines)
    assert (lines.free, lines.trouble, next(number)) == (3, None, 5)
    lines.close()


def settle(lines: Lines[int]) -> None:
    """Until no more connections are opened."""
    lines.widen(4)
    while lines.opening:
        lines.outcomes(5.0)


@pytest.mark.parametrize("connections", [1, 4])
def test_a_server_that_takes_one_message_over_a_connection_gets_them_all(
    database: Database, clock: FrozenClock, connections: int
) -> None:
    queue(database, 16)
    kept = CapturingTransport()

    class Once:
        """One connection, closed by the server after the first message."""

        def __init__(self) -> None:
            self.kept = 0

        def send(self, message: Message) -> Outcome:
            self.kept += 1
            return kept.send(message) if self.kept == 1 else Outcome(Fate.BROKEN, Step.MAIL, 421, "enough for one")

        def close(self) -> None:
            pass

    for _ in range(16):
        done = round_of(database, Once, connections=connections)  # type: ignore[arg-type]
        assert done.trouble is None
        clock.sleep(60)
    assert sorted(reached(kept)) == sorted(map(address, range(16)))


def opened(transport: CapturingTransport, number: int) -> Lines[int]:
    lines: Lines[int] = Lines(transport, number)
    while lines.free < number:
        lines.widen(number)
        lines.outcomes(5.0)
    return lines


def test_connections_that_break_together_are_one_break_and_the_next_alone_is_the_second() -> None:
    message = Message("b@example.org", address(0), b"\r\n", "<1@x>")
    lines = opened(CapturingTransport({address(0): (BROKEN,)}), 3)
    for item in range(3):
        lines.begin(item, message)
    assert [(item, outcome.fate) for item, outcome in lines.outcomes(0.0)] == [(n, Fate.BROKEN) for n in range(3)]
    assert (lines.trouble, lines.free) == (None, 0)
    lines.widen(1)
    lines.outcomes(PATIENCE)
    lines.begin(3, message)
    assert "the connection to the mail server failed" in str(lines.trouble)


def test_what_others_had_in_hand_is_forgiven_too_when_the_server_refuses_us(database: Database) -> None:
    queue(database, 40)
    unwelcome = Outcome(Fate.UNWELCOME, Step.MAIL, 550, "5.7.1 not you")
    answers = {address(number): (unwelcome,) for number in range(40)}
    result = round_of(database, CapturingTransport(answers), connections=4)
    assert "refuses every message" in str(result.trouble)
    assert (result.failed, result.waiting) == (0, 40)
    assert all(state_of(database, number) is not State.FAILED for number in range(40))


def test_a_domain_that_has_had_too_many_rests_and_the_others_go_on(database: Database, clock: FrozenClock) -> None:
    queue(database, 12)
    readdress(database, range(6), "busy.example")
    transport = CapturingTransport({address(0).replace("example.org", "busy.example"): (CROWDED, ACCEPTED)})
    result = round_of(database, transport)
    assert (result.sent, result.retried, result.waiting) == (6, 6, 6)
    clock.sleep(60)
    assert round_of(database, transport).sent == 0  # another round, and another process, leaves it alone too
    clock.sleep(300)
    assert round_of(database, transport).sent == 6


@pytest.mark.parametrize(
    ("outcome", "crowded"),
    [
        (CROWDED, True),
        (deferred("4.7.28 rate limit exceeded", 421, Step.END), True),
        (deferred("4.2.1 this user gets mail too fast", 450), False),
        (deferred("4.2.0 greylisted, come again", 450), False),
        (refused("5.7.1 too many", 550), False),
        (ACCEPTED, False),
    ],
)
def test_what_says_that_a_domain_has_had_enough(outcome: Outcome, crowded: bool) -> None:
    assert is_crowded(outcome) is crowded


def test_so_many_a_minute_go_to_one_domain(shared: Database, clock: FrozenClock) -> None:
    queue(shared, 10)
    readdress(shared, range(7), "big.example")
    transport = CapturingTransport()
    assert round_of(shared, transport, per_domain=3, connections=3) == Delivered(sent=6, waiting=4)
    assert sum("big.example" in one for one in reached(transport)) == 3
    assert round_of(shared, transport, per_domain=3) == Delivered(waiting=4)
    clock.sleep(60)
    assert round_of(shared, transport, per_domain=3) == Delivered(sent=3, waiting=1)
    clock.sleep(60)
    assert round_of(shared, transport, per_domain=3) == Delivered(sent=1)


def test_who_waits_for_a_full_domain_is_given_a_turn_once_and_not_looked_at_before(
    shared: Database, clock: FrozenClock
) -> None:
    queue(shared, 90)
    readdress(shared, range(80), "big.example")
    transport = CapturingTransport()
    assert round_of(shared, transport, per_domain=10) == Delivered(sent=20, waiting=70)
    for _ in range(2):
        with shared.look() as connection:
            turns = Counter(entry.at - NOW for entry in entries(connection, SERIES))
        assert turns == {timedelta(minutes=minute): 10 for minute in range(1, 8)}
        clock.sleep(25)
        assert round_of(shared, transport, per_domain=10) == Delivered(waiting=70)
    for minute in range(1, 8):
        clock.move_to(NOW + timedelta(minutes=minute))
        assert round_of(shared, transport, per_domain=10).sent == 10
    assert len(set(reached(transport))) == len(transport.sent) == 90


def test_urgent_mail_to_a_full_domain_has_the_next_minute_and_not_the_end_of_the_line(
    shared: Database, clock: FrozenClock
) -> None:
    queue(shared, 60)
    transport = CapturingTransport()
    assert round_of(shared, transport, per_domain=10).sent == 10
    queue(shared, 0, "moved", priority=Priority.URGENT)
    before = len(transport.sent)
    for minute in range(1, 13):
        clock.move_to(NOW + timedelta(minutes=minute))
        round_of(shared, transport, per_domain=10)
        if minute == 6:
            assert sorted(reached(transport)[before:]) == sorted(map(address, range(60)))
    assert sorted(reached(transport)) == sorted([*map(address, range(60))] * 2)


def test_a_minute_that_a_wrong_clock_opened_is_over_at_once(shared: Database, clock: FrozenClock) -> None:
    with shared.begin() as connection:
        for _ in range(4):
            take_turn(connection, "example.org", 3, NOW + timedelta(hours=5))
        assert take_turn(connection, "example.org", 3, NOW) is None


def test_a_rest_ends_once_and_one_that_a_wrong_clock_began_is_over_at_once(shared: Database) -> None:
    with shared.begin() as connection:
        rest(connection, "tired.example", NOW + REST)
        rest(connection, "wrong.example", NOW + timedelta(days=30))
        for minutes, left in ((0, ["tired.example"]), (4, ["tired.example"]), (5, []), (24 * 60, [])):
            assert list(resting(connection, NOW + timedelta(minutes=minutes))) == left


def test_a_silence_is_remembered_for_a_day_and_one_that_a_wrong_clock_noted_is_not(shared: Database) -> None:
    with shared.begin() as connection:
        assert not was_silent(connection, NOW)
        note_silence(connection, NOW)
        assert [was_silent(connection, NOW + timedelta(hours=hours)) for hours in (0, 23, 24)] == [True, True, False]
        note_silence(connection, NOW + timedelta(days=30))
        assert not was_silent(connection, NOW)


@pytest.mark.parametrize("most", [1, 7, 10, 11, 13])
def test_no_minute_is_given_more_turns_than_it_has(shared: Database, most: int) -> None:
    with shared.begin() as connection:
        turns = reserve_turns(connection, 1, "big.example", most, 3 * most, NOW, NOW + timedelta(days=1))
    assert Counter(turns) == {NOW + minute * MINUTE: most for minute in range(3)}


def test_turns_that_a_wrong_clock_gave_keep_nobody_waiting(shared: Database) -> None:
    ahead, end = timedelta(hours=6), NOW + timedelta(hours=3)
    with shared.begin() as connection:
        for campaign, wrong, not_after in ((1, ahead, end), (2, timedelta(days=1), NOW + timedelta(days=9))):
            reserve_turns(connection, campaign, "big.example", 10, 5, NOW + wrong, not_after)
            assert reserve_turns(connection, campaign, "big.example", 10, 5, NOW, not_after) == [NOW] * 5


def test_no_minute_is_lost_where_each_round_comes_a_little_late(shared: Database, clock: FrozenClock) -> None:
    queue(shared, 60)
    readdress(shared, range(60), "big.example")
    transport, late = CapturingTransport(), 0.0
    minutes = 0
    while len(transport.sent) < 60:
        late, minutes = (late + 0.7) % 2, minutes + bool(round_of(shared, transport, per_domain=10).sent)
        with shared.look() as connection:
            due = min((entry.at for entry in entries(connection, SERIES)), default=clock.now())
        clock.move_to(max(due, clock.now()) + timedelta(seconds=late))
    assert minutes == 6
    assert clock.now() - NOW < 6 * MINUTE
    assert len(set(reached(transport))) == 60


def test_a_domain_that_has_had_its_minute_takes_no_time_from_the_others(shared: Database, clock: FrozenClock) -> None:
    queue(shared, 30)
    readdress(shared, range(28), "big.example")
    transport, began = CapturingTransport(), clock.now()
    assert round_of(shared, transport, per_domain=2, per_second=1).sent == 4
    assert clock.now() - began < timedelta(seconds=6)


def test_two_senders_of_a_day_share_its_limit_on_postgresql(postgresql_url: str, clock: FrozenClock) -> None:
    with open_database(postgresql_url, clock) as database, open_database(postgresql_url, clock) as second:
        queue(database, 60)
        here, there = CapturingTransport(), CapturingTransport()

        def midway(so_far: Delivered) -> None:
            if so_far.sent == 5 and not there.sent:
                round_of(second, there, per_day=20)

        round_of(database, here, per_day=20, progress=midway)
        assert len(here.sent) + len(there.sent) == 18  # a tenth is kept for what is urgent


def test_a_sender_takes_up_again_what_its_own_earlier_round_left_in_hand(
    postgresql_url: str, clock: FrozenClock
) -> None:
    with open_database(postgresql_url, clock) as database:
        queue(database, 3)

        class Dying(CapturingTransport):
            def send(self, _message: object) -> Outcome:
                raise MemoryError

        with pytest.raises(MemoryError):
            round_of(database, Dying(), owner="me")
        assert state_of(database, 0) is State.SENDING
        assert round_of(database, CapturingTransport(), owner="me").sent == 3


@pytest.mark.parametrize("jump", [timedelta(hours=-2), timedelta(minutes=20)], ids=["back", "beyond the lease"])
def test_a_clock_that_is_set_in_mid_run_sends_nothing_twice(database: Database, jump: timedelta) -> None:
    class Jumping(FrozenClock):
        shift = timedelta(0)

        def now(self) -> datetime:
            return super().now() + self.shift

    queue(database, 40)
    clock, transport = Jumping(NOW), CapturingTransport()

    def set_it(so_far: Delivered) -> None:
        clock.shift = jump if so_far.sent >= 10 else timedelta(0)

    database.clock = clock
    round_of(database, transport, progress=set_it, connections=3)
    clock.shift = timedelta(0)
    round_of(database, transport, connections=3)
    assert sorted(reached(transport)) == sorted(map(address, range(40)))


def readdress(database: Database, numbers: range, domain: str) -> None:
    with database.begin() as connection:
        for number in numbers:
            old = subscribers.c.mailbox == address(number)
            new = address(number).replace("example.org", domain)
            connection.execute(update(subscribers).where(old).values(mailbox=new, address=new))
