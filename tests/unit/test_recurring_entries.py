"""Recurring events in calendars: programs expand them to the dates that the organiser gave."""

from datetime import UTC, date, datetime, timedelta

import pytest
import recurring_ical_events
from icalendar import Calendar
from publishing import TALK, edition
from test_calendar import files, lines
from vobject_reading import read_alone

WEEKLY = """
[[event]]
id = "weekly"
title = "Open evening"
date = 2026-10-06
time = "19:00"
end_time = "21:00"
venue = "hall"
repeats = "FREQ=WEEKLY;UNTIL=20261201T190000"
except = [2026-11-03]
moved = [{from = 2026-11-10, date = 2026-11-11, time = "20:00"}]
"""


def occurrences(body: bytes) -> list[tuple[datetime, datetime]]:
    found = recurring_ical_events.of(Calendar.from_ical(body)).between(date(2026, 1, 1), date(2027, 12, 31))
    pairs = [(event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)) for event in found]
    return sorted(pairs)


def test_a_recurring_event_expands_to_the_organisers_dates() -> None:
    """Wall time holds over the clock change of 25 October; one date is left out, one is moved."""
    starts = [start for start, _ in occurrences(files(edition(WEEKLY))["calendar.ics"])]
    summer = [datetime(2026, 10, day, 17, tzinfo=UTC) for day in (6, 13, 20)]
    winter = [datetime(2026, 10, 27, 18, tzinfo=UTC), datetime(2026, 11, 11, 19, tzinfo=UTC)]
    winter += [datetime(2026, 11, day, 18, tzinfo=UTC) for day in (17, 24)] + [datetime(2026, 12, 1, 18, tzinfo=UTC)]
    assert starts == summer + winter


def test_a_recurring_event_names_its_zone_and_ends_in_utc() -> None:
    text = lines(files(edition(WEEKLY))["calendar.ics"])
    assert "DTSTART;TZID=Europe/Paris:20261006T190000" in text
    assert "RRULE:FREQ=WEEKLY;UNTIL=20261201T180000Z" in text
    assert "EXDATE;TZID=Europe/Paris:20261103T190000" in text
    assert "RECURRENCE-ID;TZID=Europe/Paris:20261110T190000" in text
    assert text.count("BEGIN:VTIMEZONE") == 1
    assert text.count("UID:weekly@talks.talks.example") == 2


def test_a_last_day_means_the_whole_of_it() -> None:
    text = lines(files(edition(WEEKLY.replace("20261201T190000", "20261201")))["calendar.ics"])
    assert "RRULE:FREQ=WEEKLY;UNTIL=20261201T225959Z" in text


def test_whole_days_recur_by_dates() -> None:
    days = WEEKLY.replace('time = "19:00"\nend_time = "21:00"', "all_day = true").replace(', time = "20:00"', "")
    body = files(edition(days))["calendar.ics"]
    text = lines(body)
    assert "RRULE:FREQ=WEEKLY;UNTIL=20261201" in text
    assert "EXDATE;VALUE=DATE:20261103" in text
    assert "RECURRENCE-ID;VALUE=DATE:20261110" in text
    assert b"VTIMEZONE" not in body
    found = recurring_ical_events.of(Calendar.from_ical(body)).between(date(2026, 1, 1), date(2027, 1, 1))
    assert sorted(event["DTSTART"].dt for event in found)[4] == date(2026, 11, 11)


def test_the_description_of_a_recurring_event_is_true_of_every_date() -> None:
    text = Calendar.from_ical(files(edition(WEEKLY))["calendar.ics"]).events[0]["description"]
    assert text.startswith(
        "One of several dates; the first: Tuesday 6 October 2026, 19:00–21:00\nTime zone: Europe/Paris\n"
    )


def test_a_moved_date_of_a_recurring_event_rings_too() -> None:
    body = files(edition(WEEKLY))["alarms/calendar.ics"]
    assert [len(event.walk("VALARM")) for event in Calendar.from_ical(body).events] == [2, 2]


def test_a_recurring_event_in_utc_keeps_to_it_where_programs_mind_the_zone_of_the_calendar() -> None:
    body = files(edition(WEEKLY + 'timezone = "UTC"\n'))["calendar.ics"]
    text = lines(body)
    assert "DTSTART:20261006T190000Z" in text
    assert "RRULE:FREQ=WEEKLY;UNTIL=20261201T190000Z" in text
    assert b"TIMEZONE" not in body
    assert {start.hour for start, _ in occurrences(body)} == {19, 20}


@pytest.mark.parametrize("moved", ["", "moved = [{from = 1996-07-02, date = 1985-07-01}]\n"])
def test_its_zone_goes_back_to_its_first_date_wherever_that_was_moved(moved: str) -> None:
    """vobject goes by our VTIMEZONE and not by a zone database of its own."""
    first = "1996-07-02" if moved else "1985-06-25"
    long_ago = TALK.replace("2026-10-20", first) + 'repeats = "FREQ=WEEKLY"\n' + moved
    zone = read_alone(files(edition(long_ago))["calendar.ics"].decode()).vevent_list[0].dtstart.value.tzinfo
    for moment, hours in ((datetime(1985, 7, 1, 19), 2), (datetime(1986, 1, 1, 19), 1)):
        assert moment.replace(tzinfo=zone).utcoffset() == timedelta(hours=hours)


def test_a_leap_day_recurs_on_leap_days_in_programs_that_move_what_the_rule_does_not_say() -> None:
    leap = TALK.replace("2026-10-20", "2028-02-29") + 'repeats = "FREQ=YEARLY"\n'
    text = lines(files(edition(leap))["calendar.ics"])
    (rule,) = (line for line in text if line.startswith("RRULE:FREQ=YEARLY") and "BYMONTHDAY" in line)
    assert set(rule.removeprefix("RRULE:").split(";")) == {"FREQ=YEARLY", "BYMONTH=2", "BYMONTHDAY=29"}
    usual = lines(files(edition(TALK + 'repeats = "FREQ=YEARLY"\n'))["calendar.ics"])
    assert "RRULE:FREQ=YEARLY" in usual
