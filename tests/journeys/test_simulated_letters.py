"""`tocsin simulate` clears away what it filed before, and nothing else."""

import os
from pathlib import Path

from test_posting import CATALOGUE
from test_publishing import tocsin

NOW = ("--now", "2027-01-10T10:00:00Z")


def test_letters_of_an_earlier_simulation_go_and_what_others_put_there_stays(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text(CATALOGUE)
    done = tocsin(tmp_path, "simulate", *NOW)
    assert done.returncode == 0, done.stderr
    letters = tmp_path / "letters"
    before = {path.relative_to(letters) for path in letters.rglob("*.eml")}
    mine = letters / next(iter(before)).parent / "mine.eml"
    mine.write_text("kept by hand")
    assert tocsin(tmp_path, "simulate", *NOW, "--until", "2027-01-12").returncode == 0
    after = {path.relative_to(letters) for path in letters.rglob("*.eml")} - {mine.relative_to(letters)}
    assert after
    assert after < before
    assert mine.read_text() == "kept by hand"


def test_a_folder_whose_name_is_not_utf8_will_do(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    (folder / "events.toml").write_text(CATALOGUE)
    for until in ("2027-06-01", "2027-01-12"):
        done = tocsin(folder, "simulate", *NOW, "--until", until)
        assert done.returncode == 0, done.stderr
        left = len(list((folder / "letters").rglob("*.eml")))
        assert f"{left} letters in letters" in done.stdout + done.stderr


def test_a_file_that_cannot_be_written_is_named_as_people_know_it(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text(CATALOGUE)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "calendar.ics.tocsin-unfinished").mkdir()
    done = tocsin(tmp_path, "build", *NOW)
    assert done.returncode == 3
    assert "calendar.ics" in done.stderr
    assert "unfinished" not in done.stderr


def test_a_season_without_an_end_is_cut_after_a_year_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text(CATALOGUE + 'repeats = "FREQ=YEARLY"\n')
    done = tocsin(tmp_path, "simulate", *NOW)
    assert done.returncode == 0, done.stderr
    assert "an event recurs beyond 2028-01-11: the simulation ends there" in done.stderr
    reader = tmp_path / "letters" / "en@subscriber.example"
    (last,) = reader.glob("*-morning.eml")
    assert last.read_bytes().startswith(b"Date: Thu, 04 Mar 2027 ")
    there = tocsin(tmp_path, "simulate", *NOW, "--until", "2028-04-01")
    assert "beyond" not in there.stderr
    assert len(list(reader.glob("*-morning.eml"))) == 2


def test_a_period_that_ends_before_it_begins_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text(CATALOGUE)
    for command, said in (
        (["simulate", "--from", "2027-03-02", "--until", "2027-03-01"],
         "--until 2027-03-01 ends the simulation before it begins on 2027-03-02: write a later day there"),
        (["simulate", "--until", "2026-03-01"], "before it begins on 2027-01-10"),
        (["plan", "--until", "2027-01-09"], "--until 2027-01-09 is past: write 2027-01-10 or a later day"),
    ):  # fmt: skip
        done = tocsin(tmp_path, *command, *NOW)
        assert (done.returncode, said in done.stderr) == (2, True), done.stderr
        assert not (tmp_path / "letters").exists()
    for command in (["simulate", "--from", "2027-03-01", "--until", "2027-03-01"], ["plan", "--until", "2027-01-10"]):
        assert tocsin(tmp_path, *command, *NOW).returncode == 0
