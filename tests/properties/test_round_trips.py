"""Our own `events.json` and `schedule.xml`: published, imported elsewhere and published there, they say the same."""

import tempfile
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st
from importing_project import HEAD, Project

from pipeline.catalogue.models import Event
from pipeline.importing.writing import event_text

MORE = """
[[venue]]
id = "annex"
name = "Annexe"
street = "1, rue Haute"
city = "Paris"
geo = [48.5, 2.25]
access = { step_free = true }
[[organisation]]
name = "La Société"
url = "https://society.example/"
"""
LINES = st.text("abé’“ –&<*_'\"", min_size=1, max_size=12).map(str.split).filter(bool).map(" ".join)
PROSE = st.lists(LINES.map(str.strip), min_size=1, max_size=2).map("\n\n".join)
DAYS = st.dates(date(2027, 1, 1), date(2027, 12, 1))
LINKS = st.sampled_from(["https://x.example/", "https://x.example/a?b=1&c=d"])


def spoken(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """A text in the default language alone, in the other alone, or in both."""
    return st.one_of(
        texts,
        texts.map(lambda text: {"en": text}),
        st.tuples(texts, texts).map(lambda pair: {"fr": pair[0], "en": pair[1]}),
    )


def table(needed: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(needed, optional=optional)


LINK = table(
    {"url": LINKS},
    {"title": spoken(LINES), "kind": spoken(LINES), "language": st.sampled_from(["fr", "en"])},
)
SPEAKERS = st.one_of(
    table(
        {"name": LINES},
        {
            "role": spoken(LINES),
            "affiliation": LINES,
            "member_of": st.just("La Société"),
            "url": LINKS,
            "work": table({"title": LINES}, {"publisher": LINES, "year": st.integers(1900, 2027), "url": LINKS}),
        },
    ),
    table({"group": LINES}, {"url": LINKS}),
    table({"unnamed": spoken(LINES)}, {"role": spoken(LINES)}),
)
ONLINE = st.one_of(
    table({"url": LINKS}, {"label": spoken(LINES), "phone": st.just("+33 1 23 45 67 89")}),
    table({"secret": st.just("TOCSIN_ROOM")}, {"label": spoken(LINES)}),
)
REGISTRATION = table(
    {"url": LINKS},
    {
        "capacity": st.integers(1, 99),
        "required": st.booleans(),
        "note": spoken(LINES),
        "opens": st.just(date(2027, 1, 1)),
    },
)
FACTS: dict[str, Any] = {
    "kind": spoken(LINES),
    "abstract": spoken(PROSE),
    "notice": spoken(PROSE),
    "price": spoken(LINES),
    "speakers": st.lists(SPEAKERS, min_size=1, max_size=2),
    "venue": st.sampled_from(["hall", "annex", False]),
    "online": ONLINE,
    "registration": REGISTRATION,
    "resources": st.lists(LINK, min_size=1, max_size=2),
    "recordings": st.lists(LINK, min_size=1, max_size=2),
    "tags": st.lists(st.sampled_from(["tea", "open-day"]), min_size=1, unique=True),
    "spoken": st.lists(st.sampled_from(["fr", "en"]), min_size=1, unique=True),
    "access": table({"sign_language": st.booleans()}, {"captions": st.booleans(), "contact": st.just("a@b.example")}),
    "todo": st.just(["Who?"]),
}


@st.composite
def events(draw: st.DrawFn, number: int) -> dict[str, Any]:
    """One event that `check` takes, under the keys of the catalogue."""
    event: dict[str, Any] = {"id": f"event-{number}", "number": number, "title": draw(spoken(LINES))}
    event |= draw(st.fixed_dictionaries({}, optional=FACTS))
    event |= {"timezone": "America/New_York"} if draw(st.booleans()) else {}
    status = draw(st.sampled_from(["confirmed", "tentative", "cancelled", "postponed"]))
    if status == "tentative" or "notice" in event:
        event["status"] = status
    event |= draw(st.one_of(TIMED, WHOLE_DAYS, DAY, st.just({"tba": ["date", "time"]}), recurring()))
    if draw(st.booleans()):
        del event["title"]
        event["tba"] = ["title", *event.get("tba", [])]
    return event


TIMED = st.builds(
    lambda day, ends: {"date": day, "time": time(19), **ends},
    DAYS,
    st.sampled_from([
        {}, {"end_time": time(20, 30)}, {"duration": timedelta(minutes=90)}, {"tba": ["venue"]}, {"tba": ["speakers"]},
    ]),
)  # fmt: skip
WHOLE_DAYS = st.builds(
    lambda day, length: {"date": day, "all_day": True, **({"end_date": day + length} if length else {})},
    DAYS,
    st.sampled_from([timedelta(0), timedelta(3)]),
)
DAY = DAYS.map(lambda day: {"date": day, "tba": ["time"]})


@st.composite
def recurring(draw: st.DrawFn) -> dict[str, Any]:
    first = draw(DAYS)
    week = timedelta(7)
    moved = {"from": first + 2 * week, "date": first + draw(st.integers(1, 20)) * timedelta(1)}
    return {
        "date": first,
        "time": time(19),
        "duration": timedelta(minutes=60),
        "repeats": "FREQ=WEEKLY;COUNT=5",
        **draw(st.sampled_from([{}, {"except": [first + week]}])),
        **draw(st.sampled_from([{}, {"moved": [moved]}, {"moved": [{**moved, "time": time(20, 15)}]}])),
    }


def made(*found: dict[str, Any]) -> str:
    """A catalogue with these events; what is filled in is no longer to be announced."""
    rows = []
    for event in found:
        later = [key for key in event.get("tba", ()) if key not in event]
        rows.append(event_text({**event, "tba": later} if later else {k: v for k, v in event.items() if k != "tba"}))
    return HEAD + MORE + "\n".join(rows)


def elsewhere(folder: str, name: str, text: str) -> Project:
    """A project in a folder of its own, with its exports in `out/`."""
    Path(folder, name).mkdir()
    project = Project(Path(folder, name))
    project.write(text)
    return project


def public(event: Event) -> Event:
    """An event without what isn't published."""
    secret = event.online is not None and event.online.secret is not None
    return event.model_copy(update={"todo": (), **({"online": None} if secret else {})})


@settings(max_examples=15, deadline=None)
@given(events(1), events(2))
def test_events_json_comes_back_with_all_that_it_holds(one: dict[str, Any], two: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = elsewhere(folder, "here", made(one, two))
        here.export()
        there = elsewhere(folder, "there", HEAD)
        names = ("events.json", "en/events.json")
        lost = [problem for name in names for problem in there.bring(here.folder / "out" / name, update=True).lost]
        kept = {event.id: event for event in there.catalogue.events}
        assert kept == {event.id: public(event) for event in here.catalogue.events}
        secrets = sum("secret" in event.get("online", {}) for event in (one, two))
        assert {str(problem.values["fact"]) for problem in lost} == ({"online"} if secrets else set())
        if not secrets:
            there.export()
            for name in names:
                assert (there.folder / "out" / name).read_bytes() == (here.folder / "out" / name).read_bytes()
        after = there.text
        for name in names:
            there.bring(here.folder / "out" / name, update=True)
        assert there.text == after


OTHERWISE = {"slug", "url", "start", "date"}
"""What an event says otherwise elsewhere: its address, and the hour where its zone was another one."""


def said(project: Project) -> list[dict[str, Any]]:
    """What each event of a schedule.xml says."""
    project.export()
    root = ET.parse(project.folder / "out" / "schedule.xml").getroot()  # noqa: S314 - it is ours
    return sorted(
        (
            {
                **{child.tag: child.text or "" for child in event if not len(child) and child.tag not in OTHERWISE},
                # Where an event is only online its room says so; the link has no place in the format.
                "room": (event.findtext("room") or "").replace("En ligne", "–"),
                "instant": datetime.fromisoformat(event.findtext("date") or "").astimezone(UTC),
                "persons": [person.text for person in event.iterfind("persons/person")],
                "links": [(link.get("href"), link.text) for link in event.iterfind("links/link")],
            }
            for event in root.iterfind("day/room/event")
        ),
        key=str,
    )


@settings(max_examples=15, deadline=None)
@given(events(1), events(2))
def test_schedule_xml_comes_back_with_all_that_it_holds(one: dict[str, Any], two: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        here = elsewhere(folder, "here", made(one, two))
        before = said(here)
        there = elsewhere(folder, "there", HEAD)
        source = here.folder / "out" / "schedule.xml"
        assert [str(problem) for problem in there.bring(source).lost if problem.values.get("fact")] == []
        assert said(there) == before
        after = there.text
        there.bring(source, update=True)
        assert there.text == after
        # Where it comes from it says nothing new.
        text = here.text
        here.bring(source, update=True)
        assert here.text == text
