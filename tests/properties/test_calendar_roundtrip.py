"""Whatever the organisers write, other programs read the same facts out of the calendars."""

import json
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import recurring_ical_events
import vobject
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from publishing import FIRST

from pipeline.catalogue.models import Catalogue, Event
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.texts import forbidden_character
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, in_gap, local
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.outputs import calendar, program
from pipeline.phrases import speaker_line
from pipeline.rendering import Renderer

ZONES = ("Europe/Paris", "Europe/Dublin", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "UTC")
DAYS = st.dates(date(1990, 1, 1), date(2037, 6, 1))
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1, max_size=90).filter(
    lambda text: bool(text.strip()) and forbidden_character(text) is None
)
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))

COMMON = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def events(draw: st.DrawFn, number: int = 0) -> dict[str, Any]:
    """One valid event of any shape, under the keys of the catalogue."""
    event: dict[str, Any] = {
        "id": f"event-{number}",
        "timezone": draw(st.sampled_from(ZONES)),
        "status": draw(st.sampled_from(["confirmed", "tentative", "cancelled", "postponed"])),
        "notice": draw(WORDS),
        "tags": draw(st.lists(st.sampled_from(["tea", "city", "music"]), unique=True)),
        "speakers": [{"name": name} for name in draw(st.lists(WORDS, max_size=3))],
    }
    if draw(st.booleans()):
        event["title"] = {"en": draw(WORDS)} | ({"fr": draw(WORDS)} if draw(st.booleans()) else {})
    shape = draw(st.sampled_from(["timed", "lasting", "day", "days", "undated"]))
    if shape == "undated":
        return event
    event["date"] = draw(DAYS)
    if shape in {"timed", "lasting"}:
        event["time"] = draw(TIMES)
        if in_gap(local(event["date"], event["time"], ZoneInfo(event["timezone"]))):
            event["time"] = time(12)
        if shape == "lasting":
            event["duration"] = timedelta(minutes=draw(st.integers(1, 4000)))
    if shape == "days":
        event["end_date"] = event["date"] + timedelta(days=draw(st.integers(0, 9)))
        event["all_day"] = draw(st.booleans())
    return event


@st.composite
def editions(draw: st.DrawFn) -> Edition:
    """A published edition of up to four events in two languages."""
    count = draw(st.integers(0, 4))
    return published([draw(events(number)) for number in range(count)])


def published(found: list[dict[str, Any]]) -> Edition:
    raw = {
        "format": 1,
        "series": {
            "id": "talks",
            "title": "Talks",
            "timezone": "Europe/Paris",
            "default_language": "en",
            "languages": ["en", "fr"],
            "organiser": "The Society",
        },
        "site": {"url": "https://talks.example/"},
        "event": found,
    }
    catalogue = Catalogue.model_validate(raw, context={"default_language": "en", "languages": ("en", "fr")})
    ledger = Ledger().extended(pending_lines(catalogue, Ledger(), FIRST))
    return Edition(catalogue, ledger, date(2026, 2, 1))


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
    first=st.dates(date(2000, 1, 1), date(2034, 1, 1)),
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
    starts = [event["DTSTART"].dt for event in read.between(date(1999, 1, 1), date(2040, 1, 1))]
    assert sorted(start.astimezone(UTC) if isinstance(start, datetime) else start for start in starts) == expected


def all_times(edition: Edition) -> list[tuple[str, Any]]:
    (event,) = edition.catalogue.events
    return list(occurrences(event, datetime(1999, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)))
