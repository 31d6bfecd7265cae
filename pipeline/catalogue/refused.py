"""Files of groups that were refused, and what stands in for them: their events as they were last published."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from pipeline.catalogue.models import Catalogue, Event, Group, Venue
from pipeline.catalogue.toml import by_python
from pipeline.errors import Problem


class Refused(NamedTuple):
    """A group's file with mistakes: all of them, and the id of its group, None where even that can't be read."""

    file: str
    group: str | None
    problems: tuple[Problem, ...]


class Kept(NamedTuple):
    """What was last published of the groups whose files were refused."""

    groups: tuple[Group, ...] = ()
    events: tuple[Event, ...] = ()
    venues: tuple[Venue, ...] = ()


Keep = Callable[[Sequence[Refused], Catalogue], Kept]
"""What stands in for refused files, given the catalogue of all others."""

_OPENING = r"(?m)^[ \t]*(?:\[[ \t]*group\b|group[ \t]*[.=])"
_NEXT_TABLE = r"(?m)^[ \t]*\["
_ID = r"""(?m)^[ \t]*id[ \t]*=[ \t]*(["'])(?P<id>[a-z0-9-]+)\1"""


def opens_a_group(text: str) -> bool:
    """Whether a file that is no TOML was meant as a group's."""
    return re.search(_OPENING, text) is not None


def group_id_in(text: str) -> str | None:
    """The id of the group in a file that is no TOML, None where that can't be told."""
    start = re.search(_OPENING, text)
    if start is None:
        return None
    end = re.compile(_NEXT_TABLE).search(text, start.end())
    opening = text[start.start() : end.start() if end else len(text)]
    try:
        return group_id_of(by_python(opening))
    except (ValueError, RecursionError):
        found = re.search(_ID, opening)
        return found["id"] if found else None


def group_id_of(raw: Mapping[str, Any]) -> str | None:
    """The id that the `[group]` of a file gives, None where there is none that could be one."""
    group = raw.get("group")
    name = group.get("id") if isinstance(group, dict) else None
    return name if isinstance(name, str) else None


def completed(catalogue: Catalogue, kept: Kept) -> Catalogue:
    """The catalogue with what is kept after its own."""
    return catalogue.altered(
        groups=(*catalogue.groups, *kept.groups),
        events=(*catalogue.events, *kept.events),
        venues=(*catalogue.venues, *kept.venues),
        kept=tuple(event.id for event in kept.events),
    )
