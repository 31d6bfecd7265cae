"""The doctor holds our clock against that of the site's web server."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from pipeline.actions.doctor import Health, examine_clock
from pipeline.delivery.outside_clock import time_at

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("seconds", "health", "said"), [
    (0, Health.WELL, "agree"), (-90, Health.WELL, "agree"), (180, Health.ILL, "180 s ahead"),
    (-7200, Health.ILL, "7200 s behind"),
])  # fmt: skip
def test_a_clock_that_is_minutes_off_is_in_the_way(seconds: int, health: Health, said: str) -> None:
    found = examine_clock(NOON + timedelta(seconds=seconds), "https://talks.example/", NOON)
    assert found.health is health
    assert said in found.said
    assert ("timedatectl" in found.said) is (health is Health.ILL)


def test_where_nobody_answers_one_is_told_to_look() -> None:
    assert time_at("http://127.0.0.1:9/") is None
    assert examine_clock(NOON, "https://talks.example/", None).health is Health.DOUBTFUL


DATES = {"/after-time": "Fri, 31 Dec 9999 23:59:59 -1400", "/no-date": "yesterday"}


class _Answer(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        if self.path == "/garbage":
            self.wfile.write(b"no HTTP at all\r\n\r\n")
            return
        self.send_response_only(404 if self.path == "/gone" else 200)
        if self.path != "/silent":
            self.send_header("Date", DATES.get(self.path, "Mon, 01 Mar 2027 12:00:00 GMT"))
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Nothing on standard error."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answer) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join(5)


@pytest.mark.parametrize(("path", "told"), [("/", NOON), ("/gone", NOON), ("/silent", None)])
def test_the_date_of_any_answer_will_do(server: str, path: str, told: datetime | None) -> None:
    assert time_at(server + path) == told


@pytest.mark.parametrize("path", ["/garbage", *DATES])
def test_an_answer_that_makes_no_sense_tells_no_time(server: str, path: str) -> None:
    assert time_at(server + path) is None
