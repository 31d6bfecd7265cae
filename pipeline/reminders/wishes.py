"""What readers choose beyond kinds, subjects and language, and what an event says to it. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pipeline.catalogue.models import Catalogue, Event
from pipeline.reminders.occasions import Occasion

GROUPS: Final = "groups"
CITIES: Final = "cities"
WAYS: Final = "ways"
TOPICS: Final = (GROUPS, CITIES, WAYS)
"""By what an event can be chosen; an event that says nothing about a topic is for all."""

ONLINE: Final = "online"
ON_SITE: Final = "on-site"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody chose; nothing chosen means everything.

    `asked` are reminders that only go to those who ask, `declined` are others that somebody doesn't want, both by the
    ids of their rules. With `events`, nothing but those events is mailed. `paused_until` is an aware instant.
    """

    asked: frozenset[str] = frozenset()
    declined: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    cities: frozenset[str] = frozenset()
    ways: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()
    text_only: bool = False
    paused_until: datetime | None = None


NO_WISHES: Final = Wishes()


def topics_of(catalogue: Catalogue, event: Event) -> frozenset[str]:
    """By what an event can be chosen: its group, its city, online or on site, each as `topic:value`."""
    venue = catalogue.venue_of(event)
    found = {
        (GROUPS, event.group),
        (CITIES, venue.city if venue else None),
        (WAYS, ONLINE if event.online else None),
        (WAYS, ON_SITE if event.venue else None),
    }
    return frozenset(f"{topic}:{value}" for topic, value in found if value)


def said_of(occasion: Occasion, topic: str) -> frozenset[str]:
    """What an occasion says about a topic."""
    opening = f"{topic}:"
    return frozenset(each.removeprefix(opening) for each in occasion.topics if each.startswith(opening))
