"""What holds for every page of the site: its head, its ways, its looks, and that nothing in a catalogue can run."""

import re
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from posixpath import join, normpath
from urllib.parse import urldefrag, urlsplit

import pytest
from babel.messages.pofile import read_po
from html_reader import HOSTILE, Reader, edition_of, site
from hypothesis import given
from hypothesis import strategies as st
from jinja2.ext import babel_extract

from pipeline.edition import Edition
from pipeline.outputs import each, pages, render_all
from pipeline.outputs.excerpt import excerpt, first_sentence
from pipeline.outputs.site import STYLESHEET, colour
from pipeline.rendering import Renderer

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def seed_site(seed_edition: Edition, renderer: Renderer) -> dict[str, str]:
    return site(seed_edition, renderer)


@pytest.fixture(scope="module")
def hostile_site(renderer: Renderer) -> dict[str, str]:
    return site(edition_of(HOSTILE), renderer)


def test_each_language_has_its_standing_pages_and_one_for_each_event(seed_site: dict[str, str]) -> None:
    events = ("non-take-up", "social-work", "welfare-control", "toolkit-for-struggle", "conference-5")
    standing = {"index.html", "subscribe/index.html", "next/index.html", "embed/index.html", "poster/index.html"}
    tree = {*standing, *(f"events/{event}/index.html" for event in events)}
    assert set(seed_site) == tree | {f"fr/{path}" for path in tree}


def test_every_page_has_one_main_one_h1_and_a_head_of_its_own(seed_site: dict[str, str]) -> None:
    seen = set()
    for path, html in seed_site.items():
        page = Reader(html)
        # `next/` names the page that it repeats; the first conference is the next one.
        named = path.replace("next/", "events/non-take-up/").removesuffix("index.html")
        public = f"https://digitize.example/{named}"
        assert len(page.all("main")) == len(page.all("h1")) == len(page.all("title")) == 1, path
        assert page.all("html")[0]["lang"] == ("fr" if path.startswith("fr/") else "en")
        assert page.all("link", rel="canonical") == [{"rel": "canonical", "href": public}]
        assert page.all("meta", property="og:url")[0]["content"] == public
        assert page.all("meta", property="og:title")
        assert page.all("meta", property="og:type")
        description = page.all("meta", name="description")[0]["content"]
        assert page.all("meta", property="og:description")[0]["content"] == description
        assert 0 < len(description) <= 300
        seen.add((re.findall(r"<title>(.*?)</title>", html, re.DOTALL)[0], path.startswith("fr/")))
    assert len(seen) == len(seed_site)


def test_every_page_names_its_other_languages_and_all_feeds(seed_site: dict[str, str]) -> None:
    page = Reader(seed_site["fr/events/social-work/index.html"])
    here = "https://digitize.example/"
    assert {link["hreflang"]: link["href"] for link in page.all("link", rel="alternate") if "hreflang" in link} == {
        "en": f"{here}events/social-work/",
        "fr": f"{here}fr/events/social-work/",
        "x-default": f"{here}events/social-work/",
    }
    assert {link["type"]: link["href"] for link in page.all("link", rel="alternate") if "type" in link} == {
        "text/calendar": f"{here}fr/calendar.ics",
        "application/atom+xml": f"{here}fr/atom.xml",
        "application/rss+xml": f"{here}fr/rss.xml",
        "application/feed+json": f"{here}fr/feed.json",
    }
    assert page.all("a", hreflang="en")[0]["href"] == "../../../events/social-work/index.html"


def test_every_way_inside_the_site_leads_to_a_published_file(seed_edition: Edition, renderer: Renderer) -> None:
    published = {artifact.path: artifact for artifact in render_all(seed_edition, renderer)}
    base = seed_edition.catalogue.site.base
    for path, artifact in published.items():
        if not path.endswith(".html"):
            continue
        page = Reader(artifact.body.decode())
        ids = {attributes["id"] for _, attributes in page.tags if "id" in attributes}
        for _, attributes in page.tags:
            for address in filter(None, (attributes.get("href"), attributes.get("src"))):
                target, fragment = urldefrag(address)
                if target.startswith(base):
                    target = target.removeprefix(base)
                    target += "index.html" if target.endswith("/") or not target else ""
                elif urlsplit(target).scheme:
                    continue
                elif target:
                    target = normpath(join(path, "..", urlsplit(target).path))
                assert not target or target in published, (path, address)
                assert target or not fragment or fragment in ids, (path, address)


def test_pages_ask_nothing_of_other_hosts_and_hold_no_script(seed_site: dict[str, str]) -> None:
    for html in seed_site.values():
        page = Reader(html)
        policy = page.all("meta", **{"http-equiv": "Content-Security-Policy"})[0]["content"]
        assert policy.startswith("default-src 'none';")
        assert {script["type"] for script in page.all("script")} <= {"application/ld+json"}
        data = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
        named = [f"'sha256-{b64encode(sha256(one.encode()).digest()).decode()}'" for one in data]
        assert re.findall(r"script-src ([^;]*)", policy) == named
        fetched = [link["href"] for link in page.all("link") if link["rel"] in {"stylesheet", "icon"}]
        assert fetched
        assert not any(urlsplit(address).netloc for address in fetched)
        assert not any(urlsplit(image["src"]).scheme for image in page.all("img"))
        assert not page.all("iframe")


def test_a_changed_stylesheet_has_a_new_address(renderer: Renderer) -> None:
    plain = site(edition_of(HOSTILE), renderer)["index.html"]
    coloured = site(edition_of(HOSTILE.replace("[site]", '[site]\ncolor = "#2b6cb0"')), renderer)["index.html"]
    one, other = (Reader(html).all("link", rel="stylesheet")[0]["href"] for html in (plain, coloured))
    assert one != other
    assert urlsplit(one).path == urlsplit(other).path == "assets/style.css"


def test_the_same_edition_gives_the_same_bytes(seed_edition: Edition, renderer: Renderer) -> None:
    once, again = (
        [(file.path, file.media_type, file.body) for file in each(pages.render(seed_edition, by))]
        for by in (renderer, Renderer())
    )
    assert once == again


def test_only_the_pages_that_look_ahead_depend_on_the_day(seed_edition: Edition, renderer: Renderer) -> None:
    before, after = site(seed_edition, renderer), site(replace(seed_edition, day=date(2026, 11, 24)), renderer)
    ahead = {"index.html", "next/index.html", "embed/index.html", "poster/index.html"}
    assert {path for path in before if before[path] != after[path]} == ahead | {f"fr/{path}" for path in ahead}


def test_nothing_on_a_page_goes_stale(seed_site: dict[str, str]) -> None:
    for html in seed_site.values():
        assert not re.search(
            r"\b(today|tomorrow|yesterday|days? ago|demain|hier|dans \d+ jours)\b", Reader(html).text, re.IGNORECASE
        )


def test_nothing_in_a_catalogue_can_run(hostile_site: dict[str, str]) -> None:
    for path, html in hostile_site.items():
        page = Reader(html)
        assert [script["type"] for script in page.all("script")] in ([], ["application/ld+json"]), path
        for tag, attributes in page.tags:
            assert tag not in {"iframe", "svg", "object", "form"}
            assert tag != "img" or attributes["src"].endswith("qr.svg"), path
            assert not any(name.startswith("on") for name in attributes)
            assert not any(value.strip().lower().startswith("javascript:") for value in attributes.values())


def test_a_colour_is_taken_only_in_the_two_ways_that_css_and_calendars_share() -> None:
    assert [colour(text) for text in ("#a31", "#AA3311", "tomato", None)] == ["#a31", "#aa3311", "tomato", None]
    assert not any(colour(text) for text in ("red; } body { display: none", "url(x)", "#12", "#a31}", "inherit"))


def test_the_stylesheet_is_small_and_fetches_nothing(seed_edition: Edition, renderer: Renderer) -> None:
    coloured = replace(seed_edition, catalogue=seed_edition.catalogue.model_copy(
        update={"site": seed_edition.catalogue.site.model_copy(update={"color": "rebeccapurple"})}
    ))  # fmt: skip
    for edition in (seed_edition, coloured):
        style = next(item for item in each(pages.render(edition, renderer)) if item.path == STYLESHEET)
        assert len(style.body) <= 12_000
        assert b"url(" not in style.body
        assert b"@import" not in style.body


def luminance(colour_: str) -> float:
    channels = [int(colour_[position : position + 2], 16) / 255 for position in (1, 3, 5)]
    red, green, blue = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("text", "ground"),
    [("ink", "paper"), ("ink", "sheet"), ("soft", "paper"), ("soft", "sheet"), ("accent", "paper"), ("accent", "sheet"),
     ("paper", "accent"), ("on-panel", "panel"), ("on-panel-soft", "panel")],
)  # fmt: skip
def test_texts_stand_out_from_their_ground(
    seed_edition: Edition, renderer: Renderer, scheme: int, text: str, ground: str
) -> None:
    """WCAG 2.2 AA: 4.5 to 1."""
    style = next(item for item in each(pages.render(seed_edition, renderer)) if item.path == STYLESHEET).body.decode()
    values = [re.findall(rf"--{name}: (#[0-9a-f]{{6}})", style)[scheme] for name in (text, ground)]
    light, dark = sorted(map(luminance, values), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def french_words() -> dict[str, str | tuple[str, ...]]:
    """The French words of all fragments, by their English ones."""
    french: dict[str, str | tuple[str, ...]] = {}
    for fragment in sorted((ROOT / "pipeline/locale/fr/LC_MESSAGES").glob("*.po")):
        with fragment.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    french[message.id if isinstance(message.id, str) else message.id[0]] = message.string
    return french


def words_of(*templates: Path) -> Iterator[tuple[str, str]]:
    """Each interface word of these templates with its place."""
    for template in templates:
        with template.open("rb") as file:
            options = {"trim_blocks": "true", "lstrip_blocks": "true"}
            for line, _, message, _ in babel_extract(file, ("_", "gettext", "ngettext"), [], options):
                yield f"{template.name}:{line}", message if isinstance(message, str) else message[0]


@pytest.mark.parametrize("room", ["site", "preview"])
def test_every_word_of_the_templates_has_a_french_one(room: str) -> None:
    french = french_words()
    for place, word in words_of(*sorted((ROOT / "templates" / room).glob("*.html"))):
        assert french.get(word), f"{place}: {word}"


def test_french_words_of_the_pages_are_set_with_no_break_spaces() -> None:
    templates = {
        word for room in ("site", "preview") for _, word in words_of(*(ROOT / "templates" / room).glob("*.html"))
    }
    for word, said in french_words().items():
        if word in templates:
            said = said if isinstance(said, str) else " ".join(said)
            assert not re.search(r"(?<![\u00a0\u202f])[;!?»]|«(?!\u00a0)| [:;!?»]|'", re.sub(r"<[^>]*>", "", said)), (
                said
            )


def test_the_first_sentence_ends_where_a_sentence_ends() -> None:
    assert first_sentence("Is it “so”? Yes.\n\nMore") == "Is it “so”?"
    assert first_sentence("It was the “digital revolution”.\nThe rest.") == "It was the “digital revolution”."
    assert first_sentence("Without an end\n\nMore.") == "Without an end"


def test_an_excerpt_is_cut_between_words_and_is_never_too_long() -> None:
    assert excerpt("one two\n three", 20) == "one two three"
    assert excerpt("one two, three", 10) == "one two…"
    assert excerpt("x" * 50, 10) == "x" * 9 + "…"


@given(st.text(alphabet="ab \n\t\u2003\u00a0\u202f", max_size=80), st.integers(2, 100))
def test_an_excerpt_has_one_blank_wherever_the_text_may_break(text: str, limit: int) -> None:
    whole = re.sub(r"[^\S\u00a0\u202f]+", " ", text.strip())
    begun = excerpt(text, limit)
    assert begun == whole or (len(begun) <= limit < len(whole) and whole.startswith(begun.removesuffix("…")))
