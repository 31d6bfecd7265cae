"""The site for everyone: by keyboard alone, in every colour that an organiser may choose, and on paper."""

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import chromium
import pypdfium2
import pytest
from judges import AXE
from writing import write

from pipeline.catalogue.models import Status
from pipeline.edition import Edition

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")

COLOURS = ("#ffff00", "#000000", "#ffffff", "#00ff00", "#0000ff", "#808080", "hotpink", "navy")
FOCUSED = """(() => {
  const at = document.activeElement, style = getComputedStyle(at);
  const said = at.textContent.trim() || at.value;
  return at === document.body ? null : [said, style.outlineStyle, at.getBoundingClientRect().top];
})()"""


def coloured(edition: Edition, color: str) -> Edition:
    site = edition.catalogue.site.model_copy(update={"color": color})
    return replace(edition, catalogue=edition.catalogue.altered(site=site))


@pytest.fixture(scope="module")
def sites(seed_edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites")
    editions = {"seed": seed_edition, "tentative": tentative(seed_edition)} | {
        color: coloured(seed_edition, color) for color in COLOURS
    }
    wanted = ("index.html", "subscribe/index.html", "events/non-take-up/index.html", "poster/index.html")
    for name, edition in editions.items():
        write(edition, folder / name.strip("#"), lambda path: path in wanted or path.startswith("assets/"))
    return folder


def tentative(edition: Edition) -> Edition:
    """The same with its next event marked as provisional."""
    events = tuple(
        event.altered(status=Status.TENTATIVE) if event.id == "non-take-up" else event
        for event in edition.catalogue.events
    )
    return replace(edition, catalogue=edition.catalogue.altered(events=events))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path_factory.mktemp("browser")) as page:
        page.size(1280)
        yield page


def press(page: chromium.Browser, key: str, code: int) -> None:
    for kind in ("keyDown", "keyUp"):
        text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
        page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)


def test_by_keyboard_one_may_skip_to_the_content_and_reach_everything_in_the_order_of_reading(
    sites: Path, page: chromium.Browser
) -> None:
    for path in ("index.html", "subscribe/index.html", "events/non-take-up/index.html"):
        page.look("light")
        page.open((sites / "seed" / path).as_uri())
        reachable = page.ask(
            "[...document.querySelectorAll('a[href], button, input:not([type=hidden])')]"
            ".filter(e => e.tabIndex >= 0).map(e => e.textContent.trim() || e.value)"
        )
        reached, tops = [], []
        while len(reached) <= len(reachable):
            press(page, "Tab", 9)
            focused = page.ask(FOCUSED)
            if focused is None or (reached and focused[0] == reached[0] and len(reached) == len(reachable)):
                break
            assert focused[1] != "none", (path, focused)
            reached.append(focused[0])
            tops.append(focused[2])
        assert reached == reachable, path
        assert reached[0] == "Skip to the content"
        assert tops[0] >= 0  # it is seen once it is reached
    page.open((sites / "seed" / "index.html").as_uri())
    press(page, "Tab", 9)
    press(page, "Enter", 13)
    page.until("location.hash === '#main'")
    press(page, "Tab", 9)
    assert page.ask("document.activeElement.closest('main') !== null")


@pytest.mark.skipif(AXE is None, reason="axe-core isn't here: make judges")
@pytest.mark.parametrize("look", ["light", "dark", "print"])
def test_whatever_colour_the_organisers_choose_can_be_read(sites: Path, page: chromium.Browser, look: str) -> None:
    assert AXE is not None
    page.look(look)
    for color in ("tentative", *COLOURS):
        for path in ("index.html", "events/non-take-up/index.html"):
            page.open((sites / color.strip("#") / path).as_uri())
            page.ask(AXE.read_text(encoding="utf-8") + "; true")
            found = page.ask(
                "axe.run({runOnly: ['color-contrast']}).then(r => [r.passes.length, [...r.violations, ...r.incomplete]"
                ".flatMap(v => v.nodes.map(n => n.html + n.any.map(a => a.message).join()))])"
            )
            # Of a word in the very colour of its ground axe isn't sure.
            assert found == [1, []], (color, path)


def test_on_paper_a_page_tells_its_facts_and_its_addresses_and_leaves_out_what_is_for_screens(
    sites: Path, page: chromium.Browser
) -> None:
    page.look("light")
    page.open((sites / "seed" / "events/non-take-up/index.html").as_uri())
    sheets = pypdfium2.PdfDocument(BytesIO(page.paper()))
    told = " ".join(" ".join(sheet.get_textpage().get_text_range() for sheet in sheets).split())
    for words in ("non-take-up", "25 October 2022", "Centre Social le Picoulet", "(https://"):
        assert words in told, words
    for words in ("Skip to the content", "Stay informed", "Add to calendar", "Pass it on"):
        assert words not in told, words
