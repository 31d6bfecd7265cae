"""The preview's pages. They are for one person at one machine: other hosts' names are refused, nothing is cached."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from pipeline.language import words
from pipeline.phrases import title_of
from pipeline.preview.board import Board, State
from pipeline.preview.showing import calendar_of, feed_of, letter_of
from pipeline.preview.watching import following
from pipeline.rendering import Renderer

HOSTS = ["127.0.0.1", "localhost"]
WIDTHS = ("", "640", "360")
"""The widths at which pages and letters are looked at, in CSS pixels; the empty one is the window's."""
FEEDS = ("atom.xml", "rss.xml", "feed.json")
SECONDS_BETWEEN_LOOKS = 0.1
LOOKS_BETWEEN_SIGNS_OF_LIFE = 100

OURS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_OWN = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors "
)
PAGE = OURS | {"Content-Security-Policy": f"{_OWN}'none'"}
IN_FRAME = OURS | {"Content-Security-Policy": f"{_OWN}'self'"}
"""For what is wrong with a page of the site, told in its place."""
FOREIGN = OURS | {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:"
}
"""For the HTML of letters and feeds: it may look as it likes, and do nothing."""


class Pages:
    """The answers. `language` is that of the person before the screen."""

    def __init__(self, board: Board, language: str) -> None:
        self._board = board
        self._language = language

    # ------------------------------------------------------------------------------------------- pages

    async def site(self, request: Request) -> Response:
        """The site in a frame."""
        return self._page("site", {"room": "site", "width": _width(request)})

    async def channels(self, _request: Request) -> Response:
        """All feeds and calendars."""
        state = self._board.state
        listed = await run_in_threadpool(self._board.paths, state)
        if listed.trouble:
            return self._page("broken", {"room": "channels", "trouble": listed.trouble}, state)
        languages = state.look.draft.edition.languages if state.look else ()
        trees = [
            (language, [path for path in paths if _is_feed(path)], [path for path in paths if path.endswith(".ics")])
            for language, paths in _by_language(listed.paths, languages)
        ]
        return self._page("channels", {"room": "channels", "trees": trees}, state)

    async def channel(self, request: Request) -> Response:
        """One feed or calendar as people read it."""
        path = request.path_params["path"]
        state = self._board.state
        if not (_is_feed(path) or path.endswith(".ics")):
            return self._missing()
        made = await run_in_threadpool(self._board.file, state, path)
        if made.trouble:
            return self._page("broken", {"room": "channels", "trouble": made.trouble}, state)
        if made.body is None or state.look is None:
            return self._missing()
        zone = state.look.draft.edition.series.zone
        context: dict[str, Any] = {"room": "channels", "path": path, "source": made.body.decode(), "zone": zone}
        if path.endswith(".ics"):
            return self._page("calendar", context | {"rows": calendar_of(made.body, self._language, zone)}, state)
        return self._page("feed", context | {"feed": feed_of(path, made.body)}, state)

    async def letters(self, _request: Request) -> Response:
        """All letters of the season."""
        state = self._board.state
        found = await run_in_threadpool(self._board.letters, state)
        listed = [(specimen, letter_of(specimen.message)) for specimen in found.specimens]
        return self._page("letters", {"room": "letters", "letters": listed, "trouble": found.trouble}, state)

    async def letter(self, request: Request) -> Response:
        """One letter: its fields, its text, and its HTML at both widths."""
        found = await self._letter(request)
        if found is None:
            return self._missing()
        key = request.path_params["key"]
        return self._page("letter", {"room": "letters", "key": key, "letter": letter_of(found)})

    async def letter_html(self, request: Request) -> Response:
        """The HTML of a letter alone, for a frame."""
        found = await self._letter(request)
        return self._missing() if found is None else HTMLResponse(letter_of(found).html, headers=FOREIGN)

    async def plan(self, _request: Request) -> Response:
        """What publishing would change, and the mail to come."""
        state = self._board.state
        if state.look is None:
            return self._page("plan", {}, state)
        drawn = state.look.draft
        context = {
            "room": "plan",
            "plan": await run_in_threadpool(self._board.foreseen, state.look),
            "pending": drawn.pending,
            "titles": {one.event.id: title_of(one.event, self._language).text for one in drawn.edition.listings},
            "remarks": [
                problem.show(words(self._language))
                for problem in (*(problem for one in drawn.refused for problem in one.problems), *drawn.remarks)
            ],
            "zone": drawn.edition.series.zone,
        }
        return self._page("plan", context, state)

    # ------------------------------------------------------------------------------------------- files

    async def file(self, request: Request) -> Response:
        """A file of the draft, as a host would serve it."""
        path = request.path_params["path"]
        if path == "" or path.endswith("/"):
            path += "index.html"
        state = self._board.state
        made = await run_in_threadpool(self._board.file, state, path)
        if state.look is None:
            return self._missing()
        if made.body is None:
            html = Renderer().render("preview/unmade.html", self._language, {"path": path, "trouble": made.trouble})
            return HTMLResponse(html, 500 if made.trouble else 404, IN_FRAME)
        kind = guess_type(path)[0] or "application/octet-stream"
        return Response(made.body, media_type=kind, headers=OURS)

    async def asset(self, request: Request) -> Response:
        """The preview's own style and script."""
        name = request.path_params["name"]
        kind = {"style.css": "text/css", "follow.js": "text/javascript"}.get(name)
        if kind is None:
            return self._missing()
        return Response(Renderer().render(f"preview/assets/{name}", self._language, {}), media_type=kind, headers=OURS)

    async def missing(self, _request: Request, _error: Exception) -> Response:
        """What stands at an address that is none of ours."""
        return self._missing()

    async def changes(self, _request: Request) -> Response:
        """Server-sent events: the number of the state that is shown, at once and after each making."""
        return StreamingResponse(self._follow(), media_type="text/event-stream", headers=OURS)

    async def _follow(self) -> AsyncIterator[str]:
        told, looks = 0, 0
        yield "retry: 1000\n\n"
        while not self._board.closed:
            state = self._board.state
            if state.number != told:
                told = state.number
                news = {
                    "state": _name(state), "said": _said(state, self._language), "sound": state.look is not None,
                    "wrong": _wrong(state),
                }  # fmt: skip
                yield f"data: {json.dumps(news)}\n\n"
            elif looks % LOOKS_BETWEEN_SIGNS_OF_LIFE == 0:
                yield ": here\n\n"
            looks += 1
            await asyncio.sleep(SECONDS_BETWEEN_LOOKS)

    # ------------------------------------------------------------------------------------------- answers

    async def _letter(self, request: Request) -> bytes | None:
        found = await run_in_threadpool(self._board.letters, self._board.state)
        key = request.path_params["key"]
        return next((specimen.message for specimen in found.specimens if specimen.key == key), None)

    def _missing(self) -> Response:
        return self._page("missing", {"room": ""}, status=404)

    def _page(
        self, template: str, context: Mapping[str, Any], state: State | None = None, status: int = 200
    ) -> Response:
        """A page of ours; while the files are broken each of them says what is wrong."""
        state = state or self._board.state
        shared: dict[str, Any] = {"state": state, "name": _name(state), "said": _said(state, self._language)}
        shared["wrong"] = _wrong(state)
        shared |= {"widths": WIDTHS, "room": "", "words": words(self._language)}
        shared |= {"problems": state.problems, "trouble": state.trouble}
        if state.look is None:
            template, status = "broken", 200
        html = Renderer().render(f"preview/{template}.html", self._language, shared | dict(context))
        return HTMLResponse(html, status, PAGE)


def _name(state: State) -> str:
    """A name that no other state has, not even one of the preview's next run."""
    return f"{state.number} {state.made.isoformat()}"


def _said(state: State, language: str) -> str:
    if state.look is None:
        return words(language)("Not made")
    made = state.made.astimezone(state.look.draft.edition.series.zone)
    return words(language)("Draft of {time}").format(time=f"{made:%H:%M:%S}")


def _wrong(state: State) -> str:
    """What is wrong though most can be shown."""
    return "" if state.look is None else state.look.wrong


def _width(request: Request) -> str:
    asked = request.query_params.get("width", "")
    return asked if asked in WIDTHS else ""


def _by_language(paths: Iterable[str], languages: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The files of each language's tree, those of the whole series first."""
    ordered = sorted(paths, key=lambda path: (path.count("/"), path))
    for language in languages:
        own = [path for path in ordered if path.partition("/")[0] == language]
        others = [path for path in ordered if path.partition("/")[0] not in languages[1:]]
        yield language, others if language == languages[0] else own


def _is_feed(path: str) -> bool:
    return path.endswith(FEEDS) or (path.endswith(".json") and PurePosixPath(path).parent.name == "archive")


def application(board: Board, language: str) -> Starlette:
    """The preview over a board, which is made anew at each save while the application runs."""
    pages = Pages(board, language)

    @asynccontextmanager
    async def watching(_app: Starlette) -> AsyncIterator[None]:
        async with following(board):
            yield

    return Starlette(
        routes=[
            Route("/", pages.site),
            Route("/site/{path:path}", pages.file),
            Route("/channels", pages.channels),
            Route("/channels/{path:path}", pages.channel),
            Route("/letters", pages.letters),
            Route("/letters/{key}", pages.letter),
            Route("/letters/{key}/html", pages.letter_html),
            Route("/plan", pages.plan),
            Route("/changes", pages.changes),
            Route("/assets/{name}", pages.asset),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False)],
        exception_handlers={404: pages.missing},
        lifespan=watching,
    )
