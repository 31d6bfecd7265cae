"""The single times of a recurring event, in the order in which they take place, wherever they were moved."""

from datetime import UTC, date, datetime

import pytest
from publishing import TALK, edition

from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.when import first_day
from pipeline.edition import Edition

WEEKLY = TALK + 'repeats = "FREQ=WEEKLY;COUNT=5"\nmoved = [{from = 2026-10-27, date = %s}]\n'


def days(text: str, since: date, until: date) -> list[str]:
    (listing,) = edition(text).listings
    bounds = [datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (since, until)]
    return [str(first_day(when)) for _, when in occurrences(listing.event, *bounds)]


def test_times_come_in_the_order_in_which_they_take_place() -> None:
    later = days(WEEKLY % "2026-11-05", date(2026, 10, 1), date(2027, 1, 1))
    assert later == ["2026-10-20", "2026-11-03", "2026-11-05", "2026-11-10", "2026-11-17"]


def test_a_time_that_was_moved_is_found_by_its_new_date_and_by_its_old_one() -> None:
    far = WEEKLY % "2027-03-01"
    assert days(far, date(2027, 2, 1), date(2027, 4, 1)) == ["2027-03-01"]
    assert "2027-03-01" in days(far, date(2026, 10, 26), date(2026, 10, 28))
    assert days(far, date(2026, 12, 1), date(2027, 1, 1)) == []


@pytest.mark.parametrize(("day", "following"), [(date(2026, 10, 21), "2026-11-03"), (date(2026, 11, 4), "2026-11-05")])
def test_the_next_time_is_the_next_that_takes_place(day: date, following: str) -> None:
    of: Edition = edition(WEEKLY % "2026-11-05", day=day)
    assert of.next is not None
    assert str(first_day(of.next.event.when)) == following
