"""`tocsin preview`: the draft in a local browser, made anew at each save."""

import argparse
import socket
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import uvicorn

from pipeline.actions.mailing import Office
from pipeline.commands.plan import foreseen
from pipeline.commands.send import StopSignal
from pipeline.commands.shell import DONE, Shell
from pipeline.commands.simulate import SIMULATED_KEY
from pipeline.errors import SettingsError, reason_of
from pipeline.preview import Board, application
from pipeline.rendering import Renderer

LOOPBACK = "127.0.0.1"
PORT = 8026


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `preview`."""
    parser.add_argument("--port", type=int, default=PORT, metavar="N", help=f"default: {PORT}; 0 takes any free one")
    parser.add_argument("--no-open", action="store_true", help="open no browser, only say the address")


def run(shell: Shell) -> int:
    """Shows the draft until it is stopped; only this machine can look."""
    board = Board(shell.project, shell.clock, lambda: _office(shell), partial(foreseen, shell), shell.words)
    with _bound(shell.options.port) as listening, _answering(board, shell, listening):
        address = f"http://{LOOPBACK}:{listening.getsockname()[1]}/"
        shell.say(address)
        shell.tell(shell.words("the preview is there, and follows each save; Ctrl-C ends it"))
        if not shell.options.no_open:
            webbrowser.open(address)
        stopped = StopSignal()
        while not stopped():
            threading.Event().wait(0.1)
    return DONE


def _office(shell: Shell) -> Office:
    secret = (shell.settings.secret or "").encode() or SIMULATED_KEY
    return Office(Renderer(shell.project.own_templates), secret, shell.settings.variables)


def _bound(port: int) -> socket.socket:
    try:
        return socket.create_server((LOOPBACK, port))
    except OverflowError:
        raise SettingsError("{port} is no port: a port is a number from 0 to 65535", port=port) from None
    except OSError as error:
        raise SettingsError(
            "port {port} can't be used ({reason}); choose another: tocsin preview --port 0",
            port=port,
            reason=reason_of(error),
        ) from error


@contextmanager
def _answering(board: Board, shell: Shell, listening: socket.socket) -> Iterator[None]:
    """Answers in a thread of its own, so that the signals stay ours."""
    settings = uvicorn.Config(
        application(board, shell.language), access_log=False, server_header=False, log_config=None,
        timeout_graceful_shutdown=2,
    )  # fmt: skip
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run, args=([listening],), name="preview")
    thread.start()
    try:
        yield
    finally:
        board.closed = True
        server.should_exit = True
        thread.join()
