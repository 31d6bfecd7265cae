"""How much a catalogue may hold: far more than any programme does, and no more than there should be memory for.

What is beyond is refused before it is judged: of each mistake in a list of a hundred thousand there would be a record.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, repeat
from typing import Any, NamedTuple

from pipeline.catalogue.places import Path
from pipeline.errors import N_, Problem


class Limit(NamedTuple):
    """How many of a sign may stand in a file outside of texts and remarks, and what is said where there are more."""

    sign: bytes
    pattern: bytes
    most: int
    weight: int
    """About how many octets of memory one of them takes once it is read."""
    message: str


MOST_TABLES, MOST_INLINE_TABLES, MOST_KEYS, MOST_ENTRIES = 50_000, 100_000, 300_000, 400_000
"""Those with a header, those between braces, equals signs and commas: five to forty for each of ten thousand events."""
LIMITS = (
    Limit(b"[", rb"\n[ \t]*\[", MOST_TABLES, 1_800, N_("there are more than {most} tables in the file")),
    Limit(b"{", rb"\{", MOST_INLINE_TABLES, 1_250, N_("there are more than {most} tables in the file")),
    Limit(b"=", b"=", MOST_KEYS, 0, N_("there are more than {most} keys in the file")),
    Limit(b",", b",", MOST_ENTRIES, 100, N_("there are more than {most} entries in the lists of the file")),
)
HEAVIEST = 155_000_000
"""Octets of memory for a file and what is counted in it: each limit may be reached, but not all of them together."""
WHILE_READ = 20
"""How many times its own length the longest table may take for as long as it is read."""
MOST_IN_ONE = 10_000
"""The entries of any list but that of the events, and the keys of any table."""
LONGEST_TABLE = 5_000_000
"""Octets from one line such as `[[event]]` to the next."""

_TEXT = (
    rb'(?s)"""(?:[^"\\]++|\\.|"(?!""))*+"""|"(?:[^"\\\n]++|\\.)*+"'
    rb"|'''(?:[^']++|'(?!''))*+'''|'[^'\n]*+'|#[^\n]*+"
)
"""A text in any of its four forms, or a remark."""


def crowd(file: str, data: bytes) -> Problem | None:
    """The problem of a file that holds too much; None where it doesn't."""
    start, length = _longest_table(data)
    if length > LONGEST_TABLE:
        line = data.count(b"\n", 0, start) + 1
        hint = N_("shorten its texts: a long one is better put on a page of its own, with a link to it")
        message = N_("the table is longer than {most} characters")
        return Problem(file, line, "", message, hint, {"most": LONGEST_TABLE}, column=1)
    for counts in _counts(data):
        message, most = _beyond(counts, HEAVIEST - len(data) - WHILE_READ * length)
        if not message:
            return None
    hint = N_("keep older events in files of their own, named by `include`")
    return Problem(file, 0, "", message, hint, {"most": most})


def _counts(data: bytes) -> Iterator[list[int]]:
    """How many of each sign a file may hold outside of texts: each time nearer to the truth, and dearer to find out."""
    yield [data.count(limit.sign) for limit in LIMITS]
    written = [_count(limit, data) for limit in LIMITS]
    yield written
    within = Counter(chain.from_iterable(_in_text(text[0]) for text in re.finditer(_TEXT, data)))
    yield [count - within[limit] for count, limit in zip(written, LIMITS, strict=True)]


def _in_text(text: bytes) -> Iterator[Limit]:
    """What a text or a remark holds that is counted, as often as it does."""
    for limit in LIMITS:
        if limit.sign in text:
            yield from repeat(limit, _count(limit, text))


def _count(limit: Limit, data: bytes) -> int:
    return sum(1 for _ in re.finditer(limit.pattern, data))


def _beyond(counts: Sequence[int], room: int) -> tuple[str, int]:
    """What is said of a file that holds so many of each sign, with the limit that it passes; nothing where it may."""
    weight = 0
    for limit, count in zip(LIMITS, counts, strict=True):
        if count > limit.most:
            return limit.message, limit.most
        weight += limit.weight * count
    if weight > room:
        return N_("the file holds more tables, entries and text than there is memory for"), 0
    return "", 0


def _longest_table(data: bytes) -> tuple[int, int]:
    """Where the longest table begins, from one line such as `[[event]]` to the next, and its length in octets."""
    starts = [0, *(header.start() + 1 for header in re.finditer(rb"\n\[\[", data)), len(data)]
    length, start = max((end - start, start) for start, end in pairwise(starts))
    return start, length


def crowded(tables: dict[str, Any]) -> Iterator[tuple[Path, str]]:
    """Where a list or table holds too much, and what is said of it; the list of the events may hold more."""
    left: list[tuple[Path, Any]] = [((), tables)]
    while left:
        path, value = left.pop()
        if len(value) > MOST_IN_ONE and path != ("event",):
            yield path, "the list is too long" if isinstance(value, list) else N_("the table has too many keys")
            continue
        items = value.items() if isinstance(value, dict) else enumerate(value)
        left += [((*path, key), item) for key, item in items if item and isinstance(item, dict | list)]
