"""Delivery with durable state to a sink on this machine, against senders that remember nothing.

The sink is Postfix's smtp-sink; TOCSIN_POSTFIX may name the folder that holds it and smtp-source. All send the seed's
first reminder (text, HTML, calendar), smtp-source so many octets. nodemailer comes from npm, into a temporary folder.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

from timing import Ratio, paired, run

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent
NODEMAILER = "nodemailer@10.6.1"
NUMBER = 10_000
OF_YAGMAIL = 100
FAR = 20  # milliseconds until each answer of a distant server
OF_FAR = 600
RUNS = 3


@dataclass(frozen=True)
class Cost:
    """What one message took: CPU and wall seconds; and the peak memory of its process in MiB."""

    cpu: float
    wall: float
    memory: float


@contextmanager
def running(port: int, *command: str) -> Iterator[int]:
    """A server that answers at a port."""
    process = subprocess.Popen(command)
    try:
        for _ in range(200):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    """A port at which nobody answers."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def sink(*options: str) -> Iterator[int]:
    """A running smtp-sink; its port."""
    port, user = free_port(), ("-u", "nobody") if os.geteuid() == 0 else ()
    with running(port, tool("smtp-sink"), *user, *options, f"127.0.0.1:{port}", "1000"):
        yield port


@contextmanager
def far_sink(milliseconds: int = FAR) -> Iterator[int]:
    """One whose answers take a while; its port."""
    port = free_port()
    with sink() as near, running(port, sys.executable, str(HERE / "distance.py"), str(port), str(near),
                                 str(milliseconds)):  # fmt: skip
        yield port


def tool(name: str) -> str:
    """The path of one of Postfix's tools; FileNotFoundError where there is none."""
    folder = os.environ.get("TOCSIN_POSTFIX")
    found = shutil.which(name, path=folder) or shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise FileNotFoundError(f"{name} isn't installed; it comes with Postfix")
    return found


def told(command: Sequence[str], folder: Path) -> Cost:
    """What a process says that its sending took."""
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{HERE}"}
    done = subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE)
    return Cost(**json.loads(done.stdout))


def fill(folder: Path, number: int, url: str = "sqlite:///bench.db") -> int:
    """A database with so many mails that are due, and the mail in parts for the peers; its size in octets."""
    program = [sys.executable, str(HERE / "delivering.py"), "fill", url, str(number)]
    run(program, folder, PYTHONPATH=f"{ROOT}:{HERE}")
    return int(json.loads((folder / "mail.json").read_text(encoding="utf-8"))["size"])


def ours(port: int, connections: int, number: int = NUMBER) -> Cost:
    """What waits in an SQLite database, each message committed before and after."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), number)
        program = [sys.executable, str(HERE / "delivering.py"), "tocsin", "sqlite:///bench.db", str(port)]
        return told([*program, str(connections), str(number)], Path(folder))


def rows(connections: int, number: int = NUMBER) -> Cost:
    """What keeping the state of so many messages takes, without sending one."""
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), number)
        program = [sys.executable, str(HERE / "delivering.py"), "rows", "sqlite:///bench.db"]
        return told([*program, str(connections), str(number)], Path(folder))


def yagmail_loop(folder: Path, port: int, number: int = OF_YAGMAIL) -> Cost:
    """yagmail's own `send()` for each message."""
    return told([sys.executable, str(HERE / "delivering.py"), "yagmail", str(port), str(number)], folder)


def nodemailer(folder: Path, port: int, connections: int, number: int = NUMBER) -> Cost:
    """nodemailer's pool, which composes each message."""
    return told(["node", str(HERE / "nodemailer.mjs"), str(port), str(connections), str(number)], folder)


def install_nodemailer(folder: Path) -> str:
    """Brings nodemailer into a folder; why not, where that can't be."""
    quiet = ("--silent", "--no-audit", "--no-fund", "--no-save", "--no-package-lock")
    try:
        done = subprocess.run(["npm", "install", *quiet, NODEMAILER], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        return "npm isn't installed"
    return "" if done.returncode == 0 else "npm can't fetch nodemailer"


def smtp_source(port: int, sessions: int, size: int, number: int = NUMBER) -> Cost:
    """Postfix's smtp-source over kept connections."""
    body = ("-l", str(size), "-d", "-s", str(sessions), "-m", str(number))
    started = time.monotonic()
    done = run([tool("smtp-source"), *body, f"127.0.0.1:{port}"], ROOT)
    return Cost(done.cpu / number, (time.monotonic() - started) / number, done.memory)


def against(name: str, goal: float, runs: int, us: Callable[[], Cost], them: Callable[[], Cost], words: str) -> Ratio:
    """Their CPU of a message over ours, alternated; the note tells the rates too."""
    mine, theirs = [], []
    for _ in range(runs):
        mine.append(us())
        theirs.append(them())
    cheaper = paired([one.cpu for one in theirs], [one.cpu for one in mine])
    faster = paired([one.wall for one in theirs], [one.wall for one in mine])
    cost, rate = min(one.cpu for one in mine) * 1e6, 1 / median(one.wall for one in mine)
    note = f"{words}, over ours: {cost:.0f} µs of CPU; {faster:.2f} times its rate, {rate:.0f} a second on this disk"
    return Ratio(name, cheaper, goal, note, more_is_better=True)


def measure_near(runs: int = RUNS) -> list[Ratio]:
    """A mail server on this machine: CPU of a message by peers, over ours."""
    results = []
    with tempfile.TemporaryDirectory() as given, sink() as port:
        folder = Path(given)
        size = fill(folder, 0)
        results.append(
            against(
                "delivery against yagmail", 10, runs, partial(ours, port, 5), partial(yagmail_loop, folder, port),
                "CPU of yagmail's send() for each message",
            )
        )  # fmt: skip
        if not (missing := install_nodemailer(folder)):
            results.append(
                against(
                    "delivery against nodemailer", 3, runs, partial(ours, port, 5),
                    partial(nodemailer, folder, port, 5), "CPU of nodemailer's pool of 5, which composes the same mail",
                )
            )  # fmt: skip
        else:
            print(f"delivery against nodemailer: not measured ({missing})")
        for sessions, goal in ((1, 0.25), (20, 0.5)):
            peer, alone = partial(smtp_source, port, sessions, size), partial(rows, sessions)
            bound = paired([peer().cpu for _ in range(runs)], [alone().cpu for _ in range(runs)])
            results.append(
                against(
                    f"delivery against smtp-source, {sessions} connection{'s' * (sessions > 1)}", goal, runs,
                    partial(ours, port, sessions), peer,
                    f"CPU of smtp-source's message, which remembers nothing (keeping each message's state, without "
                    f"sending it, allows {bound:.2f})",
                )
            )  # fmt: skip
    return results


def measure_far(runs: int = RUNS) -> list[Ratio]:
    """A mail server whose answers take a while: our rate over smtp-source's, at as many connections."""
    with tempfile.TemporaryDirectory() as folder, far_sink() as port:
        size, mine, theirs = fill(Path(folder), 0), [], []
        for _ in range(runs):
            mine.append(ours(port, 5, OF_FAR).wall)
            theirs.append(smtp_source(port, 5, size, OF_FAR).wall)
    note = f"our rate over smtp-source's, {FAR} ms until each answer, 5 connections ({1 / min(mine):.0f} a second)"
    return [Ratio("delivery to a distant server", paired(theirs, mine), 1.8, note, more_is_better=True)]


def measure(runs: int = RUNS) -> list[Ratio]:
    """Near and far."""
    return [*measure_near(runs), *measure_far(runs)]


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.2f} (goal {result.goal}), {result.note}")
