"""The feeds: JSON Feed 1.1; RSS 2.0 and Atom 1.0 by feedgen, whose faults are repaired here by an extension of its own.

feedgen loses every attribute but `href` of an entry's links (python-feedgen#135), has no place for the language of a
title, none in RSS for names without an address or for links other than `self`, and takes the clock for every date that
it isn't given. So the extension writes each entry, too, which costs a third of feedgen's own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from email.utils import format_datetime
from functools import cached_property, partial
from typing import Any

from feedgen.ext.base import BaseExtension
from feedgen.feed import FeedGenerator
from lxml.etree import SubElement

from pipeline.edition import Edition
from pipeline.language import words
from pipeline.outputs import json_feed
from pipeline.outputs.base import Artifact, Bundle
from pipeline.outputs.entries import Desk, Entry, Feed, desk
from pipeline.outputs.keys import keys
from pipeline.rendering import Renderer
from pipeline.template_code import bare

ATOM = "http://www.w3.org/2005/Atom"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
HISTORY = "http://purl.org/syndication/history/1.0"
XML_LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

ATOM_TYPE, RSS_TYPE, CALENDAR_TYPE = "application/atom+xml", "application/rss+xml", "text/calendar"

Link = Mapping[str, str]
Element = Any
"""An element of lxml, which brings no types."""


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact | Bundle]:  # noqa: ARG001 - see `entry_content`
    """The feeds of the series in each format, with their archives; in Atom those of what is near and of each tag."""
    own, key = keys(edition), None
    if edition.ledger.lines and not edition.groups:
        # Before anything was announced the day stands in a feed; those of groups tell of the events that are there now.
        key = own.of(values=(own.told, f"over: {edition.is_over}"))
    for language in edition.languages:
        news = desk(edition, language)
        yield Bundle(f"feeds/{language}", key, partial(_in_every_format, news))
        for path, feed in news.feeds_in_atom:
            yield Artifact(edition.path(place(path, "atom"), language), ATOM_TYPE, _Document(feed).atom, news.key(path))


def _in_every_format(news: Desk) -> Iterator[Artifact]:
    edition, language = news.edition, news.language
    for path, feed in news.feeds:
        # One after the other: all entries together are large.
        document, key = _Document(feed), news.key(path)
        in_json = partial(document.json, edition)
        yield Artifact(edition.path(place(path, "atom"), language), ATOM_TYPE, document.atom, key)
        yield Artifact(edition.path(place(path, "rss"), language), RSS_TYPE, document.rss, key)
        yield Artifact(edition.path(json_feed.place(path), language), json_feed.MEDIA_TYPE, in_json, key)


class _Document:
    """One feed, made once for all formats, and put into feedgen once for both of its own."""

    def __init__(self, make: Callable[[], Feed]) -> None:
        self._make = make

    @cached_property
    def _feed(self) -> Feed:
        return self._make()

    @cached_property
    def _generator(self) -> FeedGenerator:
        return _generator(self._feed)

    def atom(self) -> bytes:
        """The feed as Atom 1.0 (RFC 4287), with its archives linked as RFC 5005 wants."""
        written: bytes = self._generator.atom_str(pretty=True)
        return written

    def rss(self) -> bytes:
        """The feed as RSS 2.0, with the same entries."""
        written: bytes = self._generator.rss_str(pretty=True)
        return written

    def json(self, edition: Edition) -> bytes:
        """The feed as JSON Feed 1.1, with the same entries."""
        return json_feed.document(self._feed, expired=edition.is_over and not self._feed.archive)


def place(path: str, form: str) -> str:
    """The file of a feed in `atom` or `rss`: `atom.xml`, `archive/1.atom.xml`, `groups/north/rss.xml`."""
    return f"{path}.{form}.xml" if path and not path.endswith("/") else f"{path}{form}.xml"


# --------------------------------------------------------------------------------------------- the feed


def _generator(feed: Feed) -> FeedGenerator:
    generator = FeedGenerator()
    generator.register_extension("tocsin", _Extension)
    generator.tocsin.describe(feed)
    generator.id(feed.id)
    generator.title(feed.title.text)
    generator.subtitle(feed.description.text)
    generator.description(feed.description.text)
    generator.language(feed.language)
    generator.updated(feed.updated)
    generator.lastBuildDate(feed.updated)
    generator.generator("tocsin")
    generator.author([_person(author.name, author.url, author.email) for author in feed.authors])
    # RSS takes the last link that is no `self` for its own; the extension writes all of them once more.
    generator.link([{"href": feed.page, "rel": "alternate"}])
    return generator


def _person(name: str, url: str | None, email: str | None) -> dict[str, str]:
    return {key: value for key, value in (("name", name), ("uri", url), ("email", email)) if value}


def _links(feed: Feed, form: str, media_type: str) -> Sequence[Link]:
    def address(path: str) -> str:
        return feed.home + place(path, form)

    links = [
        {"href": feed.page, "rel": "alternate", "type": "text/html", "hreflang": feed.language},
        {"href": address(feed.path), "rel": "self", "type": media_type},
    ]
    if feed.archive:
        links.append({"href": address(feed.newest), "rel": "current", "type": media_type})
    if feed.previous is not None:
        links.append({"href": address(feed.previous), "rel": "prev-archive", "type": media_type})
    if feed.hub is not None:
        links.append({"href": feed.hub, "rel": "hub"})
    return links


# --------------------------------------------------------------------------------------------- the extension


class _Extension(BaseExtension):  # type: ignore[misc]
    """All links of a feed with all their attributes, the mark of an archive, and the entries, in both formats."""

    _feed: Feed

    def describe(self, feed: Feed) -> None:
        self._feed = feed

    def extend_ns(self) -> dict[str, str]:
        return {"dc": DUBLIN_CORE, "fh": HISTORY}

    def extend_atom(self, feed: Element) -> Element:
        _replace_links(feed, "link", _links(self._feed, "atom", ATOM_TYPE))
        for name, phrase in (("title", self._feed.title), ("subtitle", self._feed.description)):
            _mark_language(feed.find(name), phrase.language, self._feed)
        self._mark(feed)
        for entry in self._feed.entries:
            _add_entry(feed, entry, self._feed)
        return feed

    def extend_rss(self, feed: Element) -> Element:
        channel = feed.find("channel")
        assert channel is not None  # noqa: S101 - feedgen has just made it
        links = [link for link in _links(self._feed, "rss", RSS_TYPE) if link["rel"] != "alternate"]
        _replace_links(channel, f"{{{ATOM}}}link", links)
        self._mark(channel)
        for entry in self._feed.entries:
            _add_item(channel, entry, self._feed)
        return feed

    def _mark(self, element: Element) -> None:
        if self._feed.archive:
            SubElement(element, f"{{{HISTORY}}}archive")


def _replace_links(parent: Element, name: str, links: Sequence[Link]) -> None:
    """Ours instead of feedgen's, at the same place: should it learn to write them, none will stand twice."""
    old = parent.findall(name)
    at = parent.index(old[0]) if old else len(parent)
    for element in old:
        parent.remove(element)
    for offset, link in enumerate(links):
        parent.insert(at + offset, SubElement(parent, name, link))


def _mark_language(element: Element, language: str, feed: Feed) -> None:
    """A text of which the translation into the language of the feed is missing is marked with its own."""
    if language not in {feed.language, "und"}:
        element.set(XML_LANGUAGE, language)


def _add_entry(parent: Element, entry: Entry, feed: Feed) -> None:
    """An entry of an Atom feed."""
    element = SubElement(parent, "entry")
    _add(element, "id", entry.id)
    _mark_language(_add(element, "title", entry.title), entry.title_language, feed)
    _add(element, "updated", entry.updated.isoformat())
    _add(element, "content", entry.html).set("type", "html")
    page = {"href": entry.page, "rel": "alternate", "type": "text/html", "hreflang": feed.language}
    for link in (page, *_calendar(entry, feed)):
        SubElement(element, "link", link)
    _add(element, "summary", entry.summary)
    for category in entry.categories:
        SubElement(element, "category", term=category)
    _add(element, "published", entry.published.isoformat())
    for author in feed.authors:
        # Atom lets an entry inherit the authors of its feed; not every reader does.
        _add(SubElement(element, "author"), "name", author.name)


def _add_item(channel: Element, entry: Entry, feed: Feed) -> None:
    """The same entry in RSS, with its authors, and its last change."""
    item = SubElement(channel, "item")
    _add(item, "title", entry.title)
    _add(item, "link", entry.page)
    # In RSS a description is HTML, in Atom a summary without type is plain.
    _add(item, "description", bare(entry.summary))
    _add(item, f"{{{CONTENT}}}encoded", entry.html)
    _add(item, "guid", entry.id).set("isPermaLink", "false")
    for category in entry.categories:
        _add(item, "category", category)
    _add(item, "pubDate", format_datetime(entry.published))
    for author in feed.authors:
        _add(item, f"{{{DUBLIN_CORE}}}creator", author.name)
    for link in _calendar(entry, feed):
        SubElement(item, f"{{{ATOM}}}link", link)
    _add(item, f"{{{ATOM}}}updated", entry.updated.isoformat())


def _calendar(entry: Entry, feed: Feed) -> Sequence[Link]:
    if entry.calendar is None:
        return ()
    title = words(feed.language)("Add to calendar")
    return [{"href": entry.calendar, "rel": "related", "type": CALENDAR_TYPE, "title": title}]


def _add(parent: Element, name: str, text: str) -> Element:
    element = SubElement(parent, name)
    element.text = text
    return element
