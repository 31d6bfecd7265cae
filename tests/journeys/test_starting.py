"""From an empty folder: `tocsin init` asks or takes options, and what it writes is valid, explained and never lost."""

import json
import os
import pty
import re
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import forking
import jsonschema
import pytest
from checkout import ROOT
from patience import PATIENCE

from pipeline.actions.starting import Answers, first_catalogue
from pipeline.catalogue.load import Source, load
from pipeline.commands.init import QUESTIONS

ANSWERED = (
    "--title", "Causeries d’été", "--organiser", 'La "Société"', "--url", "https://causeries.example/",
    "--timezone", "Europe/Paris", "--languages", "fr,en", "--from", "La Société <bonjour@causeries.example>",
)  # fmt: skip


def environment(**others: str) -> dict[str, str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("TOCSIN_", "LC_", "LANG", "TZ"))}
    return {**clean, "PYTHONPATH": str(ROOT), **others}


def tocsin(folder: Path, *arguments: str, **others: str) -> subprocess.CompletedProcess[str]:
    return forking.run(arguments, folder, environment(**others))


def test_a_new_series_passes_check_builds_and_publishes_right_away(tmp_path: Path) -> None:
    done = tocsin(tmp_path, "init", "summer", *ANSWERED)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "summer"
    assert {path.name for path in folder.iterdir()} == {"events.toml", "events.schema.json", ".gitignore"}
    for command in ("check", "build", "publish", "plan"):
        done = tocsin(folder, command)
        assert done.returncode == 0, done.stderr
    catalogue = load(Source("events.toml", (folder / "events.toml").read_text(encoding="utf-8"))).catalogue
    series = catalogue.series
    assert (series.id, series.timezone, catalogue.languages) == ("causeries-d-ete", "Europe/Paris", ("fr", "en"))
    assert (series.organiser[0].name, series.title.root) == ('La "Société"', {"fr": "Causeries d’été"})
    assert catalogue.mail.sender == "La Société <bonjour@causeries.example>"
    assert {"/out/", "/var/", "/.env"} <= set((folder / ".gitignore").read_text().splitlines())


def test_it_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text("mine")
    (tmp_path / ".gitignore").write_text("*.bak")
    done = tocsin(tmp_path, "init", *ANSWERED)
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is a catalogue here already" in done.stderr
    assert (tmp_path / "events.toml").read_text() == "mine"
    (tmp_path / "events.toml").unlink()
    assert tocsin(tmp_path, "init", *ANSWERED).returncode == 0
    assert (tmp_path / ".gitignore").read_text() == "*.bak\n/out/\n/var/\n/letters/\n/.env\n"


def test_templates_are_copied_on_demand_and_those_that_were_changed_stay(tmp_path: Path) -> None:
    assert tocsin(tmp_path, "init", *ANSWERED, "--templates").returncode == 0
    mine = tmp_path / "templates" / "site" / "index.html"
    assert mine.read_bytes() == (ROOT / "templates" / "site" / "index.html").read_bytes()
    mine.write_text("mine")
    done = tocsin(tmp_path, "init", "--templates")
    assert (done.returncode, mine.read_text()) == (0, "mine")
    assert "site/index.html" in done.stderr


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--url", "causeries", "is not a web address"), ("--url", "http://causeries.example", "not served over https"),
        ("--timezone", "Paris", "is not a time zone"), ("--languages", "french", "is not a language"),
        ("--from", "nobody", "is not a mail address"), ("--title", "", "the text is empty"),
        ("--title", "na\udcefve", "U+DCEF can't be published"),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_refused_with_its_option_and_writes_nothing(
    tmp_path: Path, option: str, value: str, said: str
) -> None:
    done = tocsin(tmp_path, "init", *ANSWERED, option, value)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tocsin: {option}: ")
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_without_a_terminal_it_names_the_options_that_are_missing(tmp_path: Path) -> None:
    done = tocsin(tmp_path, "init", "--title", "Talks")
    assert done.returncode == 2
    assert "give --organiser, --url" in done.stderr
    assert not list(tmp_path.iterdir())


def asked(folder: Path, answers: list[str]) -> tuple[int, str]:
    """Runs `tocsin init` on a terminal, gives these answers, and returns its status and what stood on the screen."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-m", "pipeline", "init"],
        cwd=folder, env=environment(TZ="Europe/Brussels"), stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, "".join(f"{answer}\n" for answer in answers).encode())
    screen = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:
            break
        if not piece:
            break
        screen += piece
    os.close(ours)
    return process.wait(timeout=PATIENCE), screen.decode()


def test_on_a_terminal_it_asks_six_questions_and_asks_again_after_a_wrong_answer(tmp_path: Path) -> None:
    status, screen = asked(
        tmp_path, ["Talks", "The Society", "talks.example", "https://talks.example", "", "en fr", "a@talks.example"]
    )
    assert status == 0, screen
    assert len(QUESTIONS) == 6
    assert all(question.asked in screen for question in QUESTIONS)
    assert "is not a web address" in screen
    written = tomllib.loads((tmp_path / "events.toml").read_text(encoding="utf-8"))
    assert written["series"]["timezone"] == "Europe/Brussels"
    assert written["series"]["languages"] == ["en", "fr"]
    assert written["site"]["url"] == "https://talks.example"
    assert written["mail"]["from"] == "a@talks.example"


def test_answers_that_end_early_write_nothing(tmp_path: Path) -> None:
    status, screen = asked(tmp_path, ["Talks", "\x04"])
    assert status == 2, screen
    assert not list(tmp_path.iterdir())


def examples_used(text: str) -> str:
    """The file with every example put to use."""
    return (
        re.sub(r"^#(?![ :]|$)", "", text, flags=re.MULTILINE)
        .replace("https://…", "https://a.example")
        .replace("\n#\n", "\n\n")
    )


@pytest.mark.parametrize("languages", [("en",), ("fr", "en"), ("de",)])
def test_every_example_in_the_file_may_be_put_to_use(languages: tuple[str, ...]) -> None:
    text = first_catalogue(replace_languages(languages), date(2027, 3, 4))
    used = examples_used(text)
    catalogue = load(Source("events.toml", used)).catalogue
    assert [event.id for event in catalogue.events] == ["event-1", "event-2"]
    assert catalogue.rules is not None
    assert catalogue.series.venue == "hall"
    document = json.loads(json.dumps(tomllib.loads(used), default=str))
    assert not list(
        jsonschema.Draft7Validator(json.loads((ROOT / "events.schema.json").read_text())).iter_errors(document)
    )


def replace_languages(languages: tuple[str, ...]) -> Answers:
    return Answers("Talks", "Somebody", "https://talks.example/", "UTC", languages)


def test_every_remark_stands_in_both_languages() -> None:
    text = first_catalogue(Answers(), date(2027, 3, 4))
    english, french = (len(re.findall(rf"^# {mark}  ", text, re.MULTILINE)) for mark in ("EN", "FR"))
    assert english == french > 10


@pytest.mark.parametrize("title", ['"', "\\", "日本語", "«url»", "# no remark", "x" * 300, "'''", '"""'])
def test_any_title_is_written_as_it_was_given(title: str) -> None:
    text = first_catalogue(Answers(title=title), date(2027, 3, 4))
    assert load(Source("events.toml", text)).catalogue.series.title.root == {"en": title}
