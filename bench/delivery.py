"""Delivery with durable state to a sink on this machine, against yagmail's own `send()` loop and smtp-source.

The sink is Postfix's smtp-sink; TOCSIN_POSTFIX may name the folder that holds it and smtp-source.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from timing import Ratio, Run, paired, run

ROOT = Path(__file__).parent.parent
HERE = Path(__file__).parent
NUMBER = 2000
OF_YAGMAIL = 100
RUNS = 3


@contextmanager
def sink(*options: str) -> Iterator[int]:
    """A running smtp-sink; its port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    user = ("-u", "nobody") if os.geteuid() == 0 else ()
    process = subprocess.Popen([tool("smtp-sink"), *user, *options, f"127.0.0.1:{port}", "1000"])
    try:
        for _ in range(100):
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


def tool(name: str) -> str:
    """The path of one of Postfix's tools; FileNotFoundError where there is none."""
    folder = os.environ.get("TOCSIN_POSTFIX")
    found = shutil.which(name, path=folder) or shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise FileNotFoundError(f"{name} isn't installed; it comes with Postfix")
    return found


def ours(port: int, connections: int, number: int = NUMBER) -> Run:
    """A whole process that sends what waits in an SQLite database, without what it takes to start."""
    costs = []
    for waiting in (number, 0):
        with tempfile.TemporaryDirectory() as folder:
            program = [sys.executable, str(HERE / "delivering.py")]
            run([*program, "fill", str(port), "1", str(waiting)], Path(folder), PYTHONPATH=str(ROOT))
            costs.append(run([*program, "tocsin", str(port), str(connections)], Path(folder), PYTHONPATH=str(ROOT)))
    whole, idle = costs
    return Run(whole.user - idle.user, whole.system - idle.system, whole.memory)


def yagmail_loop(port: int, number: int = OF_YAGMAIL) -> Run:
    """yagmail's own `send()` for each message, without what it takes to start."""
    program = [sys.executable, str(HERE / "delivering.py"), "yagmail", str(port), "1"]
    whole, idle = run([*program, str(number)], ROOT), run([*program, "0"], ROOT)
    return Run(whole.user - idle.user, whole.system - idle.system, whole.memory)


def smtp_source(port: int, sessions: int, number: int = NUMBER) -> Run:
    """Postfix's smtp-source over kept connections."""
    body = ("-l", "12000", "-d", "-s", str(sessions), "-m", str(number))
    return run([tool("smtp-source"), *body, f"127.0.0.1:{port}"], ROOT)


def measure(runs: int = RUNS) -> list[Ratio]:
    """CPU of a message by peers, over ours."""
    results = []
    with sink() as port:
        mine, theirs = [], []
        for _ in range(runs):
            mine.append(ours(port, 5).cpu / NUMBER)
            theirs.append(yagmail_loop(port).cpu / OF_YAGMAIL)
        note = f"CPU of yagmail's send() for each message, over ours at 5 connections ({min(mine) * 1e6:.0f} µs)"
        results.append(Ratio("delivery against yagmail", paired(theirs, mine), 10, note, more_is_better=True))
        for connections, goal in ((1, 0.25), (20, 0.5)):
            mine, theirs = [], []
            for _ in range(runs):
                mine.append(ours(port, connections).cpu / NUMBER)
                theirs.append(smtp_source(port, connections).cpu / NUMBER)
            note = f"CPU of smtp-source's message, which remembers nothing, over ours ({min(mine) * 1e6:.0f} µs)"
            name = f"delivery against smtp-source, {connections} connection{'s' * (connections > 1)}"
            results.append(Ratio(name, paired(theirs, mine), goal, note, more_is_better=True))
    return results


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.2f} (goal {result.goal}), {result.note}")
