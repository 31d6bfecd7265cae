"""A template that was saved in another encoding than UTF-8 is named with its line, and what to do is said."""

import shutil
from pathlib import Path

import pytest
from checkout import ROOT

from pipeline.cli import main
from pipeline.errors import TemplateError
from pipeline.rendering import Renderer

LATIN = "{# Été #}\n{# nuit d'été #}\n".encode("latin-1")


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", "index.html:1: byte 4 is not UTF-8; save the file again with the encoding UTF-8"),
        ("fr", "index.html:1: l’octet 4 n’est pas de l’UTF-8"),
    ],
)
def test_a_theme_in_another_encoding_stops_a_build_in_plain_words(
    language: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    series = (ROOT / "events.toml").read_text(encoding="utf-8")
    (tmp_path / "events.toml").write_text(series.replace("[site]", '[site]\ntheme = "paper"', 1), encoding="utf-8")
    shutil.copy(ROOT / "ledger.jsonl", tmp_path)
    pages = tmp_path / "templates" / "themes" / "paper" / "site"
    pages.mkdir(parents=True)
    (pages / "index.html").write_bytes(LATIN)
    assert main(["build", "--catalogue", str(tmp_path / "events.toml"), "--lang", language]) == 1
    said = capsys.readouterr().err
    assert str(pages) in said
    assert told in said
    assert "report" not in said


def test_the_first_wrong_byte_is_told_in_whatever_line_it_stands(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_bytes(b"one\ntwo\n" + LATIN)
    with pytest.raises(TemplateError, match=r"letter\.txt:3: byte 12 "):
        Renderer([tmp_path]).render("letter.txt", "en", {})


def test_a_template_that_takes_in_another_names_the_one_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "whole.txt").write_text('{% include "part.txt" %}', encoding="utf-8")
    (tmp_path / "part.txt").write_bytes(LATIN)
    with pytest.raises(TemplateError, match=r"part\.txt:1: byte 4 "):
        Renderer([tmp_path]).render("whole.txt", "en", {})
    with pytest.raises(TemplateError, match=r"part\.txt:1: byte 4 "):
        Renderer([tmp_path]).reads_only("whole.txt", "en", "event", ())
