"""The first date of what recurs, in every channel: the day with which its rule begins may be excepted, or moved."""

from datetime import date

import pytest
from publishing import TALK, edition
from test_feeds import items

from pipeline.catalogue.recurrence import first_time
from pipeline.catalogue.when import first_day
from pipeline.edition import Edition
from pipeline.outputs import render_all
from pipeline.outputs.structured_data import series_data
from pipeline.rendering import Renderer

WEEKLY = TALK + 'duration = "1h"\nrepeats = "FREQ=WEEKLY;COUNT=4"\n'
CASES = {
    "except = [2026-10-20]": "Tuesday 27 October 2026",
    "moved = [{ from = 2026-10-20, date = 2026-11-20 }]": "Tuesday 27 October 2026",
    "moved = [{ from = 2026-10-20, date = 2026-10-22 }]": "Thursday 22 October 2026",
    "moved = [{ from = 2026-11-03, date = 2026-10-14 }]": "Wednesday 14 October 2026",
    "except = [2026-11-03]": "Tuesday 20 October 2026",
}


def published(of: Edition, renderer: Renderer) -> dict[str, str]:
    """The texts among its files, by path."""
    texts = ("html", "ics", "txt")
    return {item.path: item.body.decode() for item in render_all(of, renderer) if item.path.endswith(texts)}


@pytest.mark.parametrize(("changed", "first"), CASES.items())
def test_every_channel_names_the_first_date_on_which_it_takes_place(
    changed: str, first: str, renderer: Renderer
) -> None:
    of = edition(f"{WEEKLY}{changed}\n")
    files = published(of, renderer)
    wanted = f"One of several dates; the first: {first}, 19:00–20:00"
    assert wanted in files["events/talk.ics"].replace("\r\n ", "").replace("\\", "")
    assert wanted in files["events/talk/share.txt"]
    [entry] = items(of)
    assert wanted in entry["content_html"]
    assert entry["summary"].startswith(wanted)
    _, day, month, year = first.split()
    assert f"{day} {month[:3]} {year}, 19:00 · A talk" in entry["title"]
    page = files["events/talk/index.html"]
    assert f'<span class="piece">{first},</span>' in page
    assert f'content="{wanted}' in page
    day_of_first = first_day(first_time(of.shown[0].event))
    assert f'"@id":"https://talks.example/cycle/events/talk/","name":"A talk","startDate":"{day_of_first}' in (
        page.replace('"url":"https://talks.example/cycle/events/talk/",', "")
    )


def test_the_list_of_what_is_over_and_the_neighbours_name_it_too(renderer: Renderer) -> None:
    other = TALK.replace('"talk"', '"other"').replace("2026-10-20", "2026-12-01")
    of = edition(f"{WEEKLY}except = [2026-10-20]\n{other}", day=date(2027, 1, 1))
    files = published(of, renderer)
    assert 'datetime="2026-10-27T19:00:00+01:00"' in files["index.html"]
    assert "2026-10-20" not in files["index.html"]
    assert "Tue 27 Oct 2026" in files["events/other/index.html"]


@pytest.mark.parametrize(
    ("events", "span"),
    [
        (WEEKLY, ("2026-10-20", "2026-11-10")),
        (f"{WEEKLY}except = [2026-10-20, 2026-11-10]\n", ("2026-10-27", "2026-11-03")),
        (f"{WEEKLY}moved = [{{ from = 2026-10-27, date = 2026-12-24 }}]\n", ("2026-10-20", "2026-12-24")),
        (WEEKLY.replace(";COUNT=4", ""), ("2026-10-20", None)),
        (WEEKLY.replace("WEEKLY;COUNT=4", "DAILY;COUNT=500"), ("2026-10-20", None)),
        (TALK.replace('time = "19:00"', "end_date = 2026-10-22\nall_day = true"), ("2026-10-20", "2026-10-22")),
        (TALK + TALK.replace('"talk"', '"later"').replace("2026-10-20", "2026-11-20"), ("2026-10-20", "2026-11-20")),
        (TALK.replace('date = 2026-10-20\ntime = "19:00"', 'tba = ["date", "time"]'), (None, None)),
    ],
)
def test_a_series_begins_and_ends_with_its_first_and_last_date(
    events: str, span: tuple[str | None, str | None]
) -> None:
    told = series_data(edition(events), "en")
    assert (told.get("startDate"), told.get("endDate")) == span


def test_what_has_no_date_left_or_does_not_recur_stays_as_it_is_written() -> None:
    for text in (TALK, f"{WEEKLY}except = [2026-10-20, 2026-10-27, 2026-11-03, 2026-11-10]\n"):
        event = edition(text).shown[0].event
        assert first_time(event) == event.when


def test_the_page_of_the_next_event_does_not_call_a_later_date_the_first(renderer: Renderer) -> None:
    files = published(edition(WEEKLY, day=date(2026, 11, 1)), renderer)
    assert 'content="Tuesday 3 November 2026, 19:00–20:00. ' in files["next/index.html"]
    assert "the first" not in files["next/index.html"].split("<main")[0]
