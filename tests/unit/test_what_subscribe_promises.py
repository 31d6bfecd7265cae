"""What the page on how to subscribe says is true: each address leads to a file, no delay is said to be shorter."""

import re

import pytest
from federation import BOTH, NORTH, SOUTH, loaded, outputs
from html_reader import HOSTILE, Reader, edition_of, site
from icalendar import Calendar

from pipeline.outputs import render_all
from pipeline.outputs.calendar import REFRESH
from pipeline.rendering import Renderer

DELAYS = {
    "en": {
        "Thunderbird": "half an hour", "Apple": "as often as you set it", "Outlook": "some hours",
        "Google": "half a day or more", "": "may take a day",
    },
    "fr": {
        "Thunderbird": "demi-heures", "Apple": "aussi souvent que vous l’avez réglé", "Outlook": "quelques heures",
        "Google": "une demi-journée ou plus", "": "peut mettre un jour",
    },
}  # fmt: skip
"""What users of each program report; no maker promises anything."""
PROMISES = {
    "en": r"immediate|instant|at once|right away|within minutes|real time|always up to date",
    "fr": r"immédiat|instantan|aussitôt|tout de suite|en quelques minutes|temps réel|toujours à jour",
}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_delay_of_each_program_is_told_and_none_is_promised_away(language: str, renderer: Renderer) -> None:
    tree = "" if language == "en" else f"{language}/"
    page = site(edition_of(HOSTILE), renderer)[f"{tree}subscribe/index.html"]
    (calendar,) = re.findall(r'<section id="calendar".*?</section>', page, re.DOTALL)
    text = " ".join(Reader(calendar).text.split())
    told = text[text.index(DELAYS[language][""]) :]
    for program, delay in DELAYS[language].items():
        assert re.search(rf"{program}[^,]*{delay}", told), program
    assert not re.search(PROMISES[language], text)


def test_no_mails_are_promised_where_none_are_sent(renderer: Renderer) -> None:
    page = site(edition_of(HOSTILE), renderer)["subscribe/index.html"]
    (description,) = Reader(page).all("meta", name="description")
    assert "mail" not in description["content"]
    assert "mail" not in Reader(page).text
    assert "look at this site" in Reader(page).text


@pytest.mark.parametrize(
    ("rules", "promised"),
    [
        ("", True),
        ('when = "2 days before"', False),
        ('when = "when announced"', False),
        ('when = "when announced"\n[[reminder]]\nid = "two"\nwhen = "2 hours before"', True),
        ('when = "when announced"\n[[reminder]]\nid = "two"\nwhen = "2 hours before"\ndefault = false', False),
        ('when = "when announced"\n[[reminder]]\nid = "two"\nwhen = "2 days before"\ntags = ["loud"]', False),
    ],
)
def test_announcements_and_reminders_are_promised_where_all_get_them(
    rules: str, promised: bool, renderer: Renderer
) -> None:
    written = f'\n[[reminder]]\nid = "one"\n{rules}\n' if rules else ""
    text = Reader(
        site(edition_of(HOSTILE + '[mail]\nfrom = "talks@talks.example"\n' + written), renderer)["subscribe/index.html"]
    ).text
    assert ("A mail when an event is announced, reminders before it" in text) is promised
    assert "word when something changes" in text


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_address_to_subscribe_to_is_that_of_a_file(language: str, renderer: Renderer) -> None:
    tree = "" if language == "en" else f"{language}/"
    of = edition_of(HOSTILE)
    files = {artifact.path: artifact for artifact in render_all(of, renderer)}
    page = Reader(files[f"{tree}subscribe/index.html"].body.decode())
    base = of.catalogue.site.base
    copied = {field["value"] for field in page.all("input", readonly="") if field["value"].startswith(base)}
    linked = {link["href"] for link in page.all("a") if link["href"].startswith(base)}
    subscribed = {
        link["href"].replace("webcal://", "https://") for link in page.all("a") if "webcal" in link["href"][:6]
    }
    assert subscribed == {f"{base}{tree}calendar.ics"}
    wanted = {f"{base}{tree}{name}" for name in ("calendar.ics", "atom.xml", "rss.xml", "feed.json", "soon.atom.xml")}
    assert wanted <= copied
    assert f"{base}{tree}alarms/calendar.ics" in linked
    for address in copied | linked | subscribed:
        path = address.removeprefix(base)
        assert (f"{path}index.html" if not path or path.endswith("/") else path) in files


def test_the_file_asks_no_program_to_look_less_often_than_the_page_says(renderer: Renderer) -> None:
    """Six hours: less than the day that the page speaks of."""
    files = {artifact.path: artifact for artifact in render_all(edition_of(HOSTILE), renderer)}
    read = Calendar.from_ical(files["calendar.ics"].body)
    assert read["refresh-interval"].dt == REFRESH
    assert read["x-published-ttl"] == "PT6H"
    assert REFRESH.total_seconds() <= 86400 / 2


def test_each_group_has_its_addresses_there() -> None:
    files = outputs(loaded({"north": NORTH, "south": SOUTH}), BOTH)
    page = Reader(files["subscribe/index.html"].decode())
    copied = {field["value"].partition("/groups/")[2] for field in page.all("input", readonly="")}
    for name in ("north/calendar.ics", "north/atom.xml", "south/calendar.ics", "south/atom.xml"):
        assert name in copied
        assert f"groups/{name}" in files
    assert "each group, each subject and each place" in page.text
