"""The command line in French: helps, what argparse itself says, and what the commands for the post answer."""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from checkout import ROOT
from patterns import patterns_of

from pipeline import interface_words
from pipeline.cli import COMMANDS, main, whole_parser
from pipeline.commands.parsing import asked_language

FRAGMENTS = ROOT / "pipeline" / "locale" / "fr" / "LC_MESSAGES"
ROOMS = (
    *(ROOT / "pipeline" / "commands" / f"{name}.py" for name in ("arm", "doctor", "options", "running", "subscribers")),
    ROOT / "pipeline" / "actions" / "doctor.py",
)


def whole() -> Catalog:
    """Every French text, of all fragments."""
    catalog = Catalog(locale="fr")
    for file in sorted(FRAGMENTS.glob("*.po")):
        for message in read_po(file.read_bytes().splitlines(keepends=True)):
            if message.id:
                catalog.add(message.id, message.string, flags=message.flags)
    return catalog


FRENCH = whole()


def texts_of(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every text of ours in a help page, and in those below it."""
    yield from filter(None, (parser.description, parser.epilog))
    for action in parser._actions:
        if action.help and action.help is not argparse.SUPPRESS:
            yield action.help
        if isinstance(action, argparse._SubParsersAction):
            yield from (choice.help or "" for choice in action._choices_actions)
            for below in action.choices.values():
                yield from texts_of(below)


ANSWERS = sorted({text for file in ROOMS for _, text in patterns_of(file)} - {"{now:%Y-%m-%d %H:%M}Z"})
HELPS = sorted(set(texts_of(whole_parser())))


@pytest.fixture
def french(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The program with all French words that there are."""
    folder = tmp_path / "locale" / "fr" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "tocsin.mo").open("wb") as file:
        write_mo(file, FRENCH)
    monkeypatch.setattr(interface_words, "LOCALES", folder.parents[1])
    interface_words.translations.cache_clear()
    yield
    interface_words.translations.cache_clear()


def test_the_helps_are_found() -> None:
    assert {COMMANDS["check"], "results for a program", "erase somebody; no import brings them back"} <= set(HELPS)


@pytest.mark.parametrize("text", HELPS)
def test_each_help_has_a_french_one(text: str) -> None:
    message = FRENCH.get(text)
    assert message, f"no French for {text!r}"
    assert message.string
    assert re.findall(r"%\(\w+\)s|--[a-z-]+", str(message.string)) == re.findall(r"%\(\w+\)s|--[a-z-]+", text)


@pytest.mark.parametrize("pattern", ANSWERS)
def test_each_answer_has_a_french_one_with_the_same_values(pattern: str) -> None:
    message = FRENCH.get(pattern) or next(one for one in FRENCH if isinstance(one.id, tuple) and pattern in one.id)
    said = message.string if isinstance(message.string, str) else message.string[0]
    assert sorted(re.findall(r"\{[^}]*\}", said)) == sorted(re.findall(r"\{[^}]*\}", pattern))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--help"], "pour les organisateurs\u00a0:\n"),
        (["plan", "--help"], "options\u00a0:\n"),
        (["check", "--help"], "usage\u00a0: tocsin check"),
        (["check", "--help"], "avertissements et questions ouvertes sont aussi des erreurs"),
        (["check", "--help"], "montrer cette aide"),
        (["subscribers", "--help"], "effacer quelqu’un"),
        (["subscribers", "forget", "--help"], "options communes"),
        (["check", "--nonsense"], "arguments inconnus\u00a0: --nonsense"),
        (["check", "--now"], "il faut une valeur"),
        (["check", "--now", "today"], "'today' n’est pas un instant\u00a0: écrivez 2026-05-07T10:00:00Z"),
        (["retire"], "il manque\u00a0: "),
        (["check", "--format", "x"], "choix inconnu\u00a0: 'x'"),
        (["chekc"], "vouliez-vous dire `tocsin check`"),
    ],
)
@pytest.mark.parametrize("way", ["option", "locale"])
@pytest.mark.usefixtures("french")
def test_help_and_mistakes_are_told_in_french(
    arguments: list[str], said: str, way: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8" if way == "locale" else "C")
    main(["--lang=fr", *arguments] if way == "option" else arguments)
    told = capsys.readouterr()
    assert said in told.out + told.err
    assert "LANGUAGE" not in os.environ


@pytest.mark.usefixtures("french")
def test_english_stays_english_for_who_asks_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert main(["--lang", "en", "check", "--nonsense"]) == 2
    assert "unrecognized arguments: --nonsense" in capsys.readouterr().err


@pytest.mark.usefixtures("french")
def test_a_language_without_words_is_refused_in_that_of_the_locale(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "fr_FR.UTF-8")
    assert main(["--lang", "zz", "check"]) == 2
    assert "argument --lang\u00a0: choix inconnu\u00a0: 'zz' (choisissez parmi 'en', 'fr')" in capsys.readouterr().err
    assert main(["--lang", "en-GB", "check", "--nonsense"]) == 2
    assert "unrecognized arguments" in capsys.readouterr().err


@pytest.mark.usefixtures("french")
def test_the_post_answers_in_french(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(ROOT / "events.toml", tmp_path)
    shutil.copy(ROOT / "ledger.jsonl", tmp_path)
    common = ["--catalogue", str(tmp_path / "events.toml"), "--lang", "fr"]
    assert main(["arm", *common]) == 0
    assert main(["subscribers", "add", "ada@example.org", *common]) == 0
    assert main(["subscribers", "list", *common]) == 0
    assert main(["subscribers", "forget", "ada@example.org", *common]) == 0
    assert main(["doctor", "--no-dns", *common]) == 3
    told = capsys.readouterr()
    for said in (
        "armé\u00a0: le courriel part de",
        "ajoutées\u00a0: 1\u202f; déjà là, et laissées comme elles sont\u00a0: 0",
        "ada@example.org est oubliée",
        "bien  catalogue\u00a0: ",
        "se lit",
    ):
        assert said in told.out
    assert "1 abonné" in told.err


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        (["check"], None),
        (["--lang", "fr", "check"], "fr"),
        (["check", "--lang=fr"], "fr"),
        (["check", "--lang"], None),
        (["check", "--lang", "fr-CH"], "fr"),
        (["--lang=FR", "check"], "fr"),
        (["--lang", "zz", "check"], None),
    ],
)
def test_the_language_is_known_before_anything_is_parsed(arguments: list[str], language: str | None) -> None:
    assert asked_language(arguments) == language


def test_help_in_english_loads_no_words() -> None:
    code = "import sys; from pipeline.cli import main; main(['--help']); sys.exit('pipeline.interface_words' in sys.modules)"  # noqa: E501
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, "LC_ALL": "C"}, capture_output=True, check=False
    )
    assert done.returncode == 0
