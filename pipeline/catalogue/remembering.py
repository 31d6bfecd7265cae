"""Events that were judged before: what is as it was below the same head is sound, and is read when asked for."""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, time, timedelta
from itertools import pairwise
from typing import Any

from pydantic import ConfigDict

from pipeline.catalogue.crowds import MOST_TABLES
from pipeline.catalogue.memory import KnownRow
from pipeline.catalogue.models import Event, Status
from pipeline.catalogue.syntax import beyond_limits
from pipeline.catalogue.toml import read_piece

_EVENT = re.compile(rb"\n\[\[event\]\]")

_FROM_JSON: Mapping[str, Callable[[Any], Any]] = {
    "date": date.fromisoformat, "end_date": date.fromisoformat,
    "time": time.fromisoformat, "end_time": time.fromisoformat,
    "duration": lambda seconds: timedelta(seconds=seconds),
    "estimated_duration": lambda seconds: timedelta(seconds=seconds),
    "status": Status, "tags": tuple, "order": tuple,
}  # fmt: skip
_PLAIN = (
    "id", "number", "all_day", "timezone", "venue", "image", "repeats", "fold", "end_fold", "group", *_FROM_JSON,
)  # fmt: skip
"""The facts by which events are looked for, and their order; all others are read when somebody asks for them."""
_DEFAULTS = {
    name: field.default for name, field in Event.model_fields.items() if name in _PLAIN and not field.is_required()
}

Read = Callable[[int, int], Event]
"""The event of a block that stands in its file from one place to another."""


def places_of_events(text: bytes) -> list[tuple[int, int]]:
    """Where each block `[[event]]` of a file begins and ends. A long text may hold such a line: that is no block."""
    starts = [found.start() + 1 for found in _EVENT.finditer(text)]
    return list(pairwise((*starts, len(text))))


def digests_of_blocks(file: str, text: bytes, places: Iterable[tuple[int, int]]) -> Iterator[str]:
    """By which each block is known again, below the name of its file."""
    # None is copied: to put each behind the name would take a fourth as long as its digest.
    above, within = hashlib.sha256(f"{file}\n".encode(errors="surrogateescape")), memoryview(text)
    for start, end in places:
        found = above.copy()
        found.update(within[start:end])
        yield found.hexdigest()[:32]


def read_by_blocks(file: str, text: bytes, known: Mapping[str, str]) -> tuple[dict[str, Any], list[str | None]] | None:
    """The tables of a file, with the digests of its events' blocks; None where only the whole text tells what it means.

    In the place of an event that is known stands a `KnownRow`.
    """
    places = places_of_events(text)
    if not places or len(places) > MOST_TABLES or (values := _alone(file, text[: places[0][0]])) is None:
        return None
    rows, digests = list[Any](), list[str | None]()
    found, growing = {**values, "event": rows}, set[str]()
    for (start, end), digest in zip(places, digests_of_blocks(file, text, places), strict=True):
        if (facts := known.get(digest)) is not None:
            rows.append(KnownRow(facts, start, end))
            digests.append(digest)
            continue
        part = _alone(file, text[start:end]) or {}
        events = part.pop("event", None)
        if "event" in values or not isinstance(events, list) or not _take_rest(found, part, growing):
            return None
        rows += events
        digests += [None if part or len(events) > 1 else digest] * len(events)
    return found, digests


def _alone(file: str, block: bytes) -> dict[str, Any] | None:
    """The tables of a part of a file; None where it is no TOML by itself."""
    try:
        return None if beyond_limits(file, block) is not None else read_piece(block)
    except (ValueError, RecursionError):
        return None


def _take_rest(found: dict[str, Any], part: Mapping[str, Any], growing: set[str]) -> bool:
    """Joins what else stands below an event; False where only the whole text tells what it means."""
    for key, value in part.items():
        if key in found:
            if key not in growing or not isinstance(value, list):
                return False
            found[key] += value
        else:
            found[key] = value
            growing |= {key} if isinstance(value, list) else set()
    return True


class KnownEvent(Event):
    """An event of which only some facts are at hand; asked for any other it is read, and is an `Event` from then on."""

    model_config = ConfigDict(defer_build=True)

    def __getattr__(self, name: str) -> Any:
        """What isn't at hand."""
        return getattr(_whole(self), name)

    def __eq__(self, other: object) -> bool:
        """As an event; two of different names are told apart unread."""
        if isinstance(other, Event) and other.id != self.id:
            return False
        return bool(_whole(self) == other)

    def __hash__(self) -> int:
        """As an event."""
        return hash(_whole(self))

    def __iter__(self) -> Any:
        """As an event."""
        return iter(_whole(self))

    def __copy__(self) -> Any:
        """As an event."""
        return _whole(self).__copy__()

    def __deepcopy__(self, memo: Any = None) -> Any:
        """As an event."""
        return _whole(self).__deepcopy__(memo)

    def __repr__(self) -> str:
        """As an event."""
        return repr(_whole(self))

    def model_dump(self, **how: Any) -> dict[str, Any]:
        """As an event."""
        return _whole(self).model_dump(**how)

    def model_dump_json(self, **how: Any) -> str:
        """As an event."""
        return _whole(self).model_dump_json(**how)


for _name, _default in _DEFAULTS.items():
    # What nobody said of an event is said once for all: most say four or five of these facts.
    setattr(KnownEvent, _name, _default)


def known_events(rows: Collection[KnownRow], read: Read) -> list[Event]:
    """The events of rows that are known and stand in one file, of which `read` reads each as a whole."""
    # As one text: to read ten thousand of them one by one takes five times as long.
    told: list[dict[str, Any]] = json.loads(f"[{','.join([row.facts for row in rows])}]")
    return [_known_event(facts, (read, row.start, row.end)) for facts, row in zip(told, rows, strict=True)]


def _known_event(facts: dict[str, Any], read: tuple[Read, int, int]) -> Event:
    for name, value in facts.items():
        if name in _FROM_JSON:
            facts[name] = _FROM_JSON[name](value)
    facts["_read"] = read
    event = KnownEvent.__new__(KnownEvent)
    object.__setattr__(event, "__dict__", facts)
    return event


def _whole(event: KnownEvent) -> Event:
    """The same event, read."""
    at_hand = object.__getattribute__(event, "__dict__")
    if "_read" in at_hand:
        read, start, end = at_hand.pop("_read")
        found = read(start, end)
        # In the order of its fields; what was derived of the facts at hand stays.
        derived = {name: value for name, value in at_hand.items() if name not in found.__dict__}
        object.__setattr__(event, "__dict__", found.__dict__ | derived)
        for slot in ("__pydantic_fields_set__", "__pydantic_extra__", "__pydantic_private__"):
            object.__setattr__(event, slot, getattr(found, slot))
        object.__setattr__(event, "__class__", Event)
    return event


def facts_of_known(event: Event) -> str:
    """What `known_event` takes."""
    given = {name: getattr(event, name) for name in _PLAIN}
    return _BRIEFLY.encode(
        {name: _as_json(value) for name, value in given.items() if name not in _DEFAULTS or value != _DEFAULTS[name]}
    )


_BRIEFLY = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _as_json(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.isoformat() if isinstance(value, date | time) else value
