"""What recurs for many years, or without end: its next times are told, and no list is said to be whole that isn't."""

import json
from datetime import date, datetime, time

import pytest
from html_reader import Reader, site
from publishing import TALK, edition

from pipeline.catalogue.when import local as local_time
from pipeline.catalogue.when import written
from pipeline.edition import Edition, Listing
from pipeline.outputs.event_page import description
from pipeline.outputs.instances import instances
from pipeline.outputs.share import share_text
from pipeline.outputs.structured_data import embedded, event_data, series_data
from pipeline.rendering import Renderer

FAIR = TALK.replace("2026-10-20", "2010-06-04")
YEARLY = FAIR + 'repeats = "FREQ=YEARLY"\n'
WHOLE = "It recurs: all its dates are below, and in the calendar."
ELSEWHERE = "It recurs: all its dates are in the calendar."


def only(found: Edition) -> Listing:
    (listing,) = found.listings
    return listing


def names(text: str) -> list[str]:
    return [instance.name for instance in instances(only(edition(text)))]


def test_of_a_rule_without_end_the_times_after_its_last_change_are_told() -> None:
    assert names(YEARLY)[0] == "2026-06-04"
    assert len(names(YEARLY)) == 10


def test_all_times_of_a_rule_that_ends_are_told_however_many_years_they_take() -> None:
    found = names(FAIR + 'repeats = "FREQ=YEARLY;COUNT=30"\n')
    assert (found[0], found[-1], len(found)) == ("2010-06-04", "2039-06-04", 30)


@pytest.mark.parametrize(("repeats", "day"), [("FREQ=YEARLY", date(2026, 2, 1)), ("FREQ=WEEKLY", date(2029, 2, 1))])
def test_search_engines_hear_of_the_next_times_however_long_ago_it_was_published(repeats: str, day: date) -> None:
    found = json.loads(embedded(series_data(edition(FAIR + f'repeats = "{repeats}"\n', day=day), "en")).script)[
        "subEvent"
    ]
    times = [date.fromisoformat(one["startDate"][:10]) for one in found]
    assert len(times) == 10
    assert times == sorted(times)
    assert 0 <= (times[0] - day).days < 366


def test_a_time_that_was_moved_says_so_among_those_that_come() -> None:
    moved = TALK + 'repeats = "FREQ=WEEKLY;COUNT=3"\nmoved = [{from = 2026-10-27, date = 2026-10-28}]\n'
    _, second, _ = json.loads(embedded(series_data(edition(moved), "en")).script)["subEvent"]
    assert second["startDate"] == "2026-10-28T19:00:00+01:00"
    assert second["previousStartDate"] == "2026-10-27T19:00:00+01:00"
    assert second["eventStatus"].endswith("EventRescheduled")


@pytest.mark.parametrize(
    ("repeats", "said", "listed"),
    [("FREQ=YEARLY", ELSEWHERE, 0), ("FREQ=YEARLY;COUNT=30", WHOLE, 30), ("FREQ=WEEKLY;COUNT=300", ELSEWHERE, 0)],
)
def test_a_page_lists_all_dates_or_none(repeats: str, said: str, listed: int) -> None:
    page = Reader(site(edition(FAIR + f'repeats = "{repeats}"\n'), Renderer())["events/talk/index.html"])
    assert said in page.text
    assert page.text.count("4 Jun 2") == listed


def test_no_last_date_is_said_of_a_rule_without_end() -> None:
    home = Reader(site(edition(YEARLY), Renderer())["index.html"]).text
    assert "and many more dates" in home
    assert "until" not in home
    ending = Reader(site(edition(FAIR + 'repeats = "FREQ=YEARLY;COUNT=30"\n'), Renderer())["index.html"]).text
    assert "and 13 more dates, until Sat 4 Jun 2039" in ending


def test_an_offset_that_counts_seconds_is_written_in_utc() -> None:
    found = edition(TALK.replace("2026-10-20", "1900-10-20"))
    zone = only(found).event.zone
    assert written(local_time(date(1900, 10, 20), time(19), zone)) == "1900-10-20T18:50:39+00:00"
    assert written(datetime(2026, 10, 20, 19, tzinfo=zone)) == "2026-10-20T19:00:00+02:00"
    data = event_data(found, only(found), "en")
    assert data is not None
    assert data["startDate"] == "1900-10-20T18:50:39+00:00"
    page = Reader(site(found, Renderer())["events/talk/index.html"])
    assert {one["datetime"] for one in page.all("time") if one["datetime"].startswith("1900")} == {
        "1900-10-20T18:50:39+00:00"
    }


def test_what_is_passed_on_does_not_take_the_first_date_for_the_only_one() -> None:
    found = edition(YEARLY)
    first = "One of several dates; the first: Friday 4 June 2010, 19:00"
    assert description(only(found), "en").startswith(f"{first}. Town hall")
    assert share_text(only(found), "https://talks.example/", "en").splitlines()[1] == first
