"""A newsletter that is pushed to a repository which `tocsin run` follows: at its hour it is a mail, a page and news."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import feedparser
import pytest
from capture import Mailboxes, capture
from html_reader import Reader
from patience import until
from test_following import catalogue_of
from test_posting import clone, git, pushed
from test_publishing import tocsin
from test_service import ADA, parsed, serving

__all__ = ["clone"]

BOB = "bob@reader.example"
NEWSLETTER = """[[newsletter]]
id = "january"
send = 2027-01-12T11:00:00
subject = "Bees in winter"
text = "They *keep warm* together."
"""
PUSHED = "2027-01-12T06:00:00Z"
SHORTLY_BEFORE = "2027-01-12T09:59:55Z"
AFTERWARDS = "2027-01-12T10:20:00Z"
FOLLOWING = ("--source", "git", "--pull-every", "0.3")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Mailboxes, str]]:
    with capture(tmp_path / "mail") as running:
        yield running


@pytest.fixture
def followed(clone: Path, tmp_path: Path, server: tuple[Mailboxes, str]) -> Path:
    """A clone whose service took over a newsletter that somebody pushed from another one, hours before it is due."""
    text = (clone / "events.toml").read_text()
    lists = text[text.index("lists = [") : text.index("[[event]]")]
    git(tmp_path, "clone", "--quiet", "remote.git", "editor")
    editor = tmp_path / "editor"
    for address in (ADA, BOB):
        assert tocsin(clone, "subscribers", "add", address).returncode == 0
    assert tocsin(clone, "arm").returncode == 0
    with serving(clone, server[1], *FOLLOWING, now=PUSHED):
        (editor / "events.toml").write_text(text.replace(lists, "") + NEWSLETTER)
        pushed(editor)
        until(lambda: "Bees in winter" in catalogue_of(clone))
        time.sleep(2)  # several looks later
    return clone


def ledger(clone: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in git(clone.parent / "remote.git", "show", "main:ledger.jsonl").splitlines()]


def newsletters(boxes: Mailboxes, address: str) -> list[bytes]:
    return [mail for mail in boxes.messages.get(address, []) if parsed(mail)["Subject"] == "Bees in winter"]


def test_its_mail_leaves_once_and_its_page_entry_and_ledger_line_come_with_it(
    followed: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    page = followed / "out" / "newsletters" / "january" / "index.html"
    feed = followed / "out" / "atom.xml"
    assert not page.exists()
    assert b"Bees in winter" not in feed.read_bytes()
    assert [line["kind"] for line in ledger(followed)] == ["announced"]
    assert newsletters(boxes, ADA) == []

    with serving(followed, url, *FOLLOWING, now=SHORTLY_BEFORE):
        until(lambda: newsletters(boxes, ADA) and newsletters(boxes, BOB))
        until(lambda: [line["kind"] for line in ledger(followed)] == ["announced", "newsletter"])
        until(page.exists)
        time.sleep(2)
    with serving(followed, url, *FOLLOWING, now=AFTERWARDS):
        time.sleep(2)
    assert [len(newsletters(boxes, address)) for address in (ADA, BOB)] == [1, 1]
    assert [line["kind"] for line in ledger(followed)] == ["announced", "newsletter"]

    [mail] = newsletters(boxes, ADA)
    body = parsed(mail).get_body(("plain",))
    assert body is not None
    assert "They keep warm together." in body.get_content()
    shown = Reader(page.read_text())
    assert "They keep warm together." in shown.text
    [entry] = [entry for entry in feedparser.parse(feed.read_bytes()).entries if "Bees in winter" in entry.title]
    assert entry.link == "https://talks.example/newsletters/january/"
    assert entry.published == "2027-01-12T10:00:00+00:00"
    assert git(followed, "status", "--porcelain") == ""
    assert git(followed, "rev-parse", "HEAD") == git(followed.parent / "remote.git", "rev-parse", "main")


def test_what_was_wrong_in_it_is_put_right_by_another_that_is_pushed(
    followed: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    editor = followed.parent / "editor"
    folder = followed / "out" / "newsletters"
    with serving(followed, url, *FOLLOWING, now=SHORTLY_BEFORE):
        until((folder / "january" / "index.html").exists)
        until(lambda: newsletters(boxes, ADA))
        git(editor, "pull", "--quiet", "--ff-only")
        text = (editor / "events.toml").read_text()
        correction = 'id = "right"\nsend = 2027-01-12T11:00:01\nsubject = "Bees, corrected"\ncorrects = "january"\n'
        wrong = text.replace("keep warm", "fly south")
        (editor / "events.toml").write_text(f'{wrong}[[newsletter]]\n{correction}text = "They stay."\n')
        until(lambda: len(ledger(followed)) == 2)
        git(editor, "pull", "--quiet", "--ff-only")
        pushed(editor)
        until((folder / "right" / "index.html").exists)
        until(lambda: any(parsed(mail)["Subject"] == "Bees, corrected" for mail in boxes.messages[ADA]))
    assert len(newsletters(boxes, ADA)) == 1
    first = (folder / "january" / "index.html").read_text()
    assert "keep warm" in first
    assert "fly south" not in first
    assert "newsletters/right/index.html" in first
    assert "newsletters/january/index.html" in (folder / "right" / "index.html").read_text()
