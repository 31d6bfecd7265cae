"""A page as a browser without a network would see it, and the site of a catalogue that is up to no good."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

from pipeline.actions.newsletters import due_newsletters
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Catalogue
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.outputs import render_all
from pipeline.rendering import Renderer

NOON = datetime(2022, 9, 1, 12, tzinfo=UTC)

HOSTILE = """
format = 1
[series]
id = "hostile"
timezone = "Europe/Paris"
default_language = "en"
languages = ["en", "fr"]
title = "A & B </title><script>alert(1)</script>"
organiser = { name = "<img src=x onerror=alert(2)>", url = "https://org.example/" }
description = "One <script>alert(3)</script> [x](javascript:alert(4)). Two."
venue = "hall"
tba = ["supporters"]
todo = ["ask about the todo"]
[site]
url = "https://talks.example/sub/"
[[venue]]
id = "hall"
name = "Hall <b>1</b>"
geo = [48.866, 2.3731]
access = { step_free = true, toilets = false }
[[event]]
id = "loud"
title = '"><script>alert(5)</script>'
date = 2026-12-01
time = "19:00"
duration = "2h"
abstract = "</script><iframe src='https://evil.example'></iframe>"
online = { secret = "TOCSIN_ROOM" }
speakers = [{ name = "<svg onload=alert(6)>", url = "https://s.example/" }]
"""


def edition_of(text: str, *changes: tuple[str, str], day: date = date(2026, 11, 24)) -> Edition:
    """The edition of a catalogue in which each change was published an hour after the last."""
    ledger, catalogue = _published(text, Ledger(), NOON)
    for number, (there, typed) in enumerate(changes, start=1):
        assert there in text
        text = text.replace(there, typed, 1)
        ledger, catalogue = _published(text, ledger, NOON + number * timedelta(hours=1))
    return Edition(catalogue, ledger, day)


def _published(text: str, ledger: Ledger, now: datetime) -> tuple[Ledger, Catalogue]:
    catalogue = load(Source("events.toml", text)).catalogue
    out = due_newsletters(Edition(catalogue, ledger, now.date()), now)
    return ledger.extended((*pending_lines(catalogue, ledger, now), *out)), catalogue


def site(edition: Edition, renderer: Renderer) -> dict[str, str]:
    """The pages by their paths."""
    return {item.path: item.body.decode() for item in render_all(edition, renderer) if item.path.endswith(".html")}


@dataclass(eq=False)
class Reader(HTMLParser):
    """The elements of a page, and the text that is read."""

    html: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._unread = False
        self.feed(self.html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._unread = tag in {"script", "title"}

    def handle_endtag(self, _tag: str) -> None:
        self._unread = False

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.texts.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of each element of that name which has these values."""
        return [
            attributes
            for name, attributes in self.tags
            if name == tag and all(attributes.get(key) == value for key, value in wanted.items())
        ]

    @property
    def text(self) -> str:
        """All that is read, on one line."""
        return " ".join(" ".join(self.texts).split())
