"""The service as a process: real requests over a socket, real mail over SMTP, one database."""

import email
import email.policy
import itertools
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import forking
import httpx
import pytest
from capture import Mailboxes, capture
from listening import free_port
from patience import PATIENCE, until
from postgresql_server import running as postgresql
from test_publishing import ROOT, project, tocsin

__all__ = ["project"]

NOW = "2022-09-01T10:00:30Z"
ADA = "ada@reader.example"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Mailboxes, str]]:
    with capture(tmp_path / "mail") as running:
        yield running


@contextmanager
def serving(
    project: Path, url: str, *options: str, listen: str = "", now: str = NOW, **environment: str
) -> Iterator[httpx.Client]:
    """`tocsin run` in a process of its own, and a client that talks to it; it must end well when it is told to."""
    listen = listen or free_place()
    clean = {key: value for key, value in os.environ.items() if not key.startswith("TOCSIN_")}
    with (project / f"service-{listen[10:]}.log").open("w+") as log:
        process = forking.start(
            ["run", "--now", now, "--listen", listen, *options], project,
            {**clean, "TOCSIN_SMTP_URL": url, **environment}, log.fileno(),
        )  # fmt: skip
        try:
            with httpx.Client(base_url=f"http://{listen}", timeout=PATIENCE) as client:
                until(lambda: answers(client) or process.poll() is not None)
                assert process.poll() is None, (project / log.name).read_text()
                yield client
        finally:
            process.send_signal(signal.SIGTERM)
            status = ended(process)
        written = Path(log.name).read_text()
        assert status == 0, written
        assert "Traceback" not in written


def free_place() -> str:
    """An address and a port of this machine where nobody listens."""
    return f"127.0.0.1:{free_port()}"


def ended(process: "forking.Forked | subprocess.Popen[str]") -> int:
    """The status with which a process ends that was told to; one that doesn't is ended."""
    try:
        return process.wait(timeout=PATIENCE)
    finally:
        process.kill()


def answers(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def parsed(message: bytes) -> email.message.EmailMessage:
    return email.message_from_bytes(message, policy=email.policy.default)  # type: ignore[return-value]


def link(message: email.message.EmailMessage, kind: str) -> str:
    """The path of a link in the readable part of a mail."""
    body = message.get_body(("plain",))
    assert body is not None
    return re.findall(rf"https://digitize\.example(/{kind}/[\w-]+)", body.get_content())[0]


def ready(project: Path) -> None:
    for command in (["publish", "--now", "2022-09-01T10:00:00Z"], ["arm"]):
        done = tocsin(project, *command)
        assert done.returncode == 0, done.stderr


def standing(project: Path, address: str = ADA) -> str:
    """The line of `subscribers list` about somebody; empty where there is none."""
    lines = tocsin(project, "subscribers", "list").stdout.splitlines()
    return next((line for line in lines if line.startswith(address)), "")


def test_join_confirm_receive_change_the_language_and_leave_by_one_click(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    ready(project)
    with serving(project, url) as client:
        form = (project / "out" / "subscribe" / "index.html").read_text()
        [action] = re.findall(r'<form method="post" action="https://digitize\.example(/\w+)"', form)
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([\w-]+)"', form))
        assert client.post(action, data={**fields, "address": ADA, "website": ""}).status_code == 200

        until(lambda: boxes.messages.get(ADA))  # at once, not with the next round
        asked = parsed(boxes.messages[ADA][0])
        assert asked["Subject"] == "Please confirm: Digitize and conquer – Public services facing digitization"
        assert asked["Auto-Submitted"] == "auto-generated"
        assert asked["List-Unsubscribe"] is None
        path = link(asked, "confirm")
        assert client.get(path).status_code == 200
        assert "pending" in standing(project)
        confirmed = client.post(path)
        assert "active" in standing(project)

        chosen = "/" + re.findall(r'href="\.\./(preferences/[\w-]+)"', confirmed.text)[0]
        assert client.post(chosen, data={"language": "fr", "kinds": ["reminders", "changes"]}).status_code == 200
        assert standing(project) == f"{ADA}  fr  active  changes reminders"

    sent = tocsin(project, "send", "--now", "2022-10-11T08:04:00Z", TOCSIN_SMTP_URL=url)
    assert "1 sent" in sent.stdout, sent.stderr
    reminder = parsed(boxes.messages[ADA][-1])
    assert reminder["Content-Language"] == "fr"
    one_click = re.findall(r"<https://digitize\.example(/unsubscribe/[\w-]+)>", reminder["List-Unsubscribe"])[0]
    with serving(project, url) as client:
        for _twice in range(2):
            left = client.post(one_click, content="List-Unsubscribe=One-Click")
            assert left.status_code == 200
            assert not left.history
        assert "unsubscribed" in standing(project)


HOSTILE = (
    "/subscribe?series=../../etc/passwd", "/confirm/" + "A" * 4000, "/confirm/..%2f..%2fetc",
    "/preferences/%00%0d%0aX: y", "/metrics/../x",
    "/unsubscribe/'%20OR%201=1--", "/subscribe?lang=%3Cscript%3E", "//evil.example/", "/confirm/{{7*7}}",
    "/preferences/é/erase", "/.env", "/var/tocsin.db", "/static/../../events.toml", "/healthz?x=" + "y" * 3000,
)  # fmt: skip
HEADERS = (
    {"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}, {"X-Forwarded-For": "x, y, z"},
    {"Content-Type": "multipart/form-data; boundary=x"}, {"Content-Type": "application/json"},
    {"Accept-Language": "q=;;,,*;q=x," * 20}, {"Transfer-Encoding": "chunked", "Content-Type": "text/plain"},
    {"Cookie": "session=1"}, {"Content-Type": "application/x-www-form-urlencoded"},
    {"Origin": "https://evil.example"}, {"X-HTTP-Method-Override": "DELETE"},
)  # fmt: skip
BODIES = (
    b"", b"address=ada%40reader.example%0d%0aBcc:x@y.example", b"a=%ff%fe", b"\x00" * 500, b"=&=&=" * 50,
    b"address=" + b"x" * 300 + b"@reader.example", b"kinds=all&tags=%3Cscript%3E", b"x" * 20_000,
)  # fmt: skip


def test_a_thousand_hostile_requests_change_nothing_and_break_nothing(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    ready(project)
    tocsin(project, "subscribers", "add", ADA)
    database = project / "var" / "tocsin.db"
    with serving(project, url) as client:
        until(lambda: len(boxes.messages.get(ADA, ())) == 5)
        before = kept(database)
        statuses = set()
        combined = itertools.product(("GET", "POST", "PUT"), HOSTILE, HEADERS, BODIES)
        sensible = [each for each in combined if each[0] == "POST" or not each[-1]]
        for method, path, headers, body in sensible[::3] + sensible[1::3]:
            answer = client.request(method, path, headers=headers, content=body)
            statuses.add(answer.status_code)
            assert "evil.example" not in answer.text
            assert "Set-Cookie" not in answer.headers
            assert "Location" not in answer.headers
        assert max(statuses) < 500, statuses
        assert kept(database) == before
        assert client.get("/healthz").json()["ok"] is True


def kept(database: Path) -> list[tuple[object, ...]]:
    """Who is subscribed, and how many mails there are."""
    with sqlite3.connect(database) as connection:
        people = connection.execute("SELECT address, state, language, kinds, changed FROM subscribers").fetchall()
        return [*people, *connection.execute("SELECT count(*) FROM deliveries").fetchall()]


@pytest.mark.parametrize(
    "raw",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"POST /subscribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /subscribe HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\nx",
        b"GET /subscribe HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /subscribe HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        (
            b"POST /subscribe HTTP/1.1\r\nHost: localhost\r\n"
            b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\nzzzz\r\n"
        ),
    ],
)
def test_what_is_no_request_is_refused_and_the_next_one_answered(
    one_service: tuple[httpx.Client, str], raw: bytes
) -> None:
    client, place = one_service
    host, _, port = place.partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as wire:
        wire.sendall(raw)
        answer = wire.recv(4096)
    assert answer == b"" or re.match(rb"HTTP/1\.1 4\d\d ", answer), answer
    assert client.get("/privacy").status_code == 200


@pytest.fixture(scope="module")
def one_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    """One service for what leaves it as it was."""
    import shutil

    folder = tmp_path_factory.mktemp("service")
    for name in ("events.toml", "ledger.jsonl"):
        shutil.copy(ROOT / name, folder)
    ready(folder)
    with capture(folder / "mail") as (_, url), serving(folder, url) as client:
        yield client, f"{client.base_url.host}:{client.base_url.port}"


def test_a_proxy_that_is_not_trusted_is_not_believed(project: Path, server: tuple[Mailboxes, str]) -> None:
    _, url = server
    ready(project)
    with serving(project, url) as client:
        # The web server on this machine is believed: /metrics is shown to it alone, not to whom it speaks for.
        assert client.get("/metrics").status_code == 200
        assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
        # What a visitor writes into the field stands before what the web server adds.
        assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}).status_code == 404


@pytest.mark.parametrize(("language", "said"), [("en", "mail server can't be used"), ("fr", "est inutilisable")])
def test_trouble_is_told_once_by_the_operators_command_in_the_first_language_of_the_series(
    project: Path, language: str, said: str
) -> None:
    catalogue = project / "events.toml"
    catalogue.write_text(
        catalogue.read_text().replace('default_language = "en"', f'default_language = "{language}"'), encoding="utf-8"
    )
    ready(project)
    tocsin(project, "subscribers", "add", ADA)
    told = project / "told.txt"
    command = f"{sys.executable} -c \"import sys; open('{told}', 'a').write(sys.stdin.read())\""
    with serving(project, "smtp://127.0.0.1:9", "--every", "0.3", TOCSIN_ALERT=command):
        until(lambda: told.exists() and told.read_text())
        time.sleep(1.5)
    [line] = told.read_text().splitlines()
    assert said in line


def test_a_port_that_is_taken_is_said_and_nothing_is_left_running(project: Path) -> None:
    ready(project)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        # Anew, over pipes: what is left running would keep them open.
        environment = {**os.environ, "TOCSIN_SMTP_URL": "smtp://127.0.0.1:9"}
        done = forking.run(["run", "--now", NOW, "--listen", listen], project, environment, anew=True)
    assert done.returncode == 2
    assert f"can't listen at {listen}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_rehearsed_restore_starts_held_and_sends_to_nobody_twice(
    project: Path, server: tuple[Mailboxes, str], tmp_path: Path
) -> None:
    boxes, url = server
    ready(project)
    tocsin(project, "subscribers", "add", ADA)
    assert tocsin(project, "backup", "../copy.db").returncode == 0
    assert "5 sent" in tocsin(project, "send", "--now", NOW, TOCSIN_SMTP_URL=url).stdout
    refused = tocsin(project, "restore", "../copy.db")
    assert (refused.returncode, "--replace" in refused.stderr) == (1, True)
    done = tocsin(project, "restore", "../copy.db", "--replace")
    assert (done.returncode, "held" in done.stdout) == (0, True), done.stderr
    # The copy doesn't know that the mails have left: it may not send them before somebody says so.
    held = tocsin(project, "send", "--now", NOW, TOCSIN_SMTP_URL=url)
    assert (held.returncode, "5 letters would leave" in held.stdout) == (1, True), held.stdout
    assert len(boxes.messages[ADA]) == 5
    # And a copy that was put there by hand holds itself.
    (project / "var" / "tocsin.db").unlink()
    (tmp_path / "copy.db").rename(project / "var" / "tocsin.db")
    by_hand = tocsin(project, "send", "--now", NOW, TOCSIN_SMTP_URL=url)
    assert (by_hand.returncode, "armed elsewhere" in by_hand.stderr) == (1, True), by_hand.stderr
    assert len(boxes.messages[ADA]) == 5


def test_two_services_on_one_postgresql_subscribe_here_and_confirm_there(
    project: Path, server: tuple[Mailboxes, str]
) -> None:
    boxes, url = server
    with postgresql() as running:
        database = {"TOCSIN_DATABASE_URL": running.database()}
        for command in (["publish", "--now", "2022-09-01T10:00:00Z"], ["arm"]):
            done = tocsin(project, *command, **database)
            assert done.returncode == 0, done.stderr
        with serving(project, url, **database) as one, serving(project, url, **database) as other:
            readers = [f"reader{number}@reader.example" for number in range(8)]
            for number, reader in enumerate(readers):
                assert (one, other)[number % 2].post("/subscribe", data={"address": reader}).status_code == 200
            until(lambda: all(boxes.messages.get(reader) for reader in readers))
            for number, reader in enumerate(readers):
                path = link(parsed(boxes.messages[reader][0]), "confirm")
                assert (other, one)[number % 2].post(path).status_code == 200
            # The limit for one network holds for both together.
            statuses = [
                (one, other)[number % 2].post("/subscribe", data={"address": f"x{number}@y.example"}).status_code
                for number in range(24)
            ]
            assert statuses == [200] * 22 + [429] * 2
        listed = tocsin(project, "subscribers", "list", **database).stdout
        assert listed.count("  active  ") == len(readers)
        assert all(len(boxes.messages[reader]) == 1 for reader in readers)


HANGING = """
import functools, sys, time
import pipeline.commands.run as service
from pipeline.cli import main
service.Ticker = functools.partial(service.Ticker, patience=1.0)
service.tidy = lambda *_: time.sleep(600)
sys.exit(main(sys.argv[1:]))
"""


def test_a_service_whose_ticker_hangs_tells_it_and_ends_in_error_so_that_it_is_started_again(project: Path) -> None:
    ready(project)
    told = project / "told.txt"
    command = f"{sys.executable} -c \"import sys; open('{told}', 'a').write(sys.stdin.read())\""
    done = subprocess.run(
        [sys.executable, "-c", HANGING, "run", "--now", NOW, "--no-web"], cwd=project, timeout=PATIENCE, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TOCSIN_SMTP_URL": "smtp://127.0.0.1:9", "TOCSIN_ALERT": command},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "no sign of life" in told.read_text()
