"""What search engines are told: the same dates, places and states as people, and nothing that nobody said."""

import json
import re
from datetime import date

import pytest
from html_reader import HOSTILE, edition_of

from pipeline.edition import Edition
from pipeline.outputs.structured_data import embedded, event_data, series_data

SCHEMA = "https://schema.org/"


def told(text: str, *changes: tuple[str, str], event: str = "loud") -> dict[str, object]:
    edition = edition_of(text, *changes)
    listing = next(listing for listing in edition.listings if listing.event.id == event)
    data = event_data(edition, listing, "en")
    assert data is not None
    return data


def of_seed(edition: Edition, event: str, language: str = "en") -> dict[str, object] | None:
    return event_data(edition, next(item for item in edition.listings if item.event.id == event), language)


def test_a_timed_event_starts_with_its_offset_and_has_no_end_that_nobody_said(seed_edition: Edition) -> None:
    data = of_seed(seed_edition, "non-take-up")
    assert data is not None
    assert data["startDate"] == "2022-10-25T19:00:00+02:00"
    assert "endDate" not in data
    assert data["eventStatus"] == SCHEMA + "EventScheduled"
    assert data["url"] == data["@id"] == "https://digitize.example/events/non-take-up/"


def test_a_dated_event_without_an_hour_starts_on_a_bare_day(seed_edition: Edition) -> None:
    data = of_seed(seed_edition, "welfare-control", "fr")
    assert data is not None
    assert data["startDate"] == "2023-01-19"
    assert data["url"] == "https://digitize.example/fr/events/welfare-control/"


def test_an_undated_event_is_not_an_event_to_machines(seed_edition: Edition) -> None:
    assert of_seed(seed_edition, "conference-5") is None
    events = json.loads(embedded(series_data(seed_edition, "en")).script)["subEvent"]
    assert [event["url"].split("/")[-2] for event in events] == [
        "non-take-up", "social-work", "welfare-control", "toolkit-for-struggle",
    ]  # fmt: skip


def test_a_said_end_is_told_and_an_estimated_one_is_not() -> None:
    assert told(HOSTILE)["endDate"] == "2026-12-01T21:00:00+01:00"
    estimated = HOSTILE.replace('duration = "2h"', "").replace("[site]", 'default_duration = "2h"\n[site]')
    assert "endDate" not in told(estimated)


def test_several_days_end_with_the_last_one() -> None:
    data = told(HOSTILE.replace('time = "19:00"\nduration = "2h"', "end_date = 2026-12-03\nall_day = true"))
    assert (data["startDate"], data["endDate"]) == ("2026-12-01", "2026-12-03")


@pytest.mark.parametrize(("status", "said"), [("cancelled", "EventCancelled"), ("postponed", "EventPostponed")])
def test_an_event_that_is_off_keeps_its_start_and_is_offered_no_more(status: str, said: str) -> None:
    off = ('id = "loud"', f'id = "loud"\nstatus = "{status}"\nnotice = "No."\nregistration = "https://r.example/"')
    data = told(HOSTILE, off)
    assert data["startDate"] == "2026-12-01T19:00:00+01:00"
    assert data["eventStatus"] == SCHEMA + said
    assert "offers" not in data
    assert "previousStartDate" not in data


def test_a_moved_event_names_the_start_from_which_it_was_moved() -> None:
    data = told(HOSTILE, ("date = 2026-12-01", "date = 2026-12-03"), ('duration = "2h"', 'duration = "3h"'))
    assert data["startDate"] == "2026-12-03T19:00:00+01:00"
    assert data["previousStartDate"] == "2026-12-01T19:00:00+01:00"
    assert data["eventStatus"] == SCHEMA + "EventRescheduled"


def test_a_postponed_event_with_a_new_date_is_rescheduled() -> None:
    data = told(
        HOSTILE,
        ('id = "loud"', 'id = "loud"\nstatus = "postponed"\nnotice = "Later."'),
        ('status = "postponed"\nnotice = "Later."\n', ""),
        ("date = 2026-12-01", "date = 2027-01-12"),
    )
    assert data["eventStatus"] == SCHEMA + "EventRescheduled"
    assert data["previousStartDate"] == "2026-12-01T19:00:00+01:00"


def test_an_hour_that_becomes_known_moves_nothing() -> None:
    open_hour = HOSTILE.replace('time = "19:00"\nduration = "2h"', 'tba = ["time"]')
    data = told(open_hour, ('tba = ["time"]', 'time = "19:00"'))
    assert data["eventStatus"] == SCHEMA + "EventScheduled"
    assert "previousStartDate" not in data


def test_the_place_has_its_address_and_is_also_virtual_where_one_may_follow_from_afar(seed_edition: Edition) -> None:
    data = of_seed(seed_edition, "non-take-up")
    assert data is not None
    assert data["eventAttendanceMode"] == SCHEMA + "OfflineEventAttendanceMode"
    assert data["location"] == {
        "@type": "Place",
        "name": "Centre Social le Picoulet",
        "address": {
            "@type": "PostalAddress",
            "streetAddress": "59, rue de la Fontaine au Roi",
            "postalCode": "75011",
            "addressLocality": "Paris",
            "addressCountry": "FR",
        },
    }
    both = told(HOSTILE)
    assert both["eventAttendanceMode"] == SCHEMA + "MixedEventAttendanceMode"
    # The link is a secret: machines get the page.
    assert both["location"][1] == {"@type": "VirtualLocation", "url": "https://talks.example/sub/events/loud/"}


def test_persons_groups_and_nobody_unnamed_perform(seed_edition: Edition) -> None:
    first, fourth = of_seed(seed_edition, "social-work"), of_seed(seed_edition, "toolkit-for-struggle")
    assert first is not None
    assert fourth is not None
    assert first["performer"] == [{"@type": "Person", "name": "Nadia Okbani"}]
    assert {"@type": "Organization", "name": "Changer de Cap"} in fourth["performer"]


def test_embedded_data_reads_back_and_can_end_no_element() -> None:
    data = {"name": "</script><!-- & é"}
    assert json.loads(embedded(data).script) == data
    assert not re.search(r"[<>&]", embedded(data).script)


# --------------------------------------------------------------------------------------------- what recurs

WEEKLY = HOSTILE.replace(
    'id = "loud"',
    'id = "loud"\nrepeats = "FREQ=WEEKLY;BYDAY=TU;COUNT=4"\nexcept = [2026-12-08]\n'
    'moved = [{from = 2026-12-15, date = 2026-12-16, time = "20:00"}]',
)


def test_each_time_of_a_recurring_event_is_an_event_with_all_that_search_engines_ask_for() -> None:
    data = told(WEEKLY)
    assert data["@type"] == "EventSeries"
    assert "endDate" not in data  # that of its first time would be told as that of all
    assert [(one["@type"], one["startDate"], one["endDate"]) for one in data["subEvent"]] == [
        ("Event", "2026-12-01T19:00:00+01:00", "2026-12-01T21:00:00+01:00"),
        ("Event", "2026-12-16T20:00:00+01:00", "2026-12-16T22:00:00+01:00"),
        ("Event", "2026-12-22T19:00:00+01:00", "2026-12-22T21:00:00+01:00"),
    ]
    for one in data["subEvent"]:
        assert {"name", "location", "eventStatus", "url"} <= one.keys()
    assert len({one["@id"] for one in data["subEvent"]}) == 3


def test_a_single_time_that_was_moved_says_from_when() -> None:
    first, moved, _last = told(WEEKLY)["subEvent"]
    assert (moved["eventStatus"], moved["previousStartDate"]) == (
        SCHEMA + "EventRescheduled", "2026-12-15T19:00:00+01:00",
    )  # fmt: skip
    assert (first["eventStatus"], "previousStartDate" in first) == (SCHEMA + "EventScheduled", False)


def test_the_rule_of_a_recurring_event_is_a_schedule() -> None:
    assert told(WEEKLY)["eventSchedule"] == {
        "@type": "Schedule", "repeatFrequency": "P1W", "byDay": [SCHEMA + "Tuesday"], "repeatCount": 4,
        "startDate": "2026-12-01", "startTime": "19:00:00", "scheduleTimezone": "Europe/Paris",
        "exceptDate": ["2026-12-08"],
    }  # fmt: skip
    until = told(WEEKLY.replace("BYDAY=TU;COUNT=4", "INTERVAL=2;UNTIL=20270101").replace("except = [2026-12-08]\n", ""))
    assert (until["eventSchedule"]["repeatFrequency"], until["eventSchedule"]["endDate"]) == ("P2W", "2027-01-01")


def test_a_rule_that_a_schedule_cannot_say_is_told_by_its_times_alone() -> None:
    monthly = HOSTILE.replace('id = "loud"', 'id = "loud"\nrepeats = "FREQ=MONTHLY;BYDAY=1TU;COUNT=3"')
    data = told(monthly)
    assert "eventSchedule" not in data
    assert [one["startDate"][:10] for one in data["subEvent"]] == ["2026-12-01", "2027-01-05", "2027-02-02"]


def test_a_series_names_the_coming_times_of_what_recurs() -> None:
    endless = HOSTILE.replace('id = "loud"', 'id = "loud"\nrepeats = "FREQ=WEEKLY"')
    for day, first in ((date(2026, 11, 1), "2026-12-01"), (date(2027, 3, 3), "2027-03-09")):
        events = json.loads(embedded(series_data(edition_of(endless, day=day), "en")).script)["subEvent"]
        assert events[0]["startDate"][:10] == first
        assert len(events) == 10


def test_a_cancelled_series_of_dates_is_cancelled_on_each() -> None:
    off = ('id = "loud"', 'id = "loud"\nstatus = "cancelled"\nnotice = "No."')
    assert {one["eventStatus"] for one in told(WEEKLY, off)["subEvent"]} == {SCHEMA + "EventCancelled"}
