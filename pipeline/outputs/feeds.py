"""The feeds: JSON Feed 1.1; RSS 2.0 and Atom 1.0 by feedgen, whose faults are repaired here by an extension of its own.

feedgen loses every attribute but `href` of an entry's links (python-feedgen#135), has no place for the language of a
title, none in RSS for names without an address or for links other than `self`, and takes the clock for every date that
it isn't given. So only the head of a feed is its work, and the entries are written as text behind that.
"""

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from email.utils import format_datetime
from functools import cached_property, lru_cache, partial
from typing import Any

from pipeline.edition import Edition
from pipeline.language import words
from pipeline.outputs import entries, json_feed
from pipeline.outputs.base import Artifact, Bundle
from pipeline.outputs.entries import Desk, Entry, Feed, desk
from pipeline.outputs.keys import keys
from pipeline.outputs.xml_text import escaped, quoted
from pipeline.rendering import Renderer
from pipeline.template_code import bare

ATOM = "http://www.w3.org/2005/Atom"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
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
        key = own.of(values=(own.told(entries.PAGE), f"over: {edition.is_over}"))
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
    def _generator(self) -> Any:
        return _generator(self._feed)

    def atom(self) -> bytes:
        """The feed as Atom 1.0 (RFC 4287), with its archives linked as RFC 5005 wants."""
        head = self._generator.atom_str(pretty=True)
        return _followed(head, b"</feed>", (_entry(entry, self._feed) for entry in self._feed.entries))

    def rss(self) -> bytes:
        """The feed as RSS 2.0, with the same entries."""
        head = self._generator.rss_str(pretty=True)
        return _followed(head, b"  </channel>", (_item(entry, self._feed) for entry in self._feed.entries))

    def json(self, edition: Edition) -> bytes:
        """The feed as JSON Feed 1.1, with the same entries."""
        return json_feed.document(self._feed, expired=edition.is_over and not self._feed.archive)


def place(path: str, form: str) -> str:
    """The file of a feed in `atom` or `rss`: `atom.xml`, `archive/1.atom.xml`, `groups/north/rss.xml`."""
    return f"{path}.{form}.xml" if path and not path.endswith("/") else f"{path}{form}.xml"


# --------------------------------------------------------------------------------------------- the feed


def _generator(feed: Feed) -> Any:
    # With lxml it takes a while to load, and of most edits no feed tells.
    generator = importlib.import_module("feedgen.feed").FeedGenerator()
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


class _Extension:
    """For feedgen: all links of a feed with all their attributes, and the mark of an archive, in both formats."""

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
        return feed

    def extend_rss(self, feed: Element) -> Element:
        channel = feed.find("channel")
        assert channel is not None  # noqa: S101 - feedgen has just made it
        links = [link for link in _links(self._feed, "rss", RSS_TYPE) if link["rel"] != "alternate"]
        _replace_links(channel, f"{{{ATOM}}}link", links)
        self._mark(channel)
        return feed

    def _mark(self, element: Element) -> None:
        if self._feed.archive:
            element.append(element.makeelement(f"{{{HISTORY}}}archive"))


def _replace_links(parent: Element, name: str, links: Sequence[Link]) -> None:
    """Ours instead of feedgen's, at the same place: should it learn to write them, none will stand twice."""
    old = parent.findall(name)
    at = parent.index(old[0]) if old else len(parent)
    for element in old:
        parent.remove(element)
    for offset, link in enumerate(links):
        parent.insert(at + offset, parent.makeelement(name, link))


def _mark_language(element: Element, language: str, feed: Feed) -> None:
    """A text of which the translation into the language of the feed is missing is marked with its own."""
    if language not in {feed.language, "und"}:
        element.set(XML_LANGUAGE, language)


# --------------------------------------------------------------------------------------------- the entries


def _followed(head: bytes, end: bytes, entries: Iterable[str]) -> bytes:
    """A feed without entries, with these before what closes it."""
    opening, end, rest = head.rpartition(end)
    return b"".join((opening, "".join(entries).encode(), end, rest))


def _entry(entry: Entry, feed: Feed) -> str:
    """An entry of an Atom feed."""
    marked = "" if entry.title_language in {feed.language, "und"} else f' xml:lang="{entry.title_language}"'
    page = f' href="{quoted(entry.page)}" rel="alternate" type="text/html" hreflang="{quoted(feed.language)}"'
    links = "".join([f"    <link{link}/>\n" for link in (page, *_calendar(entry, feed))])
    categories = "".join([f'    <category term="{quoted(category)}"/>\n' for category in entry.categories])
    # Atom lets an entry inherit the authors of its feed; not every reader does.
    authors = "".join(
        [f"    <author>\n      <name>{escaped(author.name)}</name>\n    </author>\n" for author in feed.authors]
    )
    return (
        f"  <entry>\n    <id>{escaped(entry.id)}</id>\n"
        f"    <title{marked}>{escaped(entry.title)}</title>\n"
        f"    <updated>{entry.updated.isoformat()}</updated>\n"
        f'    <content type="html">{escaped(entry.html)}</content>\n'
        f"{links}    <summary>{escaped(entry.summary)}</summary>\n{categories}"
        f"    <published>{entry.published.isoformat()}</published>\n{authors}  </entry>\n"
    )


def _item(entry: Entry, feed: Feed) -> str:
    """The same entry in RSS, with its authors, and its last change."""
    categories = "".join([f"      <category>{escaped(category)}</category>\n" for category in entry.categories])
    authors = "".join([f"      <dc:creator>{escaped(author.name)}</dc:creator>\n" for author in feed.authors])
    links = "".join([f"      <atom:link{link}/>\n" for link in _calendar(entry, feed)])
    # In RSS a description is HTML, in Atom a summary without type is plain.
    return (
        f"    <item>\n      <title>{escaped(entry.title)}</title>\n"
        f"      <link>{escaped(entry.page)}</link>\n"
        f"      <description>{escaped(bare(entry.summary))}</description>\n"
        f"      <content:encoded>{escaped(entry.html)}</content:encoded>\n"
        f'      <guid isPermaLink="false">{escaped(entry.id)}</guid>\n'
        f"{categories}      <pubDate>{_rfc_822(entry.published)}</pubDate>\n{authors}{links}"
        f"      <atom:updated>{entry.updated.isoformat()}</atom:updated>\n    </item>\n"
    )


@lru_cache(maxsize=256)
def _rfc_822(moment: datetime) -> str:
    # Of instants in UTC, which many entries share.
    return format_datetime(moment)


def _calendar(entry: Entry, feed: Feed) -> Iterator[str]:
    """The attributes of the link to the event's .ics file, where there is one."""
    if entry.calendar is not None:
        title = words(feed.language)("Add to calendar")
        yield f' href="{quoted(entry.calendar)}" rel="related" type="{CALENDAR_TYPE}" title="{quoted(title)}"'
