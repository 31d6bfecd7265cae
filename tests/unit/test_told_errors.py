"""What stops a command is told in the reader's language."""

import ast
import errno
import re
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Never

import pytest
from checkout import ROOT
from patterns import calls_and_classes, literals, name_of
from test_catalogue_words import fields, french

from pipeline.actions.build import Draft
from pipeline.actions.project import project_at
from pipeline.cli import main
from pipeline.clock import FrozenClock
from pipeline.commands import running
from pipeline.commands.running import unexpected
from pipeline.errors import (
    NO_SUCH_NAME,
    OF_THE_SYSTEM,
    FileError,
    Problem,
    SettingsError,
    TocsinError,
    in_our_words,
    reason_of,
)
from pipeline.preview.board import Board

FRENCH = {
    "there is no folder {folder!r} for --templates": "il n’y a pas de dossier {folder!r}",
    "git {command}: {reason}": "git {command} : {reason}",
    "it ended with {status}": "il s’est terminé avec {status}",
}
SOURCES = sorted((ROOT / "pipeline").rglob("*.py"))


def in_french(text: str) -> str:
    return FRENCH.get(text, text)


def our_errors() -> set[str]:
    """The names of all classes below TocsinError whose first argument is a pattern, wherever they stand."""
    bases = {
        node.name: {name_of(base) for base in node.bases}
        for file in SOURCES for node in calls_and_classes(file) if isinstance(node, ast.ClassDef)
    }  # fmt: skip
    found = {"TocsinError"}
    while more := {name for name, above in bases.items() if above & found} - found:
        found |= more
    return found - {"InputError", "CatalogueError", "LedgerError"}


def said_by_errors(errors: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """What each error in the sources is made of, with its place."""
    for file in SOURCES:
        for node in calls_and_classes(file):
            if isinstance(node, ast.Call) and name_of(node.func) in errors and node.args:
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node.args[0]


MESSAGES = list(said_by_errors(our_errors()))


def test_an_errors_values_are_filled_into_its_pattern_in_any_language() -> None:
    error = SettingsError("there is no folder {folder!r} for --templates", folder="{x}")
    assert str(error) == "there is no folder '{x}' for --templates"
    assert error.said(in_french) == "il n’y a pas de dossier '{x}'"


def test_an_error_within_another_is_told_in_the_same_language() -> None:
    error = SettingsError(
        "git {command}: {reason}", command="fetch", reason=SettingsError("it ended with {status}", status=1)
    )
    assert str(error) == "git fetch: it ended with 1"
    assert error.said(in_french) == "git fetch : il s’est terminé avec 1"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full; make room"),
        (OSError(errno.EACCES, "Accès refusé"), "permission is refused; look at who owns it, and its folder"),
        (OSError(errno.EPERM, "Operation not permitted"), "permission is refused; look at who owns it, and its folder"),
        (TimeoutError("timed out"), "no answer came in time"),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), NO_SUCH_NAME),
        (OSError(-2, "Name or service not known (while attempting to bind)"), NO_SUCH_NAME),
        (OSError(errno.ESTALE, "Stale file handle"), "another program has changed it meanwhile; try again"),
        (OSError(errno.ENXIO, "No such device or address"), "No such device or address"),
        (ssl.SSLError(errno.EPERM, "wrong version number"), "wrong version number"),
        (ValueError(), "ValueError"),
    ],
)
def test_what_the_system_says_is_told_in_our_words_where_it_is_one_of_the_usual(error: Exception, told: str) -> None:
    assert str(FileError("{file}: {reason}", file="out", reason=reason_of(error))) == f"out: {told}"


@pytest.mark.parametrize("words", sorted({*OF_THE_SYSTEM.values(), NO_SUCH_NAME}))
def test_the_words_for_what_the_system_says_exist_in_french(words: str) -> None:
    assert french().get(words), f"no French for {words!r}"


def test_a_problem_tells_the_reason_within_it_in_the_same_language() -> None:
    problem = Problem("events.toml", 0, "", "{reason}", values={"reason": reason_of(OSError(errno.EISDIR, "x"))})
    assert problem.what() == "this is a folder, not a file"
    assert problem.what(lambda text: french().get(text, text)) == "c’est un dossier, pas un fichier"


def test_words_of_a_library_become_ours_by_the_first_part_that_they_hold() -> None:
    ours = {"too long": "it is too long", "long": "it is long"}
    assert str(in_our_words("the name is too long (3)", ours)) == "it is too long"
    assert str(in_our_words("the name is odd", ours)) == "the name is odd"


def test_a_text_that_is_no_pattern_stays_as_it_is() -> None:
    assert str(FileError("{out} can't be written")) == "{out} can't be written"
    assert TocsinError().said(lambda _: "the header of a catalogue of words") == ""


def test_the_errors_of_the_sources_are_found() -> None:
    assert {"SettingsError", "AddressError", "RepositoryError", "PermanentDeliveryError"} <= our_errors()
    assert len(MESSAGES) > 80


@pytest.mark.parametrize(("place", "message"), MESSAGES, ids=[place for place, _ in MESSAGES])
def test_no_error_is_put_together_before_it_can_be_translated(place: str, message: ast.expr) -> None:
    translated = isinstance(message, ast.Call) and name_of(message.func) in {"N_", "words"}
    put_together = isinstance(message, ast.JoinedStr | ast.BinOp | ast.Call) and not translated
    assert not put_together, f"{place}: give a pattern and its values"


@pytest.mark.parametrize(
    "pattern",
    sorted({text for _, message in MESSAGES for _, text in literals(message) if re.search("[a-z] [a-z]", text)}),
)
def test_each_error_has_french_words(pattern: str) -> None:
    said = french().get(pattern)
    assert said, f"no French for {pattern!r}"
    assert fields(said) == fields(pattern)


def test_a_command_tells_a_wrong_option_in_the_readers_language(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(running, "_words", lambda _options: in_french)
    asked = ("check", "--lang", "fr", "--catalogue", str(tmp_path / "events.toml"), "--templates", "/nowhere")
    assert main(asked) == 2
    assert capsys.readouterr().err == "tocsin: il n’y a pas de dossier '/nowhere'\n"


def test_what_nobody_foresaw_is_told_in_the_language_of_the_reader(capsys: pytest.CaptureFixture[str]) -> None:
    assert unexpected(ValueError("x"), "en") == 3
    english = capsys.readouterr().err
    assert "an error that we did not foresee (ValueError: x); nothing is lost" in english
    assert unexpected(ValueError("x"), "fr") == 3
    french = capsys.readouterr().err
    assert "n’avions pas prévue (ValueError: x)" in french
    assert french.count("\n") == english.count("\n") == 2


def test_the_preview_tells_what_is_in_the_way_in_the_language_of_who_looks(tmp_path: Path) -> None:
    (tmp_path / "events.toml").write_text((ROOT / "events.toml").read_text(encoding="utf-8"), encoding="utf-8")

    def no_office() -> Never:
        raise SettingsError("{what}: {reason}", what="x", reason=SettingsError("it is empty"))

    def nothing_foreseen(_draft: Draft, _now: datetime) -> Never:
        raise AssertionError

    clock = FrozenClock(datetime(2022, 9, 1, 10, tzinfo=UTC))
    french = {"it is empty": "elle est vide"}
    project = project_at(tmp_path / "events.toml")
    board = Board(project, clock, no_office, nothing_foreseen, lambda text: french.get(text, text))
    assert board.letters(board.make()).trouble == "x: elle est vide"
