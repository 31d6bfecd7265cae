"""`tocsin preview` as a process: it shows the draft and every letter, follows each save, answers this machine only."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import chromium
import httpx
import pytest
from html_reader import Reader
from judges import AXE
from markupsafe import escape
from patience import PATIENCE, until

ROOT = Path(__file__).parents[2]


@dataclass
class Preview:
    """The running preview of a copy of the real series."""

    folder: Path
    address: str
    process: subprocess.Popen[str]

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(self.address + path, headers=headers, timeout=PATIENCE)

    def edit(self, there: str, typed: str) -> None:
        file = self.folder / "events.toml"
        text = file.read_text(encoding="utf-8")
        assert there in text
        file.write_text(text.replace(there, typed, 1), encoding="utf-8")

    def shows(self, path: str, words: str) -> str:
        """The page once it has these words."""
        text = ""

        def is_there() -> bool:
            nonlocal text
            text = self.get(path).text
            return words in text

        try:
            until(is_there)
        except AssertionError:
            pytest.fail(f"{path} shows no {words!r}: {text}")
        return text


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "pipeline", "preview", "--no-open", "--now", "2022-10-01T10:00:00Z",
         "--lang", "en", *arguments],
        cwd=folder, env={**clean, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


@pytest.fixture
def preview(tmp_path: Path) -> Iterator[Preview]:
    for name in ("events.toml", "ledger.jsonl"):
        shutil.copy(ROOT / name, tmp_path)
    process = started(tmp_path, "--port", "0")
    assert process.stdout is not None
    address = process.stdout.readline().strip().rstrip("/")
    assert address.startswith("http://127.0.0.1:"), process.communicate()
    try:
        yield Preview(tmp_path, address, process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            _, complaints = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
    assert (process.returncode, "Traceback" in complaints) == (0, False), complaints


def test_site_feeds_calendars_letters_and_plan_are_shown_and_nothing_is_written(preview: Preview) -> None:
    assert "non-take-up of social rights" in Reader(preview.get("/site/").text).text
    assert preview.get("/site/events/non-take-up/").status_code == 200
    assert preview.get("/site/assets/style.css").headers["content-type"].startswith("text/css")
    for path in ("atom.xml", "fr/rss.xml", "feed.json"):
        assert "19:00 · The consequences of digitization" in Reader(preview.get(f"/channels/{path}").text).text
    calendar = Reader(preview.get("/channels/calendar.ics").text).text
    assert "Tue 25 Oct 2022, 19:00 · Centre Social le Picoulet" in calendar
    assert "DTSTART:2022-10-25 17:00:00+00:00" in calendar
    assert "Thu 19 Jan 2023 · Centre Social le Picoulet" in calendar  # a whole day, though DTEND is the next one
    assert "SEQUENCE:0" in calendar
    feed = Reader(preview.get("/channels/fr/rss.xml").text).text
    assert re.search(r"\w{3} \d+ \w+ \d{4}, \d\d:\d\d · https://digitize\.example/fr/events/", feed), feed
    listed = Reader(preview.get("/channels").text)
    assert not listed.all("a", href="/channels/schedule.xml")
    plan = Reader(preview.get("/plan").text).text
    assert "Tue 11 Oct 2022, 10:00 two-weeks-before The consequences of digitization on the non-take-up" in plan
    letters = Reader(preview.get("/letters").text)
    assert {"English", "Reminder: Tue 25 Oct 2022"} <= {
        words for words in ("English", "Reminder: Tue 25 Oct 2022") if words in letters.text
    }
    keys = [link["href"] for link in letters.all("a") if link["href"].startswith("/letters/")]
    assert {key.split("/")[2][:2] for key in keys} == {"en", "fr"}
    assert sorted(path.name for path in preview.folder.iterdir()) == ["events.toml", "ledger.jsonl"]


def test_a_letter_is_shown_as_text_as_html_in_a_sandbox_and_with_its_fields(preview: Preview) -> None:
    page = Reader(preview.get("/letters/fr-001-announced").text)
    assert [frame["class"] for frame in page.all("iframe", sandbox="")] == ["w640", "w360"]
    assert "List-Unsubscribe-Post" in page.text
    assert "75011 Paris" in page.text
    html = preview.get("/letters/fr-001-announced/html")
    assert html.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert "<h1" in html.text


def test_a_save_is_followed_a_broken_file_says_where_and_the_next_save_mends_it(preview: Preview) -> None:
    preview.edit("The algorithmization of", "Newly named. The algorithmization of")
    preview.shows("/site/", "Newly named.")
    preview.edit('weekday = "Tuesday"', 'weekday = "Monday"')
    for path in ("/", "/letters", "/plan", "/channels"):
        broken = Reader(preview.shows(path, "Something is wrong")).text
        assert "2022-10-25 is a Tuesday, not a Monday" in broken
        assert "events.toml:" in broken
    preview.edit('weekday = "Monday"', 'weekday = "Tuesday"')
    preview.shows("/", '<iframe id="site"')


def test_a_template_made_while_it_runs_is_seen_and_a_wrong_one_is_named(preview: Preview) -> None:
    folder = preview.folder / "templates" / "site"
    folder.mkdir(parents=True)
    own = folder / "index.html"
    own.write_text('{% extends "site/base.html" %}{% block main %}<h1>Quite our own</h1>{% endblock %}')
    preview.shows("/site/", "Quite our own")
    own.write_text("{{ nothing.at.all }}")
    broken = Reader(preview.shows("/site/", "Something is wrong"))
    assert "site/index.html:1" in broken.text
    assert "index.html" in broken.text
    own.write_text("{{ 1 + 'one' }}")
    preview.shows("/site/", "TypeError")
    own.unlink()
    preview.shows("/site/", "Digitize")


def test_a_wrong_template_is_told_in_its_page_and_keeps_no_other_from_being_shown(preview: Preview) -> None:
    folder = preview.folder / "templates" / "site"
    folder.mkdir(parents=True)
    (folder / "event.html").write_text("{{ nothing.at.all }}")
    preview.shows("/site/events/non-take-up/", "Something is wrong")
    told = preview.get("/site/fr/events/non-take-up/")
    assert told.status_code == 500
    assert "site/event.html:1" in Reader(told.text).text
    # It stands in the frame of the preview, whose own pages stand in no frame.
    assert "frame-ancestors 'self'" in told.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in preview.get("/").headers["content-security-policy"]
    for path, words in (("/site/", "Digitize"), ("/channels/atom.xml", "19:00"), ("/plan", "two-weeks-before")):
        assert words in preview.get(path).text
    (folder / "event.html").unlink()
    preview.shows("/site/events/non-take-up/", "non-take-up of social rights")


def test_a_template_that_cannot_be_read_is_told_at_once_on_every_page_while_the_others_are_shown(
    preview: Preview,
) -> None:
    folder = preview.folder / "templates" / "site"
    folder.mkdir(parents=True)
    event = folder / "event.html"
    wrong = '{% extends "tocsin/site/event.html" %}\n{% block fact %}{% endblock %}'
    for text, told in (
        (wrong, "has no block 'fact'"),
        ("{% if %}", "event.html:1"),
        (b"\xff", "site/event.html:1: byte 1 is not UTF-8"),
    ):
        event.write_bytes(text if isinstance(text, bytes) else text.encode())
        for path in ("/", "/plan", "/letters"):
            preview.shows(path, str(escape(told)))
        assert "Digitize" in preview.get("/site/").text
    unfinished = preview.folder / "templates" / "themes" / "new" / "site"
    unfinished.mkdir(parents=True)
    (unfinished / "index.html").write_text("{% if %}")
    (folder / ".#event.html").symlink_to("ada@desk.4711:1")  # what Emacs leaves beside a file that is being edited
    (folder / "._event.html").write_bytes(b"\x00\x05\x16\x07\xff")
    (folder / "old.html").mkdir()
    event.write_text('{% extends "tocsin/site/event.html" %}')
    until(lambda: Reader(preview.get("/").text).all("p", **{"class": "wrong", "hidden": ""}))


def test_every_feed_calendar_and_letter_opens_from_the_lists_of_them(preview: Preview) -> None:
    with (preview.folder / "events.toml").open("a") as file:
        file.write('\n[[newsletter]]\nid = "extra"\nsend = 2022-10-10T10:00:00\nsubject = "In October"\n')
    preview.shows("/letters", "In October")
    for room, least in (("/channels", 20), ("/letters", 15)):
        inside = inside_of(preview, room)
        assert len(inside) >= least, (room, inside)
        for link in inside:
            answer = preview.get(link)
            assert answer.status_code == 200, link
            assert Reader(answer.text).all("main"), link
    names = {link.removeprefix("/channels/") for link in inside_of(preview, "/channels")}
    assert {"atom.xml", "rss.xml", "feed.json", "calendar.ics", "fr/alarms/calendar.ics", "soon.atom.xml"} <= names
    feeds = [link for link in inside_of(preview, "/channels") if link.endswith("atom.xml")]
    assert [link.startswith("/channels/fr/") for link in feeds] == [False, False, True, True]  # language by language


def inside_of(preview: Preview, room: str) -> list[str]:
    links = [link["href"] for link in Reader(preview.get(room).text).all("a")]
    return [link for link in links if link.startswith(f"{room}/")]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("events.toml", b""),
        ("events.toml", b"format = 1\n[series\n"),
        ("events.toml", b"\xff\xfe\x00\x00"),
        ("events.toml", None),
        ("ledger.jsonl", b"<<<<<<< HEAD\n"),
    ],
    ids=["empty", "half", "no text", "gone", "conflict"],
)
def test_whatever_a_file_holds_the_next_save_mends_it(preview: Preview, name: str, body: bytes | None) -> None:
    file = preview.folder / name
    right = file.read_bytes()
    if body is None:
        file.unlink()
    else:
        file.write_bytes(body)
    for path in ("/", "/letters", "/plan", "/channels"):
        preview.shows(path, "Something is wrong")
    file.write_bytes(right)
    preview.shows("/", '<iframe id="site"')
    assert "two-weeks-before" in preview.shows("/plan", "two-weeks-before")
    assert "non-take-up of social rights" in preview.shows("/site/", "non-take-up")


def test_a_file_whose_name_is_not_utf8_does_not_end_the_following_of_saves(preview: Preview) -> None:
    preview.shows("/site/", "Digitize")
    (preview.folder / os.fsdecode(b"fa\xe7ade.txt")).touch()
    time.sleep(1)  # until the system has told it
    preview.edit("The consequences of digitization", "The beginnings of digitization")
    preview.shows("/site/", "The beginnings of digitization")


def test_only_this_machine_may_look_under_its_own_name(preview: Preview) -> None:
    assert preview.get("/", Host="rebound.example").status_code == 400
    assert preview.get("/site/", Host="rebound.example").status_code == 400
    assert preview.get("/changes", Host="rebound.example").status_code == 400
    port = int(preview.address.rpartition(":")[2])
    listening = subprocess.run(["cat", "/proc/net/tcp"], capture_output=True, text=True, check=False).stdout
    places = [line.split()[1] for line in listening.splitlines()[1:] if line.split()[3] == "0A"]
    assert [place for place in places if place.endswith(f":{port:04X}")] == [f"0100007F:{port:04X}"]
    assert preview.get("/site/../../events.toml").status_code == 404
    assert preview.get("/site/%2e%2e/events.toml").status_code == 404
    lost = preview.get("/nothing")
    assert (lost.status_code, "There is no such page" in Reader(lost.text).text) == (404, True)
    astray = preview.get("/site/nothing/")
    assert (astray.status_code, "There is no such page" in Reader(astray.text).text) == (404, True)
    assert "frame-ancestors 'self'" in astray.headers["content-security-policy"]  # it stands in the frame, too


def test_a_port_in_use_is_told_with_what_to_type(tmp_path: Path) -> None:
    shutil.copy(ROOT / "events.toml", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = started(tmp_path, "--port", str(taken.getsockname()[1]))
        _, complaints = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "tocsin preview --port 0" in complaints


@pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")
def test_the_browser_follows_each_save_by_itself_at_the_page_it_is_on(preview: Preview, tmp_path: Path) -> None:
    inside = "document.getElementById('site')?.contentDocument?.querySelector('h1')?.textContent"
    with chromium.browser(tmp_path.parent / f"{tmp_path.name}-browser") as page:
        page.open(preview.address + "/")
        page.until(f"({inside} ?? '').includes('Digitize')")
        page.ask("document.getElementById('site').contentDocument.querySelector('.next h3 a').click()")
        page.until(f"({inside} ?? '').includes('non-take-up of social rights')")
        preview.edit("the non-take-up of social rights", "what nobody asks for")
        page.until(f"({inside} ?? '').includes('what nobody asks for')")
        preview.edit('weekday = "Tuesday"', 'weekday = "Monday"')
        page.until("document.body.textContent.includes('not a Monday')")
        preview.edit('weekday = "Monday"', 'weekday = "Tuesday"')
        page.until(f"({inside} ?? '').includes('what nobody asks for')")
        wrong = preview.folder / "templates" / "site" / "poster.html"
        wrong.parent.mkdir(parents=True)
        wrong.write_text("{% endblock %}")
        page.until("document.querySelector('.wrong')?.checkVisibility()")
        page.until("document.querySelector('.wrong')?.textContent.includes('site/poster.html:1')")
        page.until(f"({inside} ?? '').includes('what nobody asks for')")
        wrong.unlink()
        page.until("document.querySelector('.wrong')?.checkVisibility() === false")
        assert page.console == []


@pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")
@pytest.mark.skipif(AXE is None, reason="axe-core isn't here: make judges")
def test_its_own_pages_are_for_everyone_too(preview: Preview, tmp_path: Path) -> None:
    assert AXE is not None
    judge = AXE.read_text(encoding="utf-8")
    pages = ("/?width=360", "/channels", "/channels/fr/atom.xml", "/channels/calendar.ics", "/letters",
             "/letters/fr-001-announced", "/plan", "/nothing", "/site/nothing/")  # fmt: skip

    def judged(path: str) -> None:
        for width, look in ((1280, "light"), (320, "dark")):
            page.size(width)
            page.look(look)
            page.open(preview.address + path)
            page.ask(judge + "; true")
            # What stands in frames is judged elsewhere: letters, and the pages of the site.
            found = page.ask(
                "axe.run({iframes: false}).then(r => r.violations.map(v => [v.id, v.nodes.map(n => n.html)]))"
            )
            assert found == [], (path, width)
            assert page.ask("document.documentElement.scrollWidth") <= width, (path, width)

    with chromium.browser(tmp_path.parent / f"{tmp_path.name}-browser") as page:
        # A page that follows a save by itself would reload in the midst of its judgement.
        page.call("Page.addScriptToEvaluateOnNewDocument", source="window.EventSource = class {};")
        for path in pages:
            judged(path)
        (preview.folder / "templates" / "site").mkdir(parents=True)
        (preview.folder / "templates" / "site" / "event.html").write_text("{% if %}")
        preview.shows("/plan", "event.html:1")
        judged("/plan")
        preview.edit('weekday = "Tuesday"', 'weekday = "Monday"')
        preview.shows("/", "Something is wrong")
        judged("/")
