"""What events inherit, and whether each `[defaults]` is right by itself: a slip that nobody inherits is found too."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from pipeline.catalogue.findings import Finding, unknown
from pipeline.catalogue.guards import ANNOUNCED_LATER
from pipeline.catalogue.models import RESERVED, Catalogue, Event
from pipeline.catalogue.places import Path
from pipeline.catalogue.references import NO_VENUE
from pipeline.catalogue.refusals import findings_of

_STAND_INS = {"id": "x", "timezone": "UTC"}


def wrong_shapes(tables: Sequence[Mapping[str, Any]], context: Any) -> Iterator[Finding]:
    """Every value of the defaults that no event could have."""
    for number, defaults in enumerate(tables):
        try:
            Event.model_validate({**_STAND_INS, **defaults}, context=context)
        except ValidationError as error:
            table: Path = ("defaults", number)
            found = findings_of(error, table)
            yield from (one for one in found if one.path == table or one.path[len(table)] in defaults)


def wrong_references(tables: Sequence[Mapping[str, Any]], catalogue: Catalogue) -> Iterator[Finding]:
    """Every default that names a venue or a key that isn't there; of well-formed defaults."""
    for number, defaults in enumerate(tables):
        venue = defaults.get("venue")
        if isinstance(venue, str) and venue not in catalogue.venue_by_id:
            path: Path = ("defaults", number, "venue")
            yield unknown(path, venue, catalogue.venue_by_id, "there is no [[venue]] {word!r}", NO_VENUE, "venue")
        for index, name in enumerate(defaults.get("tba", ())):
            if name not in ANNOUNCED_LATER:
                path = ("defaults", number, "tba", index)
                yield unknown(path, name, ANNOUNCED_LATER, "{word!r} is not a key that can be announced later")


def inherit(row: Mapping[str, Any], defaults: Mapping[str, Any], inherited: Mapping[str, Any]) -> dict[str, Any]:
    """The row of an event with what it doesn't say itself: from its file's defaults, else from the series."""
    announced = row.get("tba", [])
    later = (
        set(announced) if isinstance(announced, list) and all(isinstance(name, str) for name in announced) else set()
    )
    given = {**inherited, **defaults}
    if row.get("all_day") is True:
        later |= {"time", "end_time", "duration"}
    # Its own way to say the end takes the place of an inherited one.
    later |= {other for key, other in (("end_time", "duration"), ("duration", "end_time")) if key in row}
    event = {key: value for key, value in given.items() if key not in later}
    # What may not be typed is renamed, so that it is refused as any other unknown key.
    event |= {f"{key} " if key in RESERVED else key: value for key, value in row.items() if key != "$group"}
    if "$group" in row:
        event["group"] = row["$group"]
    return event
