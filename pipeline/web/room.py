"""What each group of endpoints has at hand. They are plain functions, which may wait for the database."""

from dataclasses import dataclass, field

from starlette.requests import Request

from pipeline.actions.programmes import Programmes
from pipeline.clock import Clock
from pipeline.letters.tokens import found_in
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

    @staticmethod
    def token_of(request: Request) -> str:
        """The token in the address of a page."""
        return found_in(request.path_params["token"])
