"""Reading in one's own way: by ear, by keyboard, with an unsteady hand, with spacing and colours of one's own."""

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import chromium
import pytest
from html_reader import Reader
from judges import AXE
from publishing import HEAD, TALK, edition
from writing import write

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")

VARIED_HEAD = HEAD.replace(
    "[site]", 'contact = "hello@society.example"\n[mail]\nfrom = "post@talks.example"\n[site]', 1
)
OFF = TALK + 'status = "cancelled"\nnotice = "Our guest is ill."\ntags = ["law"]\n'
VARIED = OFF + "".join(
    TALK.replace('"talk"', f'"{name}"').replace('"A talk"', f'"About {name}"').replace("2026-10-20", day) + more
    for name, day, more in (
        ("recorded", "2026-01-08", 'recordings = ["https://video.example/1", "https://video.example/2"]\n'),
        ("past", "2026-01-20", 'speakers = [{name = "Ada Lovelace", role = "mathematician"}]\n'),
        ("later", "2026-11-03", 'status = "postponed"\nnotice = "The hall is being mended."\n'),
        ("perhaps", "2026-11-10", 'status = "tentative"\ntags = ["law", "tea"]\n'),
        ("hybrid", "2026-11-17", 'registration = "https://sign-up.example/"\nonline = "https://live.example/"\n'),
        ("weekly", "2026-12-01", 'repeats = "FREQ=WEEKLY;COUNT=6"\n'),
    )
) + (
    '[[event]]\nid = "open"\ntitle = "Some day"\ntba = ["date", "time"]\n'
    '[[event]]\nid = "days"\ntitle = "Three days"\ndate = 2026-12-11\nend_date = 2026-12-13\ntba = ["time"]\n'
    '[[newsletter]]\nid = "first"\nsend = 2026-01-06T08:00:00\nsubject = "First"\ntext = "Hello."\n'
)  # fmt: skip
PAGES = (
    "index.html", "fr/index.html", "subscribe/index.html", "fr/subscribe/index.html", "events/talk/index.html",
    "fr/events/later/index.html", "events/recorded/index.html", "events/hybrid/index.html",
    "fr/events/weekly/index.html", "events/open/index.html", "events/days/index.html", "next/index.html",
    "newsletters/first/index.html", "poster/index.html", "embed/index.html", "fr/events/gone/index.html",
)  # fmt: skip

SPACED = """(() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync("* { line-height: 1.5 !important; letter-spacing: .12em !important; }"
    + "* { word-spacing: .16em !important; } p { margin-bottom: 2em !important; }");
  document.adoptedStyleSheets = [sheet];
  return getComputedStyle(document.querySelector("h1")).letterSpacing;
})()"""
"""What WCAG 1.4.12 lets readers set, and what of it the title then has."""

LOST = """(() => {
  const lost = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (node.parentElement.closest(".visually-hidden, .skip, script, details:not([open])")) continue;
    if (!node.data.trim()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect();
    for (let at = node.parentElement; at !== document.body; at = at.parentElement) {
      const clips = getComputedStyle(at).overflow !== "visible", around = at.getBoundingClientRect();
      if (clips && (box.right > around.right + 1 || box.bottom > around.bottom + 1)) lost.push(node.data.trim());
    }
    if (box.right > innerWidth + 1 || box.left < -1) lost.push(node.data.trim());
  }
  return lost;
})()"""
"""The texts that don't stand whole on the page."""

UNDER_FOCUS = """(() => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const box = at.getClientRects()[0];
  const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
  return [at.outerHTML.slice(0, 120), !!seen && (at.contains(seen) || seen.contains(at))];
})()"""
"""What is focused, and whether it is what one sees in its place."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    gone = TALK.replace('"talk"', '"gone"')
    write(edition(VARIED + gone, VARIED, head=VARIED_HEAD, day=date(2026, 2, 1)), folder)
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture
def page(browser: chromium.Browser) -> chromium.Browser:
    browser.size(1280)
    browser.look("light")
    return browser


def wish(page: chromium.Browser, feature: str, value: str) -> None:
    page.call("Emulation.setEmulatedMedia", media="", features=[{"name": feature, "value": value}])


# --------------------------------------------------------------------------------------------- by ear


def read_aloud(page: chromium.Browser) -> list[dict[str, Any]]:
    """Role, name and level of each node that the browser hands to a screen reader, in the order of reading."""
    nodes = {node["nodeId"]: node for node in page.call("Accessibility.getFullAXTree")["nodes"]}

    def walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if not node["ignored"]:
            level = [found["value"]["value"] for found in node.get("properties", ()) if found["name"] == "level"]
            yield {"role": node["role"]["value"], "name": node.get("name", {}).get("value", ""), "level": level}
        for child in node.get("childIds", ()):
            yield from walk(nodes[child])

    return list(walk(next(iter(nodes.values()))))


def test_a_screen_reader_finds_landmarks_a_ladder_of_headings_and_a_name_for_whatever_can_be_used(
    site: Path, page: chromium.Browser
) -> None:
    for path in PAGES:
        page.open((site / path).as_uri())
        told = read_aloud(page)
        roles = [node["role"] for node in told]
        landmarks = [role for role in roles if role in ("banner", "main", "contentinfo")]
        assert landmarks == (["main", "contentinfo"] if path.startswith("embed") else ["banner", "main", "contentinfo"])
        levels = [node["level"][0] for node in told if node["role"] == "heading"]
        assert levels[0] == 1, path
        assert all(after <= before + 1 for before, after in pairwise(levels)), (path, levels)
        used = [node for node in told if node["role"] in ("link", "button", "textbox", "navigation", "region", "form")]
        assert [node["role"] for node in used if not node["name"] and node["role"] != "form"] == [], path
        for role in ("textbox", "region"):
            names = [node["name"] for node in used if node["role"] == role]
            assert len(names) == len(set(names)), (path, names)


def test_when_where_and_how_to_keep_informed_are_heard_first(site: Path, page: chromium.Browser) -> None:
    page.open((site / "index.html").as_uri())
    told = [node["name"] for node in read_aloud(page) if node["role"] in ("heading", "StaticText", "link")]
    wanted = ("Next event", "Tuesday", "10", "Nov 2026", "19:00", "Provisional About perhaps", "Stay informed")
    places = [told.index("Next event") + told[told.index("Next event") :].index(words) for words in wanted]
    assert places == sorted(places)
    assert any("Town hall, 1, High Street" in words for words in told[places[0] : places[-1]])


def test_what_is_off_says_so_in_a_word_within_its_link(site: Path, page: chromium.Browser) -> None:
    page.open((site / "fr/index.html").as_uri())
    links = [node["name"] for node in read_aloud(page) if node["role"] == "link"]
    assert {"Annulé A talk", "Reporté About later"} <= set(links)


# --------------------------------------------------------------------------------------------- by hand


@pytest.mark.skipif(AXE is None, reason="axe-core isn't here: make judges")
@pytest.mark.parametrize("width", [1280, 320])
def test_what_can_be_touched_measures_24_pixels_or_stands_apart(site: Path, page: chromium.Browser, width: int) -> None:
    """WCAG 2.5.8, which axe asks for only when it is told to."""
    assert AXE is not None
    judge = AXE.read_text(encoding="utf-8")
    measure = "axe.run({runOnly: ['target-size']}).then(r => [...r.violations, ...r.incomplete]"
    page.size(width)

    def small() -> Any:
        page.ask(judge + "; true")
        return page.ask(f"{measure}.flatMap(v => v.nodes.map(n => n.html)))")

    page.open((site / "index.html").as_uri())
    page.ask("document.body.innerHTML = '<main><button>x</button><button>x</button><button>x</button></main>'")
    page.ask("document.querySelectorAll('button').forEach(b => b.style.cssText = 'width: 9px; height: 9px')")
    assert len(small()) == 3  # it would be found
    for path in PAGES:
        page.open((site / path).as_uri())
        page.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert small() == [], path


@pytest.mark.parametrize(("width", "height"), [(1280, 500), (320, 256)])
def test_nothing_covers_what_the_keyboard_has_reached(
    site: Path, page: chromium.Browser, width: int, height: int
) -> None:
    """WCAG 2.4.11; the smaller window is the larger one at 400 %."""
    page.size(width, height)
    wish(page, "prefers-reduced-motion", "reduce")
    for path in ("index.html", "fr/subscribe/index.html", "events/hybrid/index.html", "embed/index.html"):
        page.open((site / path).as_uri())
        reached = 0
        while True:
            for kind in ("keyDown", "keyUp"):
                page.call("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
            focused = page.ask(UNDER_FOCUS)
            if focused is None:
                break
            assert focused[1], (path, focused)
            reached += 1
            assert reached < 200
        assert reached >= page.ask("document.querySelectorAll('main a.button, main input[type=text]').length"), path


def test_parts_of_the_programme_unfold_by_keyboard(site: Path, page: chromium.Browser) -> None:
    page.open((site / "subscribe/index.html").as_uri())
    page.ask("document.querySelector('summary').focus()")
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if kind == "keyDown" else {}
        page.call("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", windowsVirtualKeyCode=13, **text)
    page.until("document.querySelector('details').open")


@pytest.mark.skipif(AXE is None, reason="axe-core isn't here: make judges")
@pytest.mark.parametrize("look", ["light", "dark"])
def test_axe_finds_nothing_on_a_page_of_any_state_with_all_unfolded(
    site: Path, page: chromium.Browser, look: str
) -> None:
    assert AXE is not None
    judge = AXE.read_text(encoding="utf-8")
    page.size(320)
    page.look(look)
    for path in PAGES:
        page.open((site / path).as_uri())
        page.ask("document.querySelectorAll('details').forEach(each => each.open = true)")
        page.ask(judge + "; true")
        assert page.ask("axe.run().then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))") == [], path
        assert page.ask("document.documentElement.scrollWidth") == 320, path


# --------------------------------------------------------------------------------------------- as one likes it


@pytest.mark.parametrize("width", [1280, 320])
def test_spacing_of_one_s_own_loses_no_word(site: Path, page: chromium.Browser, width: int) -> None:
    page.size(width)
    page.open((site / "index.html").as_uri())
    page.ask("document.querySelector('h1').style.cssText = 'overflow: hidden; height: 1px'")
    assert page.ask(LOST)  # it would be found
    for path in PAGES:
        page.open((site / path).as_uri())
        assert float(page.ask(SPACED).removesuffix("px")) > 1
        assert page.ask("document.documentElement.scrollWidth") == width, path
        assert page.ask(LOST) == [], path


def test_colours_of_one_s_own_leave_buttons_words_of_status_and_the_next_event_their_edges(
    site: Path, page: chromium.Browser
) -> None:
    wish(page, "forced-colors", "active")
    for path in PAGES:
        page.open((site / path).as_uri())
        edges = page.ask(
            "[...document.querySelectorAll('.button, .status, .next, .facts')]"
            ".map(e => [e.className, getComputedStyle(e).borderTopStyle]).filter(([, edge]) => edge === 'none')"
        )
        assert edges == [], path
    assert page.ask("matchMedia('(forced-colors: active)').matches")


def test_nothing_moves_by_itself_and_for_those_who_ask_nothing_moves_at_all(site: Path, page: chromium.Browser) -> None:
    moving = (
        "[document.getAnimations().length, getComputedStyle(document.documentElement).scrollBehavior, "
        "[...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length]"
    )
    for value, scrolling in (("no-preference", "smooth"), ("reduce", "auto")):
        wish(page, "prefers-reduced-motion", value)
        for path in PAGES:
            page.open((site / path).as_uri())
            assert page.ask(moving) == [0, scrolling, 0], path


# --------------------------------------------------------------------------------------------- without riddles


def test_help_stands_at_the_same_place_of_every_page(site: Path) -> None:
    """WCAG 3.2.6: whom to ask is said in the foot, after who organises it; so it is in every language."""
    for path in PAGES:
        if not path.startswith("embed"):
            text = Reader((site / path).read_text(encoding="utf-8")).text
            asks, by = ("Contact :", "Organisé par") if path.startswith("fr/") else ("Contact:", "Organised by")
            text = text.replace("\u00a0", " ")
            assert text.rindex(by) < text.rindex(asks) < text.rindex("JSON Feed"), path


def test_a_form_asks_for_one_thing_that_the_browser_can_fill_in_and_for_no_password(site: Path) -> None:
    """WCAG 3.3.7 and 3.3.8: nothing is asked for twice, remembered or solved."""
    forms = 0
    for path in PAGES:
        page = Reader((site / path).read_text(encoding="utf-8"))
        asked = [field for field in page.all("input") if field.get("type") not in ("hidden", "text", None)]
        assert [(field["type"], field["autocomplete"]) for field in asked] == [("email", "email")] * len(asked), path
        assert len(asked) == len(page.all("form")) <= 1, path
        forms += len(asked)
    assert forms >= 6
