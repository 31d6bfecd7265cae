"""What the pages of the site tell: the home page, and the page of one event."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from html_reader import HOSTILE, Reader, edition_of, site
from publishing import HEAD, TALK
from publishing import edition as published

from pipeline.edition import Edition
from pipeline.outputs import render_all
from pipeline.rendering import Renderer

WITH_MAIL = HEAD + '[mail]\nfrom = "post@talks.example"\n'


@pytest.fixture(scope="module")
def seed_site(seed_edition: Edition, renderer: Renderer) -> dict[str, str]:
    return site(seed_edition, renderer)


@pytest.fixture(scope="module")
def hostile_site(renderer: Renderer) -> dict[str, str]:
    return site(edition_of(HOSTILE), renderer)


def test_home_begins_with_the_next_event_then_how_to_subscribe_then_the_rest(seed_site: dict[str, str]) -> None:
    text = Reader(seed_site["index.html"]).text
    order = [
        text.index(words)
        for words in ("Next event", "non-take-up of social rights", "Stay informed Calendar", "Upcoming",
                      "The algorithmization", "To be announced", "Title to be announced", "About the series")
    ]  # fmt: skip
    assert order == sorted(order)


def test_home_of_a_series_whose_dates_are_past_says_so_and_lists_the_latest_first(
    seed_edition: Edition, renderer: Renderer
) -> None:
    text = Reader(site(replace(seed_edition, day=date(2026, 11, 24)), renderer)["index.html"]).text
    assert "Next event" not in text
    assert "The next date is to be announced." in text
    past = text[text.index("Past") :]
    assert past.index("A toolkit for struggle") < past.index("non-take-up")
    assert "time to be announced" not in past


def test_subscribing_is_offered_as_https_as_webcal_and_as_a_field_to_copy(seed_site: dict[str, str]) -> None:
    page = Reader(seed_site["fr/index.html"])
    assert page.all("a", href="webcal://digitize.example/fr/calendar.ics")
    assert page.all("input", value="https://digitize.example/fr/calendar.ics", type="text")
    assert page.all("input", value="https://digitize.example/fr/atom.xml")
    labelled = {label["for"] for label in page.all("label") if "for" in label}
    assert labelled == {field["id"] for field in page.all("input", type="text")}


def test_home_takes_a_mail_address_where_a_service_answers_and_else_offers_to_write(renderer: Renderer) -> None:
    home = Reader(site(published(TALK, head=WITH_MAIL), renderer)["fr/index.html"])
    [form] = home.all("form", method="post")
    assert form["action"] == "https://talks.example/cycle/subscribe"
    [policy] = [meta["content"] for meta in home.all("meta") if meta.get("http-equiv") == "Content-Security-Policy"]
    assert policy.endswith("form-action https://talks.example")
    assert [field["value"] for field in home.all("input", name="language")] == ["fr"]
    alone = WITH_MAIL.replace("[site]\n", "[site]\nservice = false\n")
    home = Reader(site(published(TALK, head=alone), renderer)["index.html"])
    assert home.all("form") == []
    assert any(link["href"].startswith("mailto:post@talks.example?subject=") for link in home.all("a"))


def test_past_events_with_recordings_stand_first_under_a_heading_of_their_own(renderer: Renderer) -> None:
    events = "".join(
        TALK.replace('"talk"', f'"{name}"').replace("2026-10-20", day) + more
        for name, day, more in (
            ("old", "2026-01-20", 'recordings = ["https://video.example/old"]\n'),
            ("mute", "2026-01-22", ""),
            ("new", "2026-01-24", 'recordings = ["https://video.example/new"]\n'),
            ("last", "2026-01-26", ""),
        )
    )
    home = site(published(events, day=date(2026, 2, 1)), renderer)["index.html"]
    below = home.partition('<h2 id="recorded">Watch or listen again</h2>')[2]
    recorded, _, past = below.partition('<h2 id="past">Past</h2>')
    links = [re.findall(r'class="u-url" href="events/(\w+)/', part) for part in (recorded, past)]
    assert links == [["new", "old"], ["last", "mute"]]  # in each the latest first, so that no date jumps


def test_without_a_sender_no_mail_is_offered(hostile_site: dict[str, str]) -> None:
    assert "mailto:" not in hostile_site["index.html"] + hostile_site["subscribe/index.html"]


def test_a_series_without_events_has_a_home(renderer: Renderer) -> None:
    text = Reader(site(edition_of(HOSTILE.partition("[[event]]")[0]), renderer)["index.html"]).text
    assert "Nothing has been announced yet." in text


# --------------------------------------------------------------------------------------------- one event


def test_an_event_page_tells_all_facts(seed_site: dict[str, str]) -> None:
    page = Reader(seed_site["events/non-take-up/index.html"])
    for fact in (
        "No. 1 · discussion", "The consequences of digitization on the non-take-up of social rights",
        "Tuesday 25 October 2022, 19:00", "Centre Social le Picoulet", "59, rue de la Fontaine au Roi", "75011 Paris",
        "Clara Deville sociologist", "Secours Catholique 93", "member of Bouge Ta Préfecture", "collective",
        "Step-free access not known", "Resources To be announced", "Thu 1 Sept 2022 Announced",
        "Next · Thu 24 Nov 2022", "France",
    ):  # fmt: skip
        assert fact in page.text, fact
    assert "Previous · Tue 25 Oct 2022" in Reader(seed_site["events/social-work/index.html"]).text
    assert page.all("time", datetime="2022-10-25T19:00:00+02:00")
    assert page.all("a", href="https://link.infini.fr/cycle_dematerialisation_rencontre_1")
    assert page.all("a", href="../non-take-up.ics") or page.all("a", href="../../events/non-take-up.ics")
    assert any("openstreetmap.org/search?query=59" in link["href"] for link in page.all("a"))


def test_open_facts_are_said_to_be_announced_and_nothing_else_is_invented(seed_site: dict[str, str]) -> None:
    dated, undated = (Reader(seed_site[f"events/{event}/index.html"]) for event in ("welfare-control", "conference-5"))
    assert "Thursday 19 January 2023, time to be announced" in dated.text
    assert dated.all("time", datetime="2023-01-19")
    assert "Title to be announced" in undated.text
    assert "Date to be announced" in undated.text
    assert "Add to calendar" not in undated.text
    for html in seed_site.values():
        assert "support of" not in html
        assert "deduced" not in html


def test_an_untranslated_text_is_marked_with_its_language(seed_site: dict[str, str]) -> None:
    html = seed_site["fr/events/social-work/index.html"]
    assert '<span lang="en" dir="auto">The consequences of digitization for social work</span>' in html
    assert '<span lang="en">a trade unionist from the CGT Pôle Emploi</span>' in html


@pytest.mark.parametrize(("status", "word"), [("cancelled", "Cancelled"), ("postponed", "Postponed")])
def test_an_event_that_is_off_is_struck_and_says_so_in_words(renderer: Renderer, status: str, word: str) -> None:
    edition = edition_of(
        HOSTILE, ('id = "loud"', f'id = "loud"\nstatus = "{status}"\nnotice = "The room is **flooded**."')
    )
    site_ = site(edition, renderer)
    page = Reader(site_["events/loud/index.html"])
    assert page.text.index(word) < page.text.index("The room is flooded") < page.text.index("When")
    assert page.all("s")
    assert f"<title>{word}: " in site_["events/loud/index.html"]
    assert "Add to calendar" not in page.text
    assert "Next event" not in Reader(site_["index.html"]).text
    assert f"{word} " in Reader(site_["index.html"]).text


def test_a_moved_event_says_when_it_was_moved_and_from_what_to_what(renderer: Renderer) -> None:
    edition = edition_of(HOSTILE, ("date = 2026-12-01", "date = 2026-12-03"))
    text = Reader(site(edition, renderer)["events/loud/index.html"]).text
    assert "Changed Date: Tuesday 1 December 2026, 19:00–21:00 → Thursday 3 December 2026, 19:00–21:00" in text


def test_access_is_yes_no_or_not_known_and_an_event_may_say_more(renderer: Renderer) -> None:
    edition = edition_of(
        HOSTILE, ('id = "loud"', 'id = "loud"\naccess = { hearing_loop = true, sign_language = true }')
    )
    text = Reader(site(edition, renderer)["events/loud/index.html"]).text
    assert "Step-free access yes Accessible toilets no Hearing loop yes Sign language yes" in text


def test_a_secret_link_is_promised_and_never_shown(hostile_site: dict[str, str]) -> None:
    html = hostile_site["events/loud/index.html"]
    assert "The link comes by mail." in html
    assert "TOCSIN_ROOM" not in html


def test_a_known_position_gives_map_links_and_an_online_event_its_zone(hostile_site: dict[str, str]) -> None:
    page = Reader(hostile_site["events/loud/index.html"])
    assert page.all("a", href="geo:48.866,2.3731")
    assert page.all("a", href="https://www.openstreetmap.org/?mlat=48.866&mlon=2.3731#map=18/48.866/2.3731")
    assert "(Europe/Paris)" in page.text


def test_an_online_event_across_a_clock_change_has_two_zones(renderer: Renderer) -> None:
    edition = edition_of(HOSTILE, ("date = 2026-12-01", "date = 2026-10-24"), ('duration = "2h"', 'duration = "18h"'))
    page = Reader(site(edition, renderer)["events/loud/index.html"])
    assert "Central European Summer Time – Central European Standard Time (Europe/Paris)" in page.text


def test_a_finite_recurring_event_lists_all_its_dates(renderer: Renderer) -> None:
    edition = edition_of(
        HOSTILE, ('duration = "2h"', 'duration = "2h"\nrepeats = "FREQ=WEEKLY;COUNT=3"\nexcept = [2026-12-08]')
    )
    page = Reader(site(edition, renderer)["events/loud/index.html"])
    assert "All dates Tue 1 Dec 2026, 19:00 Tue 15 Dec 2026, 19:00" in page.text


def test_subjects_are_named_and_those_who_want_one_alone_or_one_place_find_its_addresses(renderer: Renderer) -> None:
    tagged = TALK + 'tags = ["law", "tea"]\n'
    of = published(tagged, head=WITH_MAIL)
    files = {artifact.path for artifact in render_all(of, renderer)}
    pages = site(of, renderer)
    assert "Subjects law , tea" in Reader(pages["events/talk/index.html"]).text
    for tree in ("", "fr/"):
        page = Reader(pages[f"{tree}subscribe/index.html"])
        for path in ("tags/law.ics", "tags/law.atom.xml", "tags/tea.ics", "venues/hall.ics", "venues/library.ics"):
            assert f"{tree}{path}" in files
            assert page.all("input", value=f"https://talks.example/cycle/{tree}{path}"), path
            assert path.endswith("xml") or page.all("a", href=f"webcal://talks.example/cycle/{tree}{path}"), path
        fields = [field["id"] for field in page.all("input") if "id" in field]
        assert len(fields) == len(set(fields))


def test_where_there_is_nothing_to_choose_between_nothing_is_offered(seed_site: dict[str, str]) -> None:
    assert "Only a part" not in seed_site["subscribe/index.html"]


def test_the_page_of_what_is_past_begins_with_its_recordings_and_no_more_asks_to_note_the_date(
    renderer: Renderer,
) -> None:
    talk = TALK.replace("2026-10-20", "2026-01-06") + 'abstract = "Words."\n'
    recorded = talk + 'recordings = ["https://video.example/1"]\n'
    steps = timedelta(days=3)
    before = Reader(site(published(talk, step=steps), renderer)["events/talk/index.html"]).text
    after = Reader(site(published(talk, recorded, step=steps), renderer)["events/talk/index.html"]).text
    assert "Add to calendar" in before
    assert "Add to calendar" not in after
    assert after.index("When") < after.index("Recordings") < after.index("What it is about")


@pytest.mark.parametrize(("language", "arrow"), [("en", "→"), ("he", "←")])
def test_the_history_points_from_what_was_to_what_is(language: str, arrow: str) -> None:
    """Signs aren't turned round with the line in which they stand."""
    text = HOSTILE.replace('languages = ["en", "fr"]', 'languages = ["en", "fr", "he"]')
    found = edition_of(text, ("19:00", "20:00"))
    page = site(found, Renderer())[found.path("events/loud/index.html", language)]
    assert set(re.findall(r"</s> (.) ", page)) == {arrow}
