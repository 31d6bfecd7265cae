"""What is wrong with a text that is no TOML at all: the parser's complaint, with its place, in plain words."""

import importlib
import re
from io import BytesIO

from pipeline.catalogue.crowds import crowd
from pipeline.catalogue.places import Place
from pipeline.errors import N_, Problem

# Compiled when something is wrong, which is seldom.
_AT = r"(?s)(?P<what>.*?)\s*\(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)"
LONG_QUOTES = ('"""', "'''")
_IS_THERE_TWICE = "Cannot|Duplicate|Expected '\\]"
"""Complaints about lines that are well written by themselves, and about headers."""

_KEY_TWICE = N_("the key is written twice")
_SAID = (
    (r"Illegal character '\\n'|Unterminated string", N_("the text has no end"),
     N_('close it with a quote on the same line; a text of several lines stands between """ and """')),
    (r"Expected \"'''\"|Expected '\"\"\"'", N_("the long text that begins here has no end"),
     N_("close it with the same three quotes, on a line of their own")),
    (r"Invalid value", N_("there is no value here that can be read"), N_('a text stands between quotes: "…"')),
    (r"Expected '=' after a key in a key/value pair|Invalid initial character for a key part|Invalid statement",
     N_("a line is a key and its value"), N_('write key = "value", or put a # before a remark')),
    (r"Cannot overwrite a value|Duplicate inline table key .*|Cannot redefine namespace .*",
     _KEY_TWICE, N_("delete one of the two; another event begins with a line [[event]]")),
    (r"Cannot declare .* twice|Cannot mutate immutable namespace .*",
     N_("the table is written twice"),
     N_("write its keys under one header; a list of tables has headers like [[event]]")),
    (r"Expected newline or end of document after a statement",
     N_("something follows the value on the same line"), N_("put it on a line of its own, or close the quotes")),
    (r"Expected '\]' at the end of a table declaration|Expected '\]\]' at the end of an array declaration",
     N_("the header has no end"), N_("write [series] or [[event]] on a line of its own")),
    (r"Unclosed array", N_("the list has no end, or a comma is missing in it"), N_('write ["one", "two"]')),
    (r"Unclosed inline table", N_("the table has no end, or a comma is missing in it"),
     N_('write {{ name = "…", role = "…" }}')),
    (r"Unescaped '\\' in a string|Invalid hex value|Escaped character is not a Unicode scalar value",
     N_("a backslash has a meaning of its own between double quotes"), N_("write two of them, or use single quotes")),
    (r"Illegal character .*|Found invalid character .*", N_("there is a character here that may not stand in the file"),
     N_("delete it")),
    (r"Invalid date or datetime", N_("invalid date"), N_("write 2026-05-07, without quotes")),
)  # fmt: skip


def refusal(file: str, text: str, error: ValueError) -> Problem:
    """The problem of a text that `tomllib` refused with that error."""
    if isinstance(error, importlib.import_module("tomllib").TOMLDecodeError):
        return syntax_problem(file, text, str(error))
    # Python reads no whole numbers of thousands of digits, and says so without a place.
    return number_problem(file, text)


def syntax_problem(file: str, text: str, complaint: str) -> Problem:
    """The problem of a text that `tomllib` refused with that complaint; the commonest slips get words of their own."""
    lines = text.split("\n")
    match = re.fullmatch(_AT, complaint)
    what = match["what"] if match else complaint
    place = Place(int(match["line"]), int(match["column"])) if match and match["line"] else _end(text, what)
    if what == "Unclosed array":
        place = _end_of_text_before(lines, place)
    line = lines[place.line - 1].removesuffix("\r") if place.line <= len(lines) else ""
    if what == "Unterminated string" and line.startswith(LONG_QUOTES, place.column - 1):
        what = 'Expected \'"""\''
    if (document := _other_document(text)) is not None:
        return Problem(file, 1, "", *document, text=lines[0])
    # Loaded only where something is wrong.
    slips = importlib.import_module("pipeline.catalogue.slips")
    if not re.match(_IS_THERE_TWICE, what) and (slip := slips.slip_in(line, place.column)) is not None:
        return Problem(file, place.line, slip.key, slip.message, slip.hint, slip.values, column=slip.column, text=line)
    if re.match(_IS_THERE_TWICE, what) and re.match(r"\s*(?:[^\s={]+\s*=[^{]*|\[[^=]*\]\s*(?:#.*)?)$", line):
        place = Place(place.line, len(line) - len(line.lstrip()) + 1)
    message, hint = next(
        ((said, remedy) for pattern, said, remedy in _SAID if re.fullmatch(pattern, what, re.DOTALL)),
        (N_("this is not TOML: {what}"), ""),
    )
    values = {"what": what[:1].lower() + what[1:]}
    if message == _KEY_TWICE and (found := re.match(r"\s*(?P<key>[a-z_]+)\.[a-z]{2,3}\s*=", line)) is not None:
        first = re.search(r"""(?m)^\s*default_language\s*=\s*["'](?P<language>[a-z]{2,3})["']""", text)
        hint = N_('write the other one as {key}.{language} = "…", or delete one of the two')
        values |= {"key": found["key"], "language": first["language"] if first else "en"}
    return Problem(file, place.line, "", message, hint, values, column=place.column, text=line)


def _end_of_text_before(lines: list[str], place: Place) -> Place:
    """Where the line above ends, if what can't be read begins a line: there the comma or the bracket is missing."""
    if lines[place.line - 1 : place.line] and not lines[place.line - 1][: place.column - 1].strip():
        above = next((number for number in range(place.line - 2, -1, -1) if lines[number].strip()), None)
        if above is not None:
            return Place(above + 1, len(lines[above].rstrip()) + 1)
    return place


def _other_document(text: str) -> tuple[str, str] | None:
    """What is wrong with a text that was never meant as a catalogue."""
    start = text[:200].lstrip().casefold()
    if start.startswith(("{\\rtf", "<!doctype", "<html", "<?xml")):
        return N_("this is a document of another kind"), N_("save it as plain text, in UTF-8")
    if re.match(r'\{\s*"|\[\s*\{', start):
        return N_("this is JSON and not TOML"), N_(
            "begin with `tocsin init`; `tocsin import FILE` then takes its events in"
        )
    return None


def number_problem(file: str, text: str) -> Problem:
    """The problem of a text with a whole number that is too long for any computer's."""
    match = re.search(r"[0-9_]{4000,}", text)
    at = match.start() if match else 0
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    return Problem(file, line, "", "a number has too many digits", "write a shorter one", column=column)


_ENDLESS = r"""(?:^|[{,])[ \t\[]*+(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){60}"""
MANY_DOTS = 60


def beyond_limits(file: str, text: str | bytes) -> Problem | None:
    """The problem of a text that no memory is to be spent on: it holds too much, or a key without end; else None."""
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    return crowd(file, data) or _endless_key(file, data)


def _endless_key(file: str, data: bytes) -> Problem | None:
    """A key with dozens of dots, for which the parser would need memory by the square."""
    for number, line in enumerate(BytesIO(data), start=1):
        # Counting dots is quick; hardly any line has so many.
        if line.count(b".") >= MANY_DOTS and (match := re.search(_ENDLESS, line.decode(errors="replace"))) is not None:
            return Problem(
                file, number, "", "a key has too many dots", "a catalogue needs three at most", column=match.start() + 1
            )
    return None


def _end(text: str, what: str) -> Place:
    """Where to look when the parser only saw that the text ended: what was never closed opens at its last mark."""
    marks = re.findall(r"'''|\"\"\"", what) or (['"""', "'''"] if what == "Unterminated string" else [])
    offset = max((text.rfind(mark) for mark in marks), default=-1)
    if offset < 0:
        offset = len(text.rstrip())
    line = text.count("\n", 0, offset) + 1
    return Place(line, offset - (text.rfind("\n", 0, offset) + 1) + 1)
