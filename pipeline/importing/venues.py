"""The places of imported events: one that the catalogue knows, or a new one."""

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.catalogue.models import Venue, dump
from pipeline.catalogue.texts import proposed_slug
from pipeline.errors import N_, Problem
from pipeline.importing.fitting import Tongue
from pipeline.importing.found import Spot
from pipeline.importing.memory import plain
from pipeline.importing.shaping import simple_place


class Venues:
    """Every place known so far, and those that were met for the first time."""

    def __init__(self, known: Iterable[Venue], tongue: Tongue) -> None:
        self._tongue = tongue
        self._known: dict[str, dict[str, Any]] = {}
        self._by_name: dict[str, str] = {}
        self.new: dict[str, dict[str, Any]] = {}
        """The tables of new places by their ids."""
        for venue in known:
            self._remember(venue.id, dump(venue))

    def _remember(self, venue: str, table: dict[str, Any]) -> None:
        self._known[venue] = table
        for name in _names(table["name"]):
            self._by_name.setdefault(name, venue)

    def id_of(self, place: Mapping[str, Any], spot: Spot) -> tuple[str, list[Problem]]:
        """The id of a place with the keys of a `[[venue]]`, and what of it the catalogue says otherwise."""
        known = self._match(place)
        if known is not None:
            ours = self._known[known]
            names = [name for name in _flat(place["name"]) if not _names(name) & _names(ours["name"])]
            lost = [
                spot.lost(
                    f"venue.{key}", ", ".join(_flat(value)), N_("the catalogue itself describes {place!r}"), place=known
                )
                for key, value in {**place, "name": names}.items()
                if key != "id" and value and plain(value) != plain(ours.get(key))
            ]
            return known, lost
        table = {key: value for key, value in place.items() if key != "id"}
        venue = self._free(str(place.get("id") or proposed_slug(next(iter(_names(place["name"]))))))
        self._remember(venue, table)
        self.new[venue] = {"id": venue, **simple_place(table, self._tongue)}
        return venue, []

    def _match(self, place: Mapping[str, Any]) -> str | None:
        if (wanted := place.get("id")) in self._known and _names(self._known[wanted]["name"]) & _names(place["name"]):
            return str(wanted)
        for name in sorted(_names(place["name"])):
            if name in self._by_name:
                return self._by_name[name]
            # "Town hall, 1 High Street, Paris": calendars write the whole address in one piece.
            parts = name.split(",")[:20]
            begins = [",".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)]
            if (known := next(filter(self._by_name.get, begins), None)) is not None:
                return self._by_name[known]
        return None

    def _free(self, wanted: str) -> str:
        wanted = "venue" if wanted == "my-id" else wanted
        candidate, number = wanted, 1
        while candidate in self._known:
            number += 1
            candidate = f"{wanted[:58].rstrip('-')}-{number}"
        return candidate


def _names(name: Any) -> set[str]:
    texts = name.values() if isinstance(name, Mapping) else [name]
    return {" ".join(text.casefold().split()) for text in texts}


def _flat(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _flat(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in _flat(item)]
    return [str(value)]
