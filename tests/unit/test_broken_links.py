"""`check --links` opens each address once and names those that don't answer."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pipeline.actions.links import broken_links, trouble_with
from pipeline.catalogue.load import Source, load

ASKED: list[str] = []


class Site(BaseHTTPRequestHandler):
    """Answers by the path: a number is the status."""

    def do_HEAD(self) -> None:
        ASKED.append(f"{self.command} {self.path}")
        self.send_response(int(self.path.strip("/")))
        self.end_headers()

    do_GET = do_HEAD  # noqa: N815 - the name that http.server looks for

    def log_message(self, *_arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
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
    assert all(finding.values["trouble"] == "404 Not Found" for finding in found)
    assert ASKED.count("HEAD /404") == 1


def test_nobody_listening_is_said_in_words() -> None:
    assert "refused" in trouble_with("http://127.0.0.1:9/").lower()


@pytest.mark.parametrize("status", [200, 204, 403, 405, 429])
def test_an_answer_that_keeps_programs_out_is_no_trouble(site: str, status: int) -> None:
    assert trouble_with(f"{site}/{status}") == ""


@pytest.mark.parametrize("status", [404, 410, 500])
def test_an_error_is_trouble(site: str, status: int) -> None:
    assert trouble_with(f"{site}/{status}").startswith(str(status))
