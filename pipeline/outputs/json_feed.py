"""JSON Feed 1.1, with the entries of the other two feeds; the only one that can say that a series is over."""

from datetime import datetime
from typing import Any

from pydantic_core import to_json

from pipeline.language import words
from pipeline.outputs.entries import Entry, Feed

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def place(path: str) -> str:
    """The file of a feed: `feed.json`, `archive/1.json`."""
    return f"{path}.json" if path and not path.endswith("/") else f"{path}feed.json"


def document(feed: Feed, *, expired: bool) -> bytes:
    """The feed as JSON, its keys in the order of the specification."""
    value: dict[str, Any] = {
        "version": VERSION,
        "title": feed.title.text,
        "home_page_url": feed.page,
        "feed_url": feed.home + place(feed.path),
        "description": feed.description.text,
    }
    if feed.previous is not None:
        value["next_url"] = feed.home + place(feed.previous)
    value["authors"] = [_author(author.name, author.url) for author in feed.authors]
    value["language"] = feed.language
    if expired:
        value["expired"] = True
    if feed.hub is not None:
        value["hubs"] = [{"type": "WebSub", "url": feed.hub}]
    value["items"] = [_item(entry, feed) for entry in feed.entries]
    return to_json(value, indent=2) + b"\n"


def _author(name: str, url: str | None) -> dict[str, str]:
    return {"name": name, "url": url} if url else {"name": name}


def _item(entry: Entry, feed: Feed) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": entry.id,
        "url": entry.page,
        "title": entry.title,
        "content_html": entry.html,
        "summary": entry.summary,
        "date_published": _instant(entry.published),
        "date_modified": _instant(entry.updated),
        "language": feed.language,
    }
    if entry.categories:
        item["tags"] = list(entry.categories)
    if entry.calendar is not None:
        title = words(feed.language)("Add to calendar")
        item["attachments"] = [{"url": entry.calendar, "mime_type": "text/calendar", "title": title}]
    return item


def _instant(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
