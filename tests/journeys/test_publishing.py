"""From the command line: the same input gives the same bytes anywhere, and a wrong one changes nothing."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import forking
import pytest

ROOT = Path(__file__).parents[2]
DAY = "2022-10-01"


def tocsin(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the real command in a process of its own."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    return forking.run(arguments, folder, {**clean, **environment})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the real series in a folder of its own."""
    folder = tmp_path / "project"
    folder.mkdir()
    for name in ("events.toml", "ledger.jsonl"):
        shutil.copy(ROOT / name, folder)
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_the_same_day_gives_the_same_bytes_in_another_place_hour_zone_and_locale(project: Path, tmp_path: Path) -> None:
    assert tocsin(project, "publish", "--day", DAY, "--now", "2022-10-01T06:00:00Z").returncode == 0
    here = tree(project / "out")
    elsewhere = tmp_path / "ein anderer Ordner"
    shutil.copytree(project, elsewhere, ignore=shutil.ignore_patterns("out", "var"))
    for zone, locale, seed, now in (
        ("Pacific/Kiritimati", "tr_TR.UTF-8", "1", "2031-01-01T23:59:59+14:00"),
        ("America/Los_Angeles", "C", "77", "2022-10-01T07:00:00Z"),
    ):
        shutil.rmtree(elsewhere / "out", ignore_errors=True)
        done = tocsin(
            elsewhere, "build", "--day", DAY, "--now", now, TZ=zone, LC_ALL=locale, PYTHONHASHSEED=seed, PYTHONUTF8="0"
        )
        assert done.returncode == 0, done.stderr
        assert tree(elsewhere / "out") == here


def test_a_second_build_writes_nothing(project: Path) -> None:
    tocsin(project, "build", "--day", DAY)
    stamps = {path: path.stat().st_mtime_ns for path in (project / "out").rglob("*")}
    done = tocsin(project, "build", "--day", DAY)
    assert "0 files written, 0 removed" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in (project / "out").rglob("*")} == stamps


def test_only_the_listed_files_depend_on_the_day(project: Path) -> None:
    tocsin(project, "build", "--day", DAY)
    before = tree(project / "out")
    tocsin(project, "build", "--day", "2030-01-01")
    after = tree(project / "out")
    assert before.keys() == after.keys()
    changed = {path for path in before if before[path] != after[path]}
    # feed.json says `expired` only when the series is over, and the fifth conference is still to come.
    ahead = {"index.html", "next/index.html", "embed/index.html", "poster/index.html", "soon.atom.xml"}
    assert changed == ahead | {f"fr/{path}" for path in ahead}


def test_it_warns_of_calendars_and_feeds_that_are_gone(project: Path) -> None:
    """Whoever follows them hears nothing more: here all that was in French moves to the top, and says so nowhere."""
    tocsin(project, "publish", "--day", DAY)
    assert tocsin(project, "publish", "--day", DAY).stderr == ""
    catalogue = project / "events.toml"
    text = catalogue.read_text()
    catalogue.write_text(
        text.replace('default_language = "en"', 'default_language = "fr"').replace('["en", "fr"]', '["fr", "en"]')
    )
    done = tocsin(project, "publish", "--day", DAY)
    assert done.returncode == 0, done.stderr
    assert "people may follow are gone" in done.stderr
    assert "fr/atom.xml, fr/calendar.ics, fr/feed.json, fr/rss.xml, …" in done.stderr


def test_publishing_twice_adds_nothing_and_touches_nothing(project: Path) -> None:
    ledger = (project / "ledger.jsonl").read_bytes()
    stamp = (project / "ledger.jsonl").stat().st_mtime_ns
    for _ in range(2):
        done = tocsin(project, "publish", "--day", DAY)
        assert "nothing new to publish" in done.stdout, done.stderr
    assert (project / "ledger.jsonl").read_bytes() == ledger
    assert (project / "ledger.jsonl").stat().st_mtime_ns == stamp


def test_a_draft_shows_what_publishing_would_give_and_leaves_the_ledger_alone(project: Path) -> None:
    edit(project, 'weekday = "Thursday"\ntime = "19:00"', 'weekday = "Thursday"\ntime = "19:30"')
    ledger = (project / "ledger.jsonl").read_bytes()
    now = ("--now", "2022-11-01T10:00:00Z", "--day", "2022-11-01")
    done = tocsin(project, "build", *now)
    assert "social-work: changed (time)" in done.stdout
    assert (project / "ledger.jsonl").read_bytes() == ledger
    draft = tree(project / "out")
    assert tocsin(project, "publish", *now).returncode == 0
    assert tree(project / "out") == draft
    assert tocsin(project, "build", "--day", "2022-11-01", "--now", "2023-05-05T05:05:05Z").returncode == 0
    assert tree(project / "out") == draft
    assert len((project / "ledger.jsonl").read_text().splitlines()) == 6


def test_a_ledger_that_lacks_what_was_published_elsewhere_publishes_nothing(project: Path) -> None:
    old = (project / "ledger.jsonl").read_bytes()
    edit(project, 'weekday = "Thursday"\ntime = "19:00"', 'weekday = "Thursday"\ntime = "19:30"')
    assert tocsin(project, "publish", "--day", DAY).returncode == 0
    (project / "ledger.jsonl").write_bytes(old)
    before = tree(project / "out")
    done = tocsin(project, "publish", "--day", DAY, "--now", "2030-01-01T00:00:00Z")
    assert (done.returncode, "published from elsewhere" in done.stderr) == (3, True)
    assert (project / "ledger.jsonl").read_bytes() == old
    assert tree(project / "out") == before


def edit(project: Path, there: str, typed: str) -> None:
    file = project / "events.toml"
    text = file.read_text()
    assert there in text
    file.write_text(text.replace(there, typed, 1))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda project: edit(project, 'weekday = "Tuesday"', 'weekday = "Monday"'),
        lambda project: edit(project, "[series]", "[series"),
        lambda project: edit(project, '[[event]]\nid = "social-work"', '[[event]]\nid = "social-worker"'),
        lambda project: (project / "events.toml").write_bytes(b"\xff\xfe"),
        lambda project: (project / "events.toml").unlink(),
        lambda project: (project / "ledger.jsonl").write_text("{}\n"),
        lambda project: (project / "templates" / "site").mkdir(parents=True)
        or (project / "templates" / "site" / "index.html").write_text("{{ nothing.at.all }}"),
    ],
)  # fmt: skip
def test_a_wrong_input_ends_with_1_says_where_and_changes_nothing(project: Path, spoil: Callable[[Path], None]) -> None:
    tocsin(project, "publish", "--day", DAY)
    spoil(project)
    before = tree(project)
    for command in ("build", "publish"):
        done = tocsin(project, command, "--day", DAY)
        assert (done.returncode, done.stdout) == (1, "")
        assert "Traceback" not in done.stderr
        assert done.stderr.strip()
    assert {path: body for path, body in tree(project).items() if not path.startswith("var/")} == {
        path: body for path, body in before.items() if not path.startswith("var/")
    }


def test_an_event_that_vanished_can_be_retired_and_stays_cancelled_in_calendars(project: Path) -> None:
    text = (project / "events.toml").read_text()
    start = text.index('[[event]]\nid = "social-work"')
    end = text.index('[[event]]\nid = "welfare-control"')
    (project / "events.toml").write_text(text[:start] + text[end:])
    assert "tocsin retire social-work" in tocsin(project, "check").stderr
    assert "type one of these: social-work" in tocsin(project, "retire", "socialwork").stderr
    assert tocsin(project, "retire", "social-work").returncode == 0
    assert "no event is left to be retired" in tocsin(project, "retire", "social-work").stderr
    assert tocsin(project, "publish", "--day", DAY).returncode == 0
    calendar = (project / "out" / "calendar.ics").read_text()
    block = calendar[calendar.index("UID:social-work@") - 400 : calendar.index("UID:social-work@") + 3000]
    assert "STATUS:CANCELLED" in block
    # Links in calendars, feeds and old mails lead to its page, which says so.
    page = (project / "out" / "events" / "social-work" / "index.html").read_text()
    assert '<meta name="robots" content="noindex">' in page
    assert "social-work" not in (project / "out" / "index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ([], 2), (["frobnicate"], 2), (["build", "--day", "tomorrow"], 2), (["build", "--now", "2022-01-01T00:00"], 2),
        (["check"], 0), (["check", "--strict"], 1), (["--version"], 0), (["--help"], 0), (["plan", "--help"], 0),
        (["build", "--day", "9999-12-31"], 2), (["build", "--now", "0001-01-01T00:00:00Z"], 2),
        (["build", "--templates", "nowhere"], 2), (["publish", "--database", "mysql://x"], 2),
        (["publish", "--database", "sqlite:////proc/nowhere/x.db"], 3),
        (["send"], 2), (["status"], 3), (["check", "--catalogue", "nowhere.toml"], 1),
    ],
)  # fmt: skip
def test_exit_statuses_are_those_of_the_contract(project: Path, arguments: list[str], status: int) -> None:
    done = tocsin(project, *arguments)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


def test_results_for_programs_are_json(project: Path) -> None:
    import json

    found = json.loads(tocsin(project, "plan", "--json", "--now", "2022-09-01T10:00:00Z").stdout)
    assert [mail["key"] for mail in found["mail"]][:2] == ["non-take-up/announced/0", "social-work/announced/0"]
    assert len(found["mail"]) == 17
    built = json.loads(tocsin(project, "build", "--json", "--day", DAY).stdout)
    assert "calendar.ics" in built["written"]
