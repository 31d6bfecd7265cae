"""Past what can be answered at a time requests wait for their turn; only the last resort is to be sent away."""

import asyncio

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from pipeline.rendering import Renderer
from pipeline.web.guard import AT_ONCE, Guard
from pipeline.web.pages import Pages


class Busy:
    """A service whose door is real and whose rooms are all taken until `free` is set."""

    def __init__(self, longest_queue: float = 60, most_waiting: int = 1000) -> None:
        pages = Pages(Renderer(), dict)
        self.free = asyncio.Event()
        self.begun: list[str] = []
        self.guard = Guard(self._answer, self._no_hosts, pages.trouble, pages.headers, longest_queue, most_waiting)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = Request(scope).url.path
        self.begun.append(path)
        if path != "/healthz":
            await self.free.wait()
        await PlainTextResponse(path)(scope, receive, send)

    async def _no_hosts(self) -> frozenset[str]:
        return frozenset()

    async def visit(self, path: str) -> httpx.Response:
        """One request."""
        transport = httpx.ASGITransport(self.guard)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    async def filled(self, more: int = 0) -> list[asyncio.Task[httpx.Response]]:
        """Requests that take every place, and some that wait behind them."""
        visits = [asyncio.create_task(self.visit(f"/{number}")) for number in range(AT_ONCE + more)]
        while len(self.begun) < AT_ONCE:
            await asyncio.sleep(0)
        return visits


def test_more_requests_than_there_are_places_wait_and_are_all_answered_in_their_order() -> None:
    async def scene() -> None:
        busy = Busy()
        visits = await busy.filled(more=40)
        assert len(busy.begun) == AT_ONCE
        busy.free.set()
        answers = await asyncio.gather(*visits)
        assert [answer.status_code for answer in answers] == [200] * len(visits)
        assert busy.begun == [f"/{number}" for number in range(len(visits))]

    asyncio.run(scene())


def test_who_waits_too_long_is_told_when_to_come_back_and_nothing_is_done_for_them() -> None:
    async def scene() -> None:
        busy = Busy(longest_queue=0.01)
        visits = await busy.filled()
        late = await busy.visit("/late")
        assert (late.status_code, late.headers["Retry-After"]) == (503, "60")
        assert "More people are asking than we can answer" in late.text
        assert "/late" not in busy.begun
        busy.free.set()
        assert {answer.status_code for answer in await asyncio.gather(*visits)} == {200}
        assert (await busy.visit("/after")).status_code == 200

    asyncio.run(scene())


def test_a_line_that_is_full_takes_nobody_more() -> None:
    async def scene() -> None:
        busy = Busy(most_waiting=3)
        visits = await busy.filled(more=3)
        await asyncio.sleep(0.01)
        assert (await busy.visit("/one-too-many")).status_code == 503
        busy.free.set()
        assert {answer.status_code for answer in await asyncio.gather(*visits)} == {200}

    asyncio.run(scene())


def test_whoever_watches_over_the_service_need_not_wait() -> None:
    async def scene() -> None:
        busy = Busy()
        visits = await busy.filled(more=5)
        assert (await busy.visit("/healthz")).status_code == 200
        busy.free.set()
        await asyncio.gather(*visits)

    asyncio.run(scene())
