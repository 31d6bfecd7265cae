"""`check` says its last verdict again while nothing has changed, and judges anew as soon as anything has."""

import json
import os
import subprocess
import sys
import zoneinfo
from collections.abc import Callable
from pathlib import Path

import pytest
from checkout import ROOT

from pipeline.actions import verdict_memory
from pipeline.actions.verdict_memory import KEPT_IN
from pipeline.cli import main

CATALOGUE = """format = 1
include = ["groups/*.toml"]
[series]
id = "talks"
title = "Talks"
timezone = "Pacific/Auckland"
default_language = "en"
organiser = "Somebody"
image = "cover.png"
[site]
url = "https://talks.example/"
[[reminder]]
id = "own"
when = "2 days before at 10:00"
template = "own"
[[event]]
id = "e"
title = "T"
date = 2026-10-20
tba = ["time"]
todo = ["Who speaks?"]
"""
GROUP = '[group]\nid = "north"\nname = "North"\n[[event]]\nid = "n"\ntitle = "N"\ntba = ["date", "time"]\n'
NOW = "2026-09-01T10:00:00Z"
PLANTED = "said again\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that looks at every kind of thing: an included file, a picture, a letter of its own."""
    for name, text in (
        ("events.toml", CATALOGUE), ("groups/north.toml", GROUP), ("cover.png", ""),
        ("templates/mail/own.txt", ""), ("templates/mail/own.html", ""),
    ):  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    for variable in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def check(*options: str, now: str = NOW) -> int:
    return main(["check", "--now", now, *options])


def altered(folder: Path, change: Callable[[dict[str, object]], object]) -> None:
    """Changes what is remembered, and seals it again."""
    file = folder / KEPT_IN
    kept = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    change(kept)
    file.write_bytes(b"".join(verdict_memory.sealed([json.dumps(kept)])))


def plant(folder: Path) -> None:
    """Marks the verdict that is remembered, so that it is known when it is said again."""
    altered(folder, lambda kept: kept.update(out=PLANTED))


@pytest.mark.parametrize("options", [(), ("--quiet",), ("--strict",), ("--json",), ("--verbose",), ("--lang", "fr")])
def test_the_second_answer_is_the_first_one_word_for_word(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    first = check(*options), capsys.readouterr()
    assert (check(*options), capsys.readouterr()) == first
    plant(folder)
    assert check(*options) == first[0]
    assert capsys.readouterr().out == PLANTED


def test_a_refusal_is_said_again_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "cover.png").unlink()
    first = check(), capsys.readouterr()
    assert first[0] == 1
    assert (check(), capsys.readouterr()) == first
    (folder / "cover.png").touch()
    assert check() == 0


def write(name: str, text: str) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


def remove(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).unlink()


def swap_a_letter(folder: Path) -> None:
    """Same size and, on a coarse clock, the same time: only the bytes tell."""
    file = folder / "events.toml"
    stat = file.stat()
    file.write_bytes(file.read_bytes().replace(b'"T"', b'"U"'))
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "a byte more in the catalogue": write("events.toml", "#"),
    "another letter in the catalogue": swap_a_letter,
    "a byte more in an included file": write("groups/north.toml", "#"),
    "another included file": write("groups/south.toml", GROUP.replace("orth", "outh").replace('"n"', '"s"')),
    "an included file less": remove("groups/north.toml"),
    "a ledger": write("ledger.jsonl", ""),
    "a picture less": remove("cover.png"),
    "a letter less": remove("templates/mail/own.html"),
    "another tocsin": lambda folder: altered(
        folder, lambda kept: kept.update(program={path: [1, 1] for path in kept["program"]})
    ),
    "half a memory": lambda folder: os.truncate(folder / KEPT_IN, (folder / KEPT_IN).stat().st_size // 2),
    "an empty memory": lambda folder: os.truncate(folder / KEPT_IN, 0),
    "a memory of somebody else": lambda folder: (folder / KEPT_IN).write_bytes(b'{"status": 0}\n\xff'),
    "a memory of another shape": lambda folder: altered(folder, lambda kept: kept.pop("files")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_judged_anew(folder: Path, capsys: pytest.CaptureFixture[str], change: str) -> None:
    check()
    plant(folder)
    CHANGES[change](folder)
    check()
    assert PLANTED not in capsys.readouterr().out


def test_a_ledger_that_changes_is_judged_anew(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "ledger.jsonl").write_text("", encoding="utf-8")
    check()
    plant(folder)
    (folder / "ledger.jsonl").write_text("=======\n", encoding="utf-8")
    assert check() == 1
    assert PLANTED not in capsys.readouterr().out


@pytest.mark.parametrize(
    "options", [("--strict",), ("--json",), ("--quiet",), ("--verbose",), ("--lang", "fr"), ("--format", "github")]
)
def test_another_question_gets_an_answer_of_its_own(
    folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    check()
    plant(folder)
    check(*options)
    assert PLANTED not in capsys.readouterr().out


def test_the_language_of_the_locale_counts(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    check()
    plant(folder)
    monkeypatch.setenv("LANG", "fr_FR.UTF-8")
    check()
    assert "aucune erreur" in capsys.readouterr().out


def test_a_verdict_holds_for_the_day_of_the_series_and_no_longer(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check(now="2026-10-20T10:59:00Z")
    first = capsys.readouterr().err
    plant(folder)
    check(now="2026-10-19T11:00:00Z")
    assert capsys.readouterr().out == PLANTED
    check(now="2026-10-20T11:00:00Z")  # midnight in Auckland
    told = capsys.readouterr()
    assert told.out != PLANTED
    assert "it is past" in told.err
    assert "it is past" not in first


def test_where_nothing_can_be_kept_check_works_all_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "var").write_text("a file in the way", encoding="utf-8")
    assert check() == 0
    assert check() == 0
    assert "2 events" in capsys.readouterr().out


def test_a_memory_that_came_with_the_catalogue_is_not_believed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever proposes a change can commit one that says that all is well, but knows nothing of where it is checked."""
    check()
    altered(folder, lambda kept: kept.update(out=PLANTED, program={}, files={}, patterns={}, there={}))
    (folder / "cover.png").unlink()
    assert check() == 1
    assert PLANTED not in capsys.readouterr().out


def test_new_rules_of_time_zones_are_judged_by(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoneinfo, "TZPATH", (str(folder), *zoneinfo.TZPATH))
    (folder / "UTC").write_bytes(b"2026a")
    check()
    plant(folder)
    check()
    assert capsys.readouterr().out.endswith(PLANTED)
    (folder / "UTC").write_bytes(b"2026b, from an update of the system")
    monkeypatch.setattr(verdict_memory, "_first", {})  # as in the next process
    check()
    assert PLANTED not in capsys.readouterr().out


@pytest.mark.parametrize("link", [None, "groups/zero.toml"])
def test_what_never_ends_is_not_read(folder: Path, capsys: pytest.CaptureFixture[str], link: str | None) -> None:
    pattern = link or os.path.relpath("/dev/zero", folder)
    if link:
        (folder / link).symlink_to("/dev/zero")
    (folder / "events.toml").write_text(CATALOGUE.replace("groups/*.toml", pattern), encoding="utf-8")
    assert check() == 1
    assert check() == 1
    assert "no file below the catalogue's folder matches" in capsys.readouterr().err


HEAVY = ("pydantic", "babel", "jinja2", "sqlalchemy", "icalendar", "yagmail", "dateutil", "email_validator", "lxml")


def loaded_by(folder: Path, *arguments: str) -> set[str]:
    """The top modules that a command has loaded when it ends."""
    program = (
        "import sys\nfrom pipeline.cli import main\nmain(sys.argv[1:])\n"
        "sys.stderr.write('\\nLOADED ' + ' '.join({name.partition('.')[0] for name in sys.modules}))"
    )
    process = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(process.stderr.rpartition("LOADED ")[2].split())


def test_a_verdict_said_again_loads_no_library(folder: Path) -> None:
    first = loaded_by(folder, "check", "--now", NOW)
    assert "pydantic" in first
    assert not first & {"babel", "jinja2", "sqlalchemy", "icalendar", "yagmail", "lxml", "email_validator"}
    assert not loaded_by(folder, "check", "--now", NOW) & {*HEAVY, "dataclasses", "tomllib", "rtoml"}


def test_help_loads_no_library(folder: Path) -> None:
    assert not loaded_by(folder, "--help") & {*HEAVY, "dataclasses", "difflib"}
