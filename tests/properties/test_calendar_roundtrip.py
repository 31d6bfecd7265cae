"""Whatever the organisers write, other programs read the same facts out of the calendars."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import quote, unquote

import ics
import pytest
import recurring_ical_events
import vobject
import x_wr_timezone
from generated import ZONES, editions, published
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar
from vobject_reading import read_alone

from pipeline.catalogue.models import Event
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.texts import Phrase
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, in_gap, in_overlap
from pipeline.edition import Edition, Listing
from pipeline.outputs import calendar, each, program
from pipeline.phrases import speaker_line
from pipeline.rendering import Renderer

COMMON = settings(max_examples=40)
FEWER = settings(COMMON, max_examples=25)


def calendars(edition: Edition) -> dict[str, bytes]:
    return {artifact.path: artifact.body for artifact in each(calendar.render(edition, Renderer()))}


def masters(calendar: vobject.base.Component) -> dict[str, vobject.base.Component]:
    """The events by their ids, without the single dates that were moved out of a recurring one."""
    found = getattr(calendar, "vevent_list", [])
    return {event.uid.value.partition("@")[0]: event for event in found if not hasattr(event, "recurrence_id")}


def expected_times(event: Event) -> tuple[Any, Any]:
    """DTSTART and DTEND as they should be read."""
    match event.when:
        case AtTime(start, end):
            return start.astimezone(UTC), end and end.astimezone(UTC)
        case OnDay(first, last):
            return first, last + timedelta(days=1)
        case Unscheduled():
            raise AssertionError(event)


def times_of(read: vobject.base.Component) -> tuple[Any, Any]:
    times = read.dtstart.value, read.dtend.value if hasattr(read, "dtend") else None
    return tuple(moment.astimezone(UTC) if isinstance(moment, datetime) else moment for moment in times)  # type: ignore[return-value]


STATUS = {"confirmed": "CONFIRMED", "tentative": "TENTATIVE", "cancelled": "CANCELLED", "postponed": "CANCELLED"}
# Written out here and not taken from the program's own words.
SAID = {
    "en": {
        "cancelled": "Cancelled: {}", "postponed": "Postponed: {}", "untimed": "{} (time to be announced)",
        "untitled": "Title to be announced", "online": "Online",
    },
    "fr": {
        "cancelled": "Annulé : {}", "postponed": "Reporté : {}", "untimed": "{} (heure à annoncer)",
        "untitled": "Titre à annoncer", "online": "En ligne",
    },
}  # fmt: skip


@COMMON
@given(editions())
def test_vobject_reads_the_facts_that_were_written(edition: Edition) -> None:
    found = calendars(edition)
    for language, tree in (("en", ""), ("fr", "fr/")):
        body = found[f"{tree}calendar.ics"]
        assert max(map(len, body.split(b"\r\n"))) <= 75
        read = masters(read_alone(body.decode()))
        assert read.keys() == {listing.event.id for listing in edition.dated}
        for listing in edition.dated:
            assert_same(edition, listing, read[listing.event.id], language)


def assert_same(edition: Edition, listing: Listing, read: vobject.base.Component, language: str) -> None:
    event = listing.event
    assert times_of(read) == expected_times(event)
    assert read.status.value == STATUS[event.status]
    free = listing.cancelled or (isinstance(event.when, OnDay) and not event.all_day)
    assert read.transp.value == ("TRANSPARENT" if free else "OPAQUE")
    title = event.title.said_in(language) if event.title else Phrase(SAID[language]["untitled"], language)
    assert read.summary.value.replace("\xa0", " ") == summary_of(listing, title.text, language).replace("\xa0", " ")
    assert read.summary.params["LANGUAGE"] == [title.language]
    assert_same_revision(listing, read)
    assert_same_place(listing, read, language)
    assert_same_lists(event, read, language)
    assert_same_organiser(edition, event, read)
    told = read.description.value
    for part in (event.notice, event.abstract):
        assert part is None or part.said_in(language).text in told
    for fact in (event.price, event.registration and event.registration.note):
        assert not fact or fact.said_in(language).text in told
    assert all(link.url in told for link in (*event.resources, *event.recordings, event.registration) if link)
    assert all(f"\n{speaker_line(speaker, language)}\n" in told for speaker in event.speakers)
    assert not isinstance(event.when, AtTime) or event.timezone in told


def summary_of(listing: Listing, title: str, language: str) -> str:
    if listing.cancelled:
        return SAID[language][listing.event.status].format(title)
    untimed = isinstance(listing.event.when, OnDay) and not listing.event.all_day
    return SAID[language]["untimed"].format(title) if untimed else title


def assert_same_revision(listing: Listing, read: vobject.base.Component) -> None:
    revision = listing.revision
    assert (read.uid.value, read.sequence.value) == (revision.uid, str(revision.sequence))
    assert read.dtstamp.value == read.last_modified.value == revision.updated
    assert read.created.value == revision.created


def assert_same_place(listing: Listing, read: vobject.base.Component, language: str) -> None:
    event, venue, online = listing.event, listing.venue, listing.event.online
    if venue is not None:
        name = venue.name.said_in(language)
        street = ", 1, High Street, 75001 Paris" if venue.id == "hall" else ""
        assert (read.location.value, read.location.params["LANGUAGE"]) == (name.text + street, [name.language])
        position = venue.geo and tuple(round(degrees, 6) for degrees in venue.geo)
        assert position == (tuple(map(float, read.geo.value.split(";"))) if hasattr(read, "geo") else None)
        assert venue.geo is None or "e" not in read.geo.value
    elif online is not None:
        said = online.label.said_in(language).text if online.label else SAID[language]["online"]
        assert read.location.value == said
    else:
        assert not hasattr(read, "location")
    public = online.url if online else None
    assert (read.conference.value if hasattr(read, "conference") else None) == (public and public.replace(",", "%2C"))
    assert read.url.value == f"https://talks.example/{'' if language == 'en' else 'fr/'}events/{event.id}/"
    assert "TOCSIN_ROOM" not in read.serialize()


def assert_same_lists(event: Event, read: vobject.base.Component, language: str) -> None:
    kind = event.kind.said_in(language) if event.kind else None
    expected = list(dict.fromkeys([*([kind.text] if kind else []), *event.tags]))
    assert (read.categories.value if hasattr(read, "categories") else []) == expected
    if kind is not None:
        assert read.categories.params.get("LANGUAGE", [language]) == [kind.language]
    attached = [part.value for part in getattr(read, "attach_list", [])]
    assert attached == [link.url.replace(",", "%2C") for link in event.resources]
    picture = quote(f"assets/{event.image}") if event.image else None
    assert (read.image.value if hasattr(read, "image") else None) == (picture and f"https://talks.example/{picture}")


def assert_same_organiser(edition: Edition, event: Event, read: vobject.base.Component) -> None:
    named = [("North", "north@talks.example")] if event.group else []
    named += [(one.name, one.email) for one in edition.series.organiser if one.email and not event.group]
    if not named:
        assert not hasattr(read, "organizer")
        return
    ((name, address),) = named
    assert read.organizer.params["CN"] == [name]
    assert unquote(read.organizer.value) == f"mailto:{address}"
    assert re.fullmatch("mailto:[A-Za-z0-9%.+-]+@[a-z.]+", read.organizer.value)


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
    told = {event["id"]: event for event in json.loads(body)["events"]}
    for name, event in masters(read_alone(calendars(edition)["calendar.ics"].decode())).items():
        when, (start, _) = told[name]["when"], times_of(event)
        if when["precision"] == "time":
            assert datetime.fromisoformat(when["start"]) == start
            assert datetime.fromisoformat(when["start_utc"]) == start
        else:
            assert date.fromisoformat(when["first"]) == start


@COMMON
@given(editions())
def test_an_alarm_rings_for_all_that_takes_place_and_for_nothing_else(edition: Edition) -> None:
    found = calendars(edition)
    for language, tree in (("en", ""), ("fr", "fr/")):
        plain, ringing = (read_alone(found[f"{tree}{path}calendar.ics"].decode()) for path in ("", "alarms/"))
        pairs = zip(getattr(plain, "vevent_list", []), getattr(ringing, "vevent_list", []), strict=True)
        listings = {listing.event.id: listing for listing in edition.dated}
        for event, with_alarms in pairs:
            listing = listings[event.uid.value.partition("@")[0]]
            alarms = [part for part in with_alarms.components() if part.name == "VALARM"]
            assert len(alarms) == (0 if listing.cancelled else 2 if listing.event.time else 1)
            assert all(alarm.trigger.value < timedelta() and alarm.action.value == "DISPLAY" for alarm in alarms)
            title = listing.event.title.said_in(language) if listing.event.title else None
            for alarm in alarms:
                assert title is None or alarm.description.value == title.text
                assert title is None or alarm.description.params.get("LANGUAGE", [language]) == [title.language]
                with_alarms.remove(alarm)
            assert with_alarms.serialize() == event.serialize()


@COMMON
@given(editions())
def test_every_date_of_every_event_is_found_by_a_program_that_expands_them(edition: Edition) -> None:
    """Recurring or not, moved, over a clock change or before 1970; with the end of each."""
    read = recurring_ical_events.of(Calendar.from_ical(calendars(edition)["calendar.ics"]))
    found = [
        (str(event["UID"]).partition("@")[0], *(in_utc(event[name].dt) if name in event else None for name in ENDS))
        for event in read.between(date(1899, 1, 1), date(2201, 1, 1))
    ]
    expected = []
    for listing in edition.dated:
        days = isinstance(listing.event.when, OnDay)
        for _, when in occurrences(listing.event, datetime(1899, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)):
            end = when.last + timedelta(days=1) if days else when.end
            # Without an end it is as long as nothing: the reader says so by an end that is its start.
            start = when.first if days else when.start
            expected.append((listing.event.id, in_utc(start), in_utc(end or start)))
    assert sorted(found, key=str) == sorted(expected, key=str)


ENDS = ("DTSTART", "DTEND")


def in_utc(moment: date) -> date:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


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
    # It knows no recurrence: of a recurring event it reads the first date and each that was moved, alike.
    found = {event.uid.partition("@")[0]: event for event in read.events}
    dated = {listing.event.id: listing.event for listing in edition.dated}
    assert found.keys() == dated.keys()
    for name, event in dated.items():
        if event.repeats is not None:
            continue
        start, _ = expected_times(event)
        begin = found[name].begin.datetime
        assert (begin if isinstance(start, datetime) else begin.date()) == start
        assert found[name].all_day == isinstance(event.when, OnDay)
        assert found[name].status == STATUS[event.status]
        if event.title is not None and "\\N" not in (title := event.title.said_in("en").text):
            # It takes an escaped backslash before an N for a line break.
            assert title in found[name].name


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
    event = read_alone(calendars(edition)["calendar.ics"].decode()).vevent
    # UNTIL is in UTC; the rule is expanded by the wall clock, then put into the zone of the file.
    zone_of_file, start = event.dtstart.value.tzinfo, event.dtstart.value.replace(tzinfo=None)
    found = [start + timedelta(weeks=number) for number in range(len(expected))]
    assert len(expected) == 2504
    for wall, moment in zip(found, expected, strict=True):
        if not in_gap(moment) and not in_overlap(moment):
            assert wall.replace(tzinfo=zone_of_file).astimezone(UTC) == moment.astimezone(UTC), wall
