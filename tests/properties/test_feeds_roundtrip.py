"""Whatever the organisers write, other programs read the same news out of the feeds, in each format."""

import html
import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from time import struct_time
from typing import Any
from urllib.parse import urlsplit

import atoma
import feedparser
from generated import editions
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from publishing import TALK
from publishing import edition as published

from pipeline.catalogue.when import Unscheduled
from pipeline.edition import Edition
from pipeline.outputs import each, feeds
from pipeline.outputs.entries import Entry, desk
from pipeline.rendering import Renderer

COMMON = settings(max_examples=30)


def files(edition: Edition) -> dict[str, bytes]:
    renderer = Renderer()
    artifacts = list(each(feeds.render(edition, renderer)))
    return {artifact.path: artifact.body for artifact in artifacts}


def expected(edition: Edition, language: str) -> list[Entry]:
    return list(desk(edition, language).main.entries)


def instant(parts: struct_time) -> datetime:
    return datetime(*parts[:6], tzinfo=UTC)


def read(text: str) -> str:
    """A text as XML and feedparser leave it: white space at its ends is none of it."""
    return " ".join(text.split())


def mended(text: str) -> str:
    """A text as feedparser leaves some: what could be UTF-8 that was read as Latin-1 it takes for that, as `Â¡`."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


@COMMON
@given(editions())
def test_feedparser_reads_the_news_that_were_written(edition: Edition) -> None:
    found = files(edition)
    for language, tree in (("en", ""), ("fr", "fr/")):
        for name in ("atom.xml", "rss.xml"):
            document = feedparser.parse(found[f"{tree}{name}"])
            assert not document.bozo
            for entry, told in zip(document.entries, expected(edition, language), strict=True):
                assert (entry.id, entry.link) == (told.id, told.page)
                assert instant(entry.published_parsed) == told.published
                assert instant(entry.updated_parsed) == told.updated.replace(microsecond=0)
                assert [mended(tag.term) for tag in entry.get("tags", [])] == [*map(mended, told.categories)]


@COMMON
@given(editions())
def test_atoma_reads_titles_and_texts_as_they_were_written(edition: Edition) -> None:
    found = files(edition)
    for language, tree in (("en", ""), ("fr", "fr/")):
        news = expected(edition, language)
        by_atom = atoma.parse_atom_bytes(found[f"{tree}atom.xml"]).entries
        by_rss = atoma.parse_rss_bytes(found[f"{tree}rss.xml"]).items
        assert [read(entry.title.value) for entry in by_atom] == [read(told.title) for told in news]
        assert [read(item.title) for item in by_rss] == [read(told.title) for told in news]
        assert [read(entry.content.value) for entry in by_atom] == [read(told.html) for told in news]
        assert [entry.updated for entry in by_atom] == [told.updated for told in news]
        assert [item.guid for item in by_rss] == [told.id for told in news]


@COMMON
@given(editions())
def test_json_feed_says_the_same_and_every_entry_tells_its_language_apart(edition: Edition) -> None:
    found = files(edition)
    for language, tree in (("en", ""), ("fr", "fr/")):
        items: list[dict[str, Any]] = json.loads(found[f"{tree}feed.json"])["items"]
        news = expected(edition, language)
        assert [(item["id"], item["title"], item["url"]) for item in items] == [
            (told.id, told.title, told.page) for told in news
        ]
        assert [datetime.fromisoformat(item["date_published"]) for item in items] == [told.published for told in news]
    english, french = ({entry.id for entry in expected(edition, language)} for language in ("en", "fr"))
    assert english.isdisjoint(french)
    assert {f"{one}:fr" for one in english} == french


FIELDS = {
    "": {"version", "title", "home_page_url", "feed_url", "description", "next_url", "authors", "language", "expired",
         "hubs", "items"},
    "items": {"id", "url", "title", "content_html", "summary", "date_published", "date_modified", "language", "tags",
              "attachments"},
    "authors": {"name", "url"},
    "attachments": {"url", "mime_type", "title"},
}  # fmt: skip
"""What JSON Feed 1.1 knows, of that which we say: a strict reader refuses any other."""


@COMMON
@given(editions())
def test_json_feed_keeps_its_specification(edition: Edition) -> None:
    for path, body in files(edition).items():
        if path.endswith(".json"):
            feed = json.loads(body)
            assert feed["version"] == "https://jsonfeed.org/version/1.1"
            assert feed["feed_url"] == f"https://talks.example/{path}"
            assert check_fields(feed, "")
            for item in feed["items"]:
                assert datetime.fromisoformat(item["date_published"]) <= datetime.fromisoformat(item["date_modified"])
                assert all(part["mime_type"] == "text/calendar" for part in item.get("attachments", []))


def check_fields(value: dict[str, Any], kind: str) -> bool:
    """No field that is unknown or empty; addresses are whole."""
    assert value.keys() <= FIELDS[kind]
    assert all(found not in ("", None, []) for key, found in value.items() if key != "items")
    assert all(urlsplit(found).scheme for key, found in value.items() if key == "url" or key.endswith("_url"))
    parts = [(part, key) for key in FIELDS.keys() & value.keys() for part in value[key]]
    return all(check_fields(part, key) for part, key in parts)


@COMMON
@given(editions())
def test_the_newest_entry_of_an_event_tells_its_facts(edition: Edition) -> None:
    found = files(edition)
    for language, tree in (("en", ""), ("fr", "fr/")):
        entries = feedparser.parse(found[f"{tree}atom.xml"]).entries
        newest = {entry.link: entry for entry in reversed(entries)}
        assert len(newest) == len(edition.listings)
        for listing in edition.listings:
            event, entry = listing.event, newest[f"https://talks.example/{tree}events/{listing.event.id}/"]
            told = read(html.unescape(re.sub("<[^>]+>", "", entry.content[0].value)))
            facts = [event.abstract, event.notice, event.price, event.online and event.online.label]
            facts += [listing.venue.name] if listing.venue else []
            facts += [link.title for link in (*event.resources, *event.recordings)]
            assert all(read(fact.said_in(language).text) in told for fact in facts if fact)
            assert all(read(speaker.name or "") in told for speaker in event.speakers)
            links = [*event.resources, *event.recordings, event.registration, event.online]
            addresses = {html.unescape(address) for address in re.findall('href="([^"]*)"', entry.content[0].value)}
            assert {link.url for link in links if link and link.url} <= addresses
            if listing.venue is None and event.online is not None:
                assert {"en": " · Online", "fr": " · En ligne"}[language] in entry.summary
            dated = not isinstance(event.when, Unscheduled)
            calendars = [link.href for link in entry.links if link.rel == "related"]
            assert calendars == [f"https://talks.example/{tree}events/{event.id}.ics"] * dated
            title = event.title.said_in(language) if event.title else None
            assert title is None or read(title.text) in read(entry.title)
            assert title is None or entry.title_detail.language == title.language


@COMMON
@given(editions())
def test_a_tag_feed_has_the_entries_of_the_main_one(edition: Edition) -> None:
    found = files(edition)
    main = {entry.id: entry for entry in feedparser.parse(found["atom.xml"]).entries}
    for tag in edition.tags:
        entries = feedparser.parse(found[f"tags/{tag}.atom.xml"]).entries
        assert entries
        assert all(main[entry.id] == entry for entry in entries)


ATOM = "{http://www.w3.org/2005/Atom}"


@COMMON
@given(editions())
def test_a_validator_of_feeds_has_nothing_to_say(edition: Edition) -> None:
    """The rules by which the W3C's complains of an Atom or RSS feed, as its documentation gives them."""
    for path, body in files(edition).items():
        if path.endswith(".json"):
            continue
        root = etree.fromstring(body)
        entries = root.findall(f"{ATOM}entry") or root.findall("channel/item")
        updated = [entry.findtext(f"{ATOM}updated") for entry in entries]
        assert len(set(updated)) == len(updated)
        identities = [entry.findtext(f"{ATOM}id") or entry.findtext("guid") for entry in entries]
        assert len(set(identities)) == len(identities)
        assert all(re.fullmatch(r"tag:[a-z0-9.-]+,\d{4}(-\d\d){0,2}:[!-~]+", identity or "") for identity in identities)
        for parents in (root.iter(f"{ATOM}feed"), root.iter(f"{ATOM}entry"), root.iter("channel"), root.iter("item")):
            for parent in parents:
                links = parent.findall(f"{ATOM}link")
                found = [(link.get("rel"), link.get("type"), link.get("hreflang")) for link in links]
                assert len(set(found)) == len(found)
        assert len([link for link in root.iter(f"{ATOM}link") if link.get("rel") == "self"]) == 1
        newest = root.findtext(f"{ATOM}updated")
        assert newest is None or not updated or newest == max(map(str, updated))
        for date in (*root.iter("pubDate"), *root.iter("lastBuildDate")):
            moment = parsedate_to_datetime(date.text or "")
            assert format_datetime(moment) == date.text
        for told in (*root.iter(f"{ATOM}content"), *root.iter("{http://purl.org/rss/1.0/modules/content/}encoded")):
            assert all(urlsplit(address).scheme for address in re.findall(r'(?:href|src)="([^"]*)"', told.text or ""))
            assert not re.search(r"<(script|style|iframe|object|embed|form|meta)\b|\son\w+=", told.text or "")


OTHER = TALK.replace('"talk"', '"other"').replace("2026-10-20", "2026-10-21")
VERSIONS = (
    TALK,
    TALK.replace("19:00", "20:00"),
    TALK.replace("10-20", "10-27"),
    TALK.replace('"hall"', '"library"'),
    TALK.replace("A talk", "The talk"),
    TALK + 'abstract = "More."\ntags = ["tea"]\n',
    TALK + 'repeats = "FREQ=WEEKLY;COUNT=4"\nexcept = [2026-10-27]\n',
    TALK + 'status = "cancelled"\nnotice = "Off."\n',
    TALK + 'status = "postponed"\nnotice = "Later."\n',
    "",
)


@COMMON
@given(st.lists(st.sampled_from(VERSIONS), min_size=1, max_size=6), st.sampled_from([3, 60 * 24]))
def test_what_was_told_stays_as_it_was_told_until_its_event_is_called_off(edits: list[str], minutes: int) -> None:
    """A reader that flashes each changed entry shows nothing twice; the entries of other events never change."""
    step = timedelta(minutes=minutes)
    for number in range(1, len(edits) + 1):
        versions = [text + OTHER for text in [TALK, *edits]]
        before, after = (published(*versions[:end], step=step) for end in (number, number + 1))
        was, now = ({entry.id: entry for entry in desk(of, "en").main.entries} for of in (before, after))
        # Further changes within `settle` belong to the newest entry of their event.
        newest = max((was[name] for name in was if ":other:" not in name), key=lambda entry: entry.published)
        statuses = {next(one for one in of.listings if one.event.id == "talk").event.status for of in (before, after)}
        called_off = len(statuses) > 1
        for identity, entry in was.items():
            if ":other:" in identity or (not called_off and entry is not newest):
                assert now[identity] == entry
