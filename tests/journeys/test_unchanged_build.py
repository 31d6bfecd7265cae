"""A build where nothing is different reads nothing, writes nothing and says so; any difference is built."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import ROOT
from smallest import SMALLEST

from pipeline.actions.remembered_reading import Reading
from pipeline.actions.verdict_memory import KEPT_OF_BUILD, Looked, memory, remembered
from pipeline.cli import main
from pipeline.files import MANIFEST, UNFINISHED
from pipeline.ledger_lines import Line
from pipeline.staging import Staged, staging

CATALOGUE = f"""{SMALLEST}[[event]]
id = "talk"
title = "A talk"
date = 2027-03-01
time = "19:00"
image = "talk.png"
image_alt = "A door"
"""
NOW = ("--now", "2027-01-10T10:00:00Z")
PICTURE = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A published series that was just built."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.toml").write_text(CATALOGUE)
    (tmp_path / "talk.png").write_bytes(PICTURE)
    assert main(["publish", *NOW]) == 0
    assert main(["build", *NOW]) == 0
    capsys.readouterr()
    return tmp_path


def test_nothing_is_loaded_and_nothing_written_where_nothing_is_different(built: Path) -> None:
    stamps = {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file()}
    seen = """
import sys
from pipeline.cli import main
status = main(["build", "--now", "2027-01-10T18:00:00Z"])
loaded = {"pydantic", "jinja2", "icalendar", "babel", "sqlalchemy"} & set(sys.modules)
sys.exit(status or (f"loaded {loaded}" if loaded else 0))
"""
    done = subprocess.run(
        [sys.executable, "-c", seen],
        cwd=built, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "everything is published" in done.stdout
    assert "0 files written, 0 removed" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in built.rglob("*") if path.is_file()} == stamps


def a_page_edited_by_hand(project: Path) -> None:
    (project / "out" / "index.html").write_text("mine")


def a_page_deleted(project: Path) -> None:
    (project / "out" / "index.html").unlink()


def a_template_of_their_own(project: Path) -> None:
    (project / "templates" / "site").mkdir(parents=True)
    (project / "templates" / "site" / "embed.html").write_text("<!doctype html><title>mine</title>")


def another_picture(project: Path) -> None:
    (project / "talk.png").write_bytes(PICTURE[::-1])


@pytest.mark.parametrize("edit", [a_page_edited_by_hand, a_page_deleted, a_template_of_their_own, another_picture])
def test_a_difference_is_built(built: Path, edit: Callable[[Path], None], capsys: pytest.CaptureFixture[str]) -> None:
    edit(built)
    assert main(["build", *NOW]) == 0
    assert "1 file written" in capsys.readouterr().out
    assert main(["build", *NOW]) == 0
    assert "0 files written" in capsys.readouterr().out


def test_what_a_killed_build_left_is_cleared_away_though_nothing_else_is_different(built: Path) -> None:
    killed = Staged(built / "out")
    killed.add("index.html", b"half of it")
    before = {path for path in (built / "out").rglob("*") if UNFINISHED in path.name}
    assert before
    assert main(["build", *NOW]) == 0
    assert not any(path.exists() for path in before)
    assert (built / "out" / "index.html").read_bytes() != b"half of it"


def test_an_edit_of_the_catalogue_is_built_and_told_each_time(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (built / "events.toml").write_text(CATALOGUE.replace("19:00", "19:30"))
    for _ in range(2):
        assert main(["build", *NOW]) == 0
        assert "talk: changed (time)" in capsys.readouterr().out
    # Not published yet, so it bears the stamp of the moment at which it is looked at.
    assert main(["build", "--now", "2027-01-10T11:00:00Z"]) == 0
    assert b"DTSTAMP:20270110T110000Z" in (built / "out" / "calendar.ics").read_bytes()


def test_another_day_is_built(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["build", "--now", "2027-03-02T10:00:00Z"]) == 0
    assert "0 files written" not in capsys.readouterr().out


@pytest.mark.parametrize("spoilt", [b"", b"{}", b"\xff\xfe", b'0123\n{"question": 1}'])
def test_a_spoilt_memory_counts_for_nothing(built: Path, spoilt: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (built / "var" / "build.json").write_bytes(spoilt)
    (built / "out" / "index.html").unlink()
    assert main(["build", *NOW]) == 0
    assert "1 file written" in capsys.readouterr().out


def test_a_theme_behind_a_link_is_looked_at_too(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = built / "shared" / "site" / "embed.html"
    page.parent.mkdir(parents=True)
    (built / "templates" / "themes").mkdir(parents=True)
    (built / "templates" / "themes" / "paper").symlink_to(built / "shared")
    (built / "shared" / "loop").symlink_to(built / "templates")
    (built / "events.toml").write_text(CATALOGUE.replace("[[event]]", 'theme = "paper"\n[[event]]'))
    for words in ("first", "other"):
        page.write_text(f"<!doctype html><title>{words}</title>")
        assert main(["build", *NOW]) == 0
        assert words in (built / "out" / "embed" / "index.html").read_text()
    capsys.readouterr()
    assert main(["build", *NOW]) == 0
    assert "0 files written" in capsys.readouterr().out


def test_a_memory_that_could_not_tell_how_the_files_stood_is_not_believed(tmp_path: Path) -> None:
    kept, out = tmp_path / KEPT_OF_BUILD, tmp_path / "out"
    kept.parent.mkdir()

    def believed() -> bool:
        return remembered(tmp_path, tmp_path / "templates", {}, 1, KEPT_OF_BUILD) is not None

    kept.write_bytes(memory({}, Looked(), 0, ("said", ""), (0, 2), out))  # there is no such folder
    assert not believed()
    with staging(out) as staged:
        staged.add("a", b"a")
        staged.put()
    assert not believed()
    kept.write_bytes(memory({}, Looked(), 0, ("said", ""), (0, 2), out))
    assert believed()
    (out / MANIFEST).write_text('{"files": ["a\\u0000"]}')
    assert not believed()


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_ledger_is_noted_as_it_was_read(built: Path, mark: bytes) -> None:
    ledger, looked = built / "ledger.jsonl", Looked()
    ledger.write_bytes(mark + ledger.read_bytes())
    (built / "events.toml").write_text(CATALOGUE + "# edited\n")
    looked.at_file(built, ledger.name)
    assert main(["build", *NOW]) == 0
    kept = json.loads((built / KEPT_OF_BUILD).read_text().splitlines()[0])
    assert kept["files"][ledger.name] == looked.files[ledger.name]


def test_a_ledger_that_changes_while_it_is_read_is_not_taken_for_what_was_read(
    built: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, recall = built / "ledger.jsonl", Reading.lines_of
    edited = ledger.read_text().replace("19:00", "18:00")

    def lines_of(self: Reading, read: bytes, digest: str) -> list[Line] | None:
        ledger.write_text(edited)
        return recall(self, read, digest)

    (built / "events.toml").write_text(CATALOGUE + "# edited\n")
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Reading, "lines_of", lines_of)
        assert main(["build", *NOW]) == 0
    capsys.readouterr()
    assert main(["build", *NOW]) == 0
    assert "talk: changed (time)" in capsys.readouterr().out
