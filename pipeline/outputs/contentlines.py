"""Calendar components as bytes: the library gives the content lines, here they are folded and joined.

The library's own folding goes character by character and costs more than all the rest; this one cuts bytes.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain
from types import MappingProxyType
from typing import Any, Self, SupportsBytes

from icalendar import Component, Parameters
from icalendar.parser import Contentline
from icalendar.prop import vDDDTypes, vDuration, vText, vUri

_LANGUAGE = re.compile("[A-Za-z0-9-]+")
LIMIT = 75
"""The longest line in octets, without its line break (RFC 5545, 3.1)."""


class Text(vText):
    """A TEXT value. The library's own takes a backslash before an N for a line break (RFC 5545, 3.3.11)."""

    def __new__(cls, value: str, params: Mapping[str, str] | None = None) -> Self:
        """A text; the parameters by their names in capitals."""
        self = str.__new__(cls, value)
        # A plain table: the library's is made where one is to be written that isn't simple.
        self.params = params or {}  # type: ignore[assignment]
        return self

    def to_ical(self) -> bytes:
        """The text with what has a meaning in a content line escaped."""
        return self.escaped().encode()

    def escaped(self) -> str:
        """The same, not in UTF-8 yet."""
        text = self.replace("\\", r"\\").replace(";", r"\;").replace(",", r"\,")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text.replace("\n", r"\n")


class Uri(vUri):
    """A URI value without parameters, for those that each event has: the library's makes a table for them."""

    params: Mapping[str, str] = MappingProxyType({})  # type: ignore[assignment]

    def __new__(cls, value: str) -> Self:
        """An absolute address."""
        return str.__new__(cls, value)


class Instant:
    """An instant as a DATE-TIME value in UTC; the library's looks for the name of its zone among all."""

    __slots__ = ("dt",)
    params: Mapping[str, str] = MappingProxyType({})

    def __init__(self, moment: datetime) -> None:
        """Of an aware instant, in whichever zone."""
        self.dt = moment.astimezone(UTC)

    def to_ical(self) -> bytes:
        """The instant to the second."""
        return _written(self.dt)


@lru_cache(maxsize=256)
def _written(moment: datetime) -> bytes:
    # Only of instants in UTC: in other zones two may be equal that are not the same. Many events share their stamps.
    text = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{text.replace('-', '').replace(':', '')}Z".encode()


class Properties(dict[str, Any]):
    """The properties of a component by their names in capitals: a lighter table than the library's, in its order."""

    def __init__(self, kind: type[Component]) -> None:
        """A component of one of the library's kinds, without any property."""
        super().__init__()
        self._kind = kind

    def add(self, name: str, value: object, parameters: dict[str, str] | None = None) -> None:
        """A property as the library makes it of a plain value; one that is there already gets company."""
        component = self._kind()
        component.add(name, value, parameters=parameters or {})
        self[name] = component[name] if name not in self else [*_listed(self[name]), component[name]]

    def property_items(self) -> list[tuple[str, object]]:
        """Each property, from BEGIN to END, in the order of the library."""
        kind = str(self._kind.name).encode()
        items: list[tuple[str, object]] = [("BEGIN", kind)]
        for name in _in_order(self._kind, tuple(self)):
            value = self[name]
            if isinstance(value, list):
                items += [(name, one) for one in value]
            else:
                items.append((name, value))
        return [*items, ("END", kind)]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=256)
def _in_order(kind: type[Component], names: tuple[str, ...]) -> tuple[str, ...]:
    first = kind.canonical_order or ()
    return tuple(sorted(names, key=lambda name: (first.index(name) if name in first else len(first), name)))


def folded(data: bytes) -> bytes:
    """A content line folded between characters, never within an escape sequence, without its last line break."""
    if len(data) <= LIMIT:
        return data
    pieces = []
    start, cut, end = 0, LIMIT, len(data)
    while cut < end:
        if data[cut] & 0xC0 == 0x80 or data[cut - 1] == 0x5C:
            cut = _cut(data, start, cut)
        pieces.append(data[start:cut])
        start, cut = cut, cut + LIMIT - 1  # the space that opens a continued line counts
    pieces.append(data[start:])
    return b"\r\n ".join(pieces)


def _cut(data: bytes, start: int, end: int) -> int:
    """The last place up to `end` that splits neither a character nor a backslash from what it escapes."""
    while data[end] & 0xC0 == 0x80:
        end -= 1
    backslashes = end
    while backslashes > start and data[backslashes - 1] == 0x5C:
        backslashes -= 1
    return end - 1 if (end - backslashes) % 2 else end


def lines_of(component: Component | Properties) -> bytes:
    """A whole component, BEGIN to END, each line folded and closed by CRLF."""
    return b"".join([line_of(name, value) for name, value in component.property_items()])


def _line(name: str, value: object) -> bytes:
    """A content line; most have one plain parameter or none, for which the library's way is a long one."""
    if isinstance(value, bytes):  # BEGIN and END
        return f"{name}:".encode() + value
    if type(value) is int:
        return f"{name}:{value}".encode()
    parameters = getattr(value, "params", None)
    parameter = _simple(parameters) if parameters else ""
    if parameter is None or type(value) not in _PLAIN:
        return str(Contentline.from_parts(name, Parameters(parameters or {}), value)).encode()
    if type(value) is Text:  # as most are
        return f"{name}{parameter}:{value.escaped()}".encode()
    written = value.to_ical()  # type: ignore[attr-defined]
    return f"{name}{parameter}:".encode() + (written.encode() if isinstance(written, str) else written)


_PLAIN = frozenset({Text, Uri, Instant, vUri, vDDDTypes, vDuration})
"""The kinds of values that are written as they are, where their parameters are simple."""


def _simple(parameters: Mapping[str, object]) -> str | None:
    """The parameters as they are written where that is simple: there is a language, or it is a day. Else None."""
    if len(parameters) > 1:
        return None
    code = parameters.get("LANGUAGE")
    if isinstance(code, str) and (spoken := _spoken(code)) is not None:
        return spoken
    return ";VALUE=DATE" if parameters.get("VALUE") == "DATE" else None


@cache
def _spoken(code: str) -> str | None:
    return f";LANGUAGE={code}" if _LANGUAGE.fullmatch(code) else None


def opening_of(properties: Component) -> bytes:
    """The first lines of a VCALENDAR, its properties, up to where its components stand."""
    return lines_of(properties).removesuffix(b"END:VCALENDAR\r\n")


def calendar_of(opening: bytes, components: Iterable[SupportsBytes]) -> Iterator[SupportsBytes]:
    """A whole VCALENDAR, piece by piece, from its opening and from components that are bytes already."""
    return chain((opening,), components, (b"END:VCALENDAR\r\n",))


def line_of(name: str, value: object) -> bytes:
    """One property as the library gives it, folded and closed by CRLF."""
    return folded(_line(name, value)) + b"\r\n"


def with_alarms(event: bytes, alarms: Iterable[bytes]) -> bytes:
    """The bytes of one VEVENT with VALARMs before its end."""
    return b"".join((event.removesuffix(b"END:VEVENT\r\n"), *alarms, b"END:VEVENT\r\n"))
