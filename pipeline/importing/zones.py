"""Names of time zones as other programs write them, and the IANA zone that is meant."""

import re
from functools import cache

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from pipeline.catalogue.when import zone_names

_NOT_FOR_PEOPLE = frozenset({"localtime", "posixrules", "Factory"})
_LISTED = re.compile(r"\((?:UTC|GMT)[^)]*\)\s*(?P<cities>.+)", re.IGNORECASE)


@cache
def _known() -> dict[str, str]:
    return {name.casefold(): name for name in sorted(zone_names() - _NOT_FOR_PEOPLE)}


@cache
def _cities() -> dict[str, str]:
    """The first zone that bears the name of each city."""
    found: dict[str, str] = {}
    for name in sorted(zone_names() - _NOT_FOR_PEOPLE):
        if "/" in name:
            found.setdefault(name.rpartition("/")[2].replace("_", " ").casefold(), name)
    return found


@cache
def _windows() -> dict[str, str]:
    return {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items()}


def iana(name: str) -> str | None:
    """The IANA zone of a name: itself, Windows' names, paths that end in one, `(UTC+01:00) Paris`; or None."""
    name = name.strip().casefold()
    for candidate in (name, *_endings(name)):
        if (zone := _known().get(candidate.replace(" ", "_")) or _windows().get(candidate)) is not None:
            return zone
    if (listed := _LISTED.fullmatch(name)) is not None:
        cities = (city.strip() for city in listed["cities"].split(","))
        return next((_cities()[city] for city in cities if city in _cities()), None)
    return None


def _endings(name: str) -> tuple[str, ...]:
    """`/freeassociation.sourceforge.net/Europe/Paris`, `/mozilla.org/20070129_1/America/Indiana/Knox`."""
    parts = name.strip("/").split("/")
    return tuple("/".join(parts[-count:]) for count in (3, 2) if len(parts) > count)
