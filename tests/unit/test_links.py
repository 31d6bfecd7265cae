"""Links into calendar programs, maps and mail: each in the form which its program takes."""

from datetime import date
from urllib.parse import parse_qs, urlsplit

import pytest
from html_reader import HOSTILE, edition_of

from pipeline.edition import Edition
from pipeline.outputs.links import add_links, mail_link, map_links, subscribe_links, webcal

PAGE = "https://talks.example/events/x/"


def queries(edition: Edition, event: str, language: str = "en") -> dict[str, dict[str, str]]:
    listing = next(item for item in edition.listings if item.event.id == event)
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
