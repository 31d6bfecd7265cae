"""Problems as the forges read them, so that they stand beside the line in a proposal."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import PurePath

from pipeline.errors import Problem, Severity

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.TODO: "notice"}
_GRAVITY = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.TODO: "info"}


def workflow_commands(problems: Iterable[Problem], folder: PurePath, translate: Callable[[str], str]) -> list[str]:
    """The commands by which a workflow of GitHub's or Forgejo's kind marks a line."""
    return [_command(problem, folder, translate) for problem in problems]


def _command(problem: Problem, folder: PurePath, translate: Callable[[str], str]) -> str:
    places = {"file": _path(problem, folder), "line": problem.line, "col": problem.column, "title": problem.key}
    parts = ",".join(f"{name}={_property(str(value))}" for name, value in places.items() if value)
    return f"::{_COMMANDS[problem.severity]} {parts}::{_data(_said(problem, translate))}"


def code_quality(
    problems: Iterable[Problem], folder: PurePath, translate: Callable[[str], str]
) -> list[dict[str, object]]:
    """The report that GitLab shows in a merge request."""
    return [
        {
            "description": _said(problem, translate),
            "check_name": "tocsin",
            "fingerprint": hashlib.sha256(f"{problem.file}\n{problem}\n{problem.line}".encode()).hexdigest(),
            "severity": _GRAVITY[problem.severity],
            "location": {"path": _path(problem, folder), "lines": {"begin": max(problem.line, 1)}},
        }
        for problem in problems
    ]


def _said(problem: Problem, translate: Callable[[str], str]) -> str:
    key, remedy = f"{problem.key}: " if problem.key else "", problem.remedy(translate)
    return f"{key}{problem.what(translate)}" + (f" ({remedy})" if remedy else "")


def _path(problem: Problem, folder: PurePath) -> str:
    return (folder / problem.file).as_posix()


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
