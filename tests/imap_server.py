"""A small IMAP server over TLS for tests: one user, one folder, as much of RFC 3501 as reading bounces takes."""

import re
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

LOGIN = ("post", 'a "secret" \\ word')


@dataclass
class Folder:
    """Its messages by UID, and which of them were seen; `deaf_after` commands the server hangs up."""

    messages: dict[int, bytes]
    seen: set[int] = field(default_factory=set)
    commands: list[str] = field(default_factory=list)
    port: int = 0
    hang_up_at: str = ""


class _Conversation(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        self._say(b"* OK ready")
        for line in iter(self.rfile.readline, b""):
            tag, _, command = line.decode().strip().partition(" ")
            self.server.folder.commands.append(command)
            if self.server.folder.hang_up_at and self.server.folder.hang_up_at in command:
                return
            self._answer(tag, command)
            if command.upper().startswith("LOGOUT"):
                return

    def _answer(self, tag: str, command: str) -> None:
        folder, verb = self.server.folder, command.upper()
        done = b"OK done"
        if verb.startswith("CAPABILITY"):
            self._say(b"* CAPABILITY IMAP4rev1")
        elif verb.startswith("LOGIN"):
            name, password = re.fullmatch(r'LOGIN (\S+) "((?:[^"\\]|\\.)*)"', command).groups()
            if (name, re.sub(r"\\(.)", r"\1", password)) != LOGIN:
                done = b"NO [AUTHENTICATIONFAILED] wrong password"
        elif verb.startswith("SELECT"):
            if command != 'SELECT "Bounced mail"':
                done = b"NO there is no such folder"
            self._say(b"* %d EXISTS" % len(folder.messages))
        elif verb.startswith("UID SEARCH UNSEEN"):
            unseen = " ".join(str(uid) for uid in folder.messages if uid not in folder.seen)
            self._say(f"* SEARCH {unseen}".encode())
        elif found := re.fullmatch(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)", command):
            uid, body = int(found[1]), folder.messages[int(found[1])][: int(found[2])]
            self._say(b"* 1 FETCH (UID %d BODY[]<0> {%d}\r\n%s)" % (uid, len(body), body))
        elif found := re.fullmatch(r"UID STORE (\d+) \+FLAGS\.SILENT \(\\Seen\)", command):
            folder.seen.add(int(found[1]))
        elif not verb.startswith(("CLOSE", "LOGOUT")):
            done = b"BAD what?"
        self._say(f"{tag} ".encode() + done)

    def _say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, folder: Folder) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.folder = folder
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that doesn't trust us hangs up; that is what some tests want."""


@contextmanager
def serving(context: ssl.SSLContext, folder: Folder) -> Iterator[Folder]:
    """The folder behind a running server."""
    with _Server(context, folder) as server:
        folder.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield folder
        finally:
            server.shutdown()
            thread.join()
