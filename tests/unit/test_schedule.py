"""`schedule.xml`: what conference apps read, checked with another parser than the one that wrote it."""

import re
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publishing import HEAD, TALK, edition

from pipeline.guids import guid_of, number_of
from pipeline.importing.found import Manner
from pipeline.importing.frab import read_schedule
from pipeline.outputs.schedule import render
from pipeline.rendering import Renderer

LONG = TALK + (
    'duration = "1h30"\nspoken = ["en"]\ntags = ["tea", "cake"]\nkind = "lecture"\n'
    'abstract = "One.\\n*Two* & <three>"\n'
    'speakers = [{name = "Ada"}, {group = "The Society"}, {unnamed = "a beekeeper"}]\n'
    'resources = [{url = "https://x.example/?a=1&b=2", title = "Slides"}]\n'
)  # fmt: skip


def schedule(text: str, path: str = "schedule.xml", head: str = HEAD, **options: object) -> ET.Element:
    (body,) = [a.body for a in render(edition(text, head=head, **options), Renderer()) if a.path == path]
    return ET.fromstring(body)  # noqa: S314 - it is ours


def events(root: ET.Element) -> list[ET.Element]:
    return root.findall("day/room/event")


def test_an_event_stands_in_its_day_and_room_with_all_that_the_format_holds() -> None:
    root = schedule(LONG)
    day, room, (event,) = root.find("day"), root.find("day/room"), events(root)
    assert (day.get("index"), day.get("date"), room.get("name")) == ("1", "2026-10-20", "Town hall")
    assert (day.get("start"), day.get("end")) == ("2026-10-20T19:00:00+02:00", "2026-10-20T20:30:00+02:00")
    said = {child.tag: child.text or "" for child in event if len(child) == 0}
    assert said.pop("slug") == f"talks-{event.get('id')}-talk"
    assert said == {
        "date": "2026-10-20T19:00:00+02:00", "start": "19:00", "duration": "01:30", "room": "Town hall",
        "url": "https://talks.example/cycle/events/talk/", "title": "A talk", "subtitle": "", "track": "tea",
        "type": "lecture", "language": "en", "abstract": "One.\n*Two* & <three>", "description": "",
    }  # fmt: skip
    assert [person.text for person in event.iterfind("persons/person")] == ["Ada", "The Society", "a beekeeper"]
    (link,) = event.iterfind("links/link")
    assert (link.get("href"), link.text) == ("https://x.example/?a=1&b=2", "Slides")


def test_marks_that_xml_knows_are_read_as_they_were_written() -> None:
    name = 'The "Old" & <New> hall'
    root = schedule(LONG.replace("Ada", "A & <B>"), head=HEAD.replace('"Town hall"', f"'{name}'"))
    assert (root.find("day/room").get("name"), events(root)[0].findtext("room")) == (name, name)
    assert events(root)[0].findtext("persons/person") == "A & <B>"


RECORDED = TALK + 'resources = ["https://x.example/"]\nrecordings = [{url = "https://v.example/", title = "Film"}]\n'


def test_recordings_stand_among_the_links() -> None:
    links = events(schedule(RECORDED))[0].iterfind("links/link")
    assert [(link.get("href"), link.text) for link in links] == [
        ("https://x.example/", "https://x.example/"), ("https://v.example/", "Film"),
    ]  # fmt: skip


def test_a_length_is_the_time_that_passes_where_the_clocks_change() -> None:
    night = TALK.replace("2026-10-20", "2026-10-25").replace("19:00", "01:00") + 'end_time = "04:00"\n'
    assert events(schedule(night))[0].findtext("duration") == "04:00"


@given(st.text())
def test_a_uuid_is_the_fifth_kind_of_its_name_also_as_a_number(uid: str) -> None:
    assert guid_of(uid) == uuid5(NAMESPACE_URL, f"urn:tocsin:{uid}")
    assert number_of(uid) == guid_of(uid).int


def test_two_events_whose_numbers_would_be_the_same_have_different_ones() -> None:
    names = [name.partition("@")[0] for name in SAME_NUMBER]
    assert len({guid_of(uid).int % (2**31 - 1) for uid in SAME_NUMBER}) == 1
    root = schedule("".join(TALK.replace('"talk"', f'"{name}"') for name in names))
    numbers = sorted(int(event.get("id") or 0) for event in events(root))
    assert numbers[1] == numbers[0] + 1


SAME_NUMBER = ("talk-15527@talks.talks.example", "talk-16193@talks.talks.example")
"""Two identities that a search has found."""


def test_the_series_is_told_with_its_days() -> None:
    later = TALK.replace('"talk"', '"later"').replace("10-20", "10-22")
    root = schedule(TALK + later)
    said = {child.tag: child.text for child in root.find("conference")}
    assert said["title"] == "Evening talks; tea, cake"
    assert (said["start"], said["end"], said["days"]) == ("2026-10-20", "2026-10-22", "2")
    assert (said["acronym"], said["time_zone_name"]) == ("talks", "Europe/Paris")


@pytest.mark.parametrize("name", ["a", "open-days", "talks-2026"])
def test_short_names_are_filled_up_to_what_the_schema_of_the_format_asks_for(name: str) -> None:
    root = schedule(TALK.replace('"talk"', '"x"'), head=HEAD.replace('id = "talks"', f'id = "{name}"'))
    assert re.fullmatch("[a-z0-9_-]{4,}", root.findtext("conference/acronym"))
    (event,) = events(root)
    assert re.fullmatch("[a-z0-9_]{4,}-[a-z0-9_-]{4,}", event.findtext("slug"))


def test_a_time_from_before_there_were_zones_is_told_in_utc() -> None:
    (event,) = events(schedule(TALK.replace("2026-10-20", "1900-10-20")))
    assert (event.findtext("date"), event.findtext("start")) == ("1900-10-20T18:50:39+00:00", "19:00")


def test_numbers_and_uuids_are_unique_and_stay_when_others_come() -> None:
    other = TALK.replace('"talk"', '"another"').replace("19:00", "18:00")
    (alone,) = events(schedule(TALK))
    both = events(schedule(TALK + other))
    assert len({event.get("id") for event in both} | {event.get("guid") for event in both}) == 4
    assert (alone.get("guid"), alone.get("id")) in [(event.get("guid"), event.get("id")) for event in both]
    assert UUID(alone.get("guid")).version == 5
    assert int(alone.get("id")) > 0
    assert alone.get("guid") == str(guid_of("talk@talks.talks.example"))


@pytest.mark.parametrize(
    "left_out",
    [
        TALK.replace('time = "19:00"', 'tba = ["time"]'),
        TALK.replace('date = 2026-10-20\ntime = "19:00"', 'tba = ["date", "time"]'),
        TALK + 'status = "cancelled"\nnotice = "Off."\n',
        TALK + 'status = "postponed"\nnotice = "Later."\n',
    ],
    ids=["no hour", "no day", "cancelled", "postponed"],
)
def test_what_has_no_hour_or_does_not_take_place_is_left_out(left_out: str) -> None:
    assert events(schedule(left_out)) == []


def test_each_time_of_a_recurring_event_is_an_event_of_its_own() -> None:
    weekly = (
        TALK
        + 'repeats = "FREQ=WEEKLY;COUNT=4"\nexcept = [2026-10-27]\nmoved = [{from = 2026-11-03, date = 2026-11-04}]\n'
    )
    found = events(schedule(weekly))
    assert [event.findtext("date")[:16] for event in found] == [
        "2026-10-20T19:00",
        "2026-11-04T19:00",
        "2026-11-10T19:00",
    ]
    assert found[1].findtext("date").endswith("+01:00")
    assert len({event.findtext("slug") for event in found}) == 3
    assert len({event.get("guid") for event in found}) == 3


def test_a_rule_without_end_is_listed_for_a_year_after_the_last_change() -> None:
    found = events(schedule(TALK + 'repeats = "FREQ=WEEKLY"\n'))
    last = datetime.fromisoformat(found[-1].findtext("date"))
    first = datetime.fromisoformat(found[0].findtext("date"))
    assert 50 <= len(found) <= 54
    assert last - first <= timedelta(days=367)


def test_an_end_that_nobody_said_is_no_length() -> None:
    (event,) = events(schedule(TALK))
    assert event.findtext("duration") == "00:00"


def test_each_language_has_its_own() -> None:
    root = schedule(
        TALK.replace('title = "A talk"', 'title.en = "A talk"\ntitle.fr = "Une causerie"'), "fr/schedule.xml"
    )
    assert root.findtext("conference/title") == "Causeries du soir"
    assert events(root)[0].findtext("title") == "Une causerie"


def test_what_is_online_alone_has_a_room_that_says_so() -> None:
    online = TALK.replace('venue = "hall"', 'venue = false\nonline = "https://live.example/"')
    assert schedule(online).find("day/room").get("name") == "Online"


def test_formats_of_days_and_lengths_are_those_of_the_format() -> None:
    root = schedule(LONG + TALK.replace('"talk"', '"long"') + "end_date = 2026-10-30\nend_time = '12:00'\n")
    for event in events(root):
        assert re.fullmatch(r"\d\d:\d\d", event.findtext("duration"))
        assert re.fullmatch(r"\d\d:\d\d", event.findtext("start"))


def test_what_we_write_we_read_back() -> None:
    (body,) = [a.body for a in render(edition(LONG), Renderer()) if a.path == "schedule.xml"]
    (found,) = read_schedule(body, "schedule.xml", Manner("Europe/Paris", "https://talks.example/cycle/")).events
    assert (found.uid, found.wanted_id) == (str(guid_of("talk@talks.talks.example")), "talk")
    assert found.facts["abstract"] == {"": "One.\n*Two* & <three>"}
    assert (str(found.facts["time"]), str(found.facts["end_time"])) == ("19:00:00", "20:30:00")
    assert found.facts["resources"] == [{"url": "https://x.example/?a=1&b=2", "title": {"": "Slides"}}]
    assert found.lost == ()


def test_of_very_many_times_those_to_come_are_listed() -> None:
    daily = TALK.replace("2026-10-20", "2021-10-20") + 'repeats = "FREQ=DAILY"\n'
    found = [event.findtext("date")[:10] for event in events(schedule(daily))]
    assert (found[0], len(found)) == ("2026-01-05", 366)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (TALK.replace('time = "19:00"', 'tba = ["time"]'), "2026-10-20"),
        (TALK.replace('date = 2026-10-20\ntime = "19:00"', 'tba = ["date", "time"]'), "2026-01-05"),
        ("", "1970-01-01"),
    ],
    ids=["no hour", "no date", "no event"],
)
def test_a_programme_without_hours_has_the_one_day_that_its_schema_asks_for(text: str, day: str) -> None:
    (found,) = schedule(text).findall("day")
    assert (found.get("index"), found.get("date"), len(found)) == ("1", day, 0)
    start, end = (datetime.fromisoformat(found.get(name)) for name in ("start", "end"))
    assert start.date().isoformat() == day
    assert end - start == timedelta(days=1)
