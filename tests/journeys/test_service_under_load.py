"""The service while mails leave: many requests of every kind at once, none fails and no mail is lost or sent twice."""

import asyncio
import csv
from collections import Counter
from pathlib import Path

import httpx
from capture import capture
from patience import PATIENCE, until
from test_publishing import project, tocsin
from test_service import ready, serving

from pipeline.actions.joining import preferences_token
from pipeline.clock import SystemClock
from pipeline.letters import unsubscribe_token
from pipeline.store.database import open_database
from pipeline.store.subscribers import listed
from pipeline.store.tables import Standing

__all__ = ["project"]

SECRET = "a secret of the tests, long enough to be one"
READERS, LEAVERS, CHOOSERS, JOINERS = 120, 30, 30, 60
AT_ONCE = 24


def public_ids(project: Path) -> dict[str, str]:
    """The names that tokens bear, by address, of those who aren't there to ask."""
    with (
        open_database(f"sqlite:///{project / 'var' / 'tocsin.db'}", SystemClock()) as database,
        database.look() as connection,
    ):
        return {who.address: who.public_id for who in listed(connection, "digitize-and-conquer")}


def standings(project: Path) -> dict[str, str]:
    with (
        open_database(f"sqlite:///{project / 'var' / 'tocsin.db'}", SystemClock()) as database,
        database.look() as connection,
    ):
        return {who.address: who.state for who in listed(connection, "digitize-and-conquer")}


def visits(ids: dict[str, str]) -> list[tuple[str, str, dict[str, str | list[str]]]]:
    """Requests of every kind among each other: method, path, fields."""
    key, names = SECRET.encode(), list(ids.values())
    found: list[tuple[str, str, dict[str, str | list[str]]]] = [
        ("POST", "/subscribe", {"address": f"joiner{number}@reader.example"}) for number in range(JOINERS)
    ]
    found += [
        ("POST", f"/unsubscribe/{unsubscribe_token(name, key)}", {"List-Unsubscribe": "One-Click"})
        for name in names[:LEAVERS]
        for _twice in range(2)
    ]
    for name in names[LEAVERS : LEAVERS + CHOOSERS]:
        path = f"/preferences/{preferences_token(name, key)}"
        found += [("GET", path, {}), ("POST", path, {"language": "fr", "kinds": ["announcements", "reminders"]})]
    found += [("GET", path, {}) for path in ("/subscribe", "/privacy", "/healthz") for _often in range(40)]
    return [one for start in range(7) for one in found[start::7]]


async def made(base: str, requests: list[tuple[str, str, dict[str, str | list[str]]]]) -> Counter[int]:
    """How often each status came, for requests of which many are under way at once, each from a network of its own."""
    statuses = Counter[int]()
    gate = asyncio.Semaphore(AT_ONCE)
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE) as client:

        async def one(number: int, method: str, path: str, fields: dict[str, str | list[str]]) -> None:
            async with gate:
                origin = {"X-Forwarded-For": f"10.{number >> 8}.{number & 255}.9"}
                answer = await client.request(method, path, data=fields or None, headers=origin)
                statuses[answer.status_code] += 1

        await asyncio.gather(*(one(number, *each) for number, each in enumerate(requests)))
    return statuses


def test_requests_at_once_while_mails_leave_all_succeed_and_no_mail_is_lost(project: Path, tmp_path: Path) -> None:
    readers = [f"reader{number}@reader.example" for number in range(READERS)]
    with (project / "readers.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("address", "language", "consent"), *((one, "en", "on paper") for one in readers)])
    ready(project)
    assert tocsin(project, "subscribers", "import", "readers.csv").returncode == 0
    ids = public_ids(project)
    requests = visits({reader: ids[reader] for reader in readers})
    with (
        capture(tmp_path / "mail") as (boxes, url),
        serving(project, url, TOCSIN_SECRET=SECRET) as client,
    ):
        statuses = asyncio.run(made(str(client.base_url), requests))
        assert statuses == {200: len(requests)}
        joiners = [f"joiner{number}@reader.example" for number in range(JOINERS)]
        staying = readers[LEAVERS + CHOOSERS :]
        until(lambda: all(len(boxes.messages.get(reader, ())) == 5 for reader in staying))
        until(lambda: all(boxes.messages.get(joiner) for joiner in joiners))
    # Everybody who was asked for something got it once: five announcements, or one question whether it was them.
    assert {len(boxes.messages[reader]) for reader in staying} == {5}
    assert {len(boxes.messages[joiner]) for joiner in joiners} == {1}
    assert max(len(boxes.messages.get(reader, ())) for reader in readers) == 5
    standing = standings(project)
    assert {standing[reader] for reader in readers[:LEAVERS]} == {Standing.UNSUBSCRIBED}
    assert {standing[reader] for reader in readers[LEAVERS:]} == {Standing.ACTIVE}
    assert {standing[joiner] for joiner in joiners} == {Standing.PENDING}
