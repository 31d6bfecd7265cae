"""`tocsin run --source git`: a push reaches the site and the mails; a wrong one changes nothing and is told once."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture import Mailboxes, capture
from patience import until
from test_posting import CATALOGUE, clone, git, pushed
from test_publishing import tocsin
from test_service import serving

__all__ = ["clone"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Mailboxes, str]]:
    with capture(tmp_path / "mail") as running:
        yield running


@pytest.fixture
def editor(clone: Path, tmp_path: Path) -> Path:
    """Another clone, in which somebody edits."""
    git(tmp_path, "clone", "--quiet", "remote.git", "editor")
    return tmp_path / "editor"


def edit(editor: Path, there: str, typed: str) -> None:
    git(editor, "pull", "--quiet", "--ff-only")
    text = (editor / "events.toml").read_text()
    assert there in text
    (editor / "events.toml").write_text(text.replace(there, typed))
    pushed(editor)


def catalogue_of(clone: Path) -> str:
    """What the catalogue holds, which is gone for a moment while git exchanges it."""
    try:
        return (clone / "events.toml").read_text()
    except FileNotFoundError:
        return ""


def alerts(tmp_path: Path) -> list[str]:
    file = tmp_path / "alerts"
    return file.read_text().splitlines() if file.exists() else []


PULLING = ("--source", "git", "--pull-every", "0.3")


def test_a_push_is_published_a_wrong_one_keeps_the_last_edition_and_is_told_once(
    clone: Path, editor: Path, server: tuple[Mailboxes, str], tmp_path: Path
) -> None:
    tell = f"tee -a {tmp_path / 'alerts'}"
    page = clone / "out" / "events" / "bees" / "index.html"
    with serving(clone, server[1], *PULLING, TOCSIN_ALERT=tell):
        edit(editor, "What bees know", "What bees know; $(touch hacked)")
        until(lambda: "touch hacked" in page.read_text())
        until(lambda: len(git(tmp_path / "remote.git", "show", "main:ledger.jsonl").splitlines()) == 2)
        assert alerts(tmp_path) == []

        edit(editor, 'time = "19:00"', 'time = "19h"\nweekday = "Monday"')
        until(lambda: alerts(tmp_path))
        before = page.read_bytes()
        time.sleep(2)  # several looks later
        [alert] = alerts(tmp_path)
        assert alert.startswith("tocsin: the last edition stays: events.toml:")
        assert page.read_bytes() == before

        edit(editor, 'time = "19h"\nweekday = "Monday"', 'time = "20:00"')
        until(lambda: "20:00" in page.read_text())
        until(lambda: len(alerts(tmp_path)) == 2)
        assert "can be published again" in alerts(tmp_path)[1]
        until(lambda: len(git(tmp_path / "remote.git", "show", "main:ledger.jsonl").splitlines()) == 3)
    assert not list(tmp_path.rglob("hacked"))
    assert git(clone, "status", "--porcelain") == ""
    assert git(clone, "rev-parse", "HEAD") == git(tmp_path / "remote.git", "rev-parse", "main")


def test_what_a_pipeline_publishes_is_taken_over_only_with_its_ledger(
    clone: Path, editor: Path, server: tuple[Mailboxes, str], tmp_path: Path
) -> None:
    page = clone / "out" / "events" / "bees" / "index.html"
    with serving(clone, server[1], "--source", "git-published", "--pull-every", "0.3"):
        edit(editor, 'time = "19:00"', 'time = "20:00"')
        until(lambda: "20:00" in catalogue_of(clone))
        time.sleep(1.5)
        assert "20:00" not in page.read_text()
        assert tocsin(editor, "publish", "--now", "2027-01-11T10:00:00Z").returncode == 0
        pushed(editor)
        until(lambda: "20:00" in page.read_text())
    assert git(clone, "status", "--porcelain") == ""


def test_histories_that_parted_and_a_remote_that_is_away_are_told_and_the_service_goes_on(
    clone: Path, editor: Path, server: tuple[Mailboxes, str], tmp_path: Path
) -> None:
    tell = f"tee -a {tmp_path / 'alerts'}"
    (clone / "notes.txt").write_text("mine")
    git(clone, "add", "notes.txt")
    git(clone, "-c", "user.name=A", "-c", "user.email=a@talks.example", "commit", "--quiet", "-m", "here alone")
    edit(editor, 'time = "19:00"', 'time = "20:00"')
    head = git(clone, "rev-parse", "HEAD")
    with serving(clone, server[1], *PULLING, TOCSIN_ALERT=tell) as client:
        until(lambda: alerts(tmp_path))
        assert "have parted" in alerts(tmp_path)[0]
        assert git(clone, "rev-parse", "HEAD") == head
        (tmp_path / "remote.git").rename(tmp_path / "away.git")
        time.sleep(1)
        assert client.get("/healthz").status_code == 200
        assert len(alerts(tmp_path)) == 1
        (tmp_path / "away.git").rename(tmp_path / "remote.git")
        git(clone, "reset", "--quiet", "--hard", "HEAD~1")
        until(lambda: "20:00" in (clone / "out" / "events" / "bees" / "index.html").read_text())


def test_a_folder_that_follows_no_remote_says_what_to_type(tmp_path: Path, server: tuple[Mailboxes, str]) -> None:
    (tmp_path / "events.toml").write_text(CATALOGUE)
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    assert tocsin(tmp_path, "publish", "--now", "2027-01-10T10:00:00Z").returncode == 0
    tell = f"tee -a {tmp_path / 'alerts'}"
    with serving(tmp_path, server[1], *PULLING, TOCSIN_ALERT=tell):
        until(lambda: alerts(tmp_path))
    assert "git branch --set-upstream-to" in alerts(tmp_path)[0]
