"""`tocsin publish` tells a WebSub hub what changed: a real HTTP conversation with a hub on this machine."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs

import forking
import pytest
from publishing import HEAD, TALK
from test_posting import git, pushed

from pipeline.actions.following import Follower
from pipeline.actions.project import project_at
from pipeline.clock import FrozenClock
from pipeline.store.database import open_database


class Hub:
    """What was posted, and the status to answer with."""

    def __init__(self) -> None:
        self.posts: list[dict[str, list[str]]] = []
        self.status = 204
        self.reason: str | None = None
        self.location = ""
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                assert self.headers["Content-Type"] == "application/x-www-form-urlencoded"
                hub.posts.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                self.send_response(hub.status, hub.reason)
                if hub.location:
                    self.send_header("Location", hub.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                hub.posts.append({"method": ["GET"]})
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/"

    def told(self) -> list[str]:
        """The feeds told since the last call."""
        posts, self.posts = self.posts, []
        assert all(post["hub.mode"] == ["publish"] for post in posts)
        return [feed for post in posts for feed in post["hub.url"]]


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    thread = Thread(target=hub.server.serve_forever)
    thread.start()
    yield hub
    hub.server.shutdown()
    thread.join()
    hub.server.server_close()


def publish(folder: Path, hub: str, events: str, now: str) -> subprocess.CompletedProcess[str]:
    text = HEAD.replace("[site]", f'[site]\nhub = "{hub}"') + events
    (folder / "events.toml").write_text(text, encoding="utf-8")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    return forking.run(["publish", "--now", now], folder, clean)


FIRST, SECOND, THIRD = (f"2026-02-0{day}T10:00:00Z" for day in (1, 2, 3))
BASE = "https://talks.example/cycle/"


def test_each_feed_that_changed_is_told_once_and_no_other(hub: Hub, tmp_path: Path) -> None:
    tagged = TALK + 'tags = ["tea"]\n'
    assert publish(tmp_path, hub.address, tagged, FIRST).returncode == 0
    names = ("atom.xml", "feed.json", "rss.xml", "soon.atom.xml", "tags/tea.atom.xml")
    assert sorted(hub.told()) == sorted(f"{BASE}{tree}{name}" for tree in ("", "fr/") for name in names)
    again = publish(tmp_path, hub.address, tagged, SECOND)
    assert (again.returncode, hub.told()) == (0, [])
    other = TALK.replace('"talk"', '"other"').replace("2026-10-20", "2026-10-21")
    assert "told the hub of 6 feeds" in publish(tmp_path, hub.address, tagged + other, THIRD).stderr
    names = ("atom.xml", "feed.json", "rss.xml")
    assert sorted(hub.told()) == sorted(f"{BASE}{tree}{name}" for tree in ("", "fr/") for name in names)


def test_a_hub_that_fails_is_a_warning_and_is_told_next_time(hub: Hub, tmp_path: Path) -> None:
    hub.status = 503
    done = publish(tmp_path, hub.address, TALK, FIRST)
    assert done.returncode == 0
    assert "was not told: 503" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(hub.told()) == 1  # the others would fare no better
    hub.status = 202
    assert publish(tmp_path, hub.address, TALK, SECOND).returncode == 0
    assert len(hub.told()) == 8


def test_a_redirect_is_not_followed(hub: Hub, tmp_path: Path) -> None:
    hub.status, hub.location = 302, "file:///etc/passwd"
    assert "was not told: 302" in publish(tmp_path, hub.address, TALK, FIRST).stderr
    hub.told()
    hub.status, hub.location = 307, hub.address + "elsewhere"
    assert "was not told: 307" in publish(tmp_path, hub.address, TALK, SECOND).stderr
    assert len(hub.told()) == 1


def test_a_hub_that_is_not_there_is_a_warning(hub: Hub, tmp_path: Path) -> None:
    done = publish(tmp_path, "http://127.0.0.1:9/", TALK, FIRST)
    assert done.returncode == 0
    assert "the hub http://127.0.0.1:9/ was not told: " in done.stderr


def test_without_a_hub_nothing_is_told_or_remembered(hub: Hub, tmp_path: Path) -> None:
    publish(tmp_path, hub.address, TALK, FIRST)
    hub.told()
    (tmp_path / "var" / "hub.json").unlink()
    (tmp_path / "events.toml").write_text(HEAD + TALK, encoding="utf-8")
    done = forking.run(["publish", "--now", SECOND], tmp_path, os.environ)
    assert done.returncode == 0
    assert hub.told() == []
    assert not (tmp_path / "var" / "hub.json").exists()


def test_what_a_hub_says_can_not_command_the_terminal(hub: Hub, tmp_path: Path) -> None:
    hub.status, hub.reason = 500, "busy \x1b]0;mine\x07"
    done = publish(tmp_path, hub.address, TALK, FIRST)
    assert done.returncode == 0
    assert "was not told: 500 busy" in done.stderr
    assert "\x1b" not in done.stderr


def test_a_server_that_follows_a_branch_tells_the_hub_and_tries_again(hub: Hub, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(tmp_path, "clone", "--quiet", "remote.git", "work")
    work = tmp_path / "work"
    (work / ".gitignore").write_text("/out/\n/var/\n")
    (work / "events.toml").write_text(HEAD.replace("[site]", f'[site]\nhub = "{hub.address}"') + TALK)
    pushed(work)
    git(work, "branch", "--quiet", "--set-upstream-to", "origin/main")
    clock = FrozenClock(datetime(2026, 2, 1, 10, tzinfo=UTC))
    hub.status = 503
    with open_database(f"sqlite:///{work / 'var' / 'tocsin.db'}", clock) as database:
        follower = Follower(project_at(work / "events.toml"), database, clock, writes=True)
        found = follower.look()
        assert (found.changes, found.trouble, str(found.untold)[:3]) == (1, None, "503")
        hub.told()
        hub.status = 204
        assert follower.look().untold is None
        assert f"{BASE}atom.xml" in hub.told()
        follower.look()
        assert hub.told() == []
