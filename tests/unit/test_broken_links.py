"""`check --links` opens each address once and names those that don't answer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from smallest import SMALLEST

from pipeline.actions.links import AT_ONCE, broken_links, trouble_with
from pipeline.catalogue.load import Source, load
from pipeline.cli import main

ASKED: list[str] = []
RELEASED = threading.Event()


class Site(BaseHTTPRequestHandler):
    """Answers by the path: a number is the status; `slow` never answers, `garbage` in no known language."""

    def do_HEAD(self) -> None:
        ASKED.append(f"{self.command} {self.path}")
        if self.path.startswith("/slow"):
            RELEASED.wait(20)
            return
        if self.path == "/garbage":
            self.wfile.write(b"what?\r\n\r\n")
            return
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    do_GET = do_HEAD  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    RELEASED.clear()
    yield f"http://127.0.0.1:{server.server_port}"
    RELEASED.set()
    server.shutdown()
    server.server_close()


def test_an_address_that_does_not_answer_is_named_at_each_of_its_places(site: str) -> None:
    ASKED.clear()
    text = f"""format = 1
[series]
id = "talks"
title = "Talks"
timezone = "Europe/Paris"
default_language = "en"
organiser = {{ name = "Somebody", url = "{site}/200" }}
[site]
url = "https://talks.example/"
[[event]]
id = "a"
title = "A"
date = 2027-03-04
time = "19:00"
registration = "{site}/404"
resources = ["{site}/404", "{site}/403"]
"""
    catalogue = load(Source("events.toml", text)).catalogue
    found = list(broken_links(catalogue))
    places = {("event", 0, "registration", "url"), ("event", 0, "resources", 0, "url")}
    assert {finding.path for finding in found} == places
    assert all(str(finding.values["trouble"]) == "404 Not Found" for finding in found)
    assert ASKED.count("HEAD /404") == 1


def catalogue_of(resources: list[str]) -> str:
    return (
        SMALLEST
        + """[mail]
from = "talks@talks.example"
[[event]]
id = "a"
title = "A"
date = 2027-03-04
time = "19:00"
online = { secret = "TOCSIN_ROOM" }
resources = [
"""
        + "".join(f'  "{address}",\n' for address in resources)
        + "]\n"
    )


def test_check_links_warns_at_the_line_with_what_was_answered_and_keeps_no_verdict(
    site: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCSIN_ROOM", f"{site}/500")
    file = tmp_path / "events.toml"
    file.write_text(catalogue_of([f"{site}/200", f"{site}/410"]), encoding="utf-8")
    ASKED.clear()
    command = ["check", "--links", "--lang", "en", "--catalogue", str(file)]
    assert main(command) == 0
    told = capsys.readouterr()
    line = file.read_text(encoding="utf-8").split("\n").index(f'  "{site}/410",') + 1
    assert f"events.toml:{line}: " in told.err
    assert f"{site}/410 can't be opened: 410 Gone" in told.err
    assert "1 warning" in told.out
    assert {asked.partition(" ")[2] for asked in ASKED} == {"/200", "/410"}
    assert main([*command, "--strict"]) == 1
    assert not (tmp_path / "var").exists()


def test_who_never_answers_holds_nobody_up(site: str) -> None:
    slow = [f"{site}/slow?{number}" for number in range(AT_ONCE * 2)]
    catalogue = load(Source("events.toml", catalogue_of([f"{site}/200", *slow]))).catalogue
    found = list(broken_links(catalogue, within=3))
    assert {finding.values["address"] for finding in found} == set(slow)
    assert {finding.message for finding in found} == {"{address} has not answered in time"}


def test_an_answer_in_no_known_language_is_trouble(site: str) -> None:
    assert trouble_with(f"{site}/garbage")


def test_nobody_listening_is_said_in_words() -> None:
    assert str(trouble_with("http://127.0.0.1:9/")) == "nobody listens there"


@pytest.mark.parametrize("status", [200, 204, 403, 405, 429])
def test_an_answer_that_keeps_programs_out_is_no_trouble(site: str, status: int) -> None:
    assert trouble_with(f"{site}/{status}") is None


@pytest.mark.parametrize("status", [404, 410, 500])
def test_an_error_is_trouble(site: str, status: int) -> None:
    assert str(trouble_with(f"{site}/{status}")).startswith(str(status))
