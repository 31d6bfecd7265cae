"""The wall clock is set, far forward and back: the service goes on, what is too late stays, nothing leaves twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from capture import capture
from patience import PATIENCE, until
from publishing import HEAD
from test_publishing import ROOT, tocsin

from pipeline.clock import SystemClock
from pipeline.store.database import open_database
from pipeline.store.switch import last_tick

NOW = datetime(2026, 2, 2, 8, 30, tzinfo=UTC)
ADA = "ada@reader.example"

SET = """
import datetime, pathlib, sys
import apscheduler.schedulers.background, apscheduler.triggers.interval

read = datetime.datetime.now
file = pathlib.Path(sys.argv.pop(1))

class AnyTime(type):
    def __instancecheck__(self, value):
        return isinstance(value, datetime.datetime)

class Wall(datetime.datetime, metaclass=AnyTime):
    @classmethod
    def now(cls, zone=None):
        return read(zone) + datetime.timedelta(hours=float(file.read_text()))

from pipeline.clock import SystemClock
SystemClock._wall = staticmethod(lambda: Wall.now(datetime.timezone.utc))
for name, module in list(sys.modules.items()):
    if name.startswith("apscheduler") and getattr(module, "datetime", None) is datetime.datetime:
        module.datetime = Wall

from pipeline.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""Runs tocsin by a wall clock that shows so many hours more than the real one as a file says at each moment."""

CATALOGUE = HEAD + """
[mail]
from = "Evening talks <talks@talks.example>"
max_late = "12h"
quiet = ["03:00", "03:01"]
%s
[[reminder]]
id = "soon"
when = "20 hours before"
subject = "Soon: {title}"
""" + "".join(
    f"""
[[event]]
id = "{name}"
title = "The {name} talk"
date = {start:%Y-%m-%d}
time = {start:%H:%M:%S}
timezone = "UTC"
venue = "hall"
"""
    for name, start in {
        "missed": NOW + timedelta(hours=20 + 8),  # its reminder is 16 hours late when a day has been skipped
        "late": NOW + timedelta(hours=20 + 23),  # and this one is an hour late
        "coming": NOW + timedelta(hours=20 + 32),  # this one is due eight hours after that
    }.items()
)  # fmt: skip


@contextmanager
def serving(project: Path, url: str, hours: Path) -> Iterator[subprocess.Popen[str]]:
    """The service by the clock that is set; it must end well when it is asked to."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    with (project / "service.log").open("w+") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SET, str(hours), "run", "--now", NOW.isoformat(), "--no-web"],
            cwd=project, env={**clean, "PYTHONPATH": str(ROOT), "TOCSIN_SMTP_URL": url},
            stdout=log, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(timeout=PATIENCE)
    written = (project / "service.log").read_text()
    assert status == 0, written
    assert "Traceback" not in written


def test_a_day_forward_and_back_ends_nothing_and_sends_nothing_wrong(tmp_path: Path) -> None:
    check_jumps(tmp_path, "")


def test_nor_where_messages_leave_at_a_measured_pace(tmp_path: Path) -> None:
    check_jumps(tmp_path, "per_second = 5")


def check_jumps(project: Path, pace: str) -> None:
    (project / "events.toml").write_text(CATALOGUE % pace)
    hours = project / "hours"
    for command in (["publish"], ["arm"], ["subscribers", "add", ADA, "--kinds", "reminders"]):
        done = tocsin(project, *command, "--now", NOW.isoformat())
        assert done.returncode == 0, done.stderr

    def ticked() -> datetime:
        where = f"sqlite:///{project / 'var' / 'tocsin.db'}"
        with open_database(where, SystemClock()) as database, database.look() as connection:
            return last_tick(connection) or datetime.min.replace(tzinfo=UTC)

    def show(more: float) -> None:
        """Sets the clock and waits until something was done by it."""
        (project / "then").write_text(str(more))
        (project / "then").replace(hours)  # whole at every moment
        shown = NOW + timedelta(hours=more)
        until(lambda: abs(ticked() - shown) < timedelta(hours=1) or process.poll() is not None)
        assert process.poll() is None, (project / "service.log").read_text()

    hours.write_text("0")
    with capture(project / "mail") as (boxes, url), serving(project, url, hours) as process:

        def heard() -> list[str]:
            return [line.decode().removeprefix("Subject: ").strip() for message in boxes.messages.get(ADA, ())
                    for line in message.split(b"\r\n") if line.startswith(b"Subject: ")]  # fmt: skip

        show(0)
        assert not heard()
        show(24)
        until(heard)
        show(0)
        assert heard() == ["Soon: The late talk"]
        show(33)
        until(lambda: len(heard()) > 1)
        show(0)
        show(34)
        assert heard() == ["Soon: The late talk", "Soon: The coming talk"]
