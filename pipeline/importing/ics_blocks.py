"""An iCalendar file cut into its calendars, zones and events, each with its line.

Each event is parsed by itself afterwards, so that a broken one is named by its line and doesn't spoil the others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipeline.errors import N_, Problem
from pipeline.importing.found import Spot

_BEGIN_OR_END = re.compile(r"(?P<edge>BEGIN|END):(?P<name>[\w-]+)\s*", re.IGNORECASE)

_UID = re.compile(r"UID(?:;[^:]*)?:(.*)", re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Block:
    """One component as it stands in the file, and the line of its BEGIN."""

    name: str
    line: int
    text: str
    uid: str = ""
    """Its UID as it stands there, by which its versions and changed times are known before they are parsed."""


@dataclass
class Calendar:
    """One VCALENDAR: its own properties by upper-case name, its zones by name, its events in order."""

    properties: dict[str, str] = field(default_factory=dict)
    zones: dict[str, Block] = field(default_factory=dict)
    events: list[Block] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    """How many components of other kinds it has: to-dos, journals."""


def calendars(text: str, file: str) -> tuple[list[Calendar], list[Problem]]:
    """The calendars of a file, and what is wrong with it as a whole."""
    found: list[Calendar] = []
    problems: list[Problem] = []
    open_block: list[str] = []
    name, uid, started, depth = "", "", 0, 0
    for number, line in _unfolded(text):
        edge = _BEGIN_OR_END.fullmatch(line)
        if depth:
            open_block.append(line)
            if depth == 1 and (match := _UID.match(line)) is not None:
                uid = uid or match[1].strip()
            depth += 0 if edge is None else 1 if edge["edge"].upper() == "BEGIN" else -1
            if not depth:
                _keep(found[-1], Block(name, started, "\r\n".join([*open_block, ""]), uid))
                open_block = []
        elif edge is not None and edge["name"].upper() == "VCALENDAR":
            if edge["edge"].upper() == "BEGIN":
                found.append(Calendar())
        elif edge is not None and edge["edge"].upper() == "BEGIN":
            found = found or [Calendar()]
            name, uid, started, depth, open_block = edge["name"].upper(), "", number, 1, [line]
        elif found:
            key, _, value = line.partition(":")
            found[-1].properties.setdefault(key.partition(";")[0].upper(), value.strip())
    if depth:
        problems.append(Spot(file, started).problem(
            N_("the file ends in the middle of {what}"), N_("fetch it again: it was cut off"), what=name))  # fmt: skip
    return found, problems


def _keep(calendar: Calendar, block: Block) -> None:
    if block.name == "VEVENT":
        calendar.events.append(block)
    elif block.name == "VTIMEZONE":
        match = re.search(r"^TZID[^:\r\n]*:(.*?)\r$", block.text, re.MULTILINE | re.IGNORECASE)
        calendar.zones.setdefault(match[1].strip() if match else "", block)
    else:
        calendar.others[block.name] = calendar.others.get(block.name, 0) + 1


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """The content lines with their continuations, each with the number of its first line."""
    parts: list[str] = []
    started = 1
    for number, line in enumerate(_lines(text), start=1):
        if line[:1] in {" ", "\t"} and parts:
            parts.append(line[1:])
            continue
        if parts and (whole := "".join(parts)):
            yield started, whole
        parts, started = [line], number
    if parts and (whole := "".join(parts)):
        yield started, whole


def _lines(text: str) -> Iterator[str]:
    """Line by line: a long file has millions of them, which together take ten times its size."""
    at = 0
    for end in _LINE_END.finditer(text):
        yield text[at : end.start()]
        at = end.end()
    yield text[at:]
