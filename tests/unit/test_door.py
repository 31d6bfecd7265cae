"""The door of the service: which requests are let in, what every answer bears, and what is said where nothing is."""

import asyncio
import base64
import hashlib
import html
import re
from collections.abc import AsyncIterator

import pytest
from visiting import ADA, Visited, subscribed, visit

from pipeline.letters import unsubscribe_token
from pipeline.store.tables import Standing
from pipeline.web import guard

__all__ = ["visit"]


def test_every_answer_forbids_scripts_frames_storing_and_passing_on_the_address(visit: Visited) -> None:
    for path in ("/subscribe", "/confirm/x", "/nowhere", "/healthz", "/privacy"):
        head = visit.get(path).headers
        assert "default-src 'none'" in head["Content-Security-Policy"]
        assert (head["Referrer-Policy"], head["X-Frame-Options"]) == ("no-referrer", "DENY")
        assert (head["Cache-Control"], head["X-Content-Type-Options"]) == ("no-store", "nosniff")
        assert "Set-Cookie" not in head


def test_the_style_of_a_page_is_the_one_that_its_policy_allows(visit: Visited) -> None:
    answer = visit.get("/subscribe")
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["Content-Security-Policy"]
    assert " style=" not in answer.text


@pytest.mark.parametrize("path", ["/subscribe", "/preferences/x", "/privacy"])
def test_another_host_is_turned_away(visit: Visited, path: str) -> None:
    assert visit.get(path, headers={"Host": "evil.example"}).status_code == 421
    assert visit.get(path, headers={"Host": "evil.example:443@talks.example"}).status_code == 421
    for ours in ("TALKS.example:443", "127.0.0.1:8025", "[::1]:8025", "localhost"):
        assert visit.get(path, headers={"Host": ours}).status_code != 421


def test_leaving_works_under_a_name_that_the_service_had_before(visit: Visited) -> None:
    token = unsubscribe_token(subscribed(visit), visit.secret)
    answer = visit.request(
        "POST", f"/unsubscribe/{token}", content="List-Unsubscribe=One-Click", headers={"Host": "old.example"}
    )
    assert answer.status_code == 200
    who = visit.subscriber(ADA)
    assert who is not None
    assert who.state is Standing.UNSUBSCRIBED


def test_what_is_too_big_is_not_read(visit: Visited) -> None:
    assert visit.post("/subscribe", {"address": "a" * 20_000}).status_code == 413


def test_a_body_that_does_not_come_is_not_waited_for(visit: Visited, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "LONGEST_WAIT", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"address=ada"
        await asyncio.sleep(5)
        yield b"%40reader.example"

    assert visit.request("POST", "/subscribe", content=dripping()).status_code == 408
    assert visit.queued() == []


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"address": "ada@reader.example"}', "application/json"),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded"),
        (b"&".join(b"a=1" for _ in range(500)), "application/x-www-form-urlencoded"), (b"x", ""),
    ],
)  # fmt: skip
def test_what_no_form_of_ours_sends_is_refused(visit: Visited, content: bytes, kind: str) -> None:
    answer = visit.request("POST", "/subscribe", content=content, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert visit.queued() == []


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/subscribe"), ("PUT", "/confirm/x"), ("POST", "/privacy")])
def test_other_methods_are_not_allowed(visit: Visited, method: str, path: str) -> None:
    answer = visit.request(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_database_that_cannot_be_used_gives_a_page_that_says_so(visit: Visited) -> None:
    with visit.database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE editions RENAME TO gone")
    for path in ("/subscribe", "/confirm/x"):
        answer = visit.get(path)
        assert (answer.status_code, "Not just now" in answer.text) == (503, True)


@pytest.mark.parametrize(
    ("path", "subscribe"),
    [
        ("/confirm/x", "../subscribe"), ("/unsubscribe/x", "../subscribe"), ("/nowhere", "subscribe"),
        ("/preferences/x/erase", "../../subscribe"), ("/", "subscribe"),
    ],
)  # fmt: skip
def test_a_link_that_leads_nowhere_shows_the_ways_back_in_the_reader_s_language(
    visit: Visited, path: str, subscribe: str
) -> None:
    visit.get("/subscribe")  # by then the service has read what is published
    for language, home in (("en", "https://talks.example/cycle/"), ("fr", "https://talks.example/cycle/fr/")):
        shown = visit.get(path, headers={"Accept-Language": language})
        assert shown.status_code == 404
        assert f'<html lang="{language}"' in shown.text
        links = re.findall(r'href="([^"]+)"', html.unescape(shown.text))
        assert links == [home, f"{subscribe}?series=talks&lang={language}"]


def test_under_a_foreign_name_nothing_is_told(visit: Visited) -> None:
    shown = visit.get("/nowhere", headers={"Host": "elsewhere.example"})
    assert (shown.status_code, "talks.example" in shown.text) == (421, False)
