"""The text of a catalogue with what an import adds to it, its long texts fetched one after the other."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NamedTuple

from pipeline.actions.shelf import ShelvedText
from pipeline.catalogue.syntax import beyond_limits
from pipeline.errors import CatalogueError, Problem
from pipeline.importing.found import Spot
from pipeline.importing.writing import appended, event_text, organisation_text, venue_text


class NewEvent(NamedTuple):
    """The table of a new event, and where the foreign file tells of it."""

    row: dict[str, Any]
    """With a mark in the place of its prose."""
    prose: Mapping[str, Any]
    spot: Spot

    @property
    def text(self) -> str:
        """The table with its prose in full; CatalogueError where it is endless."""
        text = event_text({**self.row, **{key: self.prose[key] for key in self.prose if key in self.row}})
        if (beyond := beyond_limits(self.spot.file, text)) is not None:
            told = Problem(self.spot.file, self.spot.line, self.spot.label, beyond.message, beyond.hint, beyond.values)
            raise CatalogueError([told])
        return text


@dataclass(frozen=True, slots=True)
class NewText:
    """A catalogue and the tables to be added to it."""

    stored: ShelvedText
    venues: Iterable[Mapping[str, Any]]
    organisations: Iterable[Mapping[str, Any]]
    events: Iterable[NewEvent]
    remark: str
    """What is said above them, in one line."""

    def pieces(self, *, brief: bool = False) -> Iterator[bytes]:
        """The whole text; `brief` with a mark in the place of new prose. CatalogueError where that is endless."""
        events = (event_text(event.row) if brief else event.text for event in self.events)
        tables = chain(map(venue_text, self.venues), map(organisation_text, self.organisations), events)
        return appended(self.stored.pieces, tables, self.remark)
