"""What a first visit costs a real browser: few bytes, and nothing that jumps while the page loads."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import chromium
import pytest
from writing import write

from pipeline.edition import Edition

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")

MOST = 50_000
"""Bytes on the wire for a home page with all that it asks for, headers included and nothing compressed."""
PAGES = (
    "", "fr/", "subscribe/", "events/non-take-up/", "fr/events/conference-5/", "next/", "poster/", "embed/",
)  # fmt: skip

SHIFTS = """new Promise(done => {
  let sum = 0;
  new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.value))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => done(sum), 300);
})"""
JUMPING = '<!doctype html><title>Jumping</title><link rel="icon" href="data:,"><h1>A title</h1><p>Text.</p>'
PAINTED = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


@pytest.fixture(scope="module")
def home(seed_edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the seed's site on loopback."""
    folder = tmp_path_factory.mktemp("site")
    write(seed_edition, folder)
    (folder / "jumping.html").write_text(JUMPING)

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("page", ["", "fr/"])
def test_the_home_page_with_all_that_it_asks_for_is_small(home: str, page: str, tmp_path: Path) -> None:
    with chromium.browser(tmp_path) as visitor:
        visitor.size(1280)
        visitor.open(home + page)
        visitor.ask("new Promise(done => setTimeout(done, 500))")
        names = {
            event["params"]["requestId"]: event["params"]["request"]["url"].removeprefix(home).partition("?")[0]
            for event in visitor.events
            if event["method"] == "Network.requestWillBeSent"
        }
        sizes = {
            names[event["params"]["requestId"]]: event["params"]["encodedDataLength"]
            for event in visitor.events
            if event["method"] == "Network.loadingFinished"
        }
    assert {page, "assets/style.css"} <= sizes.keys() <= {page, "assets/style.css", "assets/icon.svg"}
    assert sizes.keys() == set(names.values())
    assert 10_000 < sum(sizes.values()) <= MOST


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_while_a_page_loads(home: str, width: int, tmp_path: Path) -> None:
    with chromium.browser(tmp_path) as visitor:
        visitor.size(width)
        visitor.open(home + "jumping.html")
        visitor.ask(PAINTED)
        visitor.ask("document.body.style.paddingTop = '300px'")
        assert visitor.ask(SHIFTS) > 0  # a jump is seen
        for page in PAGES:
            visitor.open(home + page)
            assert visitor.ask(SHIFTS) == 0, page
