"""No hour of another zone stands without it, and what recurs is told by each of its times: letters, lists, texts."""

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage

import pytest
from html_reader import Reader
from letter_writing import RENDERER, read_html, text_of, write
from publishing import HEAD, TALK, edition

from pipeline.catalogue.models import Rule
from pipeline.edition import Edition
from pipeline.outputs import render_all
from pipeline.reminders.notices import BETWEEN
from pipeline.reminders.occasions import Kind, Occasion

MAILING = HEAD + '[mail]\nfrom = "The Society <hello@society.example>"\n'
ABROAD = TALK + 'timezone = "America/New_York"\n'
WEEKLY = TALK + 'repeats = "FREQ=WEEKLY;COUNT=12"\nmoved = [{from = 2026-10-27, date = 2026-10-28}]\n'
NEW_YORK = {"en": "(New York time)", "fr": "(heure de New York)"}
MONTHLY = Rule(id="monthly", when="monthly on day 1 at 10:00")


def about(event: str, kind: Kind, due: datetime, occurrence: str = "", revision: int = 0) -> Occasion:
    return Occasion(event, "rule", revision, kind, due, due + timedelta(hours=12), occurrence=occurrence)


def digest_of(of: Edition, due: datetime, language: str = "en") -> EmailMessage:
    return write(of, about("", Kind.NEWSLETTERS, due), MONTHLY, language)


def notice_of(of: Edition, due: datetime, language: str = "en") -> EmailMessage:
    first, last = (line.name for line in of.ledger.of("talk"))
    return write(of, about("talk", Kind.CHANGES, due, f"{first}{BETWEEN}{last}", 1), language=language)


# --------------------------------------------------------------------------------------------- elsewhere


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_list_and_text_names_the_zone_of_an_hour_of_elsewhere(language: str) -> None:
    of = edition(ABROAD, ABROAD.replace("A talk", "The talk"))
    tree = "" if language == "en" else "fr/"
    files = {artifact.path: artifact.body.decode() for artifact in render_all(of, RENDERER)}
    for path in ("index.html", "embed/index.html", "poster/index.html", "events/talk/index.html", "next/index.html"):
        text = Reader(files[tree + path]).text
        assert text.count("19:00") >= 1
        assert text.count("19:00") == text.count(f"19:00 {NEW_YORK[language]}"), path
    for path in ("events/talk/share.txt", "atom.xml", "rss.xml", "feed.json"):
        assert f"19:00 {NEW_YORK[language]}" in files[tree + path], path
    [description] = Reader(files[f"{tree}events/talk/index.html"]).all("meta", name="description")
    assert f"19:00 {NEW_YORK[language]}" in description["content"]


def test_an_hour_of_the_series_own_zone_needs_none() -> None:
    files = {artifact.path: artifact.body.decode() for artifact in render_all(edition(TALK), RENDERER)}
    for path in ("index.html", "embed/index.html", "poster/index.html", "events/talk/share.txt"):
        assert " time)" not in files[path]


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_subjects_of_letters_name_it_too(language: str) -> None:
    of = edition(ABROAD, ABROAD.replace("19:00", "20:00"), head=MAILING)
    due = datetime(2026, 10, 18, 8, tzinfo=UTC)
    for kind in (Kind.REMINDERS, Kind.ANNOUNCEMENTS, Kind.FOLLOW_UPS):
        assert f"20:00 {NEW_YORK[language]}" in write(of, about("talk", kind, due), language=language)["Subject"]
    assert f"20:00 {NEW_YORK[language]}" in notice_of(of, due, language)["Subject"]
    by_pattern = Rule(id="own", when="1 day before at 10:00", subject="{title} at {time}")
    subject = write(of, about("talk", Kind.REMINDERS, due), by_pattern, language)["Subject"]
    assert subject == f"A talk at 20:00 {NEW_YORK[language]}"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_lines_of_a_digest_name_it_too(language: str) -> None:
    text = text_of(digest_of(edition(ABROAD, head=MAILING), datetime(2026, 10, 1, 8, tzinfo=UTC), language))
    said = " ".join(text.split())
    assert said.count("19:00") == said.count(f"19:00 {NEW_YORK[language]}") >= 1


# --------------------------------------------------------------------------------------------- again


def test_a_digest_names_each_time_in_its_period() -> None:
    of = edition(WEEKLY, head=MAILING)
    said = " ".join(text_of(digest_of(of, datetime(2026, 11, 1, 9, tzinfo=UTC))).split())
    days = ["Tue 3 Nov 2026", "Tue 10 Nov 2026", "Tue 17 Nov 2026", "Tue 24 Nov 2026"]
    assert [day for day in days if f"{day}, 19:00 · A talk" in said] == days
    assert "1 Dec 2026" not in said
    october = " ".join(text_of(digest_of(of, datetime(2026, 10, 1, 8, tzinfo=UTC))).split())
    assert "Tue 20 Oct 2026, 19:00" in october
    assert "Wed 28 Oct 2026, 19:00" in october
    assert "27 Oct" not in october


def test_of_very_many_times_a_digest_names_some_and_says_that_there_are_more() -> None:
    daily = TALK.replace("2026-10-20", "2026-10-01") + 'repeats = "FREQ=DAILY"\n'
    said = " ".join(text_of(digest_of(edition(daily, head=MAILING), datetime(2026, 11, 1, 9, tzinfo=UTC))).split())
    assert said.count("· A talk") == 6
    assert said.count("(further dates on its page)") == 1


def test_a_digest_still_tells_news_of_what_recurs_after_its_first_time() -> None:
    running = WEEKLY.replace("2026-10-20", "2026-01-06").replace("2026-10-27", "2026-01-13").replace("10-28", "01-14")
    of = edition(running, running + "notice = 'Bring a cup.'\n", step=timedelta(days=14), head=MAILING)
    said = " ".join(text_of(digest_of(of, datetime(2026, 2, 1, 9, tzinfo=UTC))).split())
    assert "Please note: Tue 6 Jan 2026" in said


def test_a_notice_of_new_dates_names_them_and_the_next_time_that_takes_place() -> None:
    of = edition(WEEKLY, WEEKLY.replace("COUNT=12", "COUNT=13") + "except = [2026-11-03]\n", head=MAILING)
    letter = notice_of(of, datetime(2026, 10, 29, 8, tzinfo=UTC))
    rich, _ = read_html(str(letter.get_body(("html",)).get_content()))  # type: ignore[union-attr]
    for said in (" ".join(text_of(letter).split()), rich):
        assert "Dates added" in said
        assert "Tue 12 Jan 2027, 19:00" in said
        assert "Dates dropped" in said
        assert "Tue 3 Nov 2026, 19:00" in said
        assert "Tuesday 10 November 2026, 19:00" in said
        assert "20 October" not in said


def test_the_feed_of_what_is_near_has_a_time_that_was_moved_far() -> None:
    far = TALK + 'repeats = "FREQ=WEEKLY;COUNT=3"\nmoved = [{from = 2026-10-27, date = 2027-03-02}]\n'
    of = edition(far, day=date(2027, 3, 1))
    files = {artifact.path: artifact.body.decode() for artifact in render_all(of, RENDERER)}
    assert "Coming up: Tue 2 Mar 2027, 19:00" in files["soon.atom.xml"]


def test_the_page_of_the_next_event_stands_at_the_next_time_of_what_recurs() -> None:
    of = edition(WEEKLY, day=date(2026, 10, 29))
    files = {artifact.path: artifact.body.decode() for artifact in render_all(of, RENDERER)}
    assert "Tuesday 3 November 2026, 19:00" in Reader(files["next/index.html"]).text
    event = Reader(files["events/talk/index.html"]).text
    assert "Tue 3 Nov 2026" in event
    ahead = [
        page.split('ld+json">')[1].split("</script>")[0]
        for page in (files["next/index.html"], files["events/talk/index.html"])
    ]
    assert ahead[0] == ahead[1]
