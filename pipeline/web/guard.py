"""The door of the service: what is too big, too slow or meant for another host never reaches a page."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pipeline.delivery import is_loopback
from pipeline.errors import StoreError
from pipeline.web.forms import BODY

BIGGEST_BODY: Final = 16 * 1024
BIGGEST_HEAD: Final = 16 * 1024
LONGEST_WAIT: Final = 10.0
"""Seconds for the body of a request to arrive."""
AT_ONCE: Final = 8
"""So many requests are worked on at a time; with more of them the one thread that sends mail would hardly get on."""
LONGEST_QUEUE: Final = 20.0
"""Seconds that a request waits for its turn: where more come than can be answered, all get slower before any is sent
away."""
MOST_WAITING: Final = 1500
"""So many requests wait at most; each of them holds a connection open."""

# Leaving must work for years, also under a name that the service had before; probes come by number.
_ANY_HOST: Final = ("/unsubscribe/", "/healthz")
# Whoever asks this would take a slow answer for a dead service, and end it.
_FIRST: Final = "/healthz"


class Refuse(Protocol):
    """Makes the page for a state of trouble and a status."""

    def __call__(self, request: Request, state: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
        """The page, with more header fields where some are given."""
        ...


class Guard:
    """An application behind its door; `refuse` makes the page for a state of trouble and a status."""

    def __init__(
        self,
        inside: ASGIApp,
        hosts: Callable[[], Awaitable[frozenset[str]]],
        refuse: Refuse,
        headers: Mapping[str, str],
        longest_queue: float = LONGEST_QUEUE,
        most_waiting: int = MOST_WAITING,
    ) -> None:
        self._inside, self._hosts, self._refuse = inside, hosts, refuse
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._ours: set[str] = set()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._waiting, self._most_waiting, self._longest_queue = 0, most_waiting, longest_queue

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._inside(scope, receive, send)
            return
        request = Request(in_origin_form(scope))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(one for one in self._headers if one[0] not in given)]
            await send(message)

        refusal, body = await self._examined(request, receive)
        if refusal is not None:
            await refusal(request.scope, receive, with_headers)
            return
        # The endpoints are plain functions that can't wait for more of a request: they find the body here.
        scope = {**request.scope, BODY: body}
        if scope["path"] == _FIRST:
            await self._inside(scope, receive, with_headers)
        elif await self._has_a_place():
            await self._made_in_a_place(scope, receive, with_headers)
        else:
            await self._refuse(request, "busy", 503)(scope, receive, with_headers)

    async def _made_in_a_place(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Makes an answer in the place that was taken, and sends it once that is free: who reads slowly holds none."""
        made: list[Message] = []
        trouble: Exception | None = None

        async def keep(message: Message) -> None:
            made.append(message)

        try:
            await self._inside(scope, receive, keep)
        except Exception as error:  # noqa: BLE001 - raised again, after the page that tells of it
            trouble = error
        finally:
            self._places.release()
        for message in made:
            await send(message)
        if trouble is not None:
            raise trouble

    async def _has_a_place(self) -> bool:
        """Whether the request's turn came, in the order of their coming."""
        if self._waiting >= self._most_waiting:
            return False
        self._waiting += 1
        try:
            async with asyncio.timeout(self._longest_queue):
                await self._places.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        return True

    async def _examined(self, request: Request, receive: Receive) -> tuple[Response | None, bytes]:
        refusal = await self._refused_by_its_head(request)
        # An answer that ends the connection wouldn't arrive while something is unread.
        last = _is_the_last(request) or (refusal is not None and "connection" in refusal.headers)
        if refusal is not None and not last:
            return refusal, b""
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                body = await _body(request, receive, to_its_end=last)
        except TimeoutError:
            return self._refuse(request, "slow", 408), b""
        except ClientDisconnect:
            return self._refuse(request, "form", 400), b""  # nobody reads it, and nothing is done
        if refusal is not None:
            return refusal, b""
        return (self._refuse(request, "big", 413), b"") if body is None else (None, body)

    async def _refused_by_its_head(self, request: Request) -> Response | None:
        if _size_of_head(request.scope) > BIGGEST_HEAD:
            return self._refuse(request, "big", 431)
        # Of such a request two servers in a row may disagree where it ends (RFC 9112, 6.3).
        if {"content-length", "transfer-encoding"} <= set(request.headers):
            return self._refuse(request, "form", 400, {"Connection": "close"})
        try:
            if request.scope["path"].startswith(_ANY_HOST) or await self._is_ours(request):
                return None
        except StoreError:
            return self._refuse(request, "later", 503)
        return self._refuse(request, "host", 421)

    async def _is_ours(self, request: Request) -> bool:
        name = host_in(request.headers.get("host", ""))
        # A name that was ours stays ours as long as we live: links with it are out there.
        if name in self._ours or is_loopback(name):
            return True
        if name and name in await self._hosts():
            self._ours.add(name)
            return True
        return False


def in_origin_form(scope: Scope) -> Scope:
    """A request whose target is a whole address (RFC 9112, 3.2.2), as if it had been sent to the host in that."""
    name, sign, rest = scope["path"].partition("://")
    if not sign or name.lower() not in {"http", "https"}:
        return scope
    host, _, path = rest.partition("/")
    others = [one for one in scope["headers"] if one[0] != b"host"]
    return {**scope, "path": f"/{path}", "headers": [*others, (b"host", host.encode("ascii", "replace"))]}


def _size_of_head(scope: Scope) -> int:
    # The server looks at the size only while a head is incomplete: one that comes all at once passes there.
    sizes = (len(name) + len(value) for name, value in scope["headers"])
    return len(scope.get("raw_path") or b"") + len(scope.get("query_string", b"")) + sum(sizes)


def host_in(field: str) -> str:
    """The host of a Host field without its port and the brackets of IPv6; in lower case."""
    name = field.strip().casefold()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0].removesuffix(".")


def _is_the_last(request: Request) -> bool:
    """Whether the connection ends with the answer to this request, as proxies that keep none want it."""
    wishes = ",".join(request.headers.getlist("connection")).lower().replace(" ", "").split(",")
    return request.scope.get("http_version") == "1.0" or "close" in wishes


async def _body(request: Request, receive: Receive, *, to_its_end: bool) -> bytes | None:
    """The whole body; None where it is bigger than one that our forms can make, read to its end if that is wanted.

    ClientDisconnect where the connection breaks before its end: a part of a form would say something else.
    """
    announced = request.headers.get("content-length", "")
    too_big = announced.isdecimal() and int(announced[:12]) > BIGGEST_BODY
    body = b""
    while to_its_end or not too_big:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientDisconnect
        body = b"" if too_big else body + bytes(message.get("body", b""))
        too_big = too_big or len(body) > BIGGEST_BODY
        if not message.get("more_body", False):
            break
    return None if too_big else body
