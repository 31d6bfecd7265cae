"""Letters for tests: written about the real series and changes to it, and read back by the standard library."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Newsletter, Rule
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.letters import Post, Recipient, finish
from pipeline.letters.composing import compose
from pipeline.letters.posting import post_of
from pipeline.reminders.occasions import Kind, Occasion
from pipeline.rendering import Renderer

SECRET = b"a secret for tests"
ANA = Recipient(1, "ana@example.org", "AbCdEfGhIjKlMnOp")
MORNING = datetime(2022, 10, 23, 8, tzinfo=UTC)
PUBLISH = b"BEGIN:VCALENDAR\r\nMETHOD:PUBLISH\r\nX-WR-CALNAME:\xc3\xa9\r\nEND:VCALENDAR\r\n"
CANCEL = PUBLISH.replace(b"PUBLISH", b"CANCEL")
RENDERER = Renderer()
REMINDER = Rule(id="two-days-before", when="2 days before at 10:00")
TITLE = "The consequences of digitization on the non-take-up of social rights"

Edit = Callable[[str], str]


def published(text: str, *edits: Edit) -> Edition:
    """The series as published on 1 September 2022, and after each edit a month later."""
    ledger, at = Ledger(), datetime(2022, 9, 1, 10, tzinfo=UTC)
    catalogue = load(Source("events.toml", text)).catalogue
    ledger = ledger.extended(pending_lines(catalogue, ledger, at))
    for edit in edits:
        text, at = edit(text), at + timedelta(days=30)
        catalogue = load(Source("events.toml", text)).catalogue
        ledger = ledger.extended(pending_lines(catalogue, ledger, at))
    return Edition(catalogue, ledger, at.date())


def replaced(*pairs: tuple[str, str]) -> Edit:
    def edit(text: str) -> str:
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new, 1)
        return text

    return edit


def added(event: str, lines: str) -> Edit:
    return replaced((f'id = "{event}"', f'id = "{event}"\n{lines}'))


MOVED = replaced(
    (
        'date = 2022-10-25\nweekday = "Tuesday"\ntime = "19:00"',
        'date = 2022-10-27\nweekday = "Thursday"\ntime = "20:00"\nnotice.en = "The hall is taken on Tuesday."',
    )
)
CANCELLED = added("non-take-up", 'status = "cancelled"\nnotice.en = "The speaker is ill."')
POSTPONED = added("non-take-up", 'status = "postponed"\nnotice.en = "The hall is being repaired."')
TIMED = replaced(('date = 2023-01-19\nweekday = "Thursday"', 'date = 2023-01-19\nweekday = "Thursday"\ntime = "18:30"'),
                 ('tba = ["time", "resources"]', 'tba = ["resources"]'))  # fmt: skip
RECORDED = added("non-take-up", 'recordings = [{ url = "https://video.example/1", title.en = "The whole evening" }]')
WITH_SECRET = added("non-take-up", 'online = { secret = "TOCSIN_ROOM", label.en = "Video room" }')


def occasion(event: str, kind: Kind = Kind.REMINDERS, revision: int = 0, **more: Any) -> Occasion:
    due = more.pop("due", MORNING)
    return Occasion(event, "two-days-before", revision, kind, due, due + timedelta(hours=12), **more)


def parsed(body: bytes) -> EmailMessage:
    return message_from_bytes(body, policy=policy.default)  # type: ignore[return-value]


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def html_of(message: EmailMessage) -> str:
    part = message.get_body(("html",))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.silent = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent = tag in {"style", "title"}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_endtag(self, _tag: str) -> None:
        self.silent = False

    def handle_data(self, data: str) -> None:
        self.words += [] if self.silent else [data]


def read_html(html: str) -> tuple[str, list[str]]:
    reader = _Words()
    reader.feed(html)
    return " ".join(" ".join(reader.words).split()), reader.links


def write(
    edition: Edition,
    about: Occasion,
    rule: Rule | Newsletter = REMINDER,
    language: str = "en",
    calendar: bytes | None = None,
    secrets: Mapping[str, str] | None = None,
    post: Post | None = None,
) -> EmailMessage:
    """Composes a letter, finishes it for Ana and reads it back; no line of its bodies is too long."""
    post = post or post_of(edition.catalogue, SECRET)
    letter = compose(
        edition, about, rule, language, post, RENDERER, about.due, calendar=calendar, secrets=secrets or {}
    )
    body = finish(letter, ANA, about.key, about.due, post).body
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert max(map(len, body.split(b"\r\n\r\n", 1)[1].split(b"\r\n"))) <= 76
    return parsed(body)
