"""The organisers' own pictures: where they are published, and what they show. The shell copies their bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.texts import Phrase
from pipeline.edition import Edition, Listing


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its path below the catalogue's folder, and what it shows, None where that isn't said.

    `size` is its width and height in pixels, None where we didn't draw it ourselves.
    """

    path: str
    alt: Phrase | None
    size: tuple[int, int] | None = None

    @property
    def file(self) -> str:
        """Where it is published, below `out/`."""
        return published_as(self.path)

    @property
    def way(self) -> str:
        """The same as a part of an address."""
        return quote(self.file)


def published_as(path: str) -> str:
    """Where a picture of the catalogue's folder stands below `out/`."""
    return f"assets/{path}"


def picture_of_series(edition: Edition, _language: str) -> Picture | None:
    """The picture of the series, which decorates and says nothing of its own."""
    return Picture(edition.series.image, None) if edition.series.image else None


def picture_of_event(listing: Listing, language: str) -> Picture | None:
    """The event's own picture."""
    event = listing.event
    if event.image is None:
        return None
    return Picture(event.image, event.image_alt.said_in(language) if event.image_alt else None)


def picture_address(edition: Edition, picture: Picture) -> str:
    """The absolute address of a picture, which all languages share."""
    return edition.address(picture.way)


def pictures(catalogue: Catalogue) -> Iterator[str]:
    """The paths of all pictures that the catalogue names, each once, below its folder."""
    named = (catalogue.series.image, *(event.image for event in catalogue.events))
    yield from dict.fromkeys(path for path in named if path is not None)
