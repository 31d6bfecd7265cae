"""What the architecture promises of the code's shape, where a linter doesn't hold it already."""

import ast
import tomllib
from pathlib import Path

from checkout import ROOT

LONGEST = 400
PACKAGE = sorted((ROOT / "pipeline").rglob("*.py"))
CODE = {".py", ".html", ".css", ".js", ".mjs", ".txt"}
"""The endings of what people write to be run or rendered."""
ROOMS = ("pipeline", "templates", "tests", "bench", "demo", "docs/making")


def written() -> list[Path]:
    """Every file of code that is ours: none that was fetched or made."""
    found = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in CODE]
    made = {"node_modules", "__pycache__", "seed"}
    return [path for path in found if not made & set(path.relative_to(ROOT).parts)]


def test_no_file_is_longer_than_a_visitor_reads() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in written()}
    assert len(lengths) > 400
    assert {path: length for path, length in lengths.items() if length > LONGEST} == {}


def test_every_file_says_what_it_is_for() -> None:
    empty = {path for path in PACKAGE if not path.read_text(encoding="utf-8").strip()}
    told = {path for path in PACKAGE if ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))}
    assert set(PACKAGE) - told - empty == set()


def test_the_linter_refuses_functions_of_more_than_ten_branches_and_nobody_is_excused() -> None:
    lint = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]["lint"]
    assert {"C90", "PLC0415"} <= set(lint["select"])
    assert lint["mccabe"]["max-complexity"] == 10
    excused = [path for path in PACKAGE if "noqa: C901" in path.read_text(encoding="utf-8")]
    assert excused == []


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert not {path for path in PACKAGE if path.stem in {"utils", "helpers", "common", "core", "misc"}}
