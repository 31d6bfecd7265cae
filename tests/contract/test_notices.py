"""Who hears of a change, and when: against what readers were last told, however edits and sendings interleave."""

import email
import email.policy
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial

import pytest
from mail_season import HEAD

from pipeline import ledger as journal
from pipeline.actions.deliver import deliver
from pipeline.actions.mailing import Office, sending_edition, tick
from pipeline.actions.publish import store_edition
from pipeline.actions.subscribers import Entry, add_all
from pipeline.catalogue.load import Source, load
from pipeline.clock import FrozenClock
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.reminders.occasions import Kind
from pipeline.rendering import Renderer
from pipeline.store.database import open_database
from pipeline.store.switch import arm, installation
from pipeline.testing import CapturingTransport

TALK = '[[event]]\nid = "bees"\ntitle = "Bees"\ndate = 2027-03-10\ntime = "19:00"\n'
OFF = TALK + 'status = "cancelled"\nnotice = "The room is flooded."\n'


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2027-{text}:00+00:00").astimezone(UTC)


class Season:
    """One series, published and sent by hand at given instants."""

    def __init__(self, *readers: Entry) -> None:
        self.clock = FrozenClock(at("02-01T10:00"))
        self.database = open_database("sqlite://", self.clock)
        self.ledger = Ledger()
        self.here = installation(self.database)
        entries = readers or (Entry("a@reader.example", "en"),)
        self.database.run(lambda connection: add_all(connection, "talks", entries, self.clock.now()))
        self.database.run(lambda connection: arm(connection, self.here, self.clock.now()))
        self.office = Office(Renderer(), b"a key", {})

    def publish(self, when: str, text: str) -> None:
        self.clock.move_to(at(when))
        catalogue = load(Source("events.toml", HEAD + text)).catalogue
        self.ledger = self.ledger.extended(pending_lines(catalogue, self.ledger, self.clock.now()))
        edition = Edition(catalogue, journal.read(journal.write(self.ledger)), self.clock.now().date())
        store_edition(self.database, edition, self.clock.now())

    def send(self, when: str) -> list[str]:
        """What leaves now: `address: subject`, in the order of leaving."""
        self.clock.move_to(at(when))
        now = self.clock.now()

        def prepare(connection):
            edition = sending_edition(connection, "talks", now)
            tick(connection, edition, self.office, now)
            return edition

        edition = self.database.run(prepare)
        transport = CapturingTransport()
        finisher = self.office.finisher(edition.catalogue)
        deliver(self.database, "talks", lambda: transport, finisher, self.clock, owner="test", here=self.here)
        parse = partial(email.message_from_bytes, policy=email.policy.default)
        self.bodies = [str(parse(message).get_body(("plain",)).get_content()) for _, _, message in transport.sent]
        return [f"{recipient[0]}: {parse(message)['Subject']}" for _, recipient, message in transport.sent]


@pytest.fixture
def season() -> Iterator[Season]:
    made = Season()
    yield made
    made.database.close()


def announced(season: Season) -> Season:
    season.publish("02-01T10:00", TALK)
    [told] = season.send("02-01T10:01")
    assert "Wed 10 Mar 2027, 19:00" in told
    return season


def test_an_urgent_notice_that_is_undone_is_corrected(season: Season) -> None:
    announced(season).publish("03-10T10:00", OFF)
    [cancelled] = season.send("03-10T10:01")
    assert "Cancelled" in cancelled
    season.publish("03-10T10:05", TALK)
    [again] = season.send("03-10T10:06")
    assert "after all" in again.lower()
    assert season.send("03-10T10:30") == []


def test_several_changes_overnight_are_told_once_with_the_net_result(season: Season) -> None:
    announced(season).publish("02-20T21:30", TALK.replace("19:00", "20:00"))
    season.publish("02-20T22:30", OFF)
    assert season.send("02-20T23:00") == []
    [told] = season.send("02-21T07:00")
    assert "Cancelled" in told
    assert season.send("02-21T08:00") == []


def test_what_was_undone_overnight_is_never_told(season: Season) -> None:
    announced(season).publish("02-20T21:30", TALK.replace("19:00", "20:00"))
    season.publish("02-20T22:30", TALK)
    assert season.send("02-21T07:00") == []


def test_after_downtime_readers_hear_the_difference_to_what_they_know(season: Season) -> None:
    announced(season)
    for hour, day in (("20:00", "02-10"), ("21:00", "02-11"), ("18:00", "02-12")):
        season.publish(f"{day}T10:00", TALK.replace("19:00", hour))
    [told] = season.send("02-12T12:00")
    assert "18:00" in told
    assert "19:00" in season.bodies[0]
    assert "20:00" not in season.bodies[0]
    assert "21:00" not in season.bodies[0]


def test_a_correction_before_anybody_was_told_is_no_change(season: Season) -> None:
    season.publish("02-01T10:00", TALK.replace("19:00", "18:00"))
    season.publish("02-01T10:02", TALK)
    [told] = season.send("02-01T10:03")
    assert "19:00" in told
    assert season.send("02-01T10:30") == []


def test_a_correction_after_the_announcement_left_is_told(season: Season) -> None:
    season.publish("02-01T10:00", TALK.replace("19:00", "18:00"))
    season.send("02-01T10:01")
    season.publish("02-01T10:02", TALK)
    [told] = season.send("02-01T10:20")
    assert "19:00" in told
    assert season.send("02-01T10:40") == []


def test_a_second_notice_of_the_same_revision_is_told_too(season: Season) -> None:
    announced(season).publish("03-10T10:00", OFF)
    season.send("03-10T10:01")
    season.publish("03-10T10:04", OFF.replace("flooded", "on fire"))
    [again] = season.send("03-10T10:05")
    assert "on fire" in season.bodies[0]
    assert again


def test_a_change_to_a_weekly_event_is_told_after_its_first_time(season: Season) -> None:
    weekly = TALK + 'repeats = "FREQ=WEEKLY;COUNT=8"\n'
    season.publish("02-01T10:00", weekly)
    season.send("02-01T10:01")
    season.publish("03-20T10:00", weekly.replace("19:00", "20:00"))
    assert any("20:00" in told for told in season.send("03-20T10:20"))


def test_a_reminder_that_is_due_survives_an_end_that_becomes_known() -> None:
    season = Season(Entry("b@reader.example", "en", frozenset({Kind.REMINDERS})))
    season.publish("02-01T10:00", TALK)
    assert season.send("02-01T10:01") == []
    # Due at 10:00 in Paris; the sender comes late, and the organiser has written how long it lasts.
    season.publish("03-08T09:05", TALK + 'duration = "2h"\n')
    [told] = season.send("03-08T09:30")
    assert "Reminder" in told
    assert season.send("03-08T10:00") == []
    season.database.close()


def test_a_reader_whose_announcement_was_stopped_by_a_change_hears_of_it() -> None:
    season = Season(Entry("c@reader.example", "en", frozenset({Kind.ANNOUNCEMENTS})))
    season.publish("02-01T10:00", TALK)
    season.clock.move_to(at("02-01T10:00"))
    edition = season.database.run(lambda connection: sending_edition(connection, "talks", season.clock.now()))
    season.database.run(lambda connection: tick(connection, edition, season.office, season.clock.now()))
    # Queued and not yet sent, when the hour changes.
    season.publish("02-01T10:02", TALK.replace("19:00", "20:00"))
    told = [*season.send("02-01T10:03"), *season.send("02-01T10:20")]
    assert told
    assert "20:00" in told[-1]
    season.database.close()
