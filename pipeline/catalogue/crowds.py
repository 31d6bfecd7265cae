"""How much a catalogue may hold: far more than any programme does, and no more than there should be memory for.

What is beyond is refused before it is judged: of each mistake in a list of a hundred thousand there would be a record.
"""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from pipeline.catalogue.places import Path
from pipeline.errors import N_, Problem


class Limit(NamedTuple):
    """How many of a sign may stand in a file outside of texts and remarks, and what is said where there are more."""

    sign: bytes
    pattern: bytes
    most: int
    message: str


MOST_TABLES, MOST_INLINE_TABLES, MOST_KEYS, MOST_ENTRIES = 50_000, 100_000, 300_000, 400_000
"""Those with a header, those between braces, equals signs and commas: five to forty for each of ten thousand events."""
LIMITS = (
    Limit(b"[", rb"\n[ \t]*\[", MOST_TABLES, N_("there are more than {most} tables in the file")),
    Limit(b"{", rb"\{", MOST_INLINE_TABLES, N_("there are more than {most} tables in the file")),
    Limit(b"=", b"=", MOST_KEYS, N_("there are more than {most} keys in the file")),
    Limit(b",", b",", MOST_ENTRIES, N_("there are more than {most} entries in the lists of the file")),
)
MOST_IN_ONE = 10_000
"""The entries of any list but that of the events, and the keys of any table."""
LONGEST_TABLE = 10_000_000
"""Octets from one line such as `[[event]]` to the next."""

_TEXT = (
    rb'(?s)"""(?:[^"\\]++|\\.|"(?!""))*+"""|"(?:[^"\\\n]++|\\.)*+"'
    rb"|'''(?:[^']++|'(?!''))*+'''|'[^'\n]*+'|#[^\n]*+"
)
"""A text in any of its four forms, or a remark."""


def crowd(file: str, data: bytes) -> Problem | None:
    """The problem of a file that holds too much; None where it doesn't."""
    limit = next((limit for limit in LIMITS if _is_beyond(limit, data)), None)
    if limit is None:
        return _endless_table(file, data)
    hint = N_("keep older events in files of their own, named by `include`")
    return Problem(file, 0, "", limit.message, hint, {"most": limit.most})


def _endless_table(file: str, data: bytes) -> Problem | None:
    """A table so long that its reader would need several times the memory of the whole file."""
    start = 0
    for header in (*re.finditer(rb"\n\[\[", data), None) if len(data) > LONGEST_TABLE else ():
        end = header.start() + 1 if header else len(data)
        if end - start > LONGEST_TABLE:
            line = data.count(b"\n", 0, start) + 1
            hint = N_("shorten its texts: a long one is better put on a page of its own, with a link to it")
            message = N_("the table is longer than {most} characters")
            return Problem(file, line, "", message, hint, {"most": LONGEST_TABLE}, column=1)
        start = end
    return None


def _is_beyond(limit: Limit, data: bytes) -> bool:
    # Long texts have many signs: only then is it worth looking what they are.
    if data.count(limit.sign) <= limit.most or (found := _count(limit.pattern, data)) <= limit.most:
        return False
    return found - sum(_count(limit.pattern, text[0]) for text in re.finditer(_TEXT, data)) > limit.most


def _count(pattern: bytes, data: bytes) -> int:
    return sum(1 for _ in re.finditer(pattern, data))


def crowded(tables: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where a list or table holds too much, and what is said of it; the list of the events may hold more."""
    left: list[tuple[Path, Any]] = [((), tables)]
    while left:
        path, value = left.pop()
        if len(value) > MOST_IN_ONE and path != ("event",):
            yield path, "the list is too long" if isinstance(value, list) else N_("the table has too many keys")
            continue
        items = value.items() if isinstance(value, dict) else enumerate(value)
        left += [((*path, key), item) for key, item in items if isinstance(item, dict | list)]
