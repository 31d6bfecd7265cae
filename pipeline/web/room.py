"""What each group of endpoints has at hand. They are plain functions: each request takes one thread, once."""

from dataclasses import dataclass, field

from pipeline.actions.programmes import Programmes
from pipeline.catalogue.models import Catalogue
from pipeline.clock import Clock
from pipeline.rendering import Renderer
from pipeline.store.database import Database
from pipeline.web.pages import Pages


@dataclass(frozen=True)
class Room:
    """The database, what is published in it, the pages, and the key of all tokens."""

    database: Database
    programmes: Programmes
    pages: Pages
    renderer: Renderer
    secret: bytes = field(repr=False)
    clock: Clock

    def catalogue(self, series: str) -> Catalogue | None:
        """The published catalogue of a series."""
        return self.programmes.of(series)
