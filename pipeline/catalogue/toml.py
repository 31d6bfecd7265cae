"""TOML text in, plain values out: by a compiled reader where it surely means the same as Python's own.

The compiled one reads TOML 1.1, which allows more than editors and our messages know, and it says less about what is
wrong. So it reads only texts without a trace of 1.1; whatever it refuses is read again by `tomllib`, which judges.

A long text is read in pieces, since readers need several times the memory of what they read, and since one emoji makes
each character of a whole text four bytes wide.
"""

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

import rtoml

_STRINGS = re.compile(r""""(?:[^"\\]++|\\.)*+"|'[^']*+'""")
_LEFT_OPEN = re.compile(r",\s*\}")
_BEFORE_A_VALUE = frozenset("=,[\n")
_ITEM = re.compile(r"^\[\[[A-Za-z0-9_-]+\]\]", re.MULTILINE)
_ITEM_IN_BYTES = re.compile(_ITEM.pattern.encode(), re.MULTILINE)
AT_ONCE = 2**20
"""How long a text is read at once, in characters or bytes."""


def decoded(text: str | bytes) -> str:
    """A text that may be in UTF-8 still."""
    return text if isinstance(text, str) else text.decode()


def read_toml(text: str | bytes, at_once: int = AT_ONCE) -> dict[str, Any]:
    """The values of a TOML 1.0 text. Raises what `tomllib` raises: TOMLDecodeError, ValueError, RecursionError."""
    if len(text) > at_once and (values := joined(map(_read, pieces(text, at_once)))) is not None:
        return values
    return _read(text)


def pieces(text: str | bytes, at_once: int = AT_ONCE) -> Iterator[str | bytes]:
    """A text cut before lines such as `[[event]]`: what stands before the first of them, then pieces of about a length.

    Such a line may stand in a long string, too; then the piece before it is no TOML.
    """
    start = after = 0
    while start < len(text):
        found = _ITEM.search(text, after) if isinstance(text, str) else _ITEM_IN_BYTES.search(text, after)
        end = found.start() if found else len(text)
        yield text[start:end]
        start, after = end, end + at_once


def read_piece(piece: str | bytes) -> dict[str, Any]:
    """The values of a short text by itself; raises as `read_toml`."""
    return _read(piece)


def joined(parts: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """The tables of all pieces as one; None where only the whole text can tell what they mean."""
    values: dict[str, Any] = {}
    growing = set[str]()
    try:
        for number, part in enumerate(parts):
            for key, value in part.items():
                if key not in values:
                    values[key] = value
                    # After the first piece each list at the top is made of items such as [[event]]; more may follow.
                    growing |= {key} if number and isinstance(value, list) else set()
                elif key in growing and isinstance(value, list):
                    values[key] += value
                else:
                    return None
    except ValueError:
        return None
    return values


def _read(piece: str | bytes) -> dict[str, Any]:
    text = decoded(piece)
    lines = text.replace("\r\n", "\n")
    if not _is_of_its_own_kind(lines):
        try:
            return rtoml.loads(lines)
        except ValueError:
            pass
    return by_python(text)


def by_python(text: str) -> dict[str, Any]:
    """The values of a TOML text by Python's own reader, which is loaded only where it is needed."""
    values: dict[str, Any] = importlib.import_module("tomllib").loads(text)
    return values


def _is_of_its_own_kind(text: str) -> bool:
    """Whether something in a text might be read differently; some texts that are the same in both are named too."""
    odd = text.startswith("\ufeff") or any(mark in text for mark in ("\r", "\\e", "\\x"))
    return odd or _has_short_time(text) or _has_open_table(text)


def _has_short_time(text: str) -> bool:
    """Whether an hour without seconds stands where a value or the rest of a date may stand."""
    at = text.find(":")
    while at >= 0:
        if text[at - 2 : at].isdigit() and text[at + 1 : at + 3].isdigit() and text[at + 3 : at + 4] != ":":
            before = text[max(at - 40, 0) : at - 2]
            last = before.rstrip(" \t")[-1:]
            if not last or last in _BEFORE_A_VALUE or last.isdigit() or before[-1] in "Tt":
                return True
        at = text.find(":", at + 1)
    return False


def _has_open_table(text: str) -> bool:
    """Whether a table between braces goes on in the next line, or ends with a comma."""
    at = text.find("{")
    while at >= 0:
        start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
        line = text[start : end if end >= 0 else len(text)]
        if '"""' in line or "'''" in line:
            return True
        bare = _STRINGS.sub("0", line).partition("#")[0]
        if bare.count("{") != bare.count("}") or _LEFT_OPEN.search(bare):
            return True
        at = text.find("{", end) if end >= 0 else -1
    return False
