"""The service as one application: its routes, and what they share."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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

from pipeline.actions.programmes import Programmes, host_of
from pipeline.clock import Clock
from pipeline.errors import StoreError
from pipeline.rendering import Renderer
from pipeline.store.database import Database
from pipeline.web.choosing import Choosing
from pipeline.web.entrance import Entrance
from pipeline.web.guard import Guard
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


THREADS: Final = 8
"""So many requests are worked on at a time; with more of them the one thread that sends mail would hardly get on."""


@asynccontextmanager
async def _few_threads(_application: Starlette) -> AsyncIterator[None]:
    current_default_thread_limiter().total_tokens = THREADS
    yield


def application(service: Service) -> ASGIApp:
    """The endpoints over one database."""
    programmes, pages = Programmes(service.database), Pages(service.renderer)
    shared = (service.database, programmes, pages, service.renderer, service.secret, service.clock)
    entrance = Entrance(*shared, wake=service.wake)
    choosing, leaving = Choosing(*shared), Leaving(*shared)
    watching = Watching(service.database, service.clock, service.age, service.patience, service.watchers)

    async def hosts() -> frozenset[str]:
        catalogues = await run_in_threadpool(programmes.all)
        return service.hosts | {host for catalogue in catalogues.values() if (host := host_of(catalogue))}

    async def wrong(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        headers = error.headers if isinstance(error, HTTPException) else None
        return pages.trouble(request, "page" if status in {404, 405} else "ours", status, headers)

    async def later(request: Request, _error: Exception) -> Response:
        return pages.trouble(request, "later", 503, {"Retry-After": "60"})

    handlers: dict[Any, Any] = {StoreError: later, HTTPException: wrong, Exception: wrong}
    both = ["GET", "POST"]
    inside = Starlette(
        routes=[
            Route("/subscribe", entrance.subscribe, methods=both),
            Route("/privacy", entrance.privacy, methods=["GET"]),
            Route("/confirm/{token:str}", entrance.confirm, methods=both),
            Route("/preferences/{token:str}", choosing.preferences, methods=both),
            Route("/preferences/{token:str}/data.json", choosing.data, methods=["GET"]),
            Route("/preferences/{token:str}/erase", choosing.erase, methods=both),
            Route("/unsubscribe/{token:str}", leaving.unsubscribe, methods=both),
            Route("/healthz", watching.health, methods=["GET"]),
            Route("/metrics", watching.metrics, methods=["GET"]),
        ],
        exception_handlers=handlers,
        lifespan=_few_threads,
    )
    # A redirect to the same path with or without a slash would turn a POST into a GET, and tell the token to a log.
    inside.router.redirect_slashes = False
    return Guard(inside, hosts, pages.trouble, pages.headers)
