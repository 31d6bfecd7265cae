"""A tick plans only where something changed, a proof follows its letter, and a plan foresees what sending does."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from test_mailings import FIXED, HEAD, MARCH, PROOF, TALK, House, paris

from pipeline.actions import mailing
from pipeline.actions.build import Draft
from pipeline.actions.forecast import MISSED, OUTDONE, Forecast, forecast, known_of
from pipeline.actions.remembering import Memory
from pipeline.clock import FrozenClock
from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import Wishes
from pipeline.store.choices import keep_wishes
from pipeline.store.database import open_database
from pipeline.store.subscribers import find


@pytest.fixture
def house() -> Iterator[House]:
    clock = FrozenClock(paris(1, 10))
    with open_database("sqlite://", clock) as database:
        yield House(database, clock)


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How often ticks plan, and how many campaigns each plan has."""
    plans: list[int] = []
    whole = Memory.plan

    def planned(*arguments, **named):
        found = whole(*arguments, **named)
        plans.append(len(found.occasions))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Memory, "plan", planned)
        yield plans


def test_an_unchanged_edition_is_planned_once_a_day_and_a_new_one_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.subscribe("ada@example.org")
    house.publish(HEAD + TALK)
    house.send(paris(1, 10, 30))
    house.send(paris(1, 10, 31))  # what left changes what readers know
    with counted(monkeypatch) as plans:
        for minute in range(32, 52):
            house.send(paris(1, 10, minute))
        assert plans == []
        house.send(paris(2, 10, 31))
        assert len(plans) == 1
        house.publish(HEAD + TALK.replace("19:00", "20:00"))
        house.send(paris(2, 10, 45))
        assert len(plans) == 2
    assert any("Changed" in subject or "20:00" in subject for subject in house.subjects("ada@example.org"))


def test_a_tick_that_was_taken_back_is_done_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.publish(HEAD + TALK)
    house.send(paris(1, 12))
    house.publish(HEAD + TALK + MARCH)

    class LostError(Exception):
        pass

    def planned_in_vain() -> None:
        with house.database.begin() as connection:
            edition = mailing.sending_edition(connection, "seminar", house.clock.now(), house.sender.office.memory)
            mailing.tick(connection, edition, house.sender.office, house.clock.now())
            raise LostError

    with pytest.raises(LostError):
        planned_in_vain()
    house.subscribe("ada@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    house.send(paris(2, 10))
    assert house.subjects("ada@example.org") == ["News of March"]


def test_a_letter_that_changed_after_its_proof_is_shown_again_and_another_one_is_not(house: House) -> None:
    house.subscribe("ada@example.org")
    march = MARCH + 'text = "Room 3."\n'
    house.publish(HEAD + PROOF + march)
    house.send(paris(2, 7, 30))
    assert len(house.got("ana@seminar.example")) == 1
    house.publish(HEAD + PROOF + march + FIXED.replace('corrects = "march"\n', "").replace("03-03", "04-03"))
    house.send(paris(2, 8))
    assert len(house.got("ana@seminar.example")) == 1
    house.publish(HEAD + PROOF + march.replace("Room 3", "Room 2"))
    for minute in (10, 11):
        house.send(paris(2, 8, minute))
    first, second = house.got("ana@seminar.example")
    assert "Room 3." in first.as_string()
    assert "Room 2." in second.as_string()


def foreseen(house: House, text: str) -> Forecast:
    edition = house.publish(text)
    with house.database.look() as connection:
        known = known_of(connection, "seminar", house.clock.now())
        return forecast(Draft(edition), known, house.clock.now())


def test_a_plan_counts_those_whom_sending_will_reach_and_not_what_has_left(house: House) -> None:
    house.subscribe("ada@example.org", kinds=frozenset({Kind.ANNOUNCEMENTS}))
    house.subscribe("bob@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    house.publish(HEAD + TALK)
    house.send(paris(1, 10, 30))
    assert len(house.got("ada@example.org")) == 1
    coming = foreseen(house, HEAD + TALK.replace("19:00", "20:00"))
    told = {expected.occasion.rule: expected.readers for expected in coming.mailings}
    assert told["changed"] == 1  # ada chose no changes, but was mailed about it
    assert "announced" not in told
    house.send(paris(1, 11))
    assert len(house.got("ada@example.org")) == 2
    assert house.got("bob@example.org") == []


def test_a_newsletter_whose_hour_passed_while_nothing_ran_is_told(house: House) -> None:
    house.publish(HEAD + TALK + MARCH)
    house.clock.move_to(paris(4, 10))
    coming = foreseen(house, HEAD + TALK + MARCH)
    assert ("newsletter.march", MISSED) in {(one.rule, one.reason) for one in coming.omissions}


def test_what_the_limit_of_a_day_cannot_serve_is_counted(house: House) -> None:
    for number in range(12):
        house.subscribe(f"reader{number}@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    coming = foreseen(house, HEAD + "per_day = 10\n" + MARCH + 'text = "Dear all."\n')
    assert [(one.occasion.rule, one.readers, one.late) for one in coming.mailings] == [("newsletter.march", 12, 3)]


def whom(coming: Forecast) -> dict[str, tuple[str, ...]]:
    return {expected.occasion.rule: expected.lists for expected in coming.mailings}


def test_a_plan_names_the_lists_that_hear_of_a_change_only_because_they_heard_of_the_event(house: House) -> None:
    lists = (
        'lists = [{ address = "New@lists.example", language = "en", kinds = ["announcements"] }, '
        '{ address = "news@lists.example", language = "en", kinds = ["newsletters"] }]\n'
    )
    house.publish(HEAD + lists + TALK)
    house.send(paris(1, 10, 30))
    coming = foreseen(house, HEAD + lists + TALK.replace("19:00", "20:00") + MARCH)
    assert whom(coming)["changed"] == ("New@lists.example",)
    assert whom(coming)["newsletter.march"] == ("news@lists.example",)
    assert whom(coming)["morning"] == ()
    house.send(paris(1, 11))
    assert len(house.got("New@lists.example")) == 2
    assert house.got("news@lists.example") == []


def test_a_plan_names_only_the_lists_that_got_what_is_corrected(house: House) -> None:
    first, second = (
        f'{{ address = "{name}@lists.example", language = "en", kinds = ["newsletters"] }}' for name in ("one", "two")
    )
    house.publish(HEAD + f"lists = [{first}]\n" + TALK + MARCH)
    house.send(paris(2, 10))
    coming = foreseen(house, HEAD + f"lists = [{first}, {second}]\n" + TALK + MARCH + FIXED)
    assert whom(coming)["newsletter.fixed"] == ("one@lists.example",)


HOURS = "".join(f'[[reminder]]\nid = "h{n}"\nwhen = "{n} hours before"\n' for n in (9, 6, 3))


def test_of_the_reminders_of_an_event_that_are_due_together_the_nearest_is_planned_and_the_others_are_omitted(
    house: House,
) -> None:
    house.subscribe("ada@example.org", kinds=frozenset({Kind.REMINDERS}))
    house.publish(HEAD + TALK + HOURS)
    house.clock.move_to(paris(6, 16, 20, month=4) - timedelta(hours=1))  # in summer time: 16:20
    coming = foreseen(house, HEAD + TALK + HOURS)
    assert [expected.occasion.rule for expected in coming.mailings] == ["h3"]
    assert {(one.rule, one.reason) for one in coming.omissions} == {("h9", OUTDONE), ("h6", OUTDONE)}
    house.send()
    assert len(house.got("ada@example.org")) == 1
    later = foreseen(house, HEAD + TALK + HOURS)
    assert later.mailings == ()
    assert {(one.rule, one.reason) for one in later.omissions} == {
        (rule, "a reminder nearer to the event left instead of it") for rule in ("h9", "h6")
    }


def test_where_somebody_wants_none_of_the_nearest_reminder_the_others_are_planned_too(house: House) -> None:
    house.subscribe("ada@example.org", kinds=frozenset({Kind.REMINDERS}))
    house.publish(HEAD + TALK + HOURS)
    house.clock.move_to(paris(6, 16, 20, month=4) - timedelta(hours=1))

    def decline(connection: Connection) -> None:
        ada = find(connection, "seminar", "ada@example.org")
        assert ada is not None
        keep_wishes(connection, ada.id, Wishes(declined=frozenset({"h3"})))

    house.database.run(decline)
    coming = foreseen(house, HEAD + TALK + HOURS)
    assert [expected.occasion.rule for expected in coming.mailings] == ["h9", "h6", "h3"]
