"""What stops a command is told in the reader's language."""

from pathlib import Path

import pytest

from pipeline import interface_words
from pipeline.cli import main
from pipeline.errors import FileError, SettingsError, TocsinError

FRENCH = {"there is no folder {folder!r} for --templates": "il n’y a pas de dossier {folder!r}"}


def test_an_errors_values_are_filled_into_its_pattern_in_any_language() -> None:
    error = SettingsError("there is no folder {folder!r} for --templates", folder="{x}")
    assert str(error) == "there is no folder '{x}' for --templates"
    assert error.said(lambda text: FRENCH.get(text, text)) == "il n’y a pas de dossier '{x}'"


def test_a_text_that_is_no_pattern_stays_as_it_is() -> None:
    assert str(FileError("{out} can't be written")) == "{out} can't be written"
    assert TocsinError().said(lambda _: "the header of a catalogue of words") == ""


def test_a_command_tells_a_wrong_option_in_the_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interface_words, "words", lambda _language: lambda text: FRENCH.get(text, text))
    asked = ("check", "--lang", "fr", "--catalogue", str(tmp_path / "events.toml"), "--templates", "/nowhere")
    assert main(asked) == 2
    assert capsys.readouterr().err == "tocsin: il n’y a pas de dossier '/nowhere'\n"
