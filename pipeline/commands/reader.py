"""The person at the terminal: which language they read, and how a problem is shown to them."""

import re
import unicodedata
from collections.abc import Callable

from pipeline.commands.options import language_of
from pipeline.errors import Problem, Severity, unchanged, visible
from pipeline.interface_words import words

__all__ = ["as_json", "language_of", "on_one_line", "severity_word", "with_the_line"]

COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.TODO: "36"}
_MARKED = r"""\[\[?[^\]]*\]?\]?|"(?:[^"\\]|\\.)*"|'[^']*'|[\w.-]+|."""


def severity_word(severity: Severity, say: Callable[[str], str]) -> str:
    """The severity in the reader's language."""
    match severity:
        case Severity.ERROR:
            return say("error")
        case Severity.WARNING:
            return say("warning")
        case Severity.TODO:
            return say("to do")


def on_one_line(problem: Problem, language: str, *, colour: bool = False) -> str:
    """`events.toml:142: …`; what is no error says so at the end."""
    say = words(language)
    if problem.severity is Severity.ERROR:
        return problem.show(say)
    return f"{problem.show(say)} [{_painted(severity_word(problem.severity, say), problem.severity, colour)}]"


def with_the_line(problem: Problem, language: str, *, colour: bool = False, width: int = 100) -> str:
    """The problem, then the line of the file as it stands there with the place marked, then what to do."""
    say = words(language)
    place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part)
    word = _painted(severity_word(problem.severity, say), problem.severity, colour)
    key = f"{visible(problem.key)}: " if problem.key else ""
    rows = [f"{place}: {word}: {key}{problem.what(say)}"]
    if problem.text.strip() and problem.severity is not Severity.TODO:  # whose text is the question itself
        rows += _excerpt(problem, colour, width)
    if remedy := problem.remedy(say):
        rows.append(f"    → {remedy}")
    return "\n".join(rows)


def as_json(problem: Problem, translate: Callable[[str], str] = unchanged) -> dict[str, object]:
    """The problem for a program; `line` and `column` count from 1, 0 where the place isn't known."""
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "key": problem.key,
        "severity": problem.severity.value,
        "message": problem.what(translate),
        "hint": problem.remedy(translate),
    }


def _painted(word: str, severity: Severity, colour: bool) -> str:
    return f"\x1b[{COLOURS[severity]}m{word}\x1b[0m" if colour else word


def _excerpt(problem: Problem, colour: bool, width: int) -> list[str]:
    margin = f"{problem.line:>5} | "
    room = max(20, width - len(margin))
    at = max(problem.column - 1, 0)
    token = re.match(_MARKED, problem.text[at:])
    before, marked = problem.text[:at], token[0] if token else ""
    # A long line is shown around the place, with a little of what stands before it.
    cut = max(0, at - room // 3) if at + len(marked) > room else 0
    shown = visible(("…" if cut else "") + problem.text[cut : cut + room - 2].replace("\t", " "))
    shown += "…" if len(problem.text) > cut + room - 2 else ""
    ahead = visible(("…" if cut else "") + before[cut:].replace("\t", " "))
    mark = "^" * max(1, min(_columns(visible(marked)), _columns(shown) - _columns(ahead)))
    gap = " " * (len(margin) - 2) + "| " + " " * _columns(ahead)
    return [margin + shown, gap + _painted(mark, problem.severity, colour)]


def _columns(text: str) -> int:
    """How many columns a terminal takes for a text: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
