"""Files of groups that were refused, and what stands in for them: their events as they were last published."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.catalogue.models import Catalogue, Event, Group, Venue
from pipeline.catalogue.toml import by_python
from pipeline.errors import Problem


@dataclass(frozen=True)
class Refused:
    """A group's file with mistakes: all of them, and the id of its group, None where even that can't be read."""

    file: str
    group: str | None
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Kept:
    """What was last published of the groups whose files were refused."""

    groups: tuple[Group, ...] = ()
    events: tuple[Event, ...] = ()
    venues: tuple[Venue, ...] = ()


Keep = Callable[[Sequence[Refused], Catalogue], Kept]
"""What stands in for refused files, given the catalogue of all others."""

_OPENING = re.compile(r"^[ \t]*(?:\[[ \t]*group\b|group[ \t]*[.=])", re.MULTILINE)
_NEXT_TABLE = re.compile(r"^[ \t]*\[", re.MULTILINE)
_ID = re.compile(r"""^[ \t]*id[ \t]*=[ \t]*(["'])(?P<id>[a-z0-9-]+)\1""", re.MULTILINE)


def opens_a_group(text: str) -> bool:
    """Whether a file that is no TOML was meant as a group's."""
    return _OPENING.search(text) is not None


def group_id_in(text: str) -> str | None:
    """The id of the group in a file that is no TOML, None where that can't be told."""
    start = _OPENING.search(text)
    if start is None:
        return None
    end = _NEXT_TABLE.search(text, start.end())
    opening = text[start.start() : end.start() if end else len(text)]
    try:
        return group_id_of(by_python(opening))
    except (ValueError, RecursionError):
        found = _ID.search(opening)
        return found["id"] if found else None


def group_id_of(raw: Mapping[str, Any]) -> str | None:
    """The id that the `[group]` of a file gives, None where there is none that could be one."""
    group = raw.get("group")
    name = group.get("id") if isinstance(group, dict) else None
    return name if isinstance(name, str) else None


def completed(catalogue: Catalogue, kept: Kept) -> Catalogue:
    """The catalogue with what is kept after its own."""
    fields = {name: getattr(catalogue, name) for name in Catalogue.model_fields}
    fields |= {
        "groups": (*catalogue.groups, *kept.groups),
        "events": (*catalogue.events, *kept.events),
        "venues": (*catalogue.venues, *kept.venues),
        "kept": tuple(event.id for event in kept.events),
    }
    # Not `model_copy`: it would copy what was cached of the smaller one.
    return Catalogue.model_construct(**fields)
