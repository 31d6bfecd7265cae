"""The truth test: after any sequence of edits every channel, in each language, says the same of each event."""

import email
import email.policy
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import feedparser
import vobject
from hypothesis import given, settings
from hypothesis import strategies as st
from publishing import FIRST, edition

from pipeline.actions.mailing import Office, compose_one
from pipeline.catalogue.when import in_gap, local
from pipeline.edition import Edition
from pipeline.letters import Recipient, finish
from pipeline.outputs import render_all
from pipeline.reminders.occasions import Kind, Occasion
from pipeline.rendering import Renderer

# Written out here and not taken from a library, so that both would have to be wrong in the same way.
MONTHS = {
    "en": [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ],
    "fr": [
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ],
}
DAYS = {
    "en": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "fr": ["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"],
}
TIME_UNKNOWN = {"en": "time to be announced", "fr": "heure à annoncer"}
OFF = {"cancelled": {"en": "cancelled", "fr": "annulé"}, "postponed": {"en": "postponed", "fr": "reporté"}}
VENUES = {"hall": "Town hall", "library": "Library"}


@dataclass(frozen=True)
class Facts:
    """What an event is, in the simplest terms: the model against which every channel is held."""

    id: str
    title: str
    day: date
    at: time | None
    zone: str
    venue: str
    status: str
    speaker: str
    more_days: int = 0
    """How many days follow the first where no hour is known."""

    @property
    def last(self) -> date:
        return self.day if self.at else self.day + timedelta(days=self.more_days)

    @property
    def moment(self) -> datetime | None:
        return None if self.at is None else local(self.day, self.at, ZoneInfo(self.zone))

    def toml(self) -> str:
        lines = [
            "[[event]]", f'id = "{self.id}"', f'title.en = "{self.title}"', f'title.fr = "{self.title} (fr)"',
            f"date = {self.day}", f'time = "{self.at:%H:%M}"' if self.at else 'tba = ["time"]',
            f'timezone = "{self.zone}"', f'venue = "{self.venue}"', f'status = "{self.status}"',
            f'speakers = [{{ name = "{self.speaker}" }}]',
        ]  # fmt: skip
        if self.last != self.day:
            lines.append(f"end_date = {self.last}")
        if self.status in OFF:
            lines.append('notice = "Something happened."')
        return "\n".join(lines) + "\n"

    def title_in(self, language: str) -> str:
        return self.title if language == "en" else f"{self.title} (fr)"

    def day_in(self, language: str) -> str:
        """What the first and the last day have in common is said once."""
        said = []
        for day in dict.fromkeys((self.day, self.last)):
            number = "1er" if language == "fr" and day.day == 1 else str(day.day)
            parts = [f"{DAYS[language][day.weekday()]} {number}"]
            if day == self.last or day.month != self.last.month:
                parts.append(MONTHS[language][day.month - 1])
            if day == self.last or day.year != self.last.year:
                parts.append(str(day.year))
            said.append(" ".join(parts))
        return " – ".join(said)


def possible(facts: Facts) -> Facts:
    """The same facts with an hour that exists on that day."""
    moment = facts.moment
    return replace(facts, at=time(12)) if moment is not None and in_gap(moment) else facts


edits = st.one_of(
    st.dates(date(2026, 3, 1), date(2027, 12, 31)).map(lambda value: ("day", value)),
    st.sampled_from([None, time(8, 15), time(12), time(19), time(23, 30), time(0, 30)]).map(
        lambda value: ("at", value)
    ),
    st.integers(0, 40).map(lambda value: ("more_days", value)),
    st.sampled_from(["Europe/Paris", "America/New_York", "Asia/Kolkata"]).map(lambda value: ("zone", value)),
    st.sampled_from(sorted(VENUES)).map(lambda value: ("venue", value)),
    st.sampled_from(["confirmed", "tentative", "cancelled", "postponed"]).map(lambda value: ("status", value)),
    st.sampled_from(["A talk", "Another; title, here", "Tea & <cake>"]).map(lambda value: ("title", value)),
    st.sampled_from(["Ada Lovelace", "Émilie du Châtelet"]).map(lambda value: ("speaker", value)),
)
START = (
    Facts("one", "A talk", date(2026, 10, 20), time(19), "Europe/Paris", "hall", "confirmed", "Ada Lovelace"),
    Facts("two", "A walk", date(2026, 10, 25), None, "Europe/Paris", "library", "confirmed", "Ada Lovelace"),
)
RENDERER = Renderer()


@settings(max_examples=25)
@given(
    st.lists(st.tuples(st.integers(0, 1), edits), max_size=6),
    st.sampled_from([timedelta(minutes=3), timedelta(days=1)]),
)
def test_every_channel_says_the_same_after_any_edits(
    changes: list[tuple[int, tuple[str, Any]]], step: timedelta
) -> None:
    state = list(START)
    versions = ["".join(facts.toml() for facts in state)]
    for number, (key, value) in changes:
        state[number] = possible(replace(state[number], **{key: value}))
        versions.append("".join(facts.toml() for facts in state))
    published = edition(*versions, step=step)
    files = {artifact.path: artifact.body for artifact in render_all(published, RENDERER)}
    for facts in state:
        for language in ("en", "fr"):
            prefix = "" if language == "en" else "fr/"
            check_calendars(facts, language, prefix, files)
            check_feed(facts, language, files[f"{prefix}atom.xml"])
            check_page(facts, language, files[f"{prefix}events/{facts.id}/index.html"].decode())
            check_json(facts, language, files[f"{prefix}events.json"])
            check_letter(facts, language, published)


def check_calendars(facts: Facts, language: str, prefix: str, files: Mapping[str, bytes]) -> None:
    for path in ("calendar.ics", f"events/{facts.id}.ics", f"venues/{facts.venue}.ics", "alarms/calendar.ics"):
        check_vevent(facts, language, files[prefix + path].decode())


def check_vevent(facts: Facts, language: str, text: str) -> None:
    [found] = [
        component
        for component in vobject.readOne(text).vevent_list
        if component.uid.value == f"{facts.id}@talks.talks.example"
    ]
    expected = facts.day if facts.moment is None else facts.moment.astimezone(UTC)
    assert found.dtstart.value == expected
    assert type(found.dtstart.value) is type(expected)
    if facts.at is None:
        assert found.dtend.value == facts.last + timedelta(days=1)
    summary, description = found.summary.value, found.description.value
    assert facts.title_in(language) in summary
    assert found.location.value.startswith(VENUES[facts.venue])
    assert facts.speaker in description
    off = facts.status in OFF
    assert found.status.value == ("CANCELLED" if off else facts.status.upper())
    assert summary.lower().startswith(OFF[facts.status][language] if off else facts.title_in(language).lower())
    if facts.at is not None:
        assert facts.day_in(language).lower() in description.lower()
        assert f"{facts.at:%H:%M}" in description
        assert facts.zone in description


def check_feed(facts: Facts, language: str, body: bytes) -> None:
    entries = [entry for entry in feedparser.parse(body).entries if f"/events/{facts.id}/" in entry.link]
    # The newest entry was made by the last change of time, place or status: its facts are those that hold.
    title, told = entries[0].title, words_of(entries[0].content[0].value)
    month = MONTHS[language][facts.day.month - 1]
    assert re.search(rf"\b{facts.day.day}(?:er)?(?: – \S+ \d+(?:er)?)? {month[:3]}", title), title
    assert facts.day_in(language).lower() in told.lower()
    assert VENUES[facts.venue] in told
    if facts.at is not None:
        assert f"{facts.at:%H:%M}" in told
    if facts.status in OFF:
        assert title.lower().startswith(OFF[facts.status][language])


def words_of(markup: str) -> str:
    """The text of some HTML, its white space folded."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def check_page(facts: Facts, language: str, page: str) -> None:
    [data] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    found = json.loads(data)
    found = next((item for item in found.get("@graph", [found]) if item["@type"] == "Event"), found)
    expected = facts.day.isoformat() if facts.moment is None else facts.moment.isoformat()
    assert found["startDate"] == expected
    assert found["name"] == facts.title_in(language)
    assert found["location"]["name"] == VENUES[facts.venue]
    assert [one["name"] for one in found["performer"]] == [facts.speaker]
    ending = found["eventStatus"].rpartition("/")[2]
    assert ending == {"cancelled": "EventCancelled", "postponed": "EventPostponed"}.get(facts.status, ending)
    assert (ending in {"EventCancelled", "EventPostponed"}) == (facts.status in OFF)
    words = words_of(page[page.index("<main") :])
    assert facts.title_in(language) in words
    assert facts.day_in(language).lower() in words.lower()
    assert VENUES[facts.venue] in words
    if facts.at is not None:
        assert f"{facts.at:%H:%M}" in words
    if facts.status in OFF:
        assert OFF[facts.status][language] in words.lower()


def check_json(facts: Facts, language: str, body: bytes) -> None:
    [found] = [event for event in json.loads(body)["events"] if event["id"] == facts.id]
    assert (found["date"], found["timezone"], found["status"]) == (facts.day.isoformat(), facts.zone, facts.status)
    assert (found["title"], found["venue"]["name"]) == (facts.title_in(language), VENUES[facts.venue])
    if facts.moment is not None:
        assert datetime.fromisoformat(found["when"]["start_utc"]) == facts.moment
    assert found["when"]["precision"] == ("time" if facts.at else "day")


def check_letter(facts: Facts, language: str, published: Edition) -> None:
    office = Office(RENDERER, b"a key", {})
    with_sender = published.catalogue.mail.model_copy(update={"sender": "The Society <hello@society.example>"})
    sending = Edition(published.catalogue.altered(mail=with_sender), published.ledger, published.day)
    revision = published.ledger.revision(facts.id).sequence
    occasion = Occasion(facts.id, "two-days-before", revision, Kind.REMINDERS, FIRST, FIRST)
    letter = compose_one(sending, occasion, office, language, FIRST)
    message = finish(
        letter,
        Recipient(1, "a@reader.example", "abcdefghijklmnop"),
        occasion.key,
        FIRST,
        office.post(sending.catalogue),
    )
    parsed = email.message_from_bytes(message.body, policy=email.policy.default)
    plain = " ".join(parsed.get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    rich = words_of(parsed.get_body(("html",)).get_content())  # type: ignore[union-attr]
    for said in (plain, rich):
        assert facts.title_in(language) in said
        assert facts.day_in(language).lower() in said.lower()
        assert VENUES[facts.venue] in said
        assert facts.speaker in said or facts.status in OFF
        if facts.at is not None:
            assert f"{facts.at:%H:%M}" in said
    [calendar] = [part for part in parsed.walk() if part.get_content_type() == "text/calendar"]
    check_vevent(facts, language, calendar.get_content())
