"""An iCalendar file cut into its calendars, zones and events, each with its line.

Each event is parsed by itself afterwards, so that a broken one is named by its line and doesn't spoil the others.
"""

import re
from dataclasses import dataclass, field
from itertools import chain

from pipeline.errors import N_, CatalogueError
from pipeline.importing.found import Spot

_LINE = (
    rb"(?P<name>BEGIN|END|UID|X-WR-TIMEZONE)(?:;[^:\r\n]*+)?:"
    rb"(?P<value>[^\r\n]{0,1000}+(?:(?:\r\n|\n|\r)[ \t][^\r\n]{0,1000}+){0,20}+)"
)
"""The lines by which a file is cut; all others are passed over, of which a long file has millions."""
_FIRST = re.compile(_LINE, re.IGNORECASE)
_LATER = re.compile(rb"[\r\n]" + _LINE, re.IGNORECASE)
_NAME = re.compile(r"[\w-]+")
_FOLDS = (b"\r\n ", b"\r\n\t", b"\n ", b"\n\t", b"\r ", b"\r\t")
_FILE_WITHIN = re.compile(
    rb"^(ATTACH[^:\r\n]*;(?:VALUE=BINARY|ENCODING=BASE64)\b[^:\r\n]*:)[^\r\n]*", re.IGNORECASE | re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Block:
    """One component as it stands in the file, and the line of its BEGIN."""

    name: str
    line: int
    data: bytes = field(repr=False)
    """The whole file."""
    start: int
    end: int
    uid: str = ""
    """Its UID as it stands there, by which its versions and changed times are known before they are parsed."""

    @property
    def text(self) -> str:
        """Its lines without their folds, each ending in CRLF. The bytes of files within are left out."""
        lines = _FILE_WITHIN.sub(rb"\1", _unfolded(self.data[self.start : self.end])).decode()
        return "".join(f"{line}\r\n" for line in lines.replace("\r", "\n").split("\n") if line)


@dataclass
class Calendar:
    """One VCALENDAR: the name of its own zone, the zones that it defines by name, its events in order."""

    zone: str = ""
    zones: dict[str, Block] = field(default_factory=dict)
    events: list[Block] = field(default_factory=list)
    others: dict[str, int] = field(default_factory=dict)
    """How many components of other kinds it has: to-dos, journals."""


def calendars(data: bytes, file: str) -> list[Calendar]:
    """The calendars of a file in UTF-8; CatalogueError where it was cut off, since nobody knows what is missing."""
    found: list[Calendar] = []
    block, uid, line, started, depth = "", "", 1, 0, 0
    for telling in chain(filter(None, [_FIRST.match(data)]), _LATER.finditer(data)):
        name, value = telling["name"].upper(), _unfolded(telling["value"]).decode("utf-8", errors="ignore").strip()
        is_edge = name in {b"BEGIN", b"END"} and _NAME.fullmatch(value) is not None
        if depth:
            uid = uid or (value if name == b"UID" and depth == 1 else "")
            depth += 0 if not is_edge else 1 if name == b"BEGIN" else -1
            if not depth:
                _keep(found[-1], Block(block, line, data, started, telling.end(), uid))
        elif name == b"X-WR-TIMEZONE" and found:
            found[-1].zone = found[-1].zone or value
        elif is_edge and value.upper() == "VCALENDAR":
            found += [Calendar()] if name == b"BEGIN" else []
        elif is_edge and name == b"BEGIN":
            found = found or [Calendar()]
            line += _line_breaks(data, started, telling.start("name"))
            block, uid, started, depth = value.upper(), "", telling.start("name"), 1
    if depth:
        message, hint = N_("the file ends in the middle of {what}"), N_("fetch it again: it was cut off")
        raise CatalogueError([Spot(file, line).problem(message, hint, what=block)])
    return found


def _line_breaks(data: bytes, start: int, end: int) -> int:
    """How many lines end between two places: by LF, by CR, or by both."""
    return data.count(b"\n", start, end) + data.count(b"\r", start, end) - data.count(b"\r\n", start, end)


def _unfolded(data: bytes) -> bytes:
    for fold in _FOLDS:
        data = data.replace(fold, b"")
    return data


def _keep(calendar: Calendar, block: Block) -> None:
    if block.name == "VEVENT":
        calendar.events.append(block)
    elif block.name == "VTIMEZONE":
        match = re.search(r"^TZID[^:\r\n]*:(.*?)\r$", block.text, re.MULTILINE | re.IGNORECASE)
        calendar.zones.setdefault(match[1].strip() if match else "", block)
    else:
        calendar.others[block.name] = calendar.others.get(block.name, 0) + 1
