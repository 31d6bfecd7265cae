"""Links into calendar programs, maps and mail: each in the form which its program takes."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from html_reader import HOSTILE, edition_of
from icalendar import Calendar
from publishing import TALK, edition

from pipeline.edition import Edition
from pipeline.outputs import calendar
from pipeline.outputs.links import add_links, mail_link, map_links, subscribe_links, webcal

PAGE = "https://talks.example/events/x/"


def queries(of: Edition, event: str, language: str = "en") -> dict[str, dict[str, str]]:
    listing = next(item for item in of.listings if item.event.id == event)
    links = add_links(listing, PAGE, language)
    return {link.name: {key: value[0] for key, value in parse_qs(urlsplit(link.url).query).items()} for link in links}


def test_a_timed_event_is_added_in_utc_without_an_invented_end(seed_edition: Edition) -> None:
    found = queries(seed_edition, "non-take-up")
    assert found["Google"]["dates"] == "20221025T170000Z/20221025T170000Z"
    assert found["Outlook.com"]["startdt"] == "2022-10-25T17:00:00Z"
    assert found["Yahoo"]["st"] == "20221025T170000Z"
    assert "enddt" not in found["Office 365"]
    assert "et" not in found["Yahoo"]
    assert found["Google"]["location"].startswith("Centre Social le Picoulet, 59, rue")
    assert found["Google"]["details"].endswith(PAGE)


def test_a_known_end_is_added() -> None:
    found = queries(edition_of(HOSTILE), "loud")
    assert found["Google"]["dates"] == "20261201T180000Z/20261201T200000Z"
    assert found["Outlook.com"]["enddt"] == "2026-12-01T20:00:00Z"
    assert found["Yahoo"]["et"] == "20261201T200000Z"


def test_a_day_is_added_as_a_whole_day_whose_title_says_that_the_hour_is_open(seed_edition: Edition) -> None:
    found = queries(seed_edition, "welfare-control")
    assert found["Google"]["dates"] == "20230119/20230120"
    assert found["Google"]["text"] == "The algorithmization of welfare control (time to be announced)"
    assert (found["Outlook.com"]["enddt"], found["Outlook.com"]["allday"]) == ("2023-01-20", "true")
    assert (found["Yahoo"]["et"], found["Yahoo"]["dur"]) == ("20230119", "allday")


@pytest.mark.parametrize(("language", "word"), [("en", "Online"), ("fr", "En ligne")])
def test_an_event_without_a_place_is_added_as_online_in_each_program(language: str, word: str) -> None:
    found = queries(
        edition(TALK.replace('venue = "hall"', 'venue = false\nonline = "https://m.example/"')), "talk", language
    )
    places = {"Google": "location", "Outlook.com": "location", "Office 365": "location", "Yahoo": "in_loc"}
    assert {name: found[name][key] for name, key in places.items()} == dict.fromkeys(places, word)


@pytest.mark.parametrize(("change", "start", "end"), [
    ("time = '00:30'\nduration = '2h'", "20261019T223000Z", "20261020T003000Z"),
    ("all_day = true", "20261020", "20261021"),
    ("all_day = true\nend_date = 2026-10-22", "20261020", "20261023"),
    ("tba = ['time']", "20261020", "20261021"),
])  # fmt: skip
def test_all_four_programs_are_told_the_same_times_as_the_calendar(change: str, start: str, end: str) -> None:
    of = edition(TALK.replace('time = "19:00"', change))
    found = queries(of, "talk")
    (read,) = Calendar.from_ical(calendar.invitation(of, of.dated[0], "en")).events
    assert [read[name].to_ical().decode() for name in ("dtstart", "dtend")] == [start, end]
    assert found["Google"]["dates"] == f"{start}/{end}"
    for name in ("Outlook.com", "Office 365"):
        told = [found[name][key].translate(str.maketrans("", "", "-:")) for key in ("startdt", "enddt")]
        assert (told, found[name].get("allday")) == ([start, end], None if "T" in start else "true")
    # Yahoo alone counts the last day in.
    last = end if "T" in end else f"{date.fromisoformat(end) - timedelta(days=1):%Y%m%d}"
    assert (found["Yahoo"]["st"], found["Yahoo"]["et"]) == (start, last)
    assert found["Yahoo"].get("dur") == (None if "T" in start else "allday")
    for name, key in (("Google", "text"), ("Outlook.com", "subject"), ("Office 365", "subject"), ("Yahoo", "title")):
        assert found[name][key] == read["summary"]


@pytest.mark.parametrize(
    "change",
    [
        ('id = "loud"', 'id = "loud"\nstatus = "cancelled"\nnotice = "No."'),
        ('id = "loud"', 'id = "loud"\nrepeats = "FREQ=WEEKLY;COUNT=3"'),
        ('date = 2026-12-01\ntime = "19:00"\nduration = "2h"', 'tba = ["date", "time"]'),
    ],
    ids=["cancelled", "recurring", "undated"],
)
def test_what_a_link_could_not_say_rightly_has_none(change: tuple[str, str]) -> None:
    assert not queries(edition_of(HOSTILE.replace(*change), day=date(2026, 11, 1)), "loud")


def test_a_calendar_is_subscribed_to_by_its_whole_encoded_address() -> None:
    google, outlook, office = subscribe_links("https://x.example/a/calendar.ics", "A & B")
    assert google.url == "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fx.example%2Fa%2Fcalendar.ics"
    assert parse_qs(urlsplit(outlook.url).query) == {"url": ["https://x.example/a/calendar.ics"], "name": ["A & B"]}
    assert urlsplit(office.url).hostname == "outlook.office.com"
    assert webcal("https://x.example/a/calendar.ics") == "webcal://x.example/a/calendar.ics"


def test_a_letter_is_begun_with_spaces_and_signs_encoded() -> None:
    link = mail_link("L’Équipe <a+b@x.example>", "Je m’inscris : A & B", "Bonjour")
    assert link == "mailto:a%2Bb@x.example?subject=Je%20m%E2%80%99inscris%20%3A%20A%20%26%20B&body=Bonjour"


def test_a_venue_is_searched_by_its_address_where_its_position_is_not_known(seed_edition: Edition) -> None:
    venue = seed_edition.catalogue.venues[0]
    (link,) = map_links(venue, "fr")
    assert parse_qs(urlsplit(link.url).query) == {"query": ["59, rue de la Fontaine au Roi, 75011 Paris, France"]}
    assert not map_links(venue.model_copy(update={"street": None, "city": None}), "fr")
