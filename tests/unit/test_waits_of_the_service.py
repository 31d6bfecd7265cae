"""What takes long in the service keeps nobody else waiting: neither other readers nor whoever has to write."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from publishing import HEAD, TALK, edition
from visiting import MAILING, Visited

from pipeline.actions import joining
from pipeline.actions.joining import preferences_token
from pipeline.reminders.wishes import Wishes
from pipeline.store.subscribers import ALL_KINDS, add
from pipeline.store.tables import Standing
from pipeline.web import choosing, watching

ADA = "ada@reader.example"


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visited]:
    visited = Visited(edition(TALK, head=HEAD + MAILING), tmp_path)
    yield visited
    visited.database.close()


@pytest.mark.parametrize("whose", ["watching", "choosing"])
def test_what_reads_much_does_not_keep_other_readers_waiting(
    visit: Visited, monkeypatch: pytest.MonkeyPatch, whose: str
) -> None:
    with visit.database.begin() as connection:
        add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", visit.clock.now())
    who = visit.subscriber(ADA)
    assert who is not None
    room, name, path = {
        "watching": (watching, "numbers", "/metrics"),
        "choosing": (choosing, "data_of", f"/preferences/{preferences_token(who.public_id, visit.secret)}/data.json"),
    }[whose]
    begun, others_are_served = threading.Event(), threading.Event()
    work: Callable[..., Any] = getattr(room, name)

    def long_work(*given: Any) -> Any:
        begun.set()
        assert others_are_served.wait(10), "others wait for it"
        return work(*given)

    monkeypatch.setattr(room, name, long_work)

    async def scene() -> None:
        transport = httpx.ASGITransport(visit.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            long = asyncio.create_task(client.get(path))
            while not (begun.is_set() or long.done()):
                await asyncio.sleep(0.01)
            assert (await client.get("/subscribe")).status_code == 200
            others_are_served.set()
            assert (await long).status_code == 200

    asyncio.run(scene())


@pytest.mark.parametrize("state", [None, *Standing])
@pytest.mark.parametrize(("event", "follows"), [("", ()), ("talk", ()), ("talk", ("talk",)), ("", ("talk",))])
def test_a_letter_is_composed_before_others_wait_for_the_database(
    visit: Visited, monkeypatch: pytest.MonkeyPatch, state: Standing | None, event: str, follows: tuple[str, ...]
) -> None:
    if state is not None:
        wishes = Wishes(events=frozenset(follows))
        with visit.database.begin() as connection:
            add(connection, "talks", ADA, "fr", ALL_KINDS, (), "on paper", visit.clock.now(), state, wishes)
    writes = False
    composed: list[bool] = []
    join, compose = visit.database.join, joining.compose_confirmation

    def joined(work: Callable[[Any], Any]) -> Any:
        def noted(connection: Any) -> Any:
            nonlocal writes
            writes = True
            return work(connection)

        return join(noted)

    def noted_composing(*given: Any) -> Any:
        composed.append(writes)
        return compose(*given)

    monkeypatch.setattr(visit.database, "join", joined)
    monkeypatch.setattr(joining, "compose_confirmation", noted_composing)
    assert visit.post("/subscribe", {"address": ADA, "language": "en", "event": event}).status_code == 200
    assert (composed, len(visit.queued())) == ([False], 1)
