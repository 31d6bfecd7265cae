"""The service as one application: its routes, and what they share."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any, Final

from anyio.to_thread import current_default_thread_limiter
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pipeline.actions.joining import Joining
from pipeline.actions.programmes import Programmes, UnreadError, host_of
from pipeline.clock import Clock
from pipeline.errors import StoreError
from pipeline.rendering import Renderer
from pipeline.store.database import Database
from pipeline.web.choosing import Choosing
from pipeline.web.entrance import Entrance
from pipeline.web.guard import AT_ONCE, Guard
from pipeline.web.leaving import Leaving
from pipeline.web.pages import Pages
from pipeline.web.watching import Watching


@dataclass(frozen=True)
class Service:
    """What the service runs on. `wake` is called when a mail should leave at once.

    `age` tells the seconds since the ticker last did anything, and None where there is no ticker; `hosts` are names
    under which it answers beside those of the catalogues; `watchers` are the networks that may read `/metrics`.
    """

    database: Database
    renderer: Renderer
    secret: bytes = field(repr=False)
    clock: Clock
    wake: Callable[[], None] = lambda: None
    age: Callable[[], float | None] = lambda: None
    patience: float = 180.0
    """Seconds after which a silent ticker is ill."""
    hosts: frozenset[str] = frozenset()
    watchers: tuple[IPv4Network | IPv6Network, ...] = ()


_SHOWS: Final = ("GET", "HEAD")


def _answers_all() -> bool:
    """Whether the present thread is the one through which all requests come."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def application(service: Service) -> ASGIApp:
    """The endpoints over one database."""
    programmes = Programmes(service.database, must_not_wait=_answers_all)
    pages = Pages(service.renderer, programmes.known)
    shared = (service.database, programmes, pages, service.renderer, service.secret, service.clock)
    entrance = Entrance(*shared, Joining(service.renderer, service.secret), wake=service.wake)
    choosing, leaving = Choosing(*shared), Leaving(*shared)
    watching = Watching(service.database, service.clock, service.age, service.patience, service.watchers)

    async def hosts() -> frozenset[str]:
        catalogues = await run_in_threadpool(programmes.all)
        return service.hosts | {host for catalogue in catalogues.values() if (host := host_of(catalogue))}

    @asynccontextmanager
    async def ready(_application: Starlette) -> AsyncIterator[None]:
        current_default_thread_limiter().total_tokens = AT_ONCE
        with suppress(Exception):  # whatever is wrong is told to whoever comes
            await run_in_threadpool(programmes.all)
        yield

    async def wrong(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        return pages.trouble(request, "page" if status in {404, 405} else "ours", status, headers)

    async def later(request: Request, _error: Exception) -> Response:
        return pages.trouble(request, "later", 503)

    # Reading a few rows of an SQLite file waits for nobody, and takes less time than handing it to another thread.
    reads_at_once = service.database.file is not None

    def route(path: str, endpoint: Callable[[Request], Response], *methods: str, reads_much: bool = False) -> Route:
        async def answer(request: Request) -> Response:
            if reads_at_once and not reads_much and request.method in _SHOWS:
                with suppress(UnreadError):
                    return endpoint(request)
            return await run_in_threadpool(endpoint, request)

        return Route(path, answer, methods=methods or ("GET", "POST"))

    handlers: dict[Any, Any] = {StoreError: later, HTTPException: wrong, Exception: wrong}
    inside = Starlette(
        routes=[
            route("/subscribe", entrance.subscribe),
            route("/privacy", entrance.privacy, "GET"),
            route("/confirm/{token:str}", entrance.confirm),
            route("/preferences/{token:str}", choosing.preferences),
            route("/preferences/{token:str}/data.json", choosing.data, "GET", reads_much=True),
            route("/preferences/{token:str}/erase", choosing.erase),
            route("/unsubscribe/{token:str}", leaving.unsubscribe),
            route("/healthz", watching.health, "GET"),
            route("/metrics", watching.metrics, "GET", reads_much=True),
        ],
        exception_handlers=handlers,
        lifespan=ready,
    )
    # A redirect to the same path with or without a slash would turn a POST into a GET, and tell the token to a log.
    inside.router.redirect_slashes = False
    return Guard(inside, hosts, pages.trouble, pages.headers)
