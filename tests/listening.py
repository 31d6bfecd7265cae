"""A server for tests on a port of its own, which talks to each connection in a thread; and a port for a server."""

import itertools
import os
import socket
import threading

_PORTS = itertools.count(20_000 + os.getpid() % 100 * 100)


def free_port() -> int:
    """A port of this machine where nobody listens, for a server that is about to start.

    It lies below those that the system gives to whoever names none, and each process that tests has its own hundred: a
    server that takes its time finds it free.
    """
    for port in _PORTS:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError


class Listening:
    """Listens until it is closed. What `talk` needs must be there before this is made: somebody may come at once."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def talk(self, wire: socket.socket) -> None:
        """What it says to one connection."""
        raise NotImplementedError

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                wire, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(wire,), daemon=True).start()
