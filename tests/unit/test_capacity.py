"""Whether the limits of sending serve every mailing in time."""

from datetime import UTC, datetime, timedelta

from pipeline.reminders.capacity import Load, come_too_late
from pipeline.reminders.occasions import Omission, Priority, folded

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def load(number: int, after: timedelta = HOUR * 0, within: timedelta = HOUR * 12, priority=Priority.REMINDER) -> Load:
    return Load(NOON + after, NOON + after + within, priority, number)


def test_without_limits_nothing_is_late() -> None:
    assert come_too_late([load(10**6)], None, None, NOON) == (0,)


def test_what_a_day_cannot_hold_waits_for_the_next_one_and_may_be_late_then() -> None:
    assert come_too_late([load(150)], None, 100, NOON) == (60,)  # a tenth is kept for what is urgent
    assert come_too_late([load(150, within=25 * HOUR)], None, 100, NOON) == (0,)


def test_what_is_urgent_leaves_first_and_has_the_tenth_that_is_kept_for_it() -> None:
    assert come_too_late([load(90), load(10, HOUR, priority=Priority.URGENT)], None, 100, NOON) == (0, 0)
    assert come_too_late([load(90), load(11, HOUR, priority=Priority.URGENT)], None, 100, NOON) == (0, 1)


def test_a_slow_server_serves_what_falls_due_meanwhile_by_its_urgency() -> None:
    # 3,600 an hour: the newsletter takes two hours, and steps aside for the notice that is due after one.
    both = [load(7200, within=3 * HOUR, priority=Priority.NEWSLETTER), load(3600, HOUR, HOUR, Priority.URGENT)]
    assert come_too_late(both, 1, None, NOON) == (0, 0)
    assert come_too_late([both[0], load(7200, HOUR, 2 * HOUR, Priority.URGENT)], 1, None, NOON) == (3600, 0)


def test_an_omission_is_told_once_for_all_dates_of_an_event() -> None:
    one, other = Omission("choir", "morning", "late"), Omission("choir", "eve", "late")
    assert [(omission.rule, omission.dates) for omission in folded([one, other, one, one])] == [
        ("morning", 3), ("eve", 1),
    ]  # fmt: skip
