"""Whatever the format: what has no place in a catalogue is named, never dropped in silence."""

import json
from datetime import date, time
from typing import Any

import pytest

from pipeline.errors import CatalogueError
from pipeline.importing.found import Found, Manner
from pipeline.importing.reading import read
from pipeline.importing.zones import iana

PARIS = Manner("Europe/Paris", "https://talks.example/")
TIMED = "DTSTART:20270304T180000Z"


def calendar(*events: str) -> list[Found]:
    rows = "\n".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events)
    return list(read("x.ics", f"BEGIN:VCALENDAR\n{rows}\nEND:VCALENDAR\n".encode(), PARIS).events)


def event_of(*lines: str) -> Found:
    (found,) = calendar("\n".join(("SUMMARY:x", *lines)))
    return found


def described(**facts: Any) -> Found:
    """An event of schema.org."""
    (found,) = read("x.json", json.dumps({"@type": "Event", "name": "x", **facts}).encode(), PARIS).events
    return found


def scheduled(inside: str, head: str = "") -> Found:
    """An event of a schedule.xml."""
    row = (
        f"<day date='2027-03-04'><room name='Hall'><event id='7' guid='g'><title>x</title>{inside}</event></room></day>"
    )
    (found,) = read("x.xml", f"<schedule>{head}{row}</schedule>".encode(), PARIS).events
    return found


def row_of(header: str, cells: str) -> Found:
    (found,) = read("x.csv", f"{header}\n{cells}\n".encode(), PARIS).events
    return found


def said(event: Found) -> str:
    return "\n".join(map(str, event.lost))


@pytest.mark.parametrize(
    ("lines", "lost"),
    [
        ("DESCRIPTION:a\nDESCRIPTION:b", "DESCRIPTION is not carried over: b (it is there twice)"),
        ("GEO:48.5;2.25", "GEO is not carried over: 48.5, 2.25 (the place has no name)"),
        ("STATUS:NEEDS-ACTION", "STATUS is not carried over: NEEDS-ACTION"),
        ("CONFERENCE;VALUE=URI:tel:+33-1", "CONFERENCE is not carried over: tel:+33-1"),
        ("X-GOOGLE-CONFERENCE:https://a.example/\nCONFERENCE:https://b.example/", "CONFERENCE is not carried over: h"),
        ("BEGIN:VALARM\nTRIGGER:-PT1H\nACTION:DISPLAY\nEND:VALARM", "VALARM is not carried over: 1"),
        ("BEGIN:X-PART\nSUMMARY:inner\nEND:X-PART", "X-PART is not carried over: inner"),
        ("ORGANIZER;CN=Ada:mailto:ada@a.example", "ORGANIZER is not carried over: Ada (mailto:ada@a.example)"),
        ("LOCATION:https://x.example/\\nSecond floor", "LOCATION is not carried over: Second floor"),
        ("RDATE:20270311T180000Z", "RDATE/EXRULE is not carried over: 20270311T180000Z"),
        ("RECURRENCE-ID:20270304T180000Z\nRDATE:20270311T180000Z", "RDATE/EXRULE is not carried over"),
        ("ATTACH:CID:part1@x", "ATTACH is not carried over: CID:part1@x"),
    ],
)
def test_lines_of_a_calendar_that_have_no_place_are_named(lines: str, lost: str) -> None:
    assert lost in said(event_of(TIMED, lines))


@pytest.mark.parametrize(
    ("lines", "lost"),
    [
        ("DTEND:20270304T190000Z", "there is no start"),
        ("DTSTART;VALUE=DATE:20270304\nDTEND:20270304T190000Z", "one of start and end has an hour and the other none"),
        ("DTSTART:20270304T190000Z\nDTEND;VALUE=DATE:20270305", "one of start and end has an hour and the other none"),
        ("DTSTART:20270304T190000Z\nDTEND:20270304T180000Z", "it is before the start"),
    ],
)
def test_an_end_that_is_none_is_named(lines: str, lost: str) -> None:
    event = event_of(lines)
    assert lost in said(event)
    assert {"end_date", "end_time"}.isdisjoint(event.facts)


def test_days_that_end_before_they_start_are_named() -> None:
    assert "it is before the start" in said(described(startDate="2027-03-04", endDate="2027-03-03"))
    assert said(event_of("DTSTART;VALUE=DATE:20270304\nDTEND;VALUE=DATE:20270304")) == ""


@pytest.mark.parametrize(
    ("facts", "lost"),
    [
        ({"eventStatus": "https://schema.org/EventSoldOut"}, "eventStatus is not carried over: EventSoldOut"),
        ({"offers": [{"price": 5}, {"price": 8}]}, "price is not carried over: 8"),
        ({"offers": "free"}, "offers is not carried over: free"),
        ({"offers": {"price": 5, "validThrough": "2027"}}, "offers.validThrough is not carried over: 2027"),
        ({"location": [{"name": "A", "address": "a"}, {"name": "B"}]}, "location is not carried over: B"),
        ({"location": {"@type": "VirtualLocation", "name": "Zoom"}}, "location is not carried over: Zoom"),
        ({"location": {"name": "A", "telephone": "1", "address": "a"}}, "location.telephone is not carried over: 1"),
        ({"location": {"name": "A", "address": {}, "geo": {"latitude": "north"}}}, "geo is not carried over: north"),
        ({"performer": {"name": "Ada", "email": "a@b.example"}}, "Ada.email is not carried over: a@b.example"),
        ({"audience": {"name": "Everybody"}}, "audience is not carried over: Everybody"),
        ({"startDate": "soon"}, "startDate is not carried over: soon"),
        ({"image": ["https://x.example/a.png"]}, "image is not carried over: https://x.example/a.png"),
    ],
)
def test_properties_of_schema_org_that_have_no_place_are_named(facts: dict[str, Any], lost: str) -> None:
    assert lost in said(described(**facts))


def test_what_is_empty_is_not_named() -> None:
    address = {"addressLocality": "Lyon", "addressRegion": None}
    assert said(described(audience=[], about="", location={"name": "A", "address": address, "sameAs": ""})) == ""


@pytest.mark.parametrize(
    ("inside", "lost"),
    [
        ("<subtitle>y</subtitle>", "subtitle is not carried over: y"),
        ("<duration>long</duration>", "duration is not carried over: long"),
        ("<logo>/a.png</logo>", "logo is not carried over: /a.png"),
        ("<feedback_url>https://f.example/</feedback_url>", "<feedback_url> is not carried over: https://f.example/"),
        ("<answers><a>yes</a><a>no</a></answers>", "<answers> is not carried over: yes no"),
        (
            "<persons><person><name>A</name><biography>B.</biography></person></persons>",
            "<biography> is not carried over",
        ),
        ("<recording><license>CC BY</license></recording>", "<license> is not carried over: CC BY"),
    ],
)
def test_elements_of_a_schedule_that_have_no_place_are_named(inside: str, lost: str) -> None:
    assert lost in said(scheduled(inside))


@pytest.mark.parametrize(
    ("header", "cells", "lost"),
    [
        ("title,date", "x,2027-03-04,more", "cell is not carried over: more"),
        ("title,date,time,duration", "x,2027-03-04,19:00-20:00,1h", "duration is not carried over: 1h"),
    ],
)
def test_cells_that_have_no_place_are_named(header: str, cells: str, lost: str) -> None:
    assert lost in said(row_of(header, cells))


def test_a_column_that_is_there_twice_is_named() -> None:
    reading = read("x.csv", b"Titre,Objet,Date\na,b,2027-03-04\n", PARIS)
    (event,) = reading.events
    assert event.facts["title"] == {"": "a"}
    assert 'column "Objet" is not carried over: 1' in str(reading.lost[0])


@pytest.mark.parametrize(
    ("event", "lost"),
    [
        ({"id": "a", "retired": True}, "event is not carried over: a (it was retired)"),
        ("b", "event is not carried over: b"),
    ],
)
def test_events_of_our_own_that_do_not_come_back_are_named(event: Any, lost: str) -> None:
    ours = {"format": 1, "language": "en", "series": {}, "events": [event]}
    reading = read("x.json", json.dumps(ours).encode(), PARIS)
    assert list(reading.events) == []
    assert lost in str(reading.lost[0])


def test_facts_of_our_own_that_are_none_are_named() -> None:
    rows = [{"id": "a", "title": "A", "mood": "gay", "venue": "Hall"}]
    ours = {"format": 1, "language": "en", "series": {}, "events": rows}
    (event,) = read("x.json", json.dumps(ours).encode(), PARIS).events
    assert "mood is not carried over: gay" in said(event)
    assert "venue is not carried over: Hall" in said(event)


# --------------------------------------------------------------------------------------- facts read aright


def test_links_are_taken_once_and_texts_that_keep_to_themselves_are_asked_about() -> None:
    event = event_of(TIMED, "URL:https://x.example/\nATTACH:https://x.example/\nCLASS:CONFIDENTIAL")
    assert event.facts["resources"] == [{"url": "https://x.example/"}]
    assert [question.values for question in event.questions] == [{"kept": "CONFIDENTIAL"}]


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        (
            "DTSTART:20271031T003000Z\nDTEND:20271031T013000Z",
            {"time": time(2, 30), "end_time": time(2, 30), "end_fold": 1},
        ),
        ("DTSTART:20271031T013000Z\nDTEND:20271031T020000Z", {"time": time(2, 30), "fold": 1, "end_time": time(3)}),
        ("DTSTART;TZID=Europe/Paris:20270328T010000\nDURATION:PT3H", {"time": time(1), "end_time": time(5)}),
        ("DTSTART;TZID=Europe/Paris:20270304T190000\nDTEND:20270304T190000Z", {"time": time(19), "end_time": time(20)}),
        (
            "DTSTART;TZID=America/New_York:20270304T190000\nDTEND:20270305T010000Z",
            {"time": time(19), "end_time": time(20)},
        ),
    ],
    ids=["second hour of the end", "second hour", "an hour skipped", "two zones", "an end in UTC"],
)  # fmt: skip
def test_hours_are_right_where_clocks_change_and_zones_differ(lines: str, facts: dict[str, Any]) -> None:
    found = event_of(lines).facts
    assert {key: found.get(key) for key in ("time", "fold", "end_time", "end_fold") if key in found} == facts
    assert "end_date" not in found


def test_an_instant_of_another_zone_is_asked_about_and_one_in_utc_is_not() -> None:
    assert described(startDate="2027-03-04T18:00:00Z").questions == ()
    (question,) = described(startDate="2027-03-04T18:00:00+05:00").questions
    assert question.values["taken"] == "2027-03-04 14:00"


def test_a_duration_counts_elapsed_time() -> None:
    night = described(startDate="2027-03-28T01:00:00+01:00", duration="PT3H").facts
    assert night["end_time"] == time(5)


def test_a_zone_that_nobody_knows_is_asked_about_once() -> None:
    event = event_of("DTSTART;TZID=No/Where:20270304T190000")
    assert [question.values for question in event.questions] == [{"zone": "No/Where"}]


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("America/New York", "America/New_York"),
        ("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris", "Europe/Brussels"),
        ("/mozilla.org/20070129_1/America/Indiana/Knox", "America/Indiana/Knox"),
        ("/freeassociation.sourceforge.net/Europe/Paris", "Europe/Paris"),
        ("localtime", None),
        ("Factory", None),
        ("(UTC+01:00) Atlantis", None),
    ],
)
def test_names_of_zones(name: str, zone: str | None) -> None:
    assert iana(name) == zone


RULE = "_" * 40
TEAMS = f"{RULE}\\nMicrosoft Teams\\nJoin: https://teams.microsoft.com/meet/1?p=x\\nPasscode: y"


@pytest.mark.parametrize("end", ["", f"\\n{RULE}", f"\\n{RULE}\\nNeed help?\\n{RULE}"])
def test_what_teams_adds_to_a_text_is_taken_out_with_its_passcode(end: str) -> None:
    event = event_of(TIMED, f"DESCRIPTION:Come along.\\n{RULE}\\nBy bus.\\n{TEAMS}{end}\\nAnd bring\\n")
    kept = event.facts["abstract"][""]
    assert kept.startswith("Come along.")
    assert "By bus." in kept
    assert ("And bring" in kept, "Passcode" in kept) == (bool(end), False)
    assert event.facts["online"] == {"url": "https://teams.microsoft.com/meet/1?p=x"}
    assert "a calendar added it" in said(event)
    below = event_of(TIMED, f"DESCRIPTION:Come.\\n{RULE}\\nAnd bring a friend.")
    assert "friend" in below.facts["abstract"][""]


# ------------------------------------------------------------------------------------------------ series

SERIES = "UID:1\nSUMMARY:Choir\nDTSTART;TZID=Europe/Paris:20270107T013000\nRRULE:FREQ=WEEKLY;COUNT=9"
ONE = "UID:1\nSUMMARY:Choir\nRECURRENCE-ID;TZID=Europe/Paris:20270114T013000"


def test_dates_left_out_are_those_of_the_events_own_zone() -> None:
    (event,) = calendar(SERIES + "\nEXDATE;TZID=America/New_York:20270113T193000\nEXDATE:20270121T003000Z")
    assert event.facts["except"] == [date(2027, 1, 14), date(2027, 1, 21)]
    once = event_of(TIMED, "EXDATE:20270304T180000Z")
    assert "except" not in once.facts
    assert "EXDATE is not carried over: 2027-03-04" in said(once)


def test_a_time_that_only_changes_its_hour_is_moved() -> None:
    (event,) = calendar(SERIES, ONE + "\nDTSTART;TZID=Europe/Paris:20270114T203000")
    assert event.facts["moved"] == [{"from": date(2027, 1, 14), "date": date(2027, 1, 14), "time": time(20, 30)}]


def test_times_that_are_cancelled_are_left_out_without_their_words() -> None:
    off = ONE + "\nDTSTART;TZID=Europe/Paris:20270114T013000\nSTATUS:CANCELLED"
    (event,) = calendar(SERIES, off.replace("Choir", "Off: choir"), off.replace("0114", "0121"))
    assert event.facts["except"] == [date(2027, 1, 14), date(2027, 1, 21)]
    assert (event.lost, event.questions) == ((), ())


def test_an_event_of_which_every_date_is_left_out_is_cancelled() -> None:
    twice = SERIES.replace("COUNT=9", "COUNT=2")
    first = "\nEXDATE;TZID=Europe/Paris:20270107T013000"
    off = ONE + "\nDTSTART;TZID=Europe/Paris:20270114T013000\nSTATUS:CANCELLED"
    (event,) = calendar(twice + first, off)
    assert (event.facts["status"], event.facts["repeats"], "except" in event.facts) == (
        "cancelled", "FREQ=WEEKLY;COUNT=2", False,
    )  # fmt: skip
    assert "every date" in str(event.questions)
    for kept in ([twice + first], [SERIES + first, off], [twice + first + "\nRDATE:20270401T180000Z", off]):
        (event,) = calendar(*kept)
        assert "status" not in event.facts
        assert event.facts["except"][0] == date(2027, 1, 7)
    moved = ONE + "\nDTSTART;TZID=Europe/Paris:20270115T203000"
    for kept in (moved, moved.replace("DTSTART;TZID=Europe/Paris:2027", "DTSTART:0001")):
        (event,) = calendar(twice + first, kept)
        assert "status" not in event.facts


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_no_year_is_too_far_for_a_date_that_is_left_out(year: str) -> None:
    (event,) = calendar(SERIES.replace("20270107", f"{year}0101") + f"\nEXDATE;TZID=Europe/Paris:{year}0101T013000")
    assert event.facts["except"] == [date(int(year), 1, 1)]


def test_a_changed_time_without_its_series_is_an_event_of_its_own() -> None:
    start = "DTSTART;TZID=Europe/Paris:20270115T203000"
    (event,) = calendar(f"{ONE}\n{start}")
    assert (event.facts["date"], event.uid) == (date(2027, 1, 15), "calendar:1/2027-01-14 01:30:00+01:00")
    (single,) = calendar(SERIES.replace("\nRRULE:FREQ=WEEKLY;COUNT=9", ""), f"{ONE}\n{start}")
    assert "RECURRENCE-ID is not carried over: Choir" in said(single)


# ------------------------------------------------------------------------------------------------ formats


def test_what_a_file_is_stands_at_its_beginning_in_any_encoding() -> None:
    text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Été\nEND:VEVENT\nEND:VCALENDAR\n"
    for data in (text.encode(), text.encode("cp1252"), b"\xff\xfe" + text.encode("utf-16-le")):
        (event,) = read("download", data, PARIS).events
        assert event.facts["title"] == {"": "Été"}
    with pytest.raises(CatalogueError, match="none of the formats"):
        read("download", "Été".encode("utf-16"), PARIS)


def test_an_abstract_that_stands_twice_is_read_once() -> None:
    both = "<abstract>Bees.</abstract><description>Bees.</description>"
    assert scheduled(both).facts["abstract"] == {"": "Bees."}
    head = '<generator name="tocsin"/>'
    ours = scheduled("<abstract>a &amp;amp; b\nc</abstract><slug>talks-0007-bees</slug>", head)
    assert (ours.facts["abstract"], ours.wanted_id) == ({"": "a &amp; b\nc"}, "bees")
    theirs = scheduled("<abstract>a &amp;amp; b\nc</abstract><slug>talks-0007-bees</slug>")
    assert (theirs.facts["abstract"], theirs.wanted_id) == ({"": "a & b\\\nc"}, "talks-0007-bees")


def test_a_dash_is_no_room() -> None:
    assert "venue" not in scheduled("<room>–</room>").facts
    assert scheduled("<room>Hall – north</room>").facts["venue"] == {"name": {"": "Hall – north"}}


def test_a_recording_is_one() -> None:
    found = scheduled("<video_download_url>https://v.example/1.mp4</video_download_url>").facts
    assert found["recordings"] == [{"url": "https://v.example/1.mp4"}]
