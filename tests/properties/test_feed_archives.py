"""Archives of feeds (RFC 5005): exactly full, never rewritten, and with the newest entries they hold all the news."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from unittest.mock import patch
from urllib.parse import urljoin

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing import FIRST, HEAD, TALK

from pipeline.catalogue.load import Source, load
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines, retirement
from pipeline.outputs import each, entries, feeds
from pipeline.outputs.base import Bundle
from pipeline.outputs.entries import desk
from pipeline.rendering import Renderer

SMALL = 3
"""The size of an archive here, so that a few edits fill several."""
BASE = "https://talks.example/cycle/"
MAIN = HEAD.replace("format = 1", 'format = 1\ninclude = ["groups/*.toml"]')


@dataclass(frozen=True)
class State:
    """One event as it stands in a file, or gone."""

    id: str
    day: date = date(2026, 10, 20)
    title: str = "A talk"
    status: str = "confirmed"
    file: str = "events.toml"

    def toml(self) -> str:
        text = TALK.replace('"talk"', f'"{self.id}"').replace("2026-10-20", str(self.day))
        notice = 'notice = "Off."\n' if self.status in {"cancelled", "postponed"} else ""
        return text.replace("A talk", self.title) + f'status = "{self.status}"\n{notice}'


edits = st.one_of(
    st.sampled_from([date(2026, 10, 20), date(2026, 10, 27), date(2027, 1, 5)]).map(lambda value: ("day", value)),
    st.sampled_from(["A talk", "The talk"]).map(lambda value: ("title", value)),
    st.sampled_from(["confirmed", "cancelled", "postponed"]).map(lambda value: ("status", value)),
    st.sampled_from(["events.toml", "groups/north.toml", "gone"]).map(lambda value: ("file", value)),
)
runs = st.lists(
    st.tuples(st.sampled_from([timedelta(minutes=3), timedelta(days=1)]), st.integers(0, 4), edits), max_size=9
)


def editions(
    changes: Sequence[tuple[timedelta, int, tuple[str, object]]], group: str = "groups/north.toml"
) -> Iterator[Edition]:
    """The edition after each publication: at first five events at once, then one edit at a time."""
    states = [State(f"talk-{number}", file=group if number > 2 else "events.toml") for number in range(5)]
    now, ledger = FIRST, Ledger()
    yield (edition := publish(states, ledger, now, group))
    for step, number, (key, value) in changes:
        now += step
        states[number] = replace(states[number], **{key: group if value == "groups/north.toml" else value})
        yield (edition := publish(states, edition.ledger, now, group))


def publish(states: Sequence[State], ledger: Ledger, now: datetime, file: str = "groups/north.toml") -> Edition:
    """The edition of these events; with the main file as `file` there is no group."""

    def text(file: str) -> str:
        return "".join(state.toml() for state in states if state.file == file)

    group = '[group]\nid = "north"\nname = "North"\norganiser = "The North"\n' + text("groups/north.toml")
    groups = [Source(file, group)] if file != "events.toml" else []
    catalogue = load(Source("events.toml", MAIN + text("events.toml")), lambda _: groups).catalogue
    gone = [
        event
        for event in ledger.events
        if event not in catalogue.event_by_id and ledger.of(event)[-1].kind.value != "retired"
    ]
    ledger = ledger.extended(retirement(catalogue, ledger, event, now) for event in gone)
    return Edition(catalogue, ledger.extended(pending_lines(catalogue, ledger, now)), date(2026, 2, 1))


def files(of: Edition) -> dict[str, bytes]:
    renderer = Renderer()
    artifacts = list(each(feeds.render(of, renderer)))
    return {artifact.path: artifact.body for artifact in artifacts}


def archives(found: dict[str, bytes]) -> dict[str, bytes]:
    return {path: body for path, body in found.items() if "archive/" in path}


COMMON = settings(max_examples=20)


@COMMON
@given(runs)
def test_an_archive_that_was_written_once_is_never_written_anew(
    changes: list[tuple[timedelta, int, tuple[str, object]]],
) -> None:
    """Whatever is corrected, taken back, moved to another group or retired, within `settle` and after it."""
    with patch.object(entries, "PAGE", SMALL):
        before: dict[str, bytes] = {}
        for of in editions(changes):
            after = archives(files(of))
            assert {path: after.get(path) for path in before} == before
            before = after


@COMMON
@given(runs)
def test_all_news_is_in_the_newest_entries_or_in_one_full_archive(
    changes: list[tuple[timedelta, int, tuple[str, object]]],
) -> None:
    with patch.object(entries, "PAGE", SMALL):
        for of in editions(changes):
            found = files(of)
            for start in ("", "groups/north/"):
                walked = list(walk(found, f"{start}atom.xml"))
                assert all(len(archive) == SMALL for archive in walked[1:])
                assert len(walked[0]) <= SMALL
                old = [identity for archive in walked[1:] for identity in archive]
                assert len(old) == len(set(old))
                # News of an event that came from another file stays with the feed that told it.
                assert start or {item.id for item in of.news} <= {*old, *walked[0]}
                assert [[item["id"] for item in page] for page in walk_json(found, f"{start}feed.json")] == walked


@COMMON
@given(runs)
def test_feeds_of_the_same_key_are_the_same(changes: list[tuple[timedelta, int, tuple[str, object]]]) -> None:
    with patch.object(entries, "PAGE", SMALL):
        known = dict[str | None, dict[str, bytes]]()
        for of in editions(changes, "events.toml"):
            bundle = in_every_format(of)
            found = {artifact.path: artifact.body for artifact in bundle.files()}
            assert known.setdefault(bundle.key, found) == found


def test_of_an_edit_before_it_settled_a_feed_tells_only_where_it_shows_the_event() -> None:
    states, settled = [State(f"talk-{number}") for number in range(6)], timedelta(days=1)
    with patch.object(entries, "PAGE", SMALL):
        first = publish(states, Ledger(), FIRST, "events.toml")
        for number, step, is_told in ((5, 3, False), (3, 3, False), (2, 3, True), (2, settled // MINUTE, False)):
            edited = [replace(state, title="The talk") if state is states[number] else state for state in states]
            of = publish(edited, first.ledger, FIRST + step * MINUTE, "events.toml")
            assert (in_every_format(of).key != in_every_format(first).key) == is_told, number
            # Once more before it settled: what is told last isn't what the archive told.
            again = publish(states, of.ledger, FIRST + step * MINUTE + MINUTE, "events.toml")
            assert in_every_format(again).key != in_every_format(first).key


MINUTE = timedelta(minutes=1)


def in_every_format(of: Edition) -> Bundle:
    return next(item for item in feeds.render(of, Renderer()) if isinstance(item, Bundle))


def walk(found: dict[str, bytes], path: str) -> Iterator[list[str]]:
    """The ids of a feed and of all archives to which it leads, as a reader follows the links."""
    while True:
        read = feedparser.parse(found[path])
        assert not read.bozo
        links = {link.rel: link.href for link in read.feed.links}
        assert links["self"] == BASE + path
        assert links.get("current", BASE + path) == urljoin(BASE + path.partition("archive/")[0], "atom.xml")
        yield [entry.id for entry in read.entries]
        if "prev-archive" not in links:
            return
        path = links["prev-archive"].removeprefix(BASE)


def walk_json(found: dict[str, bytes], path: str) -> Iterator[list[dict[str, str]]]:
    while True:
        read = json.loads(found[path])
        assert read["feed_url"] == BASE + path
        yield read["items"]
        if "next_url" not in read:
            return
        path = read["next_url"].removeprefix(BASE)


@pytest.mark.parametrize(("count", "full"), [(1, 0), (99, 0), (100, 0), (101, 1), (200, 1), (201, 2)])
def test_the_hundredth_entry_fills_no_archive_and_the_next_one_does(count: int, full: int) -> None:
    states = [State(f"talk-{number}", title=f"T{number}", file="groups/north.toml") for number in range(count)]
    of = publish(states, Ledger(), FIRST)
    found = files(of)
    for start in ("", "groups/north/"):
        walked = list(walk(found, f"{start}atom.xml"))
        assert [len(page) for page in walked] == [min(count, 100), *[100] * full]
        assert {identity for page in walked for identity in page} == {item.id for item in of.news}
        newest_first = [item.id for item in of.news]
        assert walked[0] == newest_first[:100]
        assert walked[:0:-1] == [
            newest_first[len(newest_first) - 100 * number :][:100] for number in range(1, full + 1)
        ]
        for form in ("rss.xml", "json"):
            numbers = {path for path in found if path.startswith(f"{start}archive/") and path.endswith(form)}
            assert numbers == {f"{start}archive/{number}.{form}" for number in range(1, full + 1)}


def test_an_archive_of_a_group_tells_of_it_alone_and_of_nothing_that_may_change() -> None:
    states = [State(f"talk-{number}", file="groups/north.toml") for number in range(5)] + [State("other")]
    with patch.object(entries, "PAGE", SMALL):
        of = publish(states, Ledger(), FIRST)
        found = files(of)
    read = feedparser.parse(found["groups/north/archive/1.atom.xml"])
    assert read.feed.title == "talks – north – 1"
    assert read.feed.link == f"{BASE}groups/north/"
    assert {entry.author for entry in read.entries} == {"talks"}
    assert b"North" not in found["groups/north/archive/1.atom.xml"]
    assert not any("talk-other" in entry.id for entry in read.entries)


def test_the_newest_entries_tell_the_net_result_of_what_an_archive_told_too_early() -> None:
    states = [State(f"talk-{number}") for number in range(5)]
    slipped = [replace(states[0], day=date(2027, 1, 5)), *states[1:]]
    with patch.object(entries, "PAGE", SMALL):
        first = publish(slipped, Ledger(), FIRST)
        of = publish(states, first.ledger, FIRST + timedelta(minutes=3))
        told = {path: feed() for path, feed in desk(of, "en").feeds}
    titles = [
        {entry.id: entry.title for entry in told[path].entries}[of.ledger.of("talk-0")[0].news]
        for path in ("archive/1", "")
    ]
    assert titles == ["Tue 5 Jan 2027, 19:00 · A talk", "Tue 20 Oct 2026, 19:00 · A talk"]
