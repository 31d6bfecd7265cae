"""Dates, places, people and news in words, in the reader's language and without a guess."""

import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_date
from publishing import TALK, edition

from pipeline.catalogue.models import Speaker, Venue
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When
from pipeline.language import locale, say_day, say_days
from pipeline.outputs.date_tile import date_tile
from pipeline.phrases import changes, headline, place_line, say_when, say_zone_of, speaker_line, status_word, title_of
from pipeline.phrases.zones import say_zone_city

PARIS = ZoneInfo("Europe/Paris")


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2022, 10, day, hour, minute, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("when", "long", "short"),
    [
        (AtTime(at(25, 19)), "Tuesday 25 October 2022, 19:00", "Tue 25 Oct 2022, 19:00"),
        (AtTime(at(25, 19), at(25, 21, 30)), "Tuesday 25 October 2022, 19:00–21:30", "Tue 25 Oct 2022, 19:00"),
        (AtTime(at(25, 19), at(25, 21), True), "Tuesday 25 October 2022, 19:00", "Tue 25 Oct 2022, 19:00"),
        (
            AtTime(at(25, 22), at(26, 2)),
            "Tuesday 25 October 2022, 22:00 – Wednesday 26 October 2022, 02:00",
            "Tue 25 Oct 2022, 22:00",
        ),
        (
            AtTime(at(25, 9), at(27, 17)),
            "Tuesday 25 October 2022, 09:00 – Thursday 27 October 2022, 17:00",
            "Tue 25 Oct 2022, 09:00 – Thu 27 Oct 2022, 17:00",
        ),
        (
            OnDay(date(2023, 1, 19), date(2023, 1, 19), PARIS),
            "Thursday 19 January 2023, time to be announced",
            "Thu 19 Jan 2023, time to be announced",
        ),
        (OnDay(date(2023, 1, 19), date(2023, 1, 19), PARIS, True), "Thursday 19 January 2023", "Thu 19 Jan 2023"),
        (
            OnDay(date(2023, 1, 19), date(2023, 1, 21), PARIS, True),
            "Thursday 19 – Saturday 21 January 2023",
            "Thu 19 – Sat 21 Jan 2023",
        ),
        (Unscheduled(), "date to be announced", "date to be announced"),
    ],
)
def test_a_date_is_said_as_precisely_as_it_is_known(when: When, long: str, short: str) -> None:
    assert say_when(when, "en") == long
    assert say_when(when, "en", "short") == short


def test_the_year_may_be_left_out() -> None:
    assert say_when(AtTime(at(25, 19)), "en", "brief") == "Tue 25 Oct, 19:00"


def test_french_dates_are_french() -> None:
    assert say_when(AtTime(at(25, 19)), "fr", "short") == "mar. 25 oct. 2022, 19:00"
    assert say_when(OnDay(date(2022, 11, 1), date(2022, 11, 1), PARIS, True), "fr") == "mardi 1er novembre 2022"


@pytest.mark.parametrize(
    ("first", "last", "english", "french"),
    [
        (date(2027, 2, 5), date(2027, 2, 7), "Fri 5 – Sun 7 Feb 2027", "ven. 5 – dim. 7 févr. 2027"),
        (date(2027, 3, 1), date(2027, 3, 3), "Mon 1 – Wed 3 Mar 2027", "lun. 1er – mer. 3 mars 2027"),
        (date(2027, 1, 30), date(2027, 2, 1), "Sat 30 Jan – Mon 1 Feb 2027", "sam. 30 janv. – lun. 1er févr. 2027"),
        (
            date(2026, 12, 31), date(2027, 1, 1),
            "Thu 31 Dec 2026 – Fri 1 Jan 2027", "jeu. 31 déc. 2026 – ven. 1er janv. 2027",
        ),
        (
            date(2026, 2, 5), date(2027, 2, 7),
            "Thu 5 Feb 2026 – Sun 7 Feb 2027", "jeu. 5 févr. 2026 – dim. 7 févr. 2027",
        ),
    ],
)  # fmt: skip
def test_of_several_days_month_and_year_are_said_once_where_they_are_the_same(
    first: date, last: date, english: str, french: str
) -> None:
    days = OnDay(first, last, PARIS, all_day=True)
    assert (say_when(days, "en", "short"), say_when(days, "fr", "short")) == (english, french)
    assert say_days(date(2027, 2, 5), date(2027, 2, 7), "en", "brief") == "Fri 5 – Sun 7 Feb"
    assert say_days(date(2027, 2, 5), date(2027, 2, 7), "de", "short") == "05.02.2027 – 07.02.2027"


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    ("form", "pattern"), [("long", "EEEE d MMMM y"), ("short", "EEE d MMM y"), ("brief", "EEE d MMM")]
)
def test_a_day_has_the_names_that_babel_gives_it(language: str, form: str, pattern: str) -> None:
    for number in range(0, 800, 3):
        day = date(2026, 1, 2) + timedelta(days=number)
        if day.day > 1:
            assert say_day(day, language, form) == format_date(day, pattern, locale=locale(language))


@pytest.mark.parametrize("language", ["en", "fr", "de", "ar", "pt-BR", "ja"])
def test_the_tile_of_a_date_has_the_names_that_babel_gives_it(language: str) -> None:
    for number in range(0, 800, 3):
        day = date(2026, 1, 2) + timedelta(days=number)
        tile = date_tile(OnDay(day, day, PARIS), language)
        assert tile is not None
        assert tile.weekday == format_date(day, "EEEE", locale=locale(language))
        assert tile.month == format_date(day, "MMM y", locale=locale(language))


def test_the_zone_is_named_in_words_and_by_its_id() -> None:
    assert say_zone_of(AtTime(at(25, 19)), "en") == "Central European Summer Time, Europe/Paris"
    assert say_zone_of(OnDay(date(2022, 11, 1), date(2022, 11, 1), PARIS), "en") == ""
    # The clocks go back on the 30th: the two hours of one event are of two zones.
    both = "Central European Summer Time – Central European Standard Time, Europe/Paris"
    assert say_zone_of(AtTime(at(29, 9), at(30, 17)), "en") == both
    assert (
        say_zone_of(AtTime(at(29, 9), at(30, 17), end_is_estimated=True), "en")
        == "Central European Summer Time, Europe/Paris"
    )


@pytest.mark.parametrize(
    ("speaker", "line"),
    [
        ({"name": "Clara Deville", "role": "sociologist"}, "Clara Deville, sociologist"),
        (
            {"name": "Gabriel Amieux", "affiliation": "Secours Catholique 93", "member_of": "Bouge Ta Préfecture"},
            "Gabriel Amieux, Secours Catholique 93, member of Bouge Ta Préfecture",
        ),
        ({"group": "Changer de Cap"}, "Changer de Cap"),
        (
            {"unnamed": "a trade unionist from the CGT Pôle Emploi", "affiliation": "CGT Pôle Emploi"},
            "a trade unionist from the CGT Pôle Emploi",
        ),
        (
            {"name": "Gilles J.", "role": "author", "work": {"title": "Le privé", "publisher": "RA", "year": 2022}},
            "Gilles J., author, “Le privé” (RA, 2022)",
        ),
        (
            {"unnamed": "one of the authors of Consultocratie", "work": {"title": "Consultocratie", "year": 2022}},
            "one of the authors of Consultocratie (2022)",
        ),
        ({"name": "Ann", "work": {"title": "Poems"}}, "Ann, “Poems”"),
    ],
)  # fmt: skip
def test_a_speaker_is_said_on_one_line(speaker: dict[str, Any], line: str) -> None:
    assert speaker_line(Speaker.model_validate(speaker), "en") == line


@pytest.mark.parametrize(
    ("venue", "line"),
    [
        ({"street": "1, High Street", "postal_code": "75001", "city": "Paris"}, "Hall, 1, High Street, 75001 Paris"),
        ({"city": "Paris"}, "Hall, Paris"),
        ({}, "Hall"),
    ],
)
def test_a_place_is_said_on_one_line(venue: dict[str, str], line: str) -> None:
    assert place_line(Venue.model_validate({"id": "hall", "name": "Hall", **venue}), "en") == line


def test_a_title_says_which_language_it_is_in() -> None:
    (listing,) = edition(TALK).listings
    assert title_of(listing.event, "fr") == ("A talk", "en")


def test_a_missing_title_is_to_be_announced() -> None:
    (listing,) = edition(TALK.replace('title = "A talk"', 'tba = ["title"]')).listings
    assert title_of(listing.event, "en") == ("Title to be announced", "en")


def test_a_confirmed_event_needs_no_word() -> None:
    (listing,) = edition(TALK).listings
    assert status_word(listing.event, "en") == ""


def test_changes_are_told_one_by_one_as_they_were_and_are() -> None:
    after = TALK.replace("19:00", "20:00").replace("hall", "library").replace("A talk", "The talk")
    found = changes(edition(TALK, after).news[0], "en")
    assert [tuple(change) for change in found] == [
        ("Date", "Tuesday 20 October 2026, 19:00", "Tuesday 20 October 2026, 20:00"),
        ("Place", "Town hall, 1, High Street, 75001 Paris", "Library, Lyon"),
        ("Title", "A talk", "The talk"),
    ]


def test_an_announcement_has_no_changes() -> None:
    assert changes(edition(TALK).news[0], "en") == ()


def test_a_secret_link_is_not_among_the_changes() -> None:
    after = TALK + 'online = {secret = "TOCSIN_ROOM"}\n'
    assert "TOCSIN_ROOM" not in str(changes(edition(TALK, after).news[0], "en"))
    assert headline(edition(TALK, after).news[0], "en") == "New link: Tue 20 Oct 2026, 19:00 · A talk"


def test_only_the_beginning_of_a_headline_has_a_capital_for_its_sake() -> None:
    news = edition(TALK, TALK.replace("19:00", "20:00")).news
    assert headline(news[1], "fr").startswith("Mar. 20 oct. 2026, 19:00 · ")
    assert ": mar. 20 oct. 2026, 20:00 · " in headline(news[0], "fr").replace("\u00a0", "")


# --------------------------------------------------------------------------------------------- elsewhere

ABROAD = TALK + 'timezone = "America/New_York"\n'


@pytest.mark.parametrize(
    ("zone", "english", "french"),
    [
        ("America/New_York", "New York time", "heure de New York"),
        ("Europe/London", "London time", "heure de Londres"),
        ("Europe/Athens", "Athens time", "heure d’Athènes"),
        ("Africa/Cairo", "Cairo time", "heure du Caire"),
        ("America/Argentina/Buenos_Aires", "Buenos Aires time", "heure de Buenos Aires"),
        ("Asia/Calcutta", "Kolkata time", "heure de Kolkata"),
        ("UTC", "UTC", "UTC"),
        ("Etc/GMT+5", "GMT+5", "GMT+5"),
    ],
)
def test_a_zone_is_named_by_its_city(zone: str, english: str, french: str) -> None:
    assert (say_zone_city(zone, "en"), say_zone_city(zone, "fr")) == (english, french)


def test_an_hour_of_elsewhere_is_said_with_its_zone_and_one_of_here_without() -> None:
    when = AtTime(datetime(2022, 10, 25, 19, tzinfo=ZoneInfo("America/New_York")))
    assert say_when(when, "en", "short", "Europe/Paris") == "Tue 25 Oct 2022, 19:00 (New York time)"
    assert say_when(when, "en", "short", "America/New_York") == "Tue 25 Oct 2022, 19:00"
    day = OnDay(date(2022, 10, 25), date(2022, 10, 25), ZoneInfo("America/New_York"), True)
    assert say_when(day, "en", "short", "Europe/Paris") == "Tue 25 Oct 2022"


def test_the_same_instant_is_another_hour_elsewhere() -> None:
    """Though the two are equal, as Python compares them: what was said of one must not be said of the other."""
    here = AtTime(datetime(2022, 10, 25, 19, tzinfo=PARIS))
    there = AtTime(datetime(2022, 10, 25, 18, tzinfo=ZoneInfo("Europe/London")))
    assert here == there
    assert [say_when(when, "en", "short") for when in (here, there)] == [
        "Tue 25 Oct 2022, 19:00",
        "Tue 25 Oct 2022, 18:00",
    ]


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize(
    "after",
    [
        ABROAD.replace("19:00", "20:00"),
        ABROAD.replace("10-20", "10-22").replace("19:00", "20:00"),
        ABROAD + 'status = "cancelled"\nnotice = "Off."\n',
        ABROAD + 'status = "postponed"\nnotice = "Later."\n',
        ABROAD + 'recordings = ["https://video.example/1"]\n',
        ABROAD.replace("hall", "library"),
    ],
)
def test_no_headline_names_an_hour_of_elsewhere_without_its_zone(after: str, language: str) -> None:
    zone = {"en": "(New York time)", "fr": "(heure de New York)"}[language]
    for news in edition(ABROAD, after).news:
        said = headline(news, language, "Europe/Paris")
        assert len(re.findall(r"\d\d:\d\d", said)) == said.count(zone) == 1


def test_a_change_of_the_zone_alone_says_both() -> None:
    found = changes(edition(TALK, ABROAD).news[0], "en", "Europe/Paris")
    assert tuple(found[0]) == (
        "Date", "Tuesday 20 October 2026, 19:00 (Paris time)", "Tuesday 20 October 2026, 19:00 (New York time)",
    )  # fmt: skip


# --------------------------------------------------------------------------------------------- new dates

WEEKLY = TALK + 'repeats = "FREQ=WEEKLY;COUNT=5"\n'


@pytest.mark.parametrize(
    ("after", "said", "told"),
    [
        (WEEKLY + "except = [2026-10-27]\n", "Not on Tue 27 Oct 2026, 19:00: A talk",
         [("Dates dropped", "Tue 27 Oct 2026, 19:00", "")]),
        (WEEKLY + "moved = [{from = 2026-10-27, date = 2026-10-28}]\n",
         "Moved from Tue 27 Oct 2026, 19:00 to Wed 28 Oct 2026, 19:00: A talk",
         [("Date moved", "Tue 27 Oct 2026, 19:00", "Wed 28 Oct 2026, 19:00")]),
        (WEEKLY.replace("COUNT=5", "COUNT=6"), "Also on Tue 24 Nov 2026, 19:00: A talk",
         [("Dates added", "", "Tue 24 Nov 2026, 19:00")]),
        (WEEKLY.replace("COUNT=5", "COUNT=7") + "except = [2026-10-27]\n", "New dates: A talk",
         [("Dates added", "", "Tue 24 Nov 2026, 19:00; Tue 1 Dec 2026, 19:00"),
          ("Dates dropped", "Tue 27 Oct 2026, 19:00", "")]),
        (TALK, "New dates: A talk",
         [("Dates dropped", "; ".join(f"Tue {day} 2026, 19:00" for day in ("27 Oct", "3 Nov", "10 Nov", "17 Nov")),
          "")]),
    ],
)  # fmt: skip
def test_new_dates_are_named(after: str, said: str, told: list[tuple[str, str, str]]) -> None:
    news = edition(WEEKLY, after).news[0]
    assert headline(news, "en") == said
    assert [tuple(change) for change in changes(news, "en")] == told


def test_of_many_new_dates_the_number_is_said() -> None:
    (change,) = changes(edition(WEEKLY, WEEKLY.replace("COUNT=5", "COUNT=20")).news[0], "en")
    assert change.after.count("2026") == 6
    assert change.after.endswith("; and 9 more")


def test_a_date_that_is_over_is_not_told_to_be_dropped() -> None:
    daily = TALK.replace("2026-10-20", "2026-01-05") + 'repeats = "FREQ=DAILY;COUNT=6"\n'
    news = edition(daily, daily + "except = [2026-01-05]\n").news[0]
    assert changes(news, "en") == ()


def test_another_hour_for_all_dates_is_no_new_date() -> None:
    news = edition(WEEKLY, WEEKLY.replace("19:00", "20:00")).news[0]
    assert headline(news, "en") == "New time: Tue 20 Oct 2026, 20:00 · A talk"
    assert [change.fact for change in changes(news, "en")] == ["Date"]


def test_new_dates_are_french_in_french() -> None:
    (change,) = changes(edition(WEEKLY, WEEKLY + "except = [2026-10-27]\n").news[0], "fr")
    assert (change.fact, change.before) == ("Dates supprimées", "mar. 27 oct. 2026, 19:00")
