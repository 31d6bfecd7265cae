"""What each group of endpoints has at hand."""

from dataclasses import dataclass, field

from starlette.concurrency import run_in_threadpool

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

    async def catalogue(self, series: str) -> Catalogue | None:
        """The published catalogue of a series."""
        return await run_in_threadpool(self.programmes.of, series)
