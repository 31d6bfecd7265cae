"""What would make the catalogue refuse an imported event is taken out of it again, and named."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.guards import guard
from pipeline.catalogue.models import Catalogue, Event, Venue
from pipeline.errors import Problem
from pipeline.importing.fitting import Tongue
from pipeline.importing.found import Spot
from pipeline.importing.shaping import to_be_announced

_TOGETHER: Mapping[str, tuple[str, ...]] = {
    "date": ("date", "time", "end_date", "end_time", "repeats", "except", "moved", "fold", "end_fold", "all_day"),
    "time": ("time", "end_time", "end_date", "fold", "end_fold"),
    "end_time": ("end_time", "end_date", "end_fold"),
    "end_date": ("end_date", "end_time", "end_fold"),
    "repeats": ("repeats", "except", "moved"),
}
"""Facts that mean nothing without the one that is refused."""


def made_sound(
    catalogue: Catalogue, events: Sequence[dict[str, Any]], venues: Sequence[Mapping[str, Any]],
    spots: Sequence[Spot], tongue: Tongue,
) -> list[Problem]:  # fmt: skip
    """Takes out of each new event table what the guards of the whole catalogue refuse; tells what."""
    lost: list[Problem] = []
    places = (*catalogue.venues, *(Venue.model_validate(venue, context=tongue.context) for venue in venues))
    for _round in range(8):
        found = _refused(catalogue, events, places, tongue)
        if not found:
            break
        for number, finding in found:
            lost += _take_out(events[number], finding, spots[number])
    return lost


def _refused(
    catalogue: Catalogue, events: Sequence[Mapping[str, Any]], places: tuple[Venue, ...], tongue: Tongue
) -> list[tuple[int, Finding]]:
    models = []
    for table in events:
        try:
            models.append(
                Event.model_validate({"timezone": catalogue.series.timezone, **table}, context=tongue.context)
            )
        except ValidationError:
            # The catalogue itself will say why.
            models.append(Event.model_construct(id=table["id"], timezone="UTC", tba=("title", "date", "time"), todo=()))
    whole = catalogue.altered(events=(*catalogue.events, *models), venues=places)
    first = len(catalogue.events)
    return [
        (int(finding.path[1]) - first, finding)
        for finding in guard(whole)
        if len(finding.path) > 2 and finding.path[0] == "event" and int(finding.path[1]) >= first
    ]


def _take_out(table: dict[str, Any], finding: Finding, spot: Spot) -> list[Problem]:
    key = str(finding.path[2])
    # A first day that its rule doesn't name is right more often than the rule.
    key = "repeats" if key == "date" and "repeats" in table else key
    lost = [
        spot.lost(name, table.pop(name), why, **(finding.values if why else {}))
        for name in _TOGETHER.get(key, (key,))
        for why in (finding.message if name in {key, finding.path[2]} else "",)
        if name in table and name not in {"id", "tba"}
    ]
    if key == "tba":
        table["tba"] = [name for name in table.get("tba", []) if name not in table]
    later = to_be_announced(table)
    table["tba"] = list(dict.fromkeys([*later, *table.get("tba", [])]))
    if not table["tba"]:
        del table["tba"]
    return lost
