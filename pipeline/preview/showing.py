"""Feeds, calendars and letters made readable: read back from their bytes, so that the preview shows what is in them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component

from pipeline.language import say_day, say_days, say_time

ATOM = "{http://www.w3.org/2005/Atom}"
CONTENT = "{http://purl.org/rss/1.0/modules/content/}encoded"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed; `html` is its content."""

    title: str
    date: datetime
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
    """One component of a calendar: when it is in words, each property as it is written; `repeats` is its RRULE."""

    when: str
    repeats: str
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
            datetime.fromisoformat(entry.findtext(f"{ATOM}updated", "")),
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
            parsedate_to_datetime(item.findtext("pubDate", "")),
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
        Entry(
            item["title"],
            datetime.fromisoformat(item.get("date_modified") or item["date_published"]),
            item.get("url", ""),
            item["id"],
            item["content_html"],
        )
        for item in feed["items"]
    ]
    return Feed(feed["title"], entries)


def calendar_of(body: bytes, language: str, zone: ZoneInfo) -> Sequence[Row]:
    """The events of an iCalendar file of ours, in its order; their times in words in that zone."""
    names = ("SUMMARY", "DTSTART", "DTEND", "LOCATION", "STATUS", "SEQUENCE", "DESCRIPTION")
    events = Calendar.from_ical(body).walk("VEVENT")
    return [
        Row(_when(event, language, zone), _recurrence(event), *(str(_value(event, name)) for name in names))
        for event in events
    ]


def _recurrence(event: Component) -> str:
    rule = event.get("RRULE")
    return rule.to_ical().decode() if rule else ""


def _value(event: Component, name: str) -> Any:
    value = event.get(name, "")
    return getattr(value, "dt", value)


def _when(event: Component, language: str, zone: ZoneInfo) -> str:
    """`Tue 25 Oct 2022, 19:00 – 21:00`; the last day of whole days is the one before DTEND."""
    start, end = _value(event, "DTSTART"), _value(event, "DTEND")
    if not isinstance(start, datetime):
        last = end - timedelta(days=1) if end else start
        return say_day(start, language, "short") if last == start else say_days(start, last, language, "short")
    moments = [moment.astimezone(zone) for moment in (start, end) if moment]
    said = [f"{say_day(moment.date(), language, 'short')}, {say_time(moment, language)}" for moment in moments]
    if len({moment.date() for moment in moments}) == 1:
        said[1:] = [say_time(moment, language) for moment in moments[1:]]
    return " – ".join(said)


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
