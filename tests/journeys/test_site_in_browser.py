"""The site in a real browser: it fits a small screen, reads in the dark and on paper, and asks no other host."""

import functools
import json
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import chromium
import pytest
from html_reader import HOSTILE, edition_of
from writing import write

from pipeline.edition import Edition

PAGES = (
    "seed/index.html", "seed/fr/index.html", "seed/subscribe/index.html", "seed/fr/subscribe/index.html",
    "seed/events/toolkit-for-struggle/index.html", "seed/fr/events/conference-5/index.html",
    "seed/next/index.html", "seed/fr/embed/index.html", "seed/poster/index.html", "hostile/poster/index.html",
    "hostile/embed/index.html", "hostile/index.html",
    "hostile/events/loud/index.html", "hostile/fr/events/long/index.html", "hostile/events/words/index.html",
    "hostile/events/right-to-left/index.html", "hostile/subscribe/index.html", "hostile/newsletters/wide/index.html",
    "empty/index.html", "empty/next/index.html", "empty/embed/index.html", "empty/poster/index.html",
    "empty/fr/subscribe/index.html",
)  # fmt: skip
MISSING = "none.js"
"""A file that isn't there, which a test of the test asks for."""

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")

SPEAKERS = ", ".join(
    f'{{ name = "Speaker number {number}", role = "reader of a long and winding title" }}' for number in range(40)
)
LOUD = (
    HOSTILE.replace("alert(", "ran=(").replace("speakers = [", f"speakers = [{SPEAKERS}, ")
    + f'[[event]]\nid = "long"\ntitle = "{"W" * 300}"\ndate = 2026-12-08\ntba = ["time"]\n'
    + '[[event]]\nid = "words"\ntitle = "Words"\ndate = 2026-12-09\ntba = ["time"]\n'
    + f'abstract = "{"word " * 20_000}"\n'
    + f'[[event]]\nid = "right-to-left"\ntitle = "{"التحول الرقمي " * 10}"\ndate = 2026-12-10\ntba = ["time"]\n'
    + f'[[newsletter]]\nid = "wide"\nsend = 2022-08-01T10:00:00\nsubject = "{"W" * 300}"\ntext = "{"W" * 300}"\n'
)
EMPTY = LOUD.partition("[[event]]")[0]

# A page of the test, not of the site: it shows pages in frames of one width and measures them.
PROBE = """<!doctype html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>probe</title>
<link rel="icon" href="data:,">
<script>
const found = {};
async function measure(page) {
  const frame = document.createElement("iframe");
  frame.style = "border:0; height:900px; width:WIDTHpx";
  const loaded = new Promise(resolve => frame.onload = resolve);
  frame.src = page;
  document.body.append(frame);
  await loaded;
  const view = frame.contentWindow, inside = frame.contentDocument;
  const touched = [...inside.querySelectorAll("a.button, button, nav a, input:not([type=hidden], [tabindex='-1'])")];
  found[page] = {
    width: inside.documentElement.scrollWidth,
    small: touched.filter(item => item.getBoundingClientRect().height < 44).map(item => item.outerHTML),
    paper: view.getComputedStyle(inside.body).backgroundColor,
    requests: view.performance.getEntriesByType("resource").map(entry => entry.name),
    ran: view.ran ?? "nothing",
  };
}
onload = async () => {
  for (const page of PAGES) await measure(page);
  const answer = document.createElement("pre");
  answer.id = "found";
  answer.textContent = JSON.stringify(found);
  document.body.append(answer);
};
</script>"""

Measures = dict[str, dict[str, Any]]


@dataclass
class Host:
    """The site on loopback, and what a browser asked it for."""

    folder: Path
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture(scope="module")
def host(seed_edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    host = Host(tmp_path_factory.mktemp("site"))
    write(seed_edition, host.folder / "seed")
    write(edition_of(LOUD), host.folder / "hostile")
    write(edition_of(EMPTY), host.folder / "empty")

    class Handler(SimpleHTTPRequestHandler):
        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002
            host.asked.append(f"{int(code)} {self.path}")

        def log_message(self, *_: object) -> None:
            """Errors are in `asked`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=str(host.folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    host.port = server.server_address[1]
    yield host
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


def measured(host: Host, pages: Sequence[str], width: int, page: chromium.Browser, dark: bool = False) -> Measures:
    name = f"probe-{width}-{'dark' if dark else 'light'}.html"
    probe = PROBE.replace("WIDTH", str(width)).replace("PAGES", json.dumps(pages))
    (host.folder / name).write_text(probe, encoding="utf-8")
    page.size(1400, 1000)
    page.dark(dark)
    page.open(host.address + name)
    found: Measures = json.loads(page.until("document.getElementById('found')?.textContent"))
    assert list(found) == list(pages)
    return found


def test_pages_fit_320_pixels_and_nothing_in_a_catalogue_runs(host: Host, page: chromium.Browser) -> None:
    """320 pixels is a small phone, and a desktop at 400 % zoom; targets are large enough to touch."""
    for path, found in measured(host, PAGES, 320, page).items():
        assert found["width"] == 320, path
        assert found["small"] == [], path
        assert found["ran"] == "nothing", path


def test_pages_ask_for_their_own_styles_icon_and_codes_alone(host: Host, page: chromium.Browser) -> None:
    for path, found in measured(host, PAGES, 1280, page).items():
        assert found["width"] == 1280, path
        own = re.escape(host.address + path.partition("/")[0])
        assert all(re.match(rf"{own}/(assets/|.*qr\.svg$)", name) for name in found["requests"]), path
    assert any("/assets/style.css" in line for line in host.asked)
    assert not [line for line in host.asked if line.startswith("404") and MISSING not in line]


def test_the_dark_is_dark_and_the_light_is_light(host: Host, page: chromium.Browser) -> None:
    home = PAGES[0]
    light = measured(host, [home], 1280, page)[home]
    dark = measured(host, [home], 1280, page, dark=True)[home]
    assert (light["paper"], dark["paper"]) == ("rgb(251, 249, 244)", "rgb(23, 22, 20)")


def test_the_console_stays_silent_and_the_policy_blocks_nothing_of_ours(host: Host, page: chromium.Browser) -> None:
    # With an icon of its own: the one that is looked for by itself would be missed later, on the next page.
    head = '<!doctype html><title>Loud</title><link rel="icon" href="data:,">'
    (host.folder / "loud.html").write_text(f'{head}<script src="{MISSING}"></script>')
    page.open(host.address + "loud.html")
    assert page.console  # what is wrong would be heard
    page.console.clear()
    for path in PAGES:
        page.open(host.address + path)
        assert page.console == [], path


def test_the_site_works_from_a_folder_without_a_server(host: Host, page: chromium.Browser, tmp_path: Path) -> None:
    whole, alone = host.folder / "seed/fr/events/social-work/index.html", tmp_path / "alone.html"
    alone.write_bytes(whole.read_bytes())
    page.size(900)
    page.dark(False)
    pictures = set()
    for file in (whole, alone):
        page.open(file.as_uri())
        pictures.add(page.picture())
    assert len(pictures) == 2
    page.console.clear()  # the one that stands alone misses its styles


def test_a_page_prints(host: Host, page: chromium.Browser) -> None:
    page.open(host.address + "seed/index.html")
    assert page.paper().startswith(b"%PDF-")


def test_the_bare_programme_stands_on_another_page_and_leads_out_of_its_frame(
    host: Host, page: chromium.Browser
) -> None:
    other = host.folder / "other.html"
    frame = '<iframe src="seed/embed/" width="600" height="600"></iframe>'
    other.write_text(f'<!doctype html><title>Other</title><link rel="icon" href="data:,">{frame}')
    inside = "document.querySelector('iframe')?.contentDocument"
    page.console.clear()
    page.open(host.address + "other.html")
    page.until(f"{inside}.querySelector('h1')?.textContent.includes('Digitize')")
    page.ask(f"{inside}.querySelector('.entry h3 a').click()")
    page.until("location.pathname.endsWith('/seed/events/non-take-up/index.html')")
    assert page.console == []
