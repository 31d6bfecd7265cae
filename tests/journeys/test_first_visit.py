"""What a first visit costs a real browser: few bytes, and nothing that jumps while the page loads."""

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import chromium
import pytest
from patience import until
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
A_WHILE = "new Promise(done => setTimeout(done, 500))"
"""In which a page may ask for more than what it needed for showing itself."""
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


def sizes_of(visitor: chromium.Browser, home: str) -> dict[str, int | None]:
    """The bytes of each file that was asked for since the page was opened, None while they are still to come."""
    visitor.ask("0")  # hears what has happened meanwhile
    bytes_of = {said["requestId"]: said["encodedDataLength"] for said in told(visitor, "Network.loadingFinished")}
    return {
        said["request"]["url"].removeprefix(home).partition("?")[0]: bytes_of.get(said["requestId"])
        for said in told(visitor, "Network.requestWillBeSent")
    }


def told(visitor: chromium.Browser, method: str) -> list[dict[str, Any]]:
    return [event["params"] for event in visitor.events if event["method"] == method]


@pytest.mark.parametrize("page", ["", "fr/"])
def test_the_home_page_with_all_that_it_asks_for_is_small(home: str, page: str, tmp_path: Path) -> None:
    with chromium.browser(tmp_path) as visitor:
        visitor.size(1280)
        visitor.open(home + page)
        visitor.ask(A_WHILE)
        until(lambda: all(size is not None for size in sizes_of(visitor, home).values()))
        found = sizes_of(visitor, home)
    assert {page, "assets/style.css"} <= found.keys() <= {page, "assets/style.css", "assets/icon.svg"}
    assert 10_000 < sum(found.values()) <= MOST


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_jumps_while_a_page_loads(home: str, width: int, tmp_path: Path) -> None:
    with chromium.browser(tmp_path) as visitor:
        visitor.size(width)
        visitor.open(home + "jumping.html")
        visitor.ask(PAINTED)
        visitor.ask("document.body.style.paddingTop = '300px'")
        visitor.until(SHIFTS)  # a jump is seen
        for page in PAGES:
            visitor.open(home + page)
            assert visitor.ask(SHIFTS) == 0, page
