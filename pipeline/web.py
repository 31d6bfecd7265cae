"""The web endpoints that mails point to. GET shows, only POST changes: a scanner that opens links changes nothing."""

from datetime import datetime, timedelta

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from pipeline.actions.farewell import Reader, reader_of, unsubscribe
from pipeline.clock import Clock
from pipeline.rendering import Renderer
from pipeline.store.database import Database
from pipeline.store.switch import last_tick

STALE = timedelta(minutes=3)
"""How old the last tick may be before the service calls itself ill."""

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def application(database: Database, renderer: Renderer, secret: bytes, clock: Clock) -> Starlette:
    """The endpoints over one database."""

    async def farewell(request: Request) -> Response:
        reader = await run_in_threadpool(reader_of, database, request.path_params["token"], secret)
        if reader is None:
            return _page(renderer, "unknown", _accepted(request), None, status=404)
        if request.method == "POST":
            # Any POST to this address unsubscribes (RFC 8058), whatever its body; a second one changes nothing.
            await run_in_threadpool(unsubscribe, database, reader, clock.now())
            return _page(renderer, "left", reader.language, reader)
        return _page(renderer, "ask", reader.language, reader)

    async def health(_request: Request) -> Response:
        ticked = await run_in_threadpool(_last_tick, database)
        age = (clock.now() - ticked).total_seconds() if ticked else None
        well = age is not None and age <= STALE.total_seconds()
        return JSONResponse({"ok": well, "seconds_since_tick": age}, 200 if well else 503, HEADERS)

    return Starlette(
        routes=[
            Route("/unsubscribe/{token:str}", farewell, methods=["GET", "POST"]),
            Route("/healthz", health, methods=["GET"]),
        ]
    )


def _last_tick(database: Database) -> datetime | None:
    with database.look() as connection:
        return last_tick(connection)


def _page(renderer: Renderer, state: str, language: str, reader: Reader | None, status: int = 200) -> Response:
    html = renderer.render("service/unsubscribe.html", language, {"state": state, "reader": reader})
    return HTMLResponse(html, status, HEADERS)


def _accepted(request: Request) -> str:
    """The reader's language by the browser's own word; only the first one counts here."""
    return request.headers.get("accept-language", "en")[:2].lower()
