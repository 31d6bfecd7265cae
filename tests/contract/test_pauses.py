"""A pause on each kind of database: what waits for somebody doesn't leave, and comes back with them in time."""

from dataclasses import replace
from datetime import datetime, timedelta

from simulated import START
from sqlalchemy import select

from pipeline.actions.preferences import Choices, choose
from pipeline.letters import Letter
from pipeline.reminders.occasions import Audience, Kind, Occasion, Plan
from pipeline.reminders.wishes import NO_WISHES, Wishes
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.claims import claim, release
from pipeline.store.database import Database
from pipeline.store.deliveries import start
from pipeline.store.expansion import expand
from pipeline.store.outbox import close_finished
from pipeline.store.subscribers import ALL_KINDS, Subscriber, add, by_id
from pipeline.store.switch import arm
from pipeline.store.tables import State, campaigns, deliveries

SERIES = "seminar"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PAUSED = Wishes(paused_until=START + 3 * DAY)


def reader(database: Database, address: str = "ada@reader.example") -> Subscriber:
    with database.begin() as connection:
        row, _ = add(connection, SERIES, address, "en", ALL_KINDS, (), "on paper", START)
        found = by_id(connection, row)
    assert found is not None
    return found


def wished(database: Database, who: Subscriber, wishes: Wishes, at: datetime) -> Subscriber:
    return choose(database, who, Choices("en", ALL_KINDS, frozenset(), wishes), at)


def queued(database: Database, *occasions: Occasion) -> None:
    with database.begin() as connection:
        reconcile(connection, SERIES, Plan(occasions, ()), START)
        for campaign in due_campaigns(connection, SERIES, START):
            expand(connection, campaign, {"en": Letter("en", "Soon", b"en")}, "en", START)


def states(database: Database, who: Subscriber) -> dict[str, str]:
    query = select(campaigns.c.key, deliveries.c.state).select_from(deliveries.join(campaigns))
    with database.look() as connection:
        return {row.key: row.state for row in connection.execute(query.where(deliveries.c.subscriber_id == who.id))}


REMINDER = Occasion("talk", "early", 0, Kind.REMINDERS, START, START + 2 * DAY)
NEWS = Occasion("talk", "changed", 1, Kind.CHANGES, START, START + 2 * DAY, audience=Audience.INFORMED)
KEY = REMINDER.key


def test_what_waits_is_withdrawn_by_a_pause_and_is_there_again_when_it_is_lifted_in_time(database: Database) -> None:
    who, other = reader(database), reader(database, "bo@reader.example")
    queued(database, REMINDER)
    wished(database, who, PAUSED, START + HOUR)
    assert (states(database, who), states(database, other)) == ({KEY: State.DROPPED}, {KEY: State.PENDING})
    wished(database, who, NO_WISHES, START + DAY)
    assert states(database, who) == {KEY: State.PENDING}


def test_what_a_pause_ends_early_enough_for_leaves_at_its_end(database: Database) -> None:
    who = reader(database)
    queued(database, REMINDER)
    end = START + 3 * HOUR

    def leaving(at: datetime) -> int:
        with database.begin() as connection:
            claimed = claim(connection, SERIES, 10, "sender", HOUR, at)
            release(connection, "sender")
            close_finished(connection, SERIES)
            return len(claimed)

    wished(database, who, Wishes(paused_until=end), START + HOUR)
    assert (leaving(end - HOUR), leaving(end)) == (0, 1)
    # Too long a pause, and one that is made short enough while it lasts.
    wished(database, who, PAUSED, START + HOUR)
    assert leaving(end) == 0
    wished(database, who, Wishes(paused_until=end + HOUR), START + HOUR)
    assert (leaving(end), leaving(end + HOUR)) == (0, 1)
    # Lifted, it keeps nothing waiting.
    wished(database, who, NO_WISHES, START + HOUR)
    assert leaving(START + HOUR) == 1


def test_what_is_not_wanted_after_a_pause_either_does_not_wait_for_its_end(database: Database) -> None:
    who = reader(database)
    queued(database, REMINDER)
    wished(database, who, Wishes(declined=frozenset({REMINDER.rule}), paused_until=START + 3 * HOUR), START)
    assert states(database, who) == {KEY: State.DROPPED}


def test_nothing_of_it_can_leave_during_the_pause_and_all_of_it_after(database: Database) -> None:
    who = reader(database)
    queued(database, REMINDER)

    def leaving(at: datetime) -> list[str]:
        with database.begin() as connection:
            arm(connection, {}, START)
            claimed = claim(connection, SERIES, 10, "sender", HOUR, at)
            started = [item for item in claimed if start(connection, item, "sender", at + HOUR, at, at)]
            return [item.recipient.address for item in started]

    wished(database, who, PAUSED, START)
    assert leaving(START + HOUR) == []
    wished(database, who, NO_WISHES, START + HOUR)
    assert leaving(START + HOUR) == [who.address]


def test_what_a_sender_holds_already_does_not_leave_either(database: Database) -> None:
    who = reader(database)
    queued(database, REMINDER)
    with database.begin() as connection:
        arm(connection, {}, START)
        (item,) = claim(connection, SERIES, 10, "sender", HOUR, START)
    wished(database, who, PAUSED, START)
    with database.begin() as connection:
        assert not start(connection, item, "sender", START + HOUR, START, START)
    assert states(database, who) == {KEY: State.DROPPED}


def test_it_comes_back_too_where_its_mailing_had_ended_meanwhile(database: Database) -> None:
    who = reader(database)
    queued(database, REMINDER)
    wished(database, who, PAUSED, START)
    with database.begin() as connection:
        close_finished(connection, SERIES)
    wished(database, who, NO_WISHES, START + HOUR)
    assert states(database, who) == {KEY: State.PENDING}
    with database.look() as connection:
        assert connection.execute(select(campaigns.c.state)).scalars().all() == ["expanded"]


def test_what_would_be_too_late_does_not_come_back(database: Database) -> None:
    who = reader(database)
    queued(database, REMINDER)
    wished(database, who, PAUSED, START)
    wished(database, who, NO_WISHES, REMINDER.not_after)
    assert states(database, who) == {KEY: State.DROPPED}


def test_what_was_said_before_the_event_changed_does_not_come_back(database: Database) -> None:
    who = reader(database)
    queued(database, REMINDER)
    wished(database, who, PAUSED, START)
    moved = replace(REMINDER, revision=1)
    with database.begin() as connection:
        reconcile(connection, SERIES, Plan((moved,), ()), START)
    wished(database, who, NO_WISHES, START + HOUR)
    assert states(database, who) == {KEY: State.DROPPED}


def test_the_news_of_an_event_that_somebody_was_mailed_about_is_not_held_back(database: Database) -> None:
    who = reader(database)
    queued(database, replace(REMINDER, rule="announced", kind=Kind.ANNOUNCEMENTS))
    queued(database, NEWS)
    wished(database, who, PAUSED, START + HOUR)
    assert states(database, who)[NEWS.key] == State.PENDING
