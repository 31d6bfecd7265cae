"""How far a long sending has come, on a terminal only; and the log of the service for a program."""

import io
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.actions.deliver import Delivered
from pipeline.commands.journal import AsJson
from pipeline.commands.send import _Progress


class Terminal(io.StringIO):
    """Somebody looks at it."""

    def isatty(self) -> bool:
        return True


def shell(quiet: bool = False) -> Any:
    return SimpleNamespace(options=SimpleNamespace(quiet=quiet), words=str)


@pytest.mark.parametrize(
    ("stream", "quiet", "shown"),
    [(Terminal(), False, "\r3 sent, 4 waiting "), (Terminal(), True, ""), (io.StringIO(), False, "")],
)
def test_progress_is_shown_to_who_looks(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, quiet: bool, shown: str
) -> None:
    monkeypatch.setattr("sys.stderr", stream)
    _Progress(shell(quiet))(Delivered(sent=3, waiting=4))
    assert stream.getvalue() == shown


def test_a_program_reads_each_line_of_the_log_as_an_object() -> None:
    record = logging.LogRecord("tocsin.run", logging.WARNING, "", 0, "a letter to %s\nwaits", ("Zoë",), None)
    record.created = 1800000000.25
    line = AsJson().format(record)
    assert "\n" not in line
    assert json.loads(line) == {
        "at": "2027-01-15T08:00:00.250+00:00",
        "level": "warning",
        "logger": "tocsin.run",
        "message": "a letter to Zoë\nwaits",
    }


def test_an_error_is_told_with_its_traceback_in_one_line() -> None:
    try:
        raise ValueError("no such thing")
    except ValueError as error:
        told = (type(error), error, error.__traceback__)
    line = AsJson().format(logging.LogRecord("tocsin.run", logging.ERROR, "", 0, "it failed", None, told))
    assert "no such thing" in json.loads(line)["error"]
    assert "\n" not in line
