"""The pages with an address that stays, and the small files beside each event: next, embed, poster, share, sitemap."""

import re
from dataclasses import replace
from datetime import date

import pytest
import segno
import zxingcpp
from html_reader import HOSTILE, Reader, edition_of, site
from lxml import etree
from PIL import Image
from publishing import TALK
from publishing import edition as published

from pipeline.edition import Edition
from pipeline.outputs import each, poster, render_all, share, sitemap
from pipeline.outputs.qr import MASK, qr_svg
from pipeline.rendering import Renderer

OVER = date(2030, 1, 1)
URL = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
LINK = "{http://www.w3.org/1999/xhtml}link"


def files(edition: Edition) -> dict[str, str]:
    return {artifact.path: artifact.body.decode() for artifact in render_all(edition, Renderer())}


# --------------------------------------------------------------------------------------------- next


def test_next_shows_the_next_event_and_names_its_page(seed_edition: Edition, renderer: Renderer) -> None:
    pages = site(replace(seed_edition, day=date(2022, 10, 26)), renderer)
    page = Reader(pages["fr/next/index.html"])
    address = "https://digitize.example/fr/events/social-work/"
    assert [link["href"] for link in page.all("link", rel="canonical")] == [address]
    assert page.all("meta", property="og:url")[0]["content"] == address
    assert not [link for link in page.all("link", rel="alternate") if "hreflang" in link]
    assert page.all("a", hreflang="en")[0]["href"] == "../../next/index.html"
    assert page.all("time", datetime="2022-11-24T19:00:00+01:00")


def test_next_without_a_next_event_says_so_and_leads_on(seed_edition: Edition, renderer: Renderer) -> None:
    page = Reader(site(replace(seed_edition, day=OVER), renderer)["next/index.html"])
    assert "is to be announced" in page.text
    assert page.all("link", rel="canonical")[0]["href"] == "https://digitize.example/next/"
    assert page.all("a", href="../index.html")


def test_next_skips_what_is_cancelled(renderer: Renderer) -> None:
    edition = published(
        TALK + TALK.replace('"talk"', '"later"').replace("10-20", "11-03"),
        TALK + 'status = "cancelled"\nnotice = "Off."\n' + TALK.replace('"talk"', '"later"').replace("10-20", "11-03"),
    )
    page = Reader(site(edition, renderer)["next/index.html"])
    assert page.all("link", rel="canonical")[0]["href"].endswith("/events/later/")


# --------------------------------------------------------------------------------------------- embed


def test_the_bare_programme_opens_its_links_in_the_whole_window(seed_edition: Edition, renderer: Renderer) -> None:
    page = Reader(site(seed_edition, renderer)["embed/index.html"])
    assert page.all("base", target="_top")
    assert page.all("meta", name="robots", content="noindex")
    assert not page.all("nav")
    assert "The algorithmization of welfare control" in page.text
    assert "Organised by" not in page.text


def test_the_html_to_copy_is_an_iframe_of_the_bare_programme(renderer: Renderer) -> None:
    page = Reader(site(edition_of(HOSTILE), renderer)["subscribe/index.html"])
    copied = page.all("input", id="embed-html")[0]["value"]
    frames = Reader(copied).all("iframe")
    assert [frame["src"] for frame in frames] == ["https://talks.example/sub/embed/"]
    assert frames[0]["title"] == "A & B </title><script>alert(1)</script>"
    assert not Reader(copied).all("script")


# --------------------------------------------------------------------------------------------- poster


@pytest.mark.parametrize(("count", "size"), [(0, "large"), (2, "large"), (3, "medium"), (6, "small"), (10, "small")])
def test_letters_on_the_poster_are_as_large_as_there_is_room(count: int, size: str) -> None:
    events = [TALK.replace('"talk"', f'"talk-{number}"') for number in range(count)]
    sheet = poster.poster(published("".join(events)))
    assert (len(sheet.events), sheet.more, sheet.size) == (count, 0, size)


def test_what_has_no_room_on_the_poster_is_counted_and_what_is_off_is_left_out() -> None:
    events = [TALK.replace('"talk"', f'"talk-{number}"') for number in range(13)]
    off = TALK.replace('"talk"', '"off"') + 'status = "cancelled"\nnotice = "Off."\n'
    sheet = poster.poster(published("".join(events) + off))
    assert (len(sheet.events), sheet.more) == (10, 3)


def test_a_place_that_all_share_is_said_once() -> None:
    other = TALK.replace('"talk"', '"other"')
    assert getattr(poster.poster(published(TALK + other)).place, "id", None) == "hall"
    assert poster.poster(published(TALK + other.replace('"hall"', '"library"'))).place is None


def test_a_code_leads_to_the_page_in_its_language(seed_edition: Edition) -> None:
    found = files(seed_edition)
    assert read(found["fr/events/social-work/qr.svg"]) == "https://digitize.example/fr/events/social-work/"
    assert read(found["qr.svg"]) == "https://digitize.example/"


@pytest.mark.parametrize("number", range(0, 60, 7))
def test_codes_of_addresses_of_every_length_are_read(number: int) -> None:
    address = f"https://talks.example/{'event-' * number}{number}/"
    assert read(qr_svg(address).decode()) == address


@pytest.mark.parametrize("length", [42, 62, 84, 106])
def test_a_code_is_the_symbol_that_another_encoder_makes(length: int) -> None:
    # So long that the symbol is full: encoders differ in what they fill the rest with.
    address = "https://talks.example/".ljust(length, "a")
    theirs = segno.make(address, error="m", micro=False, mask=MASK, boost_error=False)
    assert modules(qr_svg(address).decode()) == [[int(dark) for dark in row] for row in theirs.matrix_iter(border=4)]


def modules(svg: str) -> list[list[int]]:
    """The modules of a code, drawn from its one path of horizontal strokes without any library that draws."""
    side = int(re.findall(r'viewBox="0 0 (\d+) \1"', svg)[0])
    drawn = [[0] * side for _ in range(side)]
    for left, line, steps in re.findall(r"M(\d+) (\d+)\.5([hm\d ]+)", svg):
        x = int(left)
        for step, length in re.findall(r"([hm])(\d+)", steps):
            if step == "h":
                drawn[int(line)][x : x + int(length)] = [1] * int(length)
            x += int(length)
    return drawn


def read(svg: str) -> str:
    """What a code says to a reader."""
    drawn = modules(svg)
    side = len(drawn)
    picture = Image.new("L", (side, side))
    picture.putdata([0 if module else 255 for row in drawn for module in row])
    (code,) = zxingcpp.read_barcodes(picture.resize((side * 4, side * 4), Image.Resampling.NEAREST))
    return str(code.text)


# --------------------------------------------------------------------------------------------- share


def test_a_text_to_share_tells_the_facts_and_ends_with_the_address(seed_edition: Edition) -> None:
    lines = files(seed_edition)["events/non-take-up/share.txt"].splitlines()
    assert lines[:3] == [
        "The consequences of digitization on the non-take-up of social rights",
        "Tuesday 25 October 2022, 19:00",
        "Centre Social le Picoulet, 59, rue de la Fontaine au Roi, 75011 Paris",
    ]
    assert lines[-1] == "https://digitize.example/events/non-take-up/"


@pytest.mark.parametrize("length", [5, 150, 460, 480, 2000])
@pytest.mark.parametrize("folder", ["", "folder/" * 40])
def test_a_text_to_share_has_at_most_500_characters_and_a_whole_address(length: int, folder: str) -> None:
    text = HOSTILE.replace("title = '\"><script>alert(5)</script>'", f'title = "{"long " * (length // 5)}"')
    text = text.replace("https://talks.example/sub/", f"https://talks.example/{folder}")
    text = text.replace('id = "loud"', f'id = "loud"\nstatus = "postponed"\nnotice = "{"word " * length}"')
    edition = edition_of(text)
    for artifact in each(share.render(edition, Renderer())):
        said = artifact.body.decode()
        assert len(said) <= 500
        assert said.endswith("/events/loud/\n")
        assert said.splitlines()[-1].startswith(f"https://talks.example/{folder}")


def test_a_text_to_share_says_first_that_an_event_is_off() -> None:
    edition = published(TALK, TALK + 'status = "cancelled"\nnotice = "The room is **flooded**."\n')
    said = files(edition)
    assert said["events/talk/share.txt"].startswith("Cancelled: A talk\n")
    assert "The room is flooded." in said["events/talk/share.txt"]


# --------------------------------------------------------------------------------------------- sitemap


def test_the_sitemap_names_every_page_in_every_language_with_its_last_change(seed_edition: Edition) -> None:
    found = files(seed_edition)
    urls = etree.fromstring(found["sitemap.xml"].encode()).findall(f"{URL}url")
    places = [url.findtext(f"{URL}loc") for url in urls]
    base = "https://digitize.example/"
    pages = {path.removesuffix("index.html") for path in found if path.endswith("index.html")}
    looking_ahead = {f"{tree}{name}/" for tree in ("", "fr/") for name in ("next", "embed", "poster")}
    assert sorted(places) == sorted(base + path for path in pages - looking_ahead)
    changed = {url.findtext(f"{URL}loc"): url.findtext(f"{URL}lastmod") for url in urls}
    assert changed[f"{base}events/social-work/"] == "2022-09-01T10:00:00Z"
    assert changed[f"{base}subscribe/"] is None
    links = {link.get("hreflang"): link.get("href") for link in urls[places.index(f"{base}fr/")].findall(LINK)}
    assert links == {"en": base, "fr": f"{base}fr/", "x-default": base}


def test_a_change_of_one_event_shows_in_the_sitemap_at_its_page_and_the_home_page_alone() -> None:
    two = TALK + TALK.replace('"talk"', '"other"')
    before, after = (published(*versions) for versions in ((two,), (two, two.replace("19:00", "20:00", 1))))
    changes = [
        {
            url.findtext(f"{URL}loc"): url.findtext(f"{URL}lastmod")
            for url in etree.fromstring(sitemap_of(edition).encode())
        }
        for edition in (before, after)
    ]
    home = "https://talks.example/cycle/"
    different = {place for place in changes[0] if changes[0][place] != changes[1][place]}
    assert different == {home, f"{home}fr/", f"{home}events/talk/", f"{home}fr/events/talk/"}


def test_a_series_that_was_never_published_has_no_date_of_change() -> None:
    assert "lastmod" not in sitemap_of(published(""))


def sitemap_of(edition: Edition) -> str:
    return next(artifact.body.decode() for artifact in sitemap.render(edition, Renderer()))


def test_robots_are_welcome_and_told_where_the_sitemap_is(seed_edition: Edition) -> None:
    lines = files(seed_edition)["robots.txt"].splitlines()
    assert "Allow: /" in lines
    assert "Sitemap: https://digitize.example/sitemap.xml" in lines
