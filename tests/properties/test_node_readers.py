"""What web programs read: ical.js (Thunderbird), rss-parser and feedsmith find the facts that were written."""

import json
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from generated import editions, published
from hypothesis import given, settings
from judges import NODE, READER
from publishing import TALK, edition

from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, in_gap, in_overlap
from pipeline.edition import Edition, Listing
from pipeline.outputs import calendar, each, feeds
from pipeline.outputs.entries import desk
from pipeline.rendering import Renderer

pytestmark = pytest.mark.skipif(READER is None, reason="Node or its readers aren't here: make judges")

STATUS = {"confirmed": "CONFIRMED", "tentative": "TENTATIVE", "cancelled": "CANCELLED", "postponed": "CANCELLED"}
SOONEST, LATEST = datetime(1899, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)
COMMON = settings(max_examples=8)


def read(of: Edition, *paths: str) -> Mapping[str, Any]:
    """The facts of all calendars and feeds, or of those named, as the three libraries give them."""
    renderer = Renderer()
    artifacts = [*each(calendar.render(of, renderer)), *each(feeds.render(of, renderer))]
    files = {artifact.path: artifact.body.decode() for artifact in artifacts if artifact.path in paths or not paths}
    done = subprocess.run(
        [NODE, READER], input=json.dumps(files), capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    facts: Mapping[str, Any] = json.loads(done.stdout)
    assert facts.keys() == files.keys()
    return facts


def as_read(when: When) -> str:
    """A start as JavaScript says it."""
    match when:
        case AtTime(start):
            return instant(start)
        case OnDay(first):
            return first.isoformat()
        case Unscheduled():
            raise AssertionError(when)


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def check(of: Edition, facts: Mapping[str, Any]) -> None:
    for language, tree in zip(of.languages, ("", "fr/"), strict=True):
        found = {event["uid"]: event for event in facts[f"{tree}calendar.ics"]["events"]}
        assert found.keys() == {listing.revision.uid for listing in of.dated}
        for listing in of.dated:
            told, event = found[listing.revision.uid], listing.event
            assert told["times"] == sorted(as_read(when) for _, when in occurrences(event, SOONEST, LATEST))
            check_facts(listing, told, language)
            assert (told["status"], told["sequence"]) == (STATUS[event.status], listing.revision.sequence)
            assert told["stamp"] == instant(listing.revision.updated)
            if event.title is not None:
                title = event.title.said_in(language)
                assert title.text in told["summary"]
                assert told["language"] == title.language
            assert facts[f"{tree}events/{event.id}.ics"]["events"] == [told]
        entries = desk(of, language).main.entries
        for name in ("atom.xml", "rss.xml", "feed.json"):
            for by in facts[f"{tree}{name}"].values():
                assert [(one["id"], one["link"]) for one in by["entries"]] == [(one.id, one.page) for one in entries]
                assert [one["published"] for one in by["entries"]] == [instant(one.published) for one in entries]
        for name in ("atom.xml", "feed.json"):
            titles = [one["title"].strip() for one in facts[f"{tree}{name}"]["feedsmith"]["entries"]]
            assert titles == [one.title.strip() for one in entries]


def as_a_text(parameter: str) -> str:
    """A parameter as ical.js gives it: it undoes what is escaped in texts there, too, where nothing is (RFC 6868)."""
    return re.sub(r"\\([\\;,Nn])", lambda found: "\n" if found[1] in "Nn" else found[1], parameter)


def check_facts(listing: Listing, told: Mapping[str, Any], language: str) -> None:
    event, venue, online = listing.event, listing.venue, listing.event.online
    position = [round(degrees, 6) for degrees in venue.geo] if venue is not None and venue.geo is not None else None
    assert told["geo"] == position
    kind = [event.kind.said_in(language).text] if event.kind else []
    assert told["categories"] == list(dict.fromkeys([*kind, *event.tags]))
    assert told["conference"] == (online.url.replace(",", "%2C") if online and online.url else None)
    label = online.label.said_in(language).text if online and online.url and online.label else None
    assert told["label"] == (label and as_a_text(label))
    assert told["attached"] == [link.url.replace(",", "%2C") for link in event.resources]
    assert (told["image"] is None) == (event.image is None)
    # A line break within a paragraph is a space.
    abstract = event.abstract.said_in(language).text.split() if event.abstract else []
    assert " ".join(abstract) in " ".join(told["description"].split())
    assert venue is None or told["location"].startswith(venue.name.said_in(language).text)
    if event.group:
        assert (told["organizer"], told["organizerName"]) == ("mailto:north@talks.example", "North")


def test_the_real_series(seed_edition: Edition) -> None:
    check(seed_edition, read(seed_edition))


def test_an_event_that_was_cancelled_and_one_that_moved() -> None:
    other = TALK.replace('"talk"', '"other"')
    off = TALK + 'status = "cancelled"\nnotice = "Off."\n'
    of = edition(TALK + other, off + other.replace("10-20", "10-22"))
    facts = read(of)
    check(of, facts)
    assert {event["sequence"] for event in facts["calendar.ics"]["events"]} == {1}
    assert [one["title"] for one in facts["rss.xml"]["rssParser"]["entries"]][:2] == [
        "Cancelled: Tue 20 Oct 2026, 19:00 · A talk", "Moved to Thu 22 Oct: A talk",
    ]  # fmt: skip


@COMMON
@given(editions())
def test_any_catalogue(of: Edition) -> None:
    check(of, read(of))


ZONES = (
    "Africa/Casablanca", "America/Sao_Paulo", "Asia/Gaza", "Australia/Lord_Howe", "Europe/Dublin", "Europe/Paris",
)  # fmt: skip


def test_every_instance_of_a_recurring_event_with_exceptions_and_moved_dates() -> None:
    """By the VTIMEZONE in the file: ical.js has no zones of its own."""
    first = date(1990, 1, 2)
    of = published([
        {
            "id": f"weekly-{number}", "title": "Weekly", "timezone": zone, "date": first, "time": time(19),
            "repeats": "FREQ=WEEKLY;UNTIL=20371225", "except": [first + timedelta(weeks=30)],
            "moved": [{"from": first + timedelta(weeks=40), "date": first + timedelta(days=282), "time": "20:00"}],
        }
        for number, zone in enumerate(ZONES)
    ])  # fmt: skip
    told = read(of, "calendar.ics")["calendar.ics"]["events"]
    found = {event["uid"].partition("@")[0]: event["times"] for event in told}
    for event in of.catalogue.events:
        times = occurrences(event, datetime(1989, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC))
        expected = [when.start for _, when in times]
        assert len(found[event.id]) == len(expected) == 2503
        for said, moment in zip(found[event.id], expected, strict=True):
            if not in_gap(moment) and not in_overlap(moment):
                assert said == instant(moment)
