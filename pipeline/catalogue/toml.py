"""TOML text in, plain values out: by a compiled reader where it surely means the same as Python's own.

The compiled one reads TOML 1.1, which allows more than editors and our messages know, and it says less about what is
wrong. So it reads only texts without a trace of 1.1; whatever it refuses is read again by `tomllib`, which judges.
"""

import importlib
import re
from typing import Any

import rtoml

_STRINGS = re.compile(r""""(?:[^"\\]++|\\.)*+"|'[^']*+'""")
_LEFT_OPEN = re.compile(r",\s*\}")
_BEFORE_A_VALUE = frozenset("=,[\n")


def read_toml(text: str) -> dict[str, Any]:
    """The values of a TOML 1.0 text. Raises what `tomllib` raises: TOMLDecodeError, ValueError, RecursionError."""
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
