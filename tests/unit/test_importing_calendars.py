"""`.ics` of many programs: what each event becomes, and what of it is named as lost."""

from datetime import date, time
from pathlib import Path

import pytest

from pipeline.errors import CatalogueError
from pipeline.importing.calendars import read_calendar
from pipeline.importing.found import Found, Manner
from pipeline.importing.zones import iana

DATA = Path(__file__).parents[1] / "data" / "import"
PARIS = Manner("Europe/Paris", "https://talks.example/")


def events_of(name: str) -> dict[str, Found]:
    """The events of a sample file by their titles."""
    found = read_calendar((DATA / name).read_bytes(), name, PARIS).events
    return {next(iter(event.facts["title"].values())): event for event in found}


def read(*lines: str, head: str = "") -> Found:
    """The one event with these content lines."""
    text = "\r\n".join(
        ["BEGIN:VCALENDAR", *filter(None, [head]), "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"]
    )
    (found,) = read_calendar(text.encode(), "x.ics", PARIS).events
    return found


def lost(event: Found) -> str:
    return "\n".join(map(str, event.lost))


@pytest.mark.parametrize(
    ("file", "title", "day", "start", "end"),
    [
        ("google.ics", "Ce que savent les abeilles", date(2027, 3, 4), time(19), time(21)),
        ("outlook.ics", "Assemblée générale", date(2027, 4, 15), time(19), time(21, 30)),
        ("outlook.ics", "Liaison avec Pune", date(2027, 4, 20), time(10, 30), time(11, 30)),
        ("apple.ics", "Marées et bateaux", date(2027, 3, 18), time(19), time(20, 30)),
        ("nextcloud.ics", "Projection reportée", date(2027, 5, 6), time(18, 30), time(20, 30)),
        ("indico.ics", "Seminar: what the detector saw", date(2027, 3, 25), time(16), time(17)),
        ("gancio.ics", "[Agenda] Concert de soutien", date(2027, 4, 9), time(19, 30), time(22, 30)),
        ("mobilizon.ics", "Fresque du climat", date(2027, 5, 3), time(18), time(20)),
        ("pretalx.ics", "Reproducible everything - Ines Vidal, Tom Okoro", date(2027, 6, 12), time(10), time(10, 45)),
        ("meetup.ics", "Typing night", date(2027, 4, 20), time(18, 30), time(20, 30)),
    ],
)
def test_an_event_keeps_its_wall_time(file: str, title: str, day: date, start: time, end: time) -> None:
    facts = events_of(file)[title].facts
    assert (facts["date"], facts["time"], facts["end_time"]) == (day, start, end)


def test_another_zone_stays_the_events_own() -> None:
    assert events_of("meetup.ics")["Typing night"].facts["timezone"] == "America/New_York"


def test_windows_names_and_vendor_paths_are_zones() -> None:
    assert iana("Romance Standard Time") == "Europe/Paris"
    assert iana("/freeassociation.sourceforge.net/Europe/Paris") == "Europe/Paris"
    assert iana("/mozilla.org/20070129_1/America/Indiana/Knox") == "America/Indiana/Knox"
    assert iana("(UTC+01:00) Brussels, Copenhagen, Madrid, Paris") == "Europe/Brussels"
    assert iana("europe/paris") == "Europe/Paris"
    assert iana("../../etc/passwd") is None
    assert iana("Nowhere Standard Time") is None


def test_a_zone_that_only_the_file_defines_is_converted_and_asked_about() -> None:
    event = events_of("outlook.ics")["Liaison avec Pune"]
    assert "Customized Time Zone" in str(event.questions)


def test_a_zone_that_nobody_knows_keeps_the_wall_time_and_asks() -> None:
    event = read("SUMMARY:x", "DTSTART;TZID=Moon Base:20270304T190000")
    assert (event.facts["time"], "timezone" in event.facts) == (time(19), False)
    assert "Moon Base" in str(event.questions)


def test_a_floating_time_is_meant_in_the_zone_of_the_calendar_or_asked_about() -> None:
    asked = read("SUMMARY:x", "DTSTART:20270304T190000")
    said = read("SUMMARY:x", "DTSTART:20270304T190000", head="X-WR-TIMEZONE:America/Toronto")
    assert ("timezone" in asked.facts, len(asked.questions)) == (False, 1)
    assert (said.facts["timezone"], said.facts["time"], said.questions) == ("America/Toronto", time(19), ())


def test_a_recurring_event_keeps_its_rule_its_gaps_and_its_moved_date() -> None:
    facts = events_of("google.ics")["Atelier d'écriture"].facts
    assert facts["repeats"] == "FREQ=WEEKLY;UNTIL=20270225T225959Z;BYDAY=TH"
    assert facts["except"] == [date(2027, 1, 21), date(2027, 2, 11)]
    assert facts["moved"] == [{"from": date(2027, 1, 28), "date": date(2027, 1, 29), "time": time(18)}]


def test_what_recurs_in_utc_stays_in_utc() -> None:
    facts = read("SUMMARY:x", "DTSTART:20270304T180000Z", "DTEND:20270304T190000Z", "RRULE:FREQ=WEEKLY").facts
    assert (facts["timezone"], facts["time"], facts["end_time"]) == ("UTC", time(18), time(19))


@pytest.mark.parametrize("rule", ["FREQ=HOURLY", "FREQ=WEEKLY;INTERVAL=0", "FREQ=DAILY;BYHOUR=9,17", "FREQ=SOON"])
def test_a_rule_that_a_catalogue_cannot_hold_is_named_and_asked_about(rule: str) -> None:
    event = read("SUMMARY:x", "DTSTART;VALUE=DATE:20270304", f"RRULE:{rule}")
    assert "repeats" not in event.facts
    assert "RRULE" in lost(event)
    assert event.questions


def test_words_of_a_single_time_are_named_as_lost() -> None:
    lines = [
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT", "UID:1", "SUMMARY:Club", "DTSTART:20270304T180000Z", "RRULE:FREQ=WEEKLY", "END:VEVENT",
            "BEGIN:VEVENT", "UID:1", "SUMMARY:Club with Ada", "DTSTART:20270311T180000Z",
            "RECURRENCE-ID:20270311T180000Z", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    text = "\n".join(lines)
    (event,) = read_calendar(text.encode(), "x.ics", PARIS).events
    assert "Club with Ada" in lost(event)
    assert "moved" not in event.facts


def test_whole_days_end_on_their_last_day() -> None:
    facts = events_of("google.ics")["Week-end d'étude"].facts
    assert (facts["all_day"], facts["date"], facts["end_date"]) == (True, date(2027, 5, 8), date(2027, 5, 9))
    one = read("SUMMARY:x", "DTSTART;VALUE=DATE:20270304", "DTEND;VALUE=DATE:20270305").facts
    assert "end_date" not in one


def test_html_becomes_markdown_and_line_breaks_stay() -> None:
    abstract = events_of("google.ics")["Ce que savent les abeilles"].facts["abstract"][""]
    assert "**Jeanne Moreau-Petit**" in abstract
    assert "[le formulaire](https://form.example/abeilles)" in abstract
    assert "- entrée libre\n- goûter" in abstract
    assert events_of("meetup.ics")["Typing night"].facts["abstract"][""].startswith("Python Nantes\\\nTuesday")


def test_a_place_is_not_guessed_apart() -> None:
    apple = events_of("apple.ics")["Marées et bateaux"].facts["venue"]
    assert apple == {"name": {"": "Le Relais"}, "street": "3 rue du Port, 29200 Brest, France", "geo": [48.383, -4.495]}
    gancio = events_of("gancio.ics")["[Agenda] Concert de soutien"].facts["venue"]
    assert gancio["geo"] == [48.8846, 2.3697]


@pytest.mark.parametrize(
    "said", ["Réunion Microsoft Teams", "Microsoft Teams Meeting", "Google Meet", "Zoom", "Online event"]
)
def test_a_meeting_that_is_only_online_has_no_place(said: str) -> None:
    link = "X-MICROSOFT-SKYPETEAMSMEETINGURL:https://teams.example/1"
    for lines, asked in (((link,), 0), ((), 1)):
        event = read("SUMMARY:Talk", "DTSTART:20270304T180000Z", f"LOCATION:{said}", *lines)
        assert "venue" not in event.facts
        assert len(event.questions) == asked


def test_a_hall_that_is_called_like_a_service_stays_a_place() -> None:
    event = read("SUMMARY:Talk", "DTSTART:20270304T180000Z", "LOCATION:Zoom Bar\\, Nantes")
    assert event.facts["venue"]["name"] == {"": "Zoom Bar, Nantes"}


def test_status_links_and_tags_are_taken() -> None:
    facts = events_of("nextcloud.ics")["Projection reportée"].facts
    assert (facts["status"], facts["tags"]) == ("cancelled", ["Cinéma", "Débat public"])
    assert events_of("outlook.ics")["Assemblée générale"].facts["online"] == {
        "url": "https://teams.example/l/meetup-join/1"
    }
    assert events_of("pretalx.ics").popitem()[1].facts["resources"] == [{"url": "https://conf.example/talk/QX7ABC/"}]


def test_a_link_to_our_own_page_is_no_fact() -> None:
    assert "resources" not in read("SUMMARY:x", "URL:https://talks.example/events/x/").facts


def test_what_has_no_place_is_named_with_its_line() -> None:
    event = events_of("google.ics")["Atelier d'écriture"]
    assert {problem.line for problem in event.lost} == {48}
    assert "ATTENDEE is not carried over: 1" in lost(event)
    assert "ada@example.org" not in lost(event)
    reading = read_calendar((DATA / "nextcloud.ics").read_bytes(), "n.ics", PARIS)
    assert list(reading.events)
    (todo,) = reading.lost
    assert "VTODO" in str(todo)


def test_a_broken_event_does_not_spoil_the_others() -> None:
    lines = [
            "BEGIN:VCALENDAR",
            "BEGIN:VEVENT", "SUMMARY:one", "DTSTART:not a date", "GEO:x", "a line", "END:VEVENT",
            "BEGIN:VEVENT", "BEGIN:VALARM", "END:VEVENT", "END:VALARM",
            "BEGIN:VEVENT", "SUMMARY:two", "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    text = "\n".join(lines)
    events = list(read_calendar(text.encode(), "x.ics", PARIS).events)
    titles = [event.facts.get("title", {}).get("") for event in events]
    assert (titles[0], titles[-1]) == ("one", "two")
    assert "DTSTART" in lost(events[0])
    assert "date" not in events[0].facts


def test_a_file_that_was_cut_off_is_refused_since_nobody_knows_what_is_missing() -> None:
    whole = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n"
    with pytest.raises(CatalogueError) as refused:
        list(read_calendar(f"{whole}BEGIN:VEVENT\nSUMMARY:y\n".encode(), "x.ics", PARIS).events)
    assert str(refused.value) == "x.ics:5: the file ends in the middle of VEVENT (fetch it again: it was cut off)"
    assert len(list(read_calendar(whole.encode(), "x.ics", PARIS).events)) == 1


def test_no_calendar_is_refused() -> None:
    with pytest.raises(CatalogueError, match="BEGIN:VCALENDAR"):
        list(read_calendar(b"Hello", "x.ics", PARIS).events)


def test_of_two_versions_the_higher_sequence_counts() -> None:
    rows = "\n".join(f"BEGIN:VEVENT\nUID:1\nSEQUENCE:{n}\nSUMMARY:v{n}\nEND:VEVENT" for n in (2, 5, 3))
    (event,) = read_calendar(f"BEGIN:VCALENDAR\n{rows}\nEND:VCALENDAR".encode(), "x.ics", PARIS).events
    assert event.facts["title"] == {"": "v5"}
    assert lost(event).count("another version") == 2


def test_a_file_within_an_event_is_named_and_nothing_of_it_is_read() -> None:
    attached = "ATTACH;FILENAME=a.pdf;ENCODING=BASE64;VALUE=BINARY:" + "\r\n ".join(["QUJD" * 18] * 5)
    event = read("SUMMARY:x", attached, "DESCRIPTION:still here")
    assert "ATTACH is not carried over: a file inside the calendar" in lost(event)
    assert event.facts["abstract"] == {"": "still here"}
