"""What takes long in the service keeps nobody else waiting: neither other readers nor whoever has to write."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from patience import PATIENCE
from publishing import HEAD, TALK, edition
from sqlalchemy import Connection
from visiting import MAILING, Visited

from pipeline.actions import joining, programmes
from pipeline.actions.joining import preferences_token
from pipeline.actions.remembering import Memory
from pipeline.errors import StoreError
from pipeline.letters import unsubscribe_token
from pipeline.reminders.wishes import Wishes
from pipeline.store.editions import publish_edition, published_catalogue, published_edition
from pipeline.store.subscribers import ALL_KINDS, add
from pipeline.store.tables import Standing
from pipeline.web import choosing, watching

ADA = "ada@reader.example"


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visited]:
    visited = Visited(edition(TALK, head=HEAD + MAILING), tmp_path)
    yield visited
    visited.database.close()


def newer_edition(connection: Connection) -> tuple[list[str], list[str]]:
    """The published edition as a newer tocsin would have stored it: with a key of which nobody here has heard."""
    stored = published_edition(connection, "talks")
    assert stored is not None
    catalogue, ledger = (b"".join(text).decode().splitlines(keepends=True) for text in stored)
    return [catalogue[0].replace("{", '{"a_key_of_later": 1, ', 1), *catalogue[1:]], ledger


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
        assert others_are_served.wait(PATIENCE), "others wait for it"
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


@pytest.mark.parametrize("series", ["talks", "walks"])
def test_a_new_edition_that_takes_long_to_read_keeps_nobody_waiting_but_who_came_first(
    visit: Visited, monkeypatch: pytest.MonkeyPatch, series: str
) -> None:
    with visit.database.begin() as connection:
        add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", visit.clock.now())
    who = visit.subscriber(ADA)
    assert who is not None
    assert "A talk" in visit.get("/subscribe?event=talk").text  # the first edition is known by now
    head = HEAD.replace('"talks"', f'"{series}"') + MAILING
    visit.publish(edition(TALK, TALK.replace("A talk", "A better talk"), head=head))
    begun, others_are_served, readings = threading.Event(), threading.Event(), list[str]()

    def long_reading(connection: Any, wanted: str) -> Any:
        readings.append(wanted)
        begun.set()
        assert others_are_served.wait(PATIENCE), "others wait for it"
        return published_catalogue(connection, wanted)

    monkeypatch.setattr(programmes, "published_catalogue", long_reading)
    paths = [
        "/subscribe?series=talks&event=talk", "/privacy", "/healthz", "/confirm/x", "/nothing",
        f"/preferences/{preferences_token(who.public_id, visit.secret)}",
        f"/unsubscribe/{unsubscribe_token(who.public_id, visit.secret)}",
    ]  # fmt: skip
    statuses = [200, 200, 503, 404, 404, 200, 200]

    async def scene() -> None:
        transport = httpx.ASGITransport(visit.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            first = asyncio.create_task(client.get(f"/subscribe?series={series}&event=talk"))
            while not (begun.is_set() or first.done()):
                await asyncio.sleep(0.01)
            if series == "walks":  # of which nothing was known: who asks for it has to wait
                paths[0] = "/privacy"
                paths[-2:] = []
            answers = [await client.get(path) for path in paths]
            assert [answer.status_code for answer in answers] == statuses[: len(paths)]
            if series == "talks":
                assert "A better talk" not in answers[0].text
                form = {"address": "eve@reader.example", "series": "talks"}
                assert (await client.post("/subscribe", data=form)).status_code == 200
                assert (await client.post(paths[-1])).status_code == 200
            others_are_served.set()
            assert "A better talk" in (await first).text

    asyncio.run(scene())
    assert readings == [series]
    assert "A better talk" in visit.get(f"/subscribe?series={series}&event=talk").text


def test_an_edition_that_a_newer_tocsin_published_leaves_the_service_as_it_was(visit: Visited) -> None:
    with visit.database.begin() as connection:
        add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", visit.clock.now())
    who = visit.subscriber(ADA)
    assert who is not None
    chosen = f"/preferences/{preferences_token(who.public_id, visit.secret)}"
    left = f"/unsubscribe/{unsubscribe_token(who.public_id, visit.secret)}"
    assert visit.get(chosen).status_code == 200
    with visit.database.begin() as connection:
        newer, ledger = newer_edition(connection)
        assert publish_edition(connection, "talks", newer, ledger, visit.clock.now())
    assert (visit.get(chosen).status_code, visit.get("/subscribe").status_code) == (200, 200)
    assert visit.post(left).status_code == 200
    visit.restart()  # a process that has read nothing yet can only say so
    assert visit.get(chosen).status_code == 503
    assert visit.post(left).status_code == 200  # for leaving, nothing has to be read
    with visit.database.look() as connection, pytest.raises(StoreError, match="upgrade this one"):
        Memory().edition(connection, "talks", visit.clock.now())


def test_a_series_that_a_newer_tocsin_published_keeps_nobody_from_the_others(visit: Visited) -> None:
    with visit.database.begin() as connection:
        add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", visit.clock.now())
        newer, ledger = newer_edition(connection)
        assert publish_edition(connection, "another", newer, ledger, visit.clock.now())
    who = visit.subscriber(ADA)
    assert who is not None
    visit.restart()
    for path in (
        "/privacy", "/subscribe", "/subscribe?series=talks",
        f"/preferences/{preferences_token(who.public_id, visit.secret)}",
        f"/unsubscribe/{unsubscribe_token(who.public_id, visit.secret)}",
    ):  # fmt: skip
        assert visit.get(path).status_code == 200, path


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
