"""Links and requests that arrive with scratches: what is still ours works, what is half there does nothing."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from publishing import HEAD, TALK, edition
from visiting import MAILING, Visited

from pipeline.actions.joining import preferences_token
from pipeline.letters import unsubscribe_token
from pipeline.letters.tokens import found_in, read_token
from pipeline.store.subscribers import ALL_KINDS, Subscriber, add
from pipeline.store.tables import Standing

ADA = "ada@reader.example"
SCRATCHES: tuple[Callable[[str], str], ...] = (
    "{}".format, "{}=".format, "{}.".format, "{},".format, "{};".format, "{})".format, "{}%3E".format, "%3C{}".format,
    "{}=3D".format, "=3D{}".format, "%3D3D{}".format, "{}%0A".format, "{}%20".format, "{}&gt;".format, "{}*".format,
    "{}%C2%A0".format, "{}%E2%80%8B".format, "%E2%80%8B{}".format, "{}?utm_source=mail".format, "{}#top".format,
    lambda token: f"{token[:10]}%0D%0A{token[10:]}", lambda token: f"{token[:10]}=%0D%0A{token[10:]}",
    lambda token: f"{token[:10]}%20{token[10:]}",
    lambda token: "".join(f"%{ord(character):02X}" for character in token),
    lambda token: token.replace("-", "%252D").replace("_", "%255F"),
)  # fmt: skip


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visited]:
    visited = Visited(edition(TALK, head=HEAD + MAILING), tmp_path)
    with visited.database.begin() as connection:
        add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", visited.clock.now())
    yield visited
    visited.database.close()


def reader(visit: Visited) -> Subscriber:
    found = visit.subscriber(ADA)
    assert found is not None
    return found


@pytest.mark.parametrize("scratched", SCRATCHES)
def test_a_link_that_a_mail_program_has_scratched_still_leads_where_it_should(
    visit: Visited, scratched: Callable[[str], str]
) -> None:
    who = reader(visit)
    chosen = f"/preferences/{scratched(preferences_token(who.public_id, visit.secret))}"
    answer = visit.get(chosen)
    assert (answer.status_code, ADA in answer.text) == (200, True)
    left = f"/unsubscribe/{scratched(unsubscribe_token(who.public_id, visit.secret))}"
    for method in ("GET", "HEAD"):
        assert visit.request(method, left).status_code == 200
    assert reader(visit).state is Standing.ACTIVE
    for _twice in range(2):
        assert visit.request("POST", left, content=b"List-Unsubscribe=One-Click").status_code == 200
    assert reader(visit).state is Standing.UNSUBSCRIBED


@pytest.mark.parametrize("scratched", SCRATCHES[:12])
def test_so_does_the_link_that_confirms(visit: Visited, scratched: Callable[[str], str]) -> None:
    visit.post("/subscribe", {"address": "eve@reader.example"})
    path = scratched(visit.link("confirm"))
    path = path.replace("=3D/confirm/", "/confirm/=3D").replace("%3C/confirm/", "/confirm/%3C")
    path = path.replace("%3D3D/confirm/", "/confirm/%3D3D")
    assert visit.post(path).status_code == 200
    found = visit.subscriber("eve@reader.example")
    assert found is not None
    assert found.state is Standing.ACTIVE


@pytest.mark.parametrize("given", ["", "=", "=3D", "%", "%00", "<>", "é", "%252525", "=" * 5000, "😀", "3D"])
def test_where_no_token_is_none_is_found(given: str) -> None:
    assert read_token(found_in(given), "unsubscribe", b"a key") is None


def sent(visit: Visited, path: str, messages: list[dict[str, Any]], method: str = "POST", **more: Any) -> list[Any]:
    """The answer to a request that arrives in these messages."""
    answers: list[Any] = []
    form = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {
        "type": "http", "http_version": "1.1", "method": method, "scheme": "https", "path": path, "query_string": b"",
        "headers": [(b"host", b"talks.example"), form], "client": ("198.51.100.1", 1), "root_path": "", **more,
    }  # fmt: skip

    async def scene() -> None:
        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            answers.append(message)

        await visit.application(scope, receive, send)  # type: ignore[arg-type] # a scope is any mapping

    asyncio.run(scene())
    return answers


def test_a_form_of_which_only_the_beginning_arrived_changes_nothing(visit: Visited) -> None:
    path = f"/preferences/{preferences_token(reader(visit).public_id, visit.secret)}"
    begun = {"type": "http.request", "body": b"kinds=changes&language=fr", "more_body": True}
    before = reader(visit)
    sent(visit, path, [begun, {"type": "http.disconnect"}])
    assert reader(visit) == before
    sent(visit, path, [begun, {"type": "http.request", "body": b"&form=text", "more_body": False}])
    assert (reader(visit).language, reader(visit).wishes.text_only) == ("fr", True)


WHOLE = {"type": "http.request", "body": b"", "more_body": False}


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"path": "http://talks.example/privacy"}, 200),
        ({"path": "HTTPS://talks.example/privacy"}, 200),
        ({"path": "http://evil.example/privacy"}, 421),  # the host in the address counts, whatever the field says
        ({"path": "http://é.example/privacy"}, 421),
        ({"path": "http://talks.example"}, 404),
        ({"path": "ftp://talks.example/privacy"}, 404),
        ({"path": "*"}, 404),
        ({"path": "talks.example:443"}, 404),
        ({"headers": [(b"host", b"talks.example"), *((b"x-%d" % each, b"y" * 100) for each in range(170))]}, 431),
        ({"headers": [(b"host", b"localhost"), (b"content-length", b"0"), (b"transfer-encoding", b"chunked")]}, 400),
        ({"query_string": b"x" * 17_000}, 431),
        ({"headers": []}, 421),
    ],
)  # fmt: skip
def test_each_unusual_request_gets_the_answer_that_is_due_to_it(
    visit: Visited, more: dict[str, Any], status: int
) -> None:
    path = more.pop("path", "/privacy")
    start, *rest = sent(visit, path, [dict(WHOLE)], method="GET", **more)
    assert start["status"] == status
    assert b"".join(each["body"] for each in rest).startswith(b"<!doctype html>")
    closes = (b"connection", b"close") in start["headers"]
    assert closes == (status == 400)
