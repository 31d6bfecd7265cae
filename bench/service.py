"""The service: what a request costs, and requests at a steady rate while mail is being sent, all in one SQLite file.

    python bench/service.py                                           CPU of a request, against a page from memory
    python bench/service.py --rate 200 --seconds 60 --readers 10000   a minute of load while so many mails leave

The load comes from this process, over kept connections as a web server in front holds them, each visitor from a network
of their own, at fixed moments whether or not earlier answers have come: a service that falls behind shows it in its
latencies. An answer that isn't the expected one and a connection that fails are errors.
"""

import argparse
import asyncio
import os
import re
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvicorn
from delivery import sink
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route
from timing import Ratio, paired

from pipeline.actions.joining import preferences_token
from pipeline.letters import unsubscribe_token
from pipeline.letters.expiring import CONFIRM, expiring_token

ROOT_OF_TOCSIN = Path(__file__).parent.parent
NOW = datetime(2027, 1, 10, 10, 5, tzinfo=UTC)
SECRET = "a secret of the measurement, long enough"  # noqa: S105 - it guards nothing
CATALOGUE = """format = 1
[series]
id = "talks"
title = "Talks"
timezone = "Europe/Paris"
default_language = "en"
organiser = "The Reading Room"
[site]
url = "https://talks.example/"
[mail]
from = "Talks <talks@talks.example>"
[[event]]
id = "bees"
title = "What bees know"
date = 2027-03-04
time = "19:00"
"""
MIX = (
    "subscribe", "preferences", "healthz", "subscribe", "unsubscribe", "join", "subscribe", "confirm", "privacy",
    "choose", "subscribe", "preferences", "unsubscribe", "join", "subscribe", "confirm", "leave", "subscribe",
    "preferences", "healthz",
)  # fmt: skip
"""What twenty visitors do: fourteen look, two ask for mail, one chooses, one leaves by one click, two are probes."""
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
PAIRS, OF_ONE = 3, 300
KEPT = 32  # connections that rest at most, as Caddy keeps them by itself and nginx by its usual setting
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)


def request(number: int, public_ids: Sequence[str]) -> tuple[str, bytes]:
    """What the visitor of a number does, and the octets of it."""
    what, reader = MIX[number % len(MIX)], public_ids[number % len(public_ids)]
    secret, body = SECRET.encode(), ""
    paths = {
        "join": "/subscribe",
        "preferences": f"/preferences/{preferences_token(reader, secret)}",
        "choose": f"/preferences/{preferences_token(reader, secret)}",
        "unsubscribe": f"/unsubscribe/{unsubscribe_token(reader, secret)}",
        "leave": f"/unsubscribe/{unsubscribe_token(reader, secret)}",
        "confirm": f"/confirm/{expiring_token(reader, CONFIRM, NOW + timedelta(days=6), secret)}",
    }
    if what == "join":
        body = f"address=visitor{number}%40visitor.example"
    elif what == "choose":
        body = "language=en&kinds=reminders&kinds=changes&kinds=announcements"
    elif what == "leave":
        body = "List-Unsubscribe=One-Click"
    head = f"Host: 127.0.0.1\r\nX-Forwarded-For: 10.{number >> 8 & 255}.{number & 255}.7\r\n"
    path = paths.get(what, f"/{what}")
    if body:
        return what, f"POST {path} HTTP/1.1\r\n{head}{FORM}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    return what, f"GET {path} HTTP/1.1\r\n{head}\r\n".encode()


@dataclass
class Load:
    """Requests over connections that are kept, and what became of them."""

    port: int
    took: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)
    _free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)

    async def one(self, what: str, octets: bytes) -> None:
        """One request, over a connection that is free or a new one; the time is counted with its opening."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(30):
                wire = self._free.pop() if self._free else await asyncio.open_connection("127.0.0.1", self.port)
                wire[1].write(octets)
                head = await wire[0].readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                await wire[0].readexactly(int(length[1]) if length else 0)
            if not head.startswith(b"HTTP/1.1 200"):
                self.errors[f"{what}: {head[9:12].decode()}"] += 1
            if len(self._free) < KEPT:
                self._free.append(wire)
            else:
                wire[1].close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.errors[f"{what}: {type(error).__name__}"] += 1
        self.took.append(time.monotonic() - begun)

    async def steady(self, requests: Sequence[tuple[str, bytes]], rate: float) -> float:
        """All of them at fixed moments; how long it lasted, in seconds."""
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number, each in enumerate(requests):
                await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
                group.create_task(self.one(*each))
        lasted = time.monotonic() - begun
        self._close()
        return lasted

    async def in_turn(self, requests: Sequence[tuple[str, bytes]], at_once: int = 4) -> None:
        """All of them as fast as they are answered, a few at once."""
        for start in range(0, len(requests), at_once):
            await asyncio.gather(*(self.one(*each) for each in requests[start : start + at_once]))
        self._close()

    def _close(self) -> None:
        for _, writer in self._free:
            writer.close()


def environment(**others: str) -> dict[str, str]:
    """Ours, without what the operator has set for their own series."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    return {**clean, "PYTHONPATH": str(ROOT_OF_TOCSIN), "TOCSIN_SECRET": SECRET, **others}


def series(folder: Path, readers: int) -> list[str]:
    """A published series with so many readers, each of whom has a mail to come; the names that their tokens bear."""
    (folder / "events.toml").write_text(CATALOGUE)
    rows = "".join(f"reader{number}@reader.example,en,by hand\n" for number in range(readers))
    (folder / "readers.csv").write_text("address,language,consent\n" + rows)
    for words in (["publish", "--now", "2027-01-10T10:00:00Z"], ["subscribers", "import", "readers.csv"]):
        _tocsin(folder, *words)
    with sqlite3.connect(folder / "var" / "tocsin.db") as connection:
        return [name for (name,) in connection.execute("SELECT public_id FROM subscribers ORDER BY id")]


def _tocsin(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "pipeline", *words]
    subprocess.run(command, cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)


@contextmanager
def running(command: Sequence[str], folder: Path, port: int, **others: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that answers at a port, until the end of the block; what it complains of is in its log."""
    with (folder / "service.log").open("a") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment(**others))
        try:
            while process.poll() is None:
                with socket.socket() as trial:
                    if trial.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _service(port: int) -> list[str]:
    now = NOW.isoformat()
    return [sys.executable, "-m", "pipeline", "run", "--now", now, "--listen", f"127.0.0.1:{port}"]


def _cpu(process: subprocess.Popen[bytes]) -> float:
    """User and system seconds of a process so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def page_from_memory(port: int) -> None:
    """The least that the same libraries can do: one page of the size of ours, whatever is asked for."""

    async def page(_request: Request) -> HTMLResponse:
        return HTMLResponse("x" * 6000)

    application = Starlette(routes=[Route("/{any:path}", page, methods=["GET", "POST"])])
    uvicorn.run(application, port=port, access_log=False, http="h11", loop="asyncio", log_level="warning")


def measure(pairs: int = PAIRS) -> list[Ratio]:
    """CPU of a request of the mix without mail, over a page from memory by the same server."""
    ours, theirs, port, other = list[float](), list[float](), _free_port(), _free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        requests = [request(number, series_ids) for series_ids in [series(folder, 500)] for number in range(2000)]
        floor = [sys.executable, str(Path(__file__).resolve()), "--page-from-memory", str(other)]
        with (
            running(_service(port), folder, port, TOCSIN_SMTP_URL="smtp://127.0.0.1:9") as service,
            running(floor, folder, other) as peer,
        ):
            asyncio.run(Load(port).in_turn(requests[:100]))
            for number in range(1, pairs + 1):
                some = requests[number * OF_ONE : (number + 1) * OF_ONE]
                ours.append(_cost(service, Load(port), some))
                theirs.append(_cost(peer, Load(other), some))
    note = f"CPU of a request of a mix with a tenth of writing ({min(ours) * 1000:.1f} ms), over a page from memory"
    return [Ratio("service, a request", paired(ours, theirs), 12, note)]


def _cost(process: subprocess.Popen[bytes], load: Load, requests: Sequence[tuple[str, bytes]]) -> float:
    before = _cpu(process)
    asyncio.run(load.in_turn(requests))
    if load.errors:
        raise SystemExit(f"errors: {dict(load.errors)}")
    return (_cpu(process) - before) / len(requests)


def loaded(rate: float, seconds: float, readers: int) -> None:
    """Prints the rate that was kept, the latencies, the errors, and how many mails left meanwhile."""
    with tempfile.TemporaryDirectory() as name, sink() as mail:
        folder, port = Path(name), _free_port()
        ids = series(folder, readers)
        _tocsin(folder, "arm")
        requests = [request(number, ids) for number in range(int(rate * seconds))]
        with running(_service(port), folder, port, TOCSIN_SMTP_URL=f"smtp://127.0.0.1:{mail}?helo=localhost") as one:
            load, before = Load(port), _cpu(one)
            lasted = asyncio.run(load.steady(requests, rate))
            cpu, sent, alone = _cpu(one) - before, _sent(folder), time.monotonic()
            while _waiting(folder) and time.monotonic() < alone + 120:
                time.sleep(1)
            over, later = _sent(folder), time.monotonic() - alone
        log = (folder / "service.log").read_text().splitlines()
    took = sorted(load.took)
    print(f"{len(took) / lasted:.0f} requests/s for {lasted:.0f} s, {sum(load.errors.values())} errors")
    print(f"latency: median {statistics.median(took) * 1000:.0f} ms, p99 {took[int(len(took) * 0.99)] * 1000:.0f} ms")
    print(f"{sent} mails meanwhile ({sent / lasted:.0f}/s); {over} in all, {later:.0f} s later")
    print(f"service: {cpu:.1f} s of CPU, {cpu / lasted:.0%} of a core")
    print(f"load average {os.getloadavg()[0]:.1f} with {os.cpu_count()} cores")
    for what, number in load.errors.most_common():
        print(f"  {number} times {what}")
    print(*[line for line in log if "rror" in line or "locked" in line or "Traceback" in line][:5], sep="\n")


def _asked(folder: Path, query: str) -> int:
    with sqlite3.connect(folder / "var" / "tocsin.db", timeout=30) as connection:
        return int(connection.execute(query).fetchone()[0])


def _sent(folder: Path) -> int:
    return _asked(folder, "SELECT count(*) FROM deliveries WHERE state = 'sent'")


def _waiting(folder: Path) -> int:
    return _asked(folder, "SELECT count(*) FROM deliveries WHERE state IN ('pending', 'claimed', 'sending')")


def main() -> None:
    """Measures as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, help="requests a second, beside mail that is being sent")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--page-from-memory", type=int, metavar="PORT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.page_from_memory:
        page_from_memory(options.page_from_memory)
    elif options.rate:
        loaded(options.rate, options.seconds, options.readers)
    else:
        for result in measure():
            print(f"{result.name}: {result.value:.2f} (goal {result.goal:g}), {result.note}")


if __name__ == "__main__":
    main()
