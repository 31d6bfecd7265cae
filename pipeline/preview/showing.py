"""Feeds, calendars and letters made readable: read back from their bytes, so that the preview shows what is in them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

from icalendar import Calendar

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed; `html` is its content."""

    title: str
    date: str
    link: str
    id: str
    html: str


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed: its title and its entries in their order."""

    title: str
    entries: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Row:
    """One component of a calendar: each property as it is written, and what is said in its description."""

    summary: str
    start: str
    end: str
    place: str
    status: str
    sequence: str
    description: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a letter; `text` is empty where it isn't text."""

    name: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A letter in its parts."""

    fields: Sequence[tuple[str, str]]
    subject: str
    sent: datetime
    text: str
    html: str
    attachments: Sequence[Attachment]


def feed_of(path: str, body: bytes) -> Feed:
    """An Atom, RSS or JSON feed of ours."""
    if path.endswith(".json"):
        return _json_feed(body)
    root = ET.fromstring(body)  # noqa: S314 - we wrote it a moment ago
    return _rss(root) if root.tag == "rss" else _atom(root)


def _atom(root: ET.Element) -> Feed:
    entries = [
        Entry(
            entry.findtext(f"{ATOM}title", ""),
            entry.findtext(f"{ATOM}updated", ""),
            next((link.get("href", "") for link in entry.iter(f"{ATOM}link") if link.get("rel") == "alternate"), ""),
            entry.findtext(f"{ATOM}id", ""),
            entry.findtext(f"{ATOM}content", "") or entry.findtext(f"{ATOM}summary", ""),
        )
        for entry in root.iter(f"{ATOM}entry")
    ]
    return Feed(root.findtext(f"{ATOM}title", ""), entries)


def _rss(root: ET.Element) -> Feed:
    entries = [
        Entry(
            item.findtext("title", ""),
            item.findtext("pubDate", ""),
            item.findtext("link", ""),
            item.findtext("guid", ""),
            item.findtext(CONTENT, "") or item.findtext("description", ""),
        )
        for item in root.iter("item")
    ]
    return Feed(root.findtext("channel/title", ""), entries)


def _json_feed(body: bytes) -> Feed:
    feed = json.loads(body)
    entries = [
        Entry(*(str(item.get(key, "")) for key in ("title", "date_published", "url", "id", "content_html")))
        for item in feed["items"]
    ]
    return Feed(feed["title"], entries)


def calendar_of(body: bytes) -> Sequence[Row]:
    """The events of an iCalendar file of ours, in its order."""
    names = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "STATUS", "SEQUENCE", "DESCRIPTION")
    events = Calendar.from_ical(body).walk("VEVENT")
    return [Row(*(_property(event, name) for name in names)) for event in events]


def _property(event: object, name: str) -> str:
    value = event.get(name) if isinstance(event, dict) else None
    return "" if value is None else str(getattr(value, "dt", value))


def letter_of(message: bytes) -> Shown:
    """A letter as mail programs take it apart."""
    parsed = message_from_bytes(message, policy=policy.default)
    bodies = [parsed.get_body((kind,)) for kind in ("plain", "html")]
    text, html = ("" if body is None else str(body.get_content()) for body in bodies)
    fields = [(name, str(value)) for name, value in parsed.items()]
    attachments = [_attachment(part) for part in parsed.iter_attachments() if isinstance(part, EmailMessage)]
    return Shown(fields, str(parsed["Subject"] or ""), parsedate_to_datetime(parsed["Date"]), text, html, attachments)


def _attachment(part: EmailMessage) -> Attachment:
    content = part.get_content()
    return Attachment(part.get_filename() or "", part.get_content_type(), content if isinstance(content, str) else "")
