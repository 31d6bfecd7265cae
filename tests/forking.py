"""The command `tocsin` as often as tests want it, without reading Python and its libraries each time.

A process that has imported all of it waits for requests, and forks one of its own for each. What is started here has
arguments, folder, environment and files of its own, as any process has. What Python itself reads when it starts (see
`TOO_LATE`) can't be told to it any more: then a whole process is started.
"""

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile

ROOT = Path(__file__).parent.parent
TOO_LATE = ("PYTHON", "LANG", "LC_", "TZ")
"""Beginnings of variables that count when Python starts."""
QUIET = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)
"""What Python by itself doesn't warn of."""
SERVES = "--serve"
LINE = 12
"""Octets of a number that is told."""


class Forked:
    """A process at work, as `subprocess.Popen` has it."""

    def __init__(self, forking: socket.socket, what: Sequence[object], files: Sequence[int]) -> None:
        """Starts what `become` reads, with these three files."""
        self.returncode: int | None = None
        self._told, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(forking, [b"+"], [theirs.fileno()])
        socket.send_fds(self._told, [b"+"], files)
        self._told.sendall(json.dumps(what).encode())
        self._told.shutdown(socket.SHUT_WR)
        self.pid = int(self._told.recv(LINE))

    def wait(self, timeout: float | None = None) -> int:
        """The status with which it ended; subprocess.TimeoutExpired where it still runs after so many seconds."""
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                self.returncode = int(self._told.recv(LINE))
            except (TimeoutError, BlockingIOError):
                raise subprocess.TimeoutExpired("tocsin", timeout or 0.0) from None
            self._told.close()
        return self.returncode

    def poll(self) -> int | None:
        """The status with which it ended, or None."""
        try:
            return self.wait(0.0)
        except subprocess.TimeoutExpired:
            return None

    def send_signal(self, number: int) -> None:
        """Sends a signal to it, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Ends it at once."""
        self.send_signal(signal.SIGKILL)


class Heard(Forked):
    """A process that reads nothing, and whose words are kept; with a program instead of `tocsin` where one is named."""

    def __init__(
        self, arguments: Sequence[str], folder: Path, environment: Mapping[str, str], program: Path | None = None
    ) -> None:
        """Starts it, with warnings as errors."""
        self._said, self._complained = TemporaryFile("w+"), TemporaryFile("w+")  # noqa: SIM115 - `communicate` closes them
        with Path(os.devnull).open() as nothing:
            files = [file.fileno() for file in (nothing, self._said, self._complained)]
            super().__init__(connection(), _whole(arguments, folder, environment, program=program), files)

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it said and complained of, once it has ended; TimeoutExpired as `wait`."""
        self.wait(timeout)
        with self._said, self._complained:
            self._said.seek(0)
            self._complained.seek(0)
            return self._said.read(), self._complained.read()


def run(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, anew: bool = False
) -> subprocess.CompletedProcess[str]:
    """Runs `tocsin` with warnings as errors until it ends, with nothing on its standard input."""
    if anew or any(os.environ.get(name) != environment[name] for name in environment if _is_too_late(name)):
        return subprocess.run(
            [sys.executable, "-W", "error", "-m", "pipeline", *arguments], cwd=folder,
            env={**environment, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
    process = Heard(arguments, folder, environment)
    said, complained = process.communicate()
    return subprocess.CompletedProcess(["tocsin", *arguments], process.wait(), said, complained)


def start(arguments: Sequence[str], folder: Path, environment: Mapping[str, str], output: int) -> Forked:
    """Starts `tocsin` as people do, with nothing on its standard input and both outputs in a file."""
    with Path(os.devnull).open() as nothing:
        files = (nothing.fileno(), output, output)
        return Forked(connection(), _whole(arguments, folder, environment, strict=False), files)


def script(*more: str) -> str:
    """A line of a shell that runs `tocsin` with its arguments and more; the shell must be passed the `connection()`."""
    return f'exec "{sys.executable}" -IS "{__file__}" {connection().fileno()} "$@" {" ".join(more)}'


@cache
def connection() -> socket.socket:
    """The connection to the process that forks: one for each process that tests, with which it ends."""
    ours, theirs = socket.socketpair()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TOCSIN_", *TOO_LATE))}
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-W", "error", __file__, SERVES, str(theirs.fileno())],
            pass_fds=[theirs.fileno()], env={**clean, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def _is_too_late(name: str) -> bool:
    return name.startswith(TOO_LATE) and name != "PYTHONPATH"


def _whole(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], *, program: Path | None = None,
    strict: bool = True,
) -> list[object]:  # fmt: skip
    """What `become` reads; warnings are errors in a strict process."""
    where = {**environment, "PYTHONPATH": str(ROOT)}
    return [str(program or ""), list(arguments), str(folder), where, strict]


def import_all() -> None:
    """Imports whatever a command may want, and puts it out of the reach of the garbage collector."""
    import pipeline

    for module in pkgutil.walk_packages(pipeline.__path__, "pipeline."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    gc.freeze()


def serve(requests: socket.socket) -> socket.socket:
    """Forks for each request that comes; returns in the process that is to answer, with what it came over."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    with requests:
        while True:
            mark, files, _, _ = socket.recv_fds(requests, 1, 1)
            if not mark:
                sys.exit()
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return socket.socket(fileno=files[0])
            os.close(files[0])


def become(request: socket.socket) -> str:
    """Turns the process, forked once more, into what is asked for; the one above it tells how that ended.

    Gives the program to run, empty for `tocsin`.
    """
    _, files, _, _ = socket.recv_fds(request, 1, 3)
    with request, request.makefile("rb") as rest:
        program, arguments, folder, environment, strict = json.loads(rest.read())
        if child := os.fork():
            request.sendall(f"{child:{LINE}}".encode())
            request.sendall(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]):{LINE}}".encode())
            os._exit(0)
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[1:], sys.path[0] = arguments, str(Path(program).parent) if program else folder
    if not strict:
        warnings.resetwarnings()
        for category in QUIET:
            warnings.simplefilter("ignore", category)
    return str(program)


if __name__ == "__main__":
    if sys.argv[1] == SERVES:
        import_all()
        if program := become(serve(socket.socket(fileno=int(sys.argv[2])))):
            runpy.run_path(program, run_name="__main__")
        else:
            runpy.run_module("pipeline", run_name="__main__", alter_sys=True)
    else:
        with socket.socket(fileno=int(sys.argv[1])) as forking:
            status = Forked(forking, _whole(sys.argv[2:], Path.cwd(), os.environ), [0, 1, 2]).wait()
        if status < 0:
            os.kill(os.getpid(), -status)
        sys.exit(status)
