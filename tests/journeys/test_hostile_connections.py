"""Connections that mean no good, to the service as it runs: each comes to an end, and everybody else is answered."""

import select
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest
from patience import PATIENCE
from test_publishing import project
from test_service import one_service, ready, serving

__all__ = ["one_service", "project"]

HOST = b"Host: localhost\r\n"
GET = b"GET /privacy HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /subscribe HTTP/1.1\r\n" + HOST


def talked(place: str, *pieces: bytes, pause: float = 0.0, half_closed: bool = False) -> bytes:
    """All that comes back for these pieces until the service closes the connection; it may hear that no more comes."""
    host, _, port = place.partition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as wire:
        try:
            for piece in pieces:
                wire.sendall(piece)
                time.sleep(pause)
            if half_closed:
                wire.shutdown(socket.SHUT_WR)
            while more := wire.recv(65_536):
                answer += more
        except (BrokenPipeError, ConnectionResetError):  # it closed while we were still speaking
            pass
    return answer


STRANGERS = {
    "silent": (),
    "a word": (b"GET",),
    "half a head": (b"GET /privacy HTTP/1.1\r\nHost: local",),
    "half a second head": (GET, b"GET /priv"),
    "half a second head before the answer": (GET + b"GET /priv",),
    "pipelined": (GET + GET + b"G", b"ET /"),
    "trickle": (b"GET /privacy HTTP/1.1\r\n", *(b"X-%d: y\r\n" % number for number in range(200))),
    "slow body": (POST + b"Content-Length: 9000\r\n\r\n", *(b"x" for _ in range(200))),
    "a body nobody wants": (POST + b"Content-Length: 90000\r\n\r\n", *(b"x" for _ in range(200))),
    "slow chunks": (POST + b"Transfer-Encoding: chunked\r\n\r\n", *(b"1\r\nx\r\n" for _ in range(200))),
}


def test_who_stops_or_dawdles_in_the_middle_is_let_go(one_service: tuple[httpx.Client, str]) -> None:
    client, place = one_service
    answers: dict[str, bytes] = {}

    def come(name: str) -> None:
        answers[name] = talked(place, *STRANGERS[name], pause=0.3)

    threads = [threading.Thread(target=come, args=(name,)) for name in STRANGERS]
    for thread in threads:
        thread.start()
    assert client.get("/privacy").status_code == 200
    for thread in threads:
        thread.join(PATIENCE)
    assert answers.keys() == STRANGERS.keys(), "a connection was never closed"
    for name, pieces in STRANGERS.items():
        assert answers[name].count(b"HTTP/1.1 200 OK") == sum(piece.count(GET) for piece in pieces), name


def test_who_says_no_more_after_a_request_gets_the_answer(one_service: tuple[httpx.Client, str]) -> None:
    _, place = one_service
    form = b"address=ada@reader.example"
    whole = POST + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(form) + form
    metrics = GET.replace(b"/privacy", b"/metrics")
    for asked in ([GET], [whole], [metrics], [GET, whole, GET, metrics], [GET * 3]):
        answer = talked(place, *asked, half_closed=True)
        assert answer.count(b"HTTP/1.1 200 OK") == b"".join(asked).count(b"HTTP/1.1"), (asked, answer[:200])
        assert answer.endswith((b"</html>\n", b"\n")), asked
    for cut_off in (GET[:-2], whole[:-1], b""):
        assert talked(place, cut_off, half_closed=True).count(b"HTTP/1.1 200 OK") == 0, cut_off


@pytest.mark.parametrize(
    ("request_line", "field", "host", "status"),
    [
        ("HTTP/1.1", "Connection: close", "localhost", 413),
        ("HTTP/1.1", "Connection: x, Close", "localhost", 413),
        ("HTTP/1.1", "Connection: x\r\nConnection: close", "localhost", 413),
        ("HTTP/1.0", "X: y", "localhost", 413),
        ("HTTP/1.1", "Connection: close", "evil.example", 421),
    ],
)
def test_the_last_answer_on_a_connection_waits_until_all_was_heard_so_that_it_arrives(
    one_service: tuple[httpx.Client, str], request_line: str, field: str, host: str, status: int
) -> None:
    _, place = one_service
    name, _, port = place.partition(":")
    head = f"POST /subscribe {request_line}\r\nHost: {host}\r\n{field}\r\nContent-Length: 90000\r\n\r\n"
    with socket.create_connection((name, int(port)), timeout=PATIENCE) as wire:
        wire.sendall(head.encode())
        for _ in range(9):
            assert select.select([wire], [], [], 0.05)[0] == [], "it is answered, and closed, while we speak"
            wire.sendall(b"x" * 10_000)
        answer = b""
        while more := wire.recv(65_536):
            answer += more
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.endswith(b"</html>\n")


def test_many_silent_connections_keep_nobody_out(one_service: tuple[httpx.Client, str]) -> None:
    client, place = one_service
    host, _, port = place.partition(":")
    silent = [socket.create_connection((host, int(port)), timeout=PATIENCE) for _ in range(300)]
    try:
        assert client.get("/privacy").status_code == 200
        for wire in silent:
            assert wire.recv(1) == b""
    finally:
        for wire in silent:
            wire.close()


def test_what_strangers_send_leaves_no_line_in_the_log(project: Path) -> None:
    ready(project)
    with serving(project, "smtp://127.0.0.1:9") as client:
        place = f"{client.base_url.host}:{client.base_url.port}"
        for raw in (b"no request\r\n\r\n", b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n"):
            assert talked(place, raw).startswith(b"HTTP/1.1 400")
        for head in (b"Content-Length: 4\r\n", b"", b"Host: again\r\n"):  # each goes wrong while it is answered
            chunked = b"Transfer-Encoding: chunked\r\n\r\n"
            for body in (b"zzzz\r\n", b"1\r\nx\r\nzzzz\r\n", b"0\r\n\r\n\x00\x01"):
                answer = talked(place, POST + head + chunked + body)
                assert answer == b"" or answer.startswith(b"HTTP/1.1 4")
        upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
        assert talked(place, GET[:-2] + upgrade).startswith(b"HTTP/1.1 200")
        assert client.get("/confirm/" + "A" * 60).status_code == 404
        assert client.post("/subscribe", data={"address": "ada@reader.example"}).status_code == 200
        log = project / f"service-{place[10:]}.log"
    # What became of the mail is told, in numbers.
    assert [line for line in log.read_text().splitlines() if " tocsin.run 0 sent, " not in line] == []
