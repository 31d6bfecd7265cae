"""Two services on one PostgreSQL behind a round-robin, either killed midway: nothing lost, nobody mailed twice."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import forking
import httpx
import pytest
from capture import Mailboxes, capture
from listening import free_port
from patience import PATIENCE, until
from postgresql_server import running as postgresql
from test_publishing import project, tocsin
from test_service import NOW, link, parsed

__all__ = ["project"]


PROXY = """
import asyncio, itertools, sys

place, *backends = map(int, sys.argv[1:])
turn = itertools.count()

async def pump(reader, writer):
    try:
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()

async def serve(reader, writer):
    first = next(turn)
    for number in range(len(backends)):
        try:
            back, forth = await asyncio.open_connection("127.0.0.1", backends[(first + number) % len(backends)])
        except OSError:
            continue
        await asyncio.gather(pump(reader, forth), pump(back, writer))
        return
    writer.close()

async def main():
    async with await asyncio.start_server(serve, "127.0.0.1", place) as server:
        await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def round_robin(backends: list[int]) -> Iterator[int]:
    """A TCP proxy that takes the backends in turn, and the next one where one is dead."""
    place = free_port()
    process = subprocess.Popen([sys.executable, "-c", PROXY, str(place), *map(str, backends)])
    try:
        until(lambda: is_open(place))
        yield place
    finally:
        process.kill()
        process.wait(PATIENCE)


def is_open(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True


class Service:
    """One `tocsin run` that can be killed and started again."""

    def __init__(self, project: Path, port: int, **environment: str) -> None:
        self._project, self._port, self._environment = project, port, environment
        self.start()

    def start(self) -> None:
        clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
        with (self._project / f"{self._port}.log").open("a") as log:
            words = ["--listen", f"127.0.0.1:{self._port}", "--in-doubt", "hold", "--every", "1"]
            self._process = forking.start(
                ["run", "--now", NOW, *words], self._project, {**clean, **self._environment}, log.fileno()
            )
        until(self.answers)

    def answers(self) -> bool:
        try:
            return httpx.get(f"http://127.0.0.1:{self._port}/healthz", timeout=PATIENCE).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(PATIENCE)


def posted(place: int, path: str, data: dict[str, str]) -> int:
    """A request as a browser makes it whose owner presses the button again where nothing came back."""
    for _ in range(20):
        try:
            return httpx.post(f"http://127.0.0.1:{place}{path}", data=data, timeout=PATIENCE).status_code
        except httpx.TransportError:
            continue
    pytest.fail("no service answers")


def arrivals(boxes: Mailboxes, reader: str) -> list[str]:
    return [str(parsed(message)["Message-ID"]) for message in boxes.messages.get(reader, [])]


def test_subscribe_here_confirm_there_and_either_may_die_at_any_time(project: Path, tmp_path: Path) -> None:
    readers = [f"reader{number}@reader.example" for number in range(10)]
    with capture(tmp_path / "mail") as (boxes, url), postgresql() as running:
        environment = {"TOCSIN_DATABASE_URL": running.database(), "TOCSIN_SMTP_URL": url}
        for command in (["publish", "--now", "2022-09-01T10:00:00Z"], ["arm"]):
            done = tocsin(project, *command, **environment)
            assert done.returncode == 0, done.stderr
        ports = [free_port(), free_port()]
        services = [Service(project, port, **environment) for port in ports]
        try:
            with round_robin(ports) as place:
                for number, reader in enumerate(readers):
                    assert posted(place, "/subscribe", {"address": reader}) == 200
                    if number in (3, 7):  # its mail may be on its way at this moment
                        services[number % 2].kill()
                        assert posted(place, "/subscribe", {"address": reader}) == 200
                        services[number % 2].start()
                doubtful = said_of(project, environment, ["doubt", "list"], readers)
                until(lambda: all(arrivals(boxes, reader) for reader in readers if reader not in doubtful))
                for number, reader in enumerate(readers):
                    if not arrivals(boxes, reader):
                        continue
                    path = link(parsed(boxes.messages[reader][0]), "confirm")
                    if number == 5:
                        services[0].kill()
                    assert posted(place, path, {}) == 200
                services[0].start()
        finally:
            for service in services:
                service.kill()
        confirmed = [reader for reader in readers if arrivals(boxes, reader)]
        listed = tocsin(project, "subscribers", "list", **environment).stdout
        assert listed.count("  active  ") == len(confirmed)
        assert len(readers) - len(confirmed) <= 3, "each kill leaves at most one mail in doubt"
        # Nobody is mailed the same twice.
        for reader in readers:
            assert len(arrivals(boxes, reader)) == len(set(arrivals(boxes, reader)))


def said_of(project: Path, environment: dict[str, str], command: list[str], readers: list[str]) -> set[str]:
    text = tocsin(project, *command, **environment).stdout
    return {reader for reader in readers if reader in text}
