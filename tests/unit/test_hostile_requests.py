"""Whatever is sent to whichever endpoint: no answer is a failure of ours, none leads elsewhere, nobody is changed."""

import html
import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from publishing import HEAD, TALK, edition
from sqlalchemy import select
from visiting import MAILING, Visited

from pipeline.actions.joining import preferences_token
from pipeline.letters import unsubscribe_token
from pipeline.store.subscribers import ALL_KINDS, add
from pipeline.store.switch import set_last_tick
from pipeline.store.tables import campaigns, subscribers

ADA = "ada@reader.example"
PATHS = (
    "/subscribe", "/privacy", "/confirm/{}", "/preferences/{}", "/preferences/{}/data.json", "/preferences/{}/erase",
    "/unsubscribe/{}", "/healthz", "/metrics", "/{}", "/{}/", "//{}",
)  # fmt: skip
METHODS = ("GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE")
FORM = "application/x-www-form-urlencoded"
anything = st.text(max_size=60)
nasty = st.sampled_from([
    "../../etc/passwd", "'; DROP TABLE subscribers;--", "<script>alert(1)</script>", "{{7*7}}", "%00", "%0d%0aX-Y: z",
    "\r\nSet-Cookie: a=b", "https://evil.example/", "//evil.example", "😀", "A" * 5000,
])  # fmt: skip
word = anything | nasty
headers = st.dictionaries(
    st.sampled_from(
        [
            "Accept-Language",
            "Content-Type",
            "Cookie",
            "Origin",
            "Referer",
            "X-Forwarded-Host",
            "X-Forwarded-For",
            "X-Forwarded-Proto",
            "Forwarded",
            "X-Original-URL",
            "X-HTTP-Method-Override",
            "Range",
            "Expect",
            "Accept",
        ]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60)
    | st.sampled_from(["zz;q=x,,;", "evil.example", FORM, "multipart/form-data", "bytes=0-", "127.0.0.1", "q=nan"]),
    max_size=4,
)
fields = st.lists(
    st.tuples(
        st.sampled_from(
            ["series", "address", "language", "event", "kinds", "tags", "scope", "events", "pause", "website"]
        )
        | anything,
        word,
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visited]:
    visited = Visited(edition(TALK, head=HEAD + MAILING), tmp_path_factory.mktemp("hostile"))
    with visited.database.begin() as connection:
        add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", visited.clock.now())
        set_last_tick(connection, visited.clock.now())  # without a sign of life /healthz says 503, rightly
    yield visited
    visited.database.close()


def tokens(visit: Visited) -> list[str]:
    """Tokens of ADA that are good for something else, or are altered."""
    who = visit.subscriber(ADA)
    assert who is not None
    own = preferences_token(who.public_id, visit.secret), unsubscribe_token(who.public_id, visit.secret)
    return [own[0][:-1], own[1] + "A", own[0].swapcase(), who.public_id, own[0][:16] + own[1][16:-1]]


def kept(visit: Visited) -> tuple[object, ...]:
    """Everybody who is subscribed, and every mail to somebody who was."""
    with visit.database.look() as connection:
        people = connection.execute(select(subscribers).where(subscribers.c.state != "pending")).all()
        return (*people, *connection.execute(select(campaigns.c.key).where(campaigns.c.kind != "confirmation")))


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from(METHODS), st.sampled_from(PATHS), headers, fields | st.binary(max_size=300))
def test_no_request_breaks_anything_or_changes_anybody(
    visit: Visited,
    data: st.DataObject,
    method: str,
    path: str,
    head: dict[str, str],
    body: list[tuple[str, str]] | bytes,
) -> None:
    token = data.draw(word | st.sampled_from(tokens(visit)))
    query = data.draw(fields)
    before = kept(visit)
    written = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
    content = body if isinstance(body, bytes) else httpx.QueryParams(body).__str__().encode()
    answer = visit.request(
        method, f"{path.format(quote(token, safe='%/'))}?{written}"[:6000], content=content,
        headers={"Content-Type": FORM, **head},
    )  # fmt: skip
    assert answer.status_code < 500
    assert_harmless(answer)
    assert kept(visit) == before


def assert_harmless(answer: httpx.Response) -> None:
    """It leads nowhere, sets nothing, runs nothing, and speaks a language of the series."""
    assert not {"location", "set-cookie", "refresh", "access-control-allow-origin", "x-y"} & set(answer.headers)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    if "html" in answer.headers.get("content-type", "") and answer.text:
        assert re.match(r'<!doctype html>\s*<html lang="(en|fr)" dir="ltr">', answer.text)
        assert "<script" not in answer.text
        targets = re.findall(r'(?:href|action|src)="([^"]*)"', answer.text)
        assert not [each for each in map(html.unescape, targets) if re.match(r"(?i)\s*(//|javascript:|data:)", each)]
        assert not [each for each in targets if "evil.example" in each]


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_another_site_s_form_can_do_no_more_than_a_stranger(visit: Visited, origin: str) -> None:
    """No page acts on who a browser is: without a token there is nothing to forge."""
    before = kept(visit)
    foreign = {"Origin": origin, "Referer": f"{origin}/", "Cookie": "session=ada", "Sec-Fetch-Site": "cross-site"}
    for path in ("/preferences/x", "/preferences/x/erase", "/confirm/x", "/unsubscribe/x"):
        assert visit.post(path, {"kinds": "changes"}, headers=foreign).status_code == 404
    assert kept(visit) == before


def test_a_forwarded_host_is_never_part_of_a_link(visit: Visited) -> None:
    visit.post(
        "/subscribe", {"address": "new@reader.example"},
        headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", "X-Forwarded-Proto": "http"},
    )  # fmt: skip
    mail = visit.queued()[-1]
    assert "https://talks.example/cycle/confirm/" in mail
    assert "evil.example" not in mail
