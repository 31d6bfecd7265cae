"""What visitors need to know to come."""

from pipeline.catalogue.models import EventAccess, Venue


def known_access(event: EventAccess | None, venue: Venue | None) -> dict[str, bool]:
    """The questions that are answered, by the catalogue's keys; an event's answer outweighs its venue's."""
    known = dict[str, bool]()
    for source in (venue.access if venue else None, event):
        known.update({name: value for name, value in source or () if isinstance(value, bool)})
    return known
