"""The service without a socket: requests go straight into the application, each as if from a machine of its own."""

import asyncio
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from publishing import HEAD, TALK, edition
from sqlalchemy import select

from pipeline.actions.publish import store_edition
from pipeline.clock import FrozenClock
from pipeline.edition import Edition
from pipeline.letters import Letter, Recipient, finish
from pipeline.letters.posting import post_of
from pipeline.rendering import Renderer
from pipeline.store.database import Database, open_database
from pipeline.store.subscribers import ALL_KINDS, Subscriber, add, find
from pipeline.store.tables import Standing, campaigns, deliveries, letters, subscribers
from pipeline.web import Service, application

NOW = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)
ADA = "ada@reader.example"
MAILING = '[mail]\nfrom = "Evening talks <talks@talks.example>"\n'
TAGGED = TALK + 'tags = ["law", "ml"]\n'


class Visited:
    """A running service over a database of its own, and a visitor who remembers nothing."""

    def __init__(self, edition: Edition, folder: Path, **settings: Any) -> None:
        self.clock = FrozenClock(NOW)
        self.database: Database = open_database(f"sqlite:///{folder / 'tocsin.db'}", self.clock)
        self.secret = b"a secret of the tests"
        self.woken = 0
        self._visitors = itertools.count()
        self.publish(edition)
        self._settings = settings
        self.restart()

    def restart(self) -> None:
        """A new process over the same database."""
        service = Service(self.database, Renderer(), self.secret, self.clock, wake=self._wake, **self._settings)
        self.application = application(service)

    def publish(self, edition: Edition) -> None:
        """Makes an edition the one that the service knows."""
        store_edition(self.database, edition, self.clock.now())
        self._published = edition

    def _wake(self) -> None:
        self.woken += 1

    def request(self, method: str, path: str, *, machine: str = "", **more: Any) -> httpx.Response:
        """One request from a machine, by default one that never came before."""
        machine = machine or f"198.51.{next(self._visitors) % 250}.1"

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self.application, client=(machine, 4711), raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://talks.example") as client:
                return await client.request(method, f"https://talks.example{path}", **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        """A page."""
        return self.request("GET", path, **more)

    def post(self, path: str, fields: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
        """A form."""
        return self.request("POST", path, data=fields or {}, **more)

    def subscriber(self, address: str) -> Subscriber | None:
        """Who is at an address."""
        with self.database.look() as connection:
            return find(connection, "talks", address)

    def queued(self) -> list[str]:
        """Every mail in the outbox as it would leave, soft line breaks undone, the oldest first."""
        joined = (
            deliveries.join(campaigns, deliveries.c.campaign_id == campaigns.c.id)
            .join(letters, letters.c.campaign_id == campaigns.c.id)
            .join(subscribers, subscribers.c.id == deliveries.c.subscriber_id)
        )
        columns = (campaigns.c.key, letters.c.source, subscribers.c.id, subscribers.c.mailbox, subscribers.c.public_id)
        with self.database.look() as connection:
            rows = connection.execute(select(*columns).select_from(joined).order_by(campaigns.c.id)).all()
        return [self._as_it_leaves(*row).replace("=\r\n", "").replace("=3D", "=") for row in rows]

    def _as_it_leaves(self, key: str, source: bytes, row: int, mailbox: str, public_id: str) -> str:
        post = post_of(self._published.catalogue, self.secret)
        letter = Letter("", "", source)
        return finish(letter, Recipient(row, mailbox, public_id), key, self.clock.now(), post).body.decode()

    def link(self, kind: str) -> str:
        """The path of the newest link of a kind that was mailed: `confirm` or `preferences`."""
        return re.findall(rf"https://talks\.example/cycle(/{kind}/[\w-]+)", self.queued()[-1])[0]


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visited]:
    """A service of one series with one talk."""
    visited = Visited(edition(TAGGED, head=HEAD + MAILING), tmp_path)
    yield visited
    visited.database.close()


def joined(visit: Visited, address: str = ADA, **fields: str) -> httpx.Response:
    """The answer to somebody who asks for mail by the form."""
    return visit.post("/subscribe", {"address": address, **fields})


def subscribed(visit: Visited, address: str = ADA, language: str = "en", state: Standing = Standing.ACTIVE) -> str:
    """The public id of somebody who is there already."""
    with visit.database.begin() as connection:
        add(connection, "talks", address, language, ALL_KINDS, (), "on paper", visit.clock.now(), state)
    who = visit.subscriber(address)
    assert who is not None
    return who.public_id
