"""JSON: schema.org events, alone, in a list, in a graph or in a saved page, and our own `events.json`."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import N_, CatalogueError
from pipeline.importing.found import Found, Manner, Reading, Spot
from pipeline.importing.markup import scripts
from pipeline.importing.our_json import is_ours, read_ours
from pipeline.importing.schema_org import event_of, is_event

MEDIA_TYPE = "application/ld+json"


def read_json(text: str, file: str, manner: Manner) -> Reading:
    """The events of a JSON text; CatalogueError where there is none."""
    value = _parsed(text, file, 0)
    if is_ours(value):
        return read_ours(value, file)
    return _reading(list(_events([(1, value)], file, manner)), file)


def read_page(text: str, file: str, manner: Manner) -> Reading:
    """The events in the structured data of a saved web page; CatalogueError where there is none."""
    found = [(line, _parsed(script, file, line)) for line, script in scripts(text, MEDIA_TYPE)]
    return _reading(list(_events(found, file, manner)), file)


def _reading(events: list[Found], file: str) -> Reading:
    if not events:
        raise CatalogueError([Spot(file, 1).problem(
            N_("no event is described in the file in a way that programs can read"),
            N_("it needs events of schema.org (JSON-LD), or our own events.json"))])  # fmt: skip
    return Reading(tuple(events))


def _parsed(text: str, file: str, line: int) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = line + error.lineno - 1 if line else error.lineno
        problem = Spot(file, where).problem(
            N_("this is not JSON: {reason}"), N_("fetch the file again"), reason=error.msg
        )
    except RecursionError:
        problem = Spot(file, line).problem(N_("brackets are nested too deep"), "")
    except ValueError as error:
        problem = Spot(file, line).problem(N_("this is not JSON: {reason}"), "", reason=error)
    raise CatalogueError([problem])


def _events(values: list[tuple[int, Any]], file: str, manner: Manner) -> Iterator[Found]:
    """The events of all values, in the order in which they stand there, each once."""
    seen: set[str] = set()
    waiting = list(reversed(values))
    while waiting:
        line, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(line, item) for item in reversed(value)]
        elif isinstance(value, Mapping):
            if is_event(value):
                found = event_of(value, Spot(file, line), manner)
                if not found.uid or found.uid not in seen:
                    yield found
                seen.add(found.uid)
            waiting += [(line, item) for key, item in reversed(list(value.items())) if key not in _NOT_BELOW]


_NOT_BELOW = frozenset({"superEvent", "location", "organizer", "performer", "offers", "eventSchedule"})
"""Where no event of this programme is described."""
