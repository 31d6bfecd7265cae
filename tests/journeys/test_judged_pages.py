"""What the usual judges say of every kind of page: axe-core of accessibility, the Nu checker of HTML."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import chromium
import pytest
from html_reader import HOSTILE, edition_of
from judges import AXE, JAVA, NU
from writing import write

from pipeline.edition import Edition

LIVELY = (
    HOSTILE.replace("[series]", '[series]\nimage = "series.png"').replace(
        'id = "loud"', 'id = "loud"\nimage = "a b.png"\nimage_alt = "People"\ntags = ["tea"]\nkind = "lecture"'
    )
    + '[[event]]\nid = "off"\ntitle = "Off"\ndate = 2026-12-08\ntba = ["time"]\nstatus = "cancelled"\n'
    'notice = "The *room* is flooded."\nrecordings = ["https://video.example/1"]\n'
    '[[newsletter]]\nid = "first"\nsend = 2022-08-01T10:00:00\nsubject = "First"\ntext = "# One\\n\\n* two"\n'
    '[[newsletter]]\nid = "second"\nsend = 2022-09-01T14:30:00\nsubject = "S"\ncorrects = "first"\n'
    'text = "<script>alert(1)</script> [x](javascript:alert(2))"\n'
)
PAGES = (
    "seed/index.html", "seed/fr/index.html", "seed/events/non-take-up/index.html",
    "seed/fr/events/non-take-up/index.html", "seed/subscribe/index.html", "seed/fr/subscribe/index.html",
    "seed/next/index.html", "seed/embed/index.html", "seed/poster/index.html", "seed/fr/poster/index.html",
    "over/next/index.html", "over/embed/index.html", "lively/index.html", "lively/events/loud/index.html",
    "lively/fr/events/off/index.html", "lively/newsletters/first/index.html", "lively/fr/newsletters/second/index.html",
)  # fmt: skip


@pytest.fixture(scope="module")
def sites(seed_edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites")
    editions = {
        "seed": seed_edition,
        "over": replace(seed_edition, day=date(2030, 1, 1)),
        "lively": edition_of(LIVELY, ('title = "Off"', 'title = "Not on"')),
    }
    for name, edition in editions.items():
        write(edition, folder / name)
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")
@pytest.mark.skipif(AXE is None, reason="axe-core isn't here: make judges")
@pytest.mark.parametrize("look", ["light", "dark", "print"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing(sites: Path, page: chromium.Browser, look: str, width: int) -> None:
    assert AXE is not None
    judge = AXE.read_text(encoding="utf-8")
    page.size(width)
    page.look(look)
    for path in PAGES:
        page.open((sites / path).as_uri())
        page.ask(judge + "; true")
        found = page.ask(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
            ".then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.map(n => n.html)])))"
        )
        assert json.loads(found) == [], path


@pytest.mark.skipif(NU is None, reason="the Nu checker isn't here: make judges")
@pytest.mark.skipif(JAVA is None, reason="there is no Java here")
def test_the_nu_checker_finds_nothing(sites: Path) -> None:
    assert NU is not None
    pages = [path for path in sorted(sites.rglob("*")) if path.suffix in {".html", ".svg"}]
    files = [str(path) for path in {path.read_bytes(): path for path in pages}.values()]  # each page once
    done = subprocess.run(
        ["java", "-jar", str(NU), "--format", "json", "--also-check-svg", *files], capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    messages = json.loads(done.stderr or done.stdout)["messages"]
    said = [(item["url"].rpartition("sites")[2], item["message"]) for item in messages]
    # Files on a disk have no origin that could be 'self'.
    unfounded = "Resource violates Content Security Policy"
    assert [(page, message) for page, message in said if not message.startswith(unfounded)] == []


@pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")
def test_pages_look_the_same_without_scripts(sites: Path, page: chromium.Browser) -> None:
    page.size(1280)
    page.look("light")
    for path in PAGES:
        pictures = []
        for on in (True, False):
            page.scripts(on)
            page.open((sites / path).as_uri())
            pictures.append(page.picture())
        assert pictures[0] == pictures[1], path
    page.scripts(True)
