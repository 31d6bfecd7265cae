"""The single times of a recurring event, in the order in which they take place, wherever they were moved."""

from datetime import UTC, date, datetime

import pytest
import recurring_ical_events
from icalendar import Calendar
from publishing import TALK, edition
from test_calendar import files

from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.when import AtTime, first_day
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


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "2027-03-28T03:30:00+02:00"),
        ('duration = "1h"\n', "2027-03-28T03:30:00+02:00 2027-03-28T04:30:00+02:00"),
        ('end_time = "03:15"\n', "2027-03-28T03:30:00+02:00 2027-03-28T04:15:00+02:00"),
        ('end_time = "06:00"\n', "2027-03-28T03:30:00+02:00 2027-03-28T06:00:00+02:00"),
    ],
)
def test_an_hour_that_the_clocks_skip_on_one_of_the_days_comes_later_as_in_calendars(more: str, told: str) -> None:
    nightly = TALK.replace("2026-10-20", "2027-03-27").replace("19:00", "02:30")
    of = edition(f'{nightly}{more}repeats = "FREQ=DAILY;COUNT=3"\n')
    bounds = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
    times = [when for _, when in occurrences(of.listings[0].event, *bounds)]
    hours = [when.start.isoformat() for when in times if isinstance(when, AtTime)]
    assert (hours[0], hours[2]) == ("2027-03-27T02:30:00+01:00", "2027-03-29T02:30:00+02:00")
    second = times[1]
    assert isinstance(second, AtTime)
    assert " ".join(moment.isoformat() for moment in (second.start, second.end) if moment) == told
    assert said_times(of) == [moment.astimezone(UTC) for moment in (times[0].start, second.start, times[2].start)]


def said_times(of: Edition) -> list[datetime]:
    """When another program takes the event to begin."""
    found = recurring_ical_events.of(Calendar.from_ical(files(of)["calendar.ics"])).between((2027, 3, 1), (2027, 4, 1))
    return sorted(event["DTSTART"].dt.astimezone(UTC) for event in found)
