"""`tocsin post`: without a server to mailing lists, over real SMTP, its journal pushed to a real remote."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture import Mailboxes, capture
from patience import PATIENCE
from smallest import SMALLEST
from test_publishing import ROOT, tocsin

from pipeline.repository import SharedFile

CATALOGUE = f"""{SMALLEST}[mail]
from = "Talks <talks@talks.example>"
lists = [{{ address = "members@lists.example", language = "en" }},
         {{ address = "press@lists.example", language = "en", kinds = ["announcements"] }}]
[[event]]
id = "bees"
title = "What bees know"
date = 2027-03-04
time = "19:00"
online = "https://live.talks.example/"
"""
PUBLISHED = "2027-01-10T10:00:00Z"
SOON = ("--now", "2027-01-10T10:05:00Z")
LATER = ("--now", "2027-01-10T10:40:00Z")
MEMBERS, PRESS = "members@lists.example", "press@lists.example"


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A published series in a clone of a bare repository."""
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(tmp_path, "clone", "--quiet", "remote.git", "work")
    folder = tmp_path / "work"
    (folder / "events.toml").write_text(CATALOGUE)
    (folder / ".gitignore").write_text("/out/\n/var/\n*.log\n")
    done = tocsin(folder, "publish", "--now", PUBLISHED)
    assert done.returncode == 0, done.stderr
    pushed(folder)
    return folder


def pushed(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "-c", "user.name=Ada", "-c", "user.email=ada@talks.example", "commit", "--quiet", "-m", "edit")
    git(folder, "push", "--quiet", "origin", "HEAD:main")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Mailboxes, str]]:
    with capture(tmp_path / "mail") as running:
        yield running


def journal(clone: Path) -> list[dict[str, str]]:
    text = git(clone.parent / "remote.git", "show", "tocsin-sent:sent.jsonl")
    return [json.loads(line) for line in text.splitlines()]


def test_each_list_gets_what_it_wants_once_and_the_checkout_is_left_alone(
    clone: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    (clone / "notes.txt").write_text("not committed yet")
    before = git(clone, "status", "--porcelain", "--branch"), git(clone, "rev-parse", "HEAD")
    done = tocsin(clone, "post", *SOON, TOCSIN_SMTP_URL=url)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "2 posted"), done.stderr
    assert {to: len(found) for to, found in boxes.messages.items()} == {MEMBERS: 1, PRESS: 1}
    assert "What bees know" in boxes.header(MEMBERS, "Subject")
    assert [(line["to"], line["stage"]) for line in journal(clone)] == [
        (MEMBERS, "begun"), (MEMBERS, "sent"), (PRESS, "begun"), (PRESS, "sent"),
    ]  # fmt: skip
    assert (git(clone, "status", "--porcelain", "--branch"), git(clone, "rev-parse", "HEAD")) == before

    assert tocsin(clone, "post", *LATER, TOCSIN_SMTP_URL=url).stdout == "0 posted\n"
    fortnight = ("--now", "2027-02-18T09:30:00Z")
    assert tocsin(clone, "post", *fortnight, TOCSIN_SMTP_URL=url).stdout.splitlines()[-1] == "1 posted"
    assert {to: len(found) for to, found in boxes.messages.items()} == {MEMBERS: 2, PRESS: 1}


def test_an_edit_reaches_a_list_only_when_it_is_published_and_then_as_a_notice(
    clone: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    tocsin(clone, "post", *SOON, TOCSIN_SMTP_URL=url)
    (clone / "events.toml").write_text(CATALOGUE.replace('"19:00"', '"20:00"'))
    later = ("--now", "2027-01-12T10:00:00Z")
    assert tocsin(clone, "post", *later, TOCSIN_SMTP_URL=url).stdout == "0 posted\n"
    assert tocsin(clone, "publish", *later).returncode == 0
    done = tocsin(clone, "post", "--now", "2027-01-12T11:00:00Z", TOCSIN_SMTP_URL=url)
    assert "1 posted" in done.stdout, done.stderr
    assert "20:00" in boxes.messages[MEMBERS][-1].decode()
    assert len(boxes.messages[PRESS]) == 1


def test_a_run_that_is_killed_after_its_intention_posts_nothing_twice_and_says_what_is_in_doubt(
    clone: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    for point, arrived in (("after_intention", 0), ("after_post:1", 1)):
        killed = tocsin(clone, "post", *SOON, TOCSIN_SMTP_URL=url, TOCSIN_CRASH_AT=point)
        assert killed.returncode == -9
        assert sum(map(len, boxes.messages.values())) == arrived
    soon = tocsin(clone, "post", *SOON, TOCSIN_SMTP_URL=url)
    assert (soon.returncode, soon.stdout) == (0, "0 posted\n")
    assert "another run is at it: members@lists.example  bees/announced/0" in soon.stderr
    done = tocsin(clone, "post", *LATER, TOCSIN_SMTP_URL=url)
    assert (done.returncode, done.stdout) == (1, "0 posted\n")
    assert done.stderr.count("nobody knows whether it arrived") == 2
    assert sum(map(len, boxes.messages.values())) == 1

    # The organiser looks into the archives, and says so of each.
    again = tocsin(clone, "post", "--resend", "bees/announced/0", *LATER)
    assert again.returncode == 0, again.stderr
    assert tocsin(clone, "post", *LATER, TOCSIN_SMTP_URL=url).stdout.splitlines()[-1] == "2 posted"
    nothing = tocsin(clone, "post", "--drop", "bees/announced/0", *LATER)
    assert (nothing.returncode, "is in doubt" in nothing.stderr) == (1, True)


def test_two_runs_that_race_post_each_mail_once(clone: Path, server: tuple[Mailboxes, str], tmp_path: Path) -> None:
    boxes, url = server
    many = "".join(
        f'[[event]]\nid = "e{number}"\ntitle = "Talk {number}"\ndate = 2027-05-0{number}\ntime = "19:00"\n'
        for number in range(1, 5)
    )
    (clone / "events.toml").write_text(CATALOGUE + many)
    assert tocsin(clone, "publish", "--now", "2027-01-10T10:01:00Z").returncode == 0
    pushed(clone)
    git(tmp_path, "clone", "--quiet", "remote.git", "other")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "pipeline", "post", *SOON],
            cwd=folder,
            text=True,
            env={**clean, "PYTHONPATH": str(ROOT), "TOCSIN_SMTP_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for folder in (clone, tmp_path / "other")
    ]
    said = [run.communicate(timeout=2 * PATIENCE) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert sum(int(out.splitlines()[-1].split()[0]) for out, _ in said) == 10
    assert {to: len(found) for to, found in boxes.messages.items()} == {MEMBERS: 5, PRESS: 5}


def test_of_two_that_begin_a_post_at_the_same_moment_git_takes_one(clone: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "remote.git", "other")
    mine, theirs = (SharedFile(folder, "origin", "tocsin-sent", "sent.jsonl") for folder in (clone, tmp_path / "other"))
    seen = []

    def more(text: str) -> str:
        seen.append(text)
        if len(seen) == 1:  # between our look and our push
            theirs.add(lambda _there: "theirs\n", "theirs")
        return "" if "theirs" in text else "mine\n"

    assert mine.add(more, "mine") == "theirs\n"
    assert seen == ["", "theirs\n"]
    assert mine.text() == theirs.text() == "theirs\n"


def test_a_server_that_is_away_loses_nothing(clone: Path) -> None:
    done = tocsin(clone, "post", *SOON, TOCSIN_SMTP_URL="smtp://127.0.0.1:1?helo=localhost")
    assert done.returncode == 3
    assert "the mail server can't be used" in done.stderr
    branches = git(clone.parent / "remote.git", "branch", "--list", "tocsin-sent")
    assert branches == "", "no intention was pushed for what could not be posted"


def test_without_a_remote_or_with_a_spoilt_journal_it_says_so_and_posts_nothing(
    clone: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    for arguments, said in (
        (("--remote", "nowhere"), "git ls-remote"),
        (("--branch", "--upload-pack=x"), "can't be meant"),
    ):
        flags = [f"{arguments[0]}={arguments[1]}"]
        done = tocsin(clone, "post", *flags, *SOON, TOCSIN_SMTP_URL=url)
        assert done.returncode in {2, 3}
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    tocsin(clone, "post", *SOON, TOCSIN_SMTP_URL=url)
    before = sum(map(len, boxes.messages.values()))
    git(clone, "fetch", "--quiet", "origin", "tocsin-sent")
    git(clone, "checkout", "--quiet", "FETCH_HEAD")
    (clone / "sent.jsonl").write_text("{}\n")
    git(clone, "-c", "user.name=A", "-c", "user.email=a@b.example", "commit", "--quiet", "-am", "spoilt")
    git(clone, "push", "--quiet", "origin", "HEAD:tocsin-sent")
    git(clone, "checkout", "--quiet", "main")
    done = tocsin(clone, "post", *LATER, TOCSIN_SMTP_URL=url)
    assert (done.returncode, "sent.jsonl:1:" in done.stderr) == (1, True)
    assert sum(map(len, boxes.messages.values())) == before


def test_a_series_in_a_folder_of_the_repository_has_its_journal_at_the_top_of_the_branch(
    clone: Path, server: tuple[Mailboxes, str]
) -> None:
    inner = clone / "series"
    inner.mkdir()
    for name in ("events.toml", "ledger.jsonl"):
        (clone / name).rename(inner / name)
    assert "2 posted" in tocsin(inner, "post", *SOON, TOCSIN_SMTP_URL=server[1]).stdout
    assert len(journal(clone)) == 4
    assert tocsin(inner, "post", *LATER, TOCSIN_SMTP_URL=server[1]).stdout == "0 posted\n"


def test_mail_that_the_catalogue_holds_stays(clone: Path, server: tuple[Mailboxes, str]) -> None:
    (clone / "events.toml").write_text(CATALOGUE.replace("[mail]", "[mail]\nhold = true"))
    done = tocsin(clone, "post", *SOON, TOCSIN_SMTP_URL=server[1])
    assert (done.returncode, "hold = true" in done.stderr) == (1, True)
    assert server[0].messages == {}
