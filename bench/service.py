"""Requests to the service at a steady rate while mail is being sent, with everything in one SQLite file.

    python bench/service.py --rate 200 --seconds 60 --readers 10000

The load comes from this process, over new connections, at fixed moments whether or not earlier answers have come: a
service that falls behind shows it in its latencies. An answer that isn't the expected one and a connection that fails
are errors.
"""

import argparse
import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

ROOT_OF_TOCSIN = Path(__file__).parent.parent
NOW = "2027-01-10T10:05:00Z"
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
PATHS = ("/subscribe", "/privacy", "/healthz", "/preferences/wrong-token", "/subscribe")
"""Pages, a link that nobody signed, and forms: every fifth request is somebody who subscribes."""
EXPECTED = {"/preferences/wrong-token": {200, 400, 404, 410}}


class Counting:
    """A mail server in a process of its own that counts what it takes."""

    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        """Takes a message."""
        sys.stdout.write(".")
        sys.stdout.flush()
        return "250 taken"


def sink(port: int) -> None:
    """Runs the mail server until it is killed."""
    Controller(Counting(), hostname="127.0.0.1", port=port, enable_SMTPUTF8=True).start()
    time.sleep(3600)


def free_port() -> int:
    """A port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


async def one(port: int, number: int, took: list[float], errors: list[str]) -> None:
    """One request over a connection of its own, as a visitor makes it."""
    path = PATHS[number % len(PATHS)]
    begun = time.monotonic()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        # Each visitor comes from a network of its own, as a trusted proxy tells it.
        head = f"Host: 127.0.0.1\r\nX-Forwarded-For: 10.{number >> 8 & 255}.{number & 255}.7\r\nConnection: close\r\n"
        if number % 5 == 4:
            body = f"address=visitor{number}%40visitor.example"
            text = (f"POST {path} HTTP/1.1\r\n{head}Content-Type: application/x-www-form-urlencoded\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n{body}")  # fmt: skip
        else:
            text = f"GET {path} HTTP/1.1\r\n{head}\r\n"
        writer.write(text.encode())
        answer = await asyncio.wait_for(reader.read(), 30)
        writer.close()
        status = int(answer.split(b" ", 2)[1])
        if status not in EXPECTED.get(path, {200}):
            errors.append(f"{path}: {status}")
    except (OSError, TimeoutError, IndexError, ValueError) as error:
        errors.append(f"{path}: {type(error).__name__}")
    took.append(time.monotonic() - begun)


async def load(port: int, rate: float, seconds: float) -> tuple[list[float], list[str], float]:
    """Requests at fixed moments; how long each took, what failed, and how long it all lasted."""
    took: list[float] = []
    errors: list[str] = []
    tasks = []
    begun = time.monotonic()
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
        tasks.append(asyncio.create_task(one(port, number, took, errors)))
    await asyncio.gather(*tasks)
    return took, errors, time.monotonic() - begun


def tocsin(folder: Path, *words: str) -> None:
    """A command that must succeed."""
    command = [sys.executable, "-m", "pipeline", *words]
    subprocess.run(command, cwd=folder, env=environment(), check=True, stdout=subprocess.DEVNULL)


def environment(**others: str) -> dict[str, str]:
    """Ours, without what the operator has set for their own series."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    return {**clean, "PYTHONPATH": str(ROOT_OF_TOCSIN), **others}


def main() -> None:
    """Prints the rate that was kept, the latencies, the errors, and how many mails left meanwhile."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--sink", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.sink:
        sink(options.sink)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "events.toml").write_text(CATALOGUE)
        rows = "".join(f"reader{number}@reader.example,en,by hand\n" for number in range(options.readers))
        (folder / "readers.csv").write_text("address,language,consent\n" + rows)
        for words in (["publish", "--now", "2027-01-10T10:00:00Z"], ["subscribers", "import", "readers.csv"], ["arm"]):
            tocsin(folder, *words)
        measure(folder, options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """One run: the service and the mail server as processes, the load from here."""
    mail, port = free_port(), free_port()
    post = subprocess.Popen([sys.executable, __file__, "--sink", str(mail)], stdout=subprocess.PIPE)
    time.sleep(2)
    with (folder / "service.log").open("w+") as log:
        service = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "run", "--now", NOW, "--listen", f"127.0.0.1:{port}"],
            cwd=folder, stdout=log, stderr=log,
            env=environment(TOCSIN_SMTP_URL=f"smtp://127.0.0.1:{mail}?helo=localhost"),
        )  # fmt: skip
        try:
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.1)
            took, errors, lasted = asyncio.run(load(port, options.rate, options.seconds))
        finally:
            service.send_signal(signal.SIGTERM)
            _, _, usage = os.wait4(service.pid, 0)
            service.returncode = 0
            post.kill()
            sent = len(post.communicate()[0])
        log.seek(0)
        complaints = [line for line in log if "rror" in line or "locked" in line or "Traceback" in line]
    took.sort()
    print(f"{len(took) / lasted:.0f} requests/s for {lasted:.0f} s, {len(errors)} errors, {sent} mails sent meanwhile")
    print(f"latency: median {statistics.median(took) * 1000:.0f} ms, p99 {took[int(len(took) * 0.99)] * 1000:.0f} ms")
    print(f"service: {usage.ru_utime + usage.ru_stime:.1f} s of CPU in all")
    for line in [*sorted(set(errors)), *complaints[:5]]:
        print(" ", line.strip())


if __name__ == "__main__":
    main()
