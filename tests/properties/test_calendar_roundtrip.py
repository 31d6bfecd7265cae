"""Whatever the organisers write, other programs read the same facts out of the calendars."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import ics
import pytest
import recurring_ical_events
import vobject
import x_wr_timezone
from generated import ZONES, editions, published
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from pipeline.catalogue.models import Event
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, in_gap, in_overlap
from pipeline.edition import Edition
from pipeline.outputs import calendar, program
from pipeline.phrases import speaker_line
from pipeline.rendering import Renderer

COMMON = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
FEWER = settings(COMMON, max_examples=25)


def calendars(edition: Edition) -> dict[str, bytes]:
    return {artifact.path: artifact.body for artifact in calendar.render(edition, Renderer())}


def expected_times(event: Event) -> tuple[Any, Any]:
    """DTSTART and DTEND as they should be read."""
    match event.when:
        case AtTime(start, end):
            return start.astimezone(UTC), end and end.astimezone(UTC)
        case OnDay(first, last):
            return first, last + timedelta(days=1)
        case Unscheduled():
            raise AssertionError(event)


STATUS = {"confirmed": "CONFIRMED", "tentative": "TENTATIVE", "cancelled": "CANCELLED", "postponed": "CANCELLED"}


@COMMON
@given(editions())
def test_vobject_reads_the_facts_that_were_written(edition: Edition) -> None:
    for language, path in (("en", "calendar.ics"), ("fr", "fr/calendar.ics")):
        body = calendars(edition)[path]
        assert max(map(len, body.split(b"\r\n"))) <= 75
        read = vobject.readOne(body.decode())
        found = {event.uid.value.partition("@")[0]: event for event in getattr(read, "vevent_list", [])}
        dated = [event for event in edition.catalogue.events if not isinstance(event.when, Unscheduled)]
        assert found.keys() == {event.id for event in dated}
        for event in dated:
            assert_same(event, found[event.id], language)


def assert_same(event: Event, read: vobject.base.Component, language: str) -> None:
    end = read.dtend.value if hasattr(read, "dtend") else None
    assert (read.dtstart.value, end) == expected_times(event)
    assert read.status.value == STATUS[event.status]
    if event.title is not None:
        title = event.title.said_in(language)
        assert title.text in read.summary.value
        assert read.summary.params["LANGUAGE"] == [title.language]
    for speaker in event.speakers:
        assert f"\n{speaker_line(speaker, language)}\n" in read.description.value
    assert [*event.tags] == (read.categories.value if hasattr(read, "categories") else [])


@COMMON
@given(editions())
def test_every_event_is_written_alike_in_each_file(edition: Edition) -> None:
    found = calendars(edition)
    for listing in edition.dated:
        single = found[f"events/{listing.event.id}.ics"]
        component = single[single.index(b"BEGIN:VEVENT") : single.index(b"END:VCALENDAR")]
        assert component in found["calendar.ics"]
        for tag in listing.event.tags:
            assert component in found[f"tags/{tag}.ics"]


@COMMON
@given(editions())
def test_the_programme_agrees_with_the_calendar(edition: Edition) -> None:
    (body, *_) = (artifact.body for artifact in program.render(edition, Renderer()))
    told = {event["uid"]: event for event in json.loads(body)["events"]}
    for event in getattr(vobject.readOne(calendars(edition)["calendar.ics"].decode()), "vevent_list", []):
        when = told[event.uid.value]["when"]
        if when["precision"] == "time":
            assert datetime.fromisoformat(when["start"]) == event.dtstart.value
            assert datetime.fromisoformat(when["start_utc"]) == event.dtstart.value
        else:
            assert date.fromisoformat(when["first"]) == event.dtstart.value


@COMMON
@given(
    zone=st.sampled_from(ZONES),
    first=st.dates(date(1990, 1, 1), date(2034, 1, 1)),
    at=st.one_of(st.none(), st.integers(6, 23).map(time)),
    rule=st.sampled_from(["FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY", "FREQ=WEEKLY;INTERVAL=2"]),
    count=st.integers(1, 40),
    by_until=st.booleans(),
    left_out=st.sets(st.integers(1, 12)),
    moved=st.integers(1, 12),
    shift=st.integers(-20, 20),
)
def test_a_recurring_event_expands_to_the_same_dates(
    zone: str,
    first: date,
    at: time | None,
    rule: str,
    count: int,
    by_until: bool,
    left_out: set[int],
    moved: int,
    shift: int,
) -> None:
    """Compared with the dates by which pages and letters go."""
    bound = f"UNTIL={first + timedelta(days=count * 5):%Y%m%d}" if by_until else f"COUNT={count}"
    raw: dict[str, Any] = {
        "id": "weekly", "title": "Weekly", "timezone": zone, "date": first, "repeats": f"{rule};{bound}",
        **({"time": at} if at else {}),
    }  # fmt: skip
    plain = published([raw])
    days = [date.fromisoformat(name) for name, _ in all_times(plain)]
    raw["except"] = [days[index] for index in left_out if index < len(days)]
    if moved < len(days):
        raw["moved"] = [{"from": days[moved], "date": days[moved] + timedelta(days=shift)}]
    edition = published([raw])
    expected = sorted(
        when.start.astimezone(UTC) if isinstance(when, AtTime) else when.first for _, when in all_times(edition)
    )
    read = recurring_ical_events.of(Calendar.from_ical(calendars(edition)["calendar.ics"]))
    starts = [event["DTSTART"].dt for event in read.between(date(1989, 1, 1), date(2040, 1, 1))]
    assert sorted(start.astimezone(UTC) if isinstance(start, datetime) else start for start in starts) == expected


def all_times(edition: Edition) -> list[tuple[str, Any]]:
    (event,) = edition.catalogue.events
    return list(occurrences(event, datetime(1989, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)))


@FEWER
@given(editions())
def test_ics_py_reads_the_same_instants_and_texts(edition: Edition) -> None:
    read = ics.Calendar(calendars(edition)["calendar.ics"].decode())
    found = {event.uid.partition("@")[0]: event for event in read.events}
    dated = {event.id: event for event in edition.catalogue.events if not isinstance(event.when, Unscheduled)}
    assert found.keys() == dated.keys()
    for name, event in dated.items():
        start, _ = expected_times(event)
        begin = found[name].begin.datetime
        assert (begin if isinstance(start, datetime) else begin.date()) == start
        assert found[name].all_day == isinstance(event.when, OnDay)
        assert found[name].status == STATUS[event.status]
        if event.title is not None:
            assert event.title.said_in("en").text in found[name].name


@FEWER
@given(editions())
def test_programs_that_mind_the_zone_of_the_calendar_read_the_same_instants(edition: Edition) -> None:
    """What X-WR-TIMEZONE does in some programs: times in UTC follow its clock."""
    written = Calendar.from_ical(calendars(edition)["calendar.ics"])
    minded = x_wr_timezone.to_standard(Calendar.from_ical(calendars(edition)["calendar.ics"]))
    pairs = [
        {event["UID"]: event["DTSTART"].dt for event in read.events if "DTSTART" in event} for read in (written, minded)
    ]
    assert pairs[0] == pairs[1]


HOURS = (time(8, 15), time(19), time(23, 30))


@pytest.mark.parametrize("at", HOURS)
@pytest.mark.parametrize(
    "zone", ["Africa/Casablanca", "America/Sao_Paulo", "Asia/Gaza", "Australia/Lord_Howe", "Europe/Dublin"]
)
def test_every_instance_from_1990_to_2037_is_right_by_the_zone_in_the_file(zone: str, at: time) -> None:
    """vobject goes by our VTIMEZONE and not by a zone database of its own."""
    raw = {
        "id": "weekly", "title": "Weekly", "timezone": zone, "date": date(1990, 1, 2), "time": at,
        "repeats": "FREQ=WEEKLY;UNTIL=20371225",
    }  # fmt: skip
    edition = published([raw])
    expected = [when.start for _, when in all_times(edition)]
    event = vobject.readOne(calendars(edition)["calendar.ics"].decode()).vevent
    # UNTIL is in UTC; the rule is expanded by the wall clock, then put into the zone of the file.
    zone_of_file, start = event.dtstart.value.tzinfo, event.dtstart.value.replace(tzinfo=None)
    found = [start + timedelta(weeks=number) for number in range(len(expected))]
    assert len(expected) == 2504
    for wall, moment in zip(found, expected, strict=True):
        if not in_gap(moment) and not in_overlap(moment):
            assert wall.replace(tzinfo=zone_of_file).astimezone(UTC) == moment.astimezone(UTC), wall
