"""The real series as it is published, byte by byte. A change shows here as a diff; `make golden` writes it anew."""

import email
import email.policy
import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from pipeline.actions.mailing import Office
from pipeline.actions.simulate import simulate
from pipeline.actions.subscribers import Entry
from pipeline.edition import Edition
from pipeline.outputs import render_all
from pipeline.rendering import Renderer

GOLDEN = Path(__file__).parent / "seed"
PUBLISHED = (
    "calendar.ics", "fr/calendar.ics", "events/non-take-up.ics", "alarms/calendar.ics", "atom.xml", "rss.xml",
    "feed.json",
    "fr/atom.xml", "events.json", "index.html", "fr/index.html", "events/social-work/index.html",
    "fr/events/conference-5/index.html", "subscribe/index.html", "fr/subscribe/index.html",
    "next/index.html", "fr/embed/index.html", "poster/index.html", "events/social-work/share.txt", "sitemap.xml",
)  # fmt: skip
LETTERS = ("001-announced.eml", "006-two-weeks-before.eml", "014-morning.eml")


@pytest.fixture(scope="session")
def published(seed_edition: Edition, renderer: Renderer) -> Mapping[str, bytes]:
    return {artifact.path: artifact.body for artifact in render_all(seed_edition, renderer)}


def compare(name: str, body: bytes, update: bool) -> None:
    file = GOLDEN / name
    if update:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    assert body == file.read_bytes(), f"{name} differs from tests/golden/seed; if that is meant: make golden"


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_published_file_is_the_same_byte_for_byte(
    name: str, published: Mapping[str, bytes], request: pytest.FixtureRequest
) -> None:
    compare(name, published[name], request.config.getoption("--update-golden"))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_letter_is_the_same_byte_for_byte(
    language: str, seed_edition: Edition, renderer: Renderer, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    office = Office(renderer, b"the key of the golden letters", {})
    # The random name of a subscriber is in its tokens: the golden letters are compared without what it changes.
    simulate(seed_edition, office, [Entry(f"{language}@subscriber.example", language)], tmp_path)
    for name in LETTERS:
        message = email.message_from_bytes(
            (tmp_path / f"{language}@subscriber.example" / name).read_bytes(), policy=email.policy.default
        )
        shown = "\n".join([*fields_of(message), *bodies_of(message)])
        update = request.config.getoption("--update-golden")
        compare(f"letters/{language}-{name.removesuffix('.eml')}.txt", shown.encode(), update)


def fields_of(message: email.message.Message) -> list[str]:
    personal = {"message-id", "list-unsubscribe", "content-type"}
    return [f"{name}: {value}" for name, value in message.items() if name.lower() not in personal]


def bodies_of(message: email.message.Message) -> list[str]:
    bodies = []
    for part in message.walk():
        if part.get_content_maintype() != "multipart":
            text = part.get_content().replace("\r\n", "\n")
            bodies.append(f"\n==== {part.get_content_type()}\n{without_tokens(text)}")
    return bodies


def without_tokens(text: str) -> str:
    return re.sub(r"/(unsubscribe|preferences)/[\w-]{38}", r"/\1/TOKEN", text)


def test_the_seed_s_calendar_says_what_the_issue_asks(published: Mapping[str, bytes]) -> None:
    text = published["calendar.ics"].decode()
    assert text.count("BEGIN:VEVENT") == 4
    assert "DTSTART:20221025T170000Z" in text
    assert "DTSTART:20221124T180000Z" in text
    assert "DTSTART;VALUE=DATE:20230119" in text
    assert "DTSTART;VALUE=DATE:20230202" in text
    assert text.count("DTEND") == 2
    assert text.replace("\r\n ", "").count("time to be announced") >= 2
    assert "conference-5" not in text


def test_every_event_is_in_the_feeds_and_on_the_pages(published: Mapping[str, bytes], seed_edition: Edition) -> None:
    assert published["atom.xml"].count(b"<entry") == 5
    assert published["rss.xml"].count(b"<item") == 5
    home = published["index.html"].decode()
    for event in seed_edition.catalogue.events:
        assert f"events/{event.id}/" in home
    assert home.index("To be announced") < home.index("events/conference-5/")


def test_todo_is_never_published(seed_edition: Edition, published: Mapping[str, bytes]) -> None:
    questions = [question for event in seed_edition.catalogue.events for question in event.todo]
    questions += seed_edition.series.todo
    for path, body in published.items():
        for question in questions:
            assert question[:40].encode() not in body, path


def test_a_day_after_the_season_shows_everything_as_past(seed_edition: Edition, renderer: Renderer) -> None:
    later = Edition(seed_edition.catalogue, seed_edition.ledger, date(2026, 11, 24))
    assert later.next is None
    assert [listing.event.number for listing in later.past] == [4, 3, 2, 1]
    assert [listing.event.number for listing in later.to_be_announced] == [5]
