"""Past what can be answered at a time requests wait for their turn; only the last resort is to be sent away."""

import asyncio

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

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


def test_who_never_takes_the_answer_keeps_nobody_else_waiting() -> None:
    async def scene() -> None:
        busy = Busy()
        busy.free.set()
        stuck = [asyncio.create_task(unread(busy.guard, f"/{number}")) for number in range(2 * AT_ONCE)]
        for _turn in range(1000):
            await asyncio.sleep(0)
        assert len(busy.begun) == len(stuck)
        assert (await busy.visit("/after")).status_code == 200
        assert not any(one.done() for one in stuck)
        for one in stuck:
            one.cancel()

    asyncio.run(scene())


def test_an_answer_that_goes_wrong_frees_its_place_and_the_page_about_it_is_sent() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("ours", 500)(scope, receive, send)
        raise RuntimeError

    async def scene() -> None:
        busy = Busy(longest_queue=0.01)
        busy.guard._inside = broken
        answer = ["http.response.start", "http.response.body", "RuntimeError"]
        for number in range(2 * AT_ONCE):
            assert await heard(busy.guard, f"/{number}") == answer

    asyncio.run(scene())


def asked(path: str) -> Scope:
    return {
        "type": "http", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "scheme": "http", "server": ("localhost", 80), "headers": [(b"host", b"localhost")],
    }  # fmt: skip


async def nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def unread(guard: Guard, path: str) -> None:
    """A request by somebody who never reads what comes back."""

    async def send(_message: Message) -> None:
        await asyncio.Event().wait()

    await guard(asked(path), nothing_more, send)


async def heard(guard: Guard, path: str) -> list[str]:
    """The kinds of the messages that come back, and the name of the error that follows them."""
    kinds: list[str] = []

    async def send(message: Message) -> None:
        kinds.append(message["type"])

    try:
        await guard(asked(path), nothing_more, send)
    except RuntimeError as error:
        kinds.append(type(error).__name__)
    return kinds
