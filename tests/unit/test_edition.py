"""What a reader of the edition is told on a given day."""

from datetime import date

import pytest
from publishing import TALK, edition

WEEKLY = (
    TALK + 'repeats = "FREQ=WEEKLY;COUNT=4"\nexcept = [2026-10-27]\nmoved = [{from = 2026-11-03, date = 2026-11-04}]\n'
)
OTHER = TALK.replace('"talk"', '"other"').replace("2026-10-20", "2026-11-02")


@pytest.mark.parametrize(
    ("day", "coming", "past"),
    [
        (date(2026, 10, 20), ["2026-10-20 talk", "2026-11-02 other"], []),
        (date(2026, 10, 21), ["2026-11-02 other", "2026-11-04 talk"], []),
        (date(2026, 11, 4), ["2026-11-04 talk"], ["other"]),
        (date(2026, 11, 5), ["2026-11-10 talk"], ["other"]),
        (date(2026, 11, 11), [], ["other", "talk"]),
    ],
)
def test_a_recurring_event_stands_at_its_next_time(day: date, coming: list[str], past: list[str]) -> None:
    seen = edition(WEEKLY + OTHER, day=day)
    assert [f"{listing.event.date} {listing.event.id}" for listing in seen.upcoming] == coming
    assert [listing.event.id for listing in seen.past] == past
    assert (seen.next.event.id if seen.next else None) == (coming[0].split()[1] if coming else None)


def test_an_event_of_today_is_still_to_come() -> None:
    assert edition(TALK, day=date(2026, 10, 20)).upcoming
    assert not edition(TALK, day=date(2026, 10, 21)).upcoming


def test_what_does_not_take_place_is_never_the_next_event() -> None:
    cancelled = TALK + 'status = "cancelled"\nnotice = "Off."\n'
    seen = edition(cancelled + OTHER, day=date(2026, 10, 1))
    assert seen.next is not None
    assert seen.next.event.id == "other"


def test_what_recurs_and_lasts_several_days_stays_the_next_event_until_it_is_over() -> None:
    """Its first time is from Tuesday to Friday; a week later it comes again."""
    course = (
        TALK.replace('time = "19:00"', "end_date = 2026-10-23\nall_day = true") + 'repeats = "FREQ=WEEKLY;COUNT=2"\n'
    )
    days = {20: "2026-10-20", 23: "2026-10-20", 24: "2026-10-27", 30: "2026-10-27"}
    for day, first in days.items():
        coming = edition(course, day=date(2026, 10, day)).next
        assert coming is not None
        assert str(coming.event.date) == first
    assert edition(course, day=date(2026, 10, 31)).next is None
