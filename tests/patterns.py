"""The message patterns of the sources: every text that a call hands to a `Problem` on its way to a person."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACES = {
    "Finding": (1, 2), "Problem": (3, 4), "wrong": (0, 1), "_warning": (1, 2), "unknown": (3,), "_wanted": (0, 1),
    "_limits": (0,), "_complain": (2, 3), "_note": (2,), "N_": (0,), "words": (0,), "say": (0,), "ngettext": (0, 1),
    "count": (0, 1), "Observation": (2,), "problem": (2, 3), "Omission": (2,), "omitted": (0,),
    "SettingsError": (0,), "FileError": (0,),
}  # fmt: skip
"""Which arguments of which calls are patterns."""


def patterns_of(file: Path) -> Iterator[tuple[int, str]]:
    """Every pattern in a source file, with its line."""
    for node in calls_and_classes(file):
        if isinstance(node, ast.Call):
            for position in PLACES.get(name_of(node.func), ()):
                yield from _texts(node, position)


@cache
def calls_and_classes(file: Path) -> tuple[ast.Call | ast.ClassDef, ...]:
    """Every call and class of a source file, which is read once however many ask."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return tuple(node for node in ast.walk(tree) if isinstance(node, ast.Call | ast.ClassDef))


def name_of(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _texts(call: ast.Call, position: int) -> Iterator[tuple[int, str]]:
    if position < len(call.args):
        yield from literals(call.args[position])


def literals(value: ast.expr) -> Iterator[tuple[int, str]]:
    match value:
        case ast.Constant(value=str(text)) if _says_something(text):
            yield value.lineno, text
        case ast.IfExp(body=one, orelse=other) | ast.BoolOp(values=[one, other]):
            yield from (*literals(one), *literals(other))


def _says_something(pattern: str) -> bool:
    """Whether there is a word in a pattern outside its fields."""
    return any(letter.isalpha() for letter in re.sub(r"\{\w+(?:!r)?\}", "", pattern))
