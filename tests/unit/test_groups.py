"""Groups: each with a file of its own, whose mistakes hurt nobody else; and the defaults of a file."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime

import feedparser
import pytest
from html_reader import Reader
from icalendar import Calendar
from lxml import etree

from pipeline.catalogue.load import Loaded, Source, load
from pipeline.catalogue.refused import group_id_in
from pipeline.edition import Edition
from pipeline.errors import CatalogueError
from pipeline.keeping import last_published
from pipeline.ledger import Ledger, facts_of, group_of, pending_lines, retirement, vanished
from pipeline.outputs import render_all
from pipeline.rendering import Renderer

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 6, 12, tzinfo=UTC)
DAY = date(2026, 2, 1)

MAIN = """
format = 1
include = ["groups/*.toml"]
[series]
id = "fed"
title = "The federation"
timezone = "Europe/Paris"
default_language = "en"
languages = ["en", "fr"]
organiser = { name = "The Federation", email = "all@fed.example" }
[site]
url = "https://fed.example/"
[[venue]]
id = "hall"
name = "Town hall"
city = "Paris"
[[event]]
id = "assembly"
title = "General assembly"
date = 2026-06-01
time = "18:00"
venue = "hall"
"""


def group(name: str, events: str = "", opening: str = "") -> str:
    """A group's file with one event to come and one that is over."""
    return f"""
[group]
id = "{name}"
name.en = "{name.title()} group"
name.fr = "Groupe {name}"
{opening}
[[event]]
id = "{name}-talk"
title = "A talk in the {name}"
date = 2026-03-04
time = "19:00"
venue = "hall"
[[event]]
id = "{name}-walk"
title = "A walk in the {name}"
date = 2026-01-10
all_day = true
{events}
"""


NORTH = group(
    "north", opening='organiser = { name = "North", email = "hello@north.example", url = "https://n.example/" }'
)
SOUTH = group("south")


def loaded(files: Mapping[str, str], main: str = MAIN, ledger: Ledger | None = None) -> Loaded:
    """The catalogue of a main file and groups' files; where there is a ledger, mistakes in the latter stay theirs."""
    sources = [Source(f"groups/{name}.toml", text) for name, text in files.items()]
    keep = None if ledger is None else last_published(ledger)
    return load(Source("events.toml", main), lambda _: sources, keep=keep)


def published(files: Mapping[str, str], main: str = MAIN) -> Ledger:
    return Ledger(pending_lines(loaded(files, main).catalogue, Ledger(), NOON))


BOTH = published({"north": NORTH, "south": SOUTH})


def outputs(catalogue_of: Loaded, ledger: Ledger, day: date = DAY) -> dict[str, bytes]:
    edition = Edition(catalogue_of.catalogue, ledger, day)
    return {artifact.path: artifact.body for artifact in render_all(edition, Renderer())}


# ------------------------------------------------------------------------------------------- refused alone

BREAKS = {
    "a syntax error": lambda text: text.replace("date = 2026-03-04", "date = 2026-03-"),
    "a wrong day": lambda text: text.replace("date = 2026-03-04", "date = 2026-03-04\nweekday = 'Monday'"),
    "a wrong value": lambda text: text.replace('time = "19:00"', 'time = "19h61"'),
    "an unknown key": lambda text: text.replace('time = "19:00"', 'time = "19:00"\ntimes = "x"'),
    "an unknown table": lambda text: text + '[[reminder]]\nid = "r"\nwhen = "when changed"\n',
    "an unknown venue": lambda text: text.replace('venue = "hall"', 'venue = "moon"'),
    "an event of another file": lambda text: text.replace('id = "south-walk"', 'id = "assembly"'),
    "a wrong default": lambda text: text.replace("[[event]]", "[defaults]\nprice = 3\n[[event]]", 1),
    "no name": lambda text: text.replace("name.en", "nam.en"),
    "no id": lambda text: text.replace('id = "south"\n', ""),
    "an id that can be none": lambda text: text.replace('id = "south"\n', 'id = "South "\n'),
    "the id of another group": lambda text: text.replace('id = "south"\n', 'id = "north"\n'),
    "an unknown id and a wrong value": lambda text: text.replace('id = "south"\n', 'id = "suoth"\n').replace(
        "19:", "1_:"
    ),
    "a group that is no table": lambda text: 'group = "south"\n' + text[text.index("[[event]]") :],
}


@pytest.mark.parametrize("slip", BREAKS)
def test_a_broken_group_file_is_refused_alone_and_its_events_stay_as_published(slip: str) -> None:
    broken = BREAKS[slip](SOUTH)
    assert broken != SOUTH
    moved = NORTH.replace("2026-03-04", "2026-03-05")
    found = loaded({"north": moved, "south": broken}, ledger=BOTH)
    [refused] = found.refused
    assert refused.file == "groups/south.toml"
    assert {problem.file for problem in refused.problems} == {"groups/south.toml"}
    lines = pending_lines(found.catalogue, BOTH, LATER)
    assert [line.event for line in lines] == ["north-talk"]
    assert vanished(found.catalogue, BOTH) == ()
    before = outputs(loaded({"north": NORTH, "south": SOUTH}), BOTH)
    after = outputs(found, BOTH.extended(lines))
    theirs = [path for path in before if "south" in path and not path.endswith(".html")]
    assert len(theirs) > 10
    for path in theirs:
        assert after[path] == before[path], path
    assert "A talk in the south" in Reader(after["groups/south/index.html"].decode()).text
    assert "A talk in the south" in Reader(after["events/south-talk/index.html"].decode()).text


def test_every_mistake_of_every_refused_file_is_told_at_once() -> None:
    north = NORTH.replace('time = "19:00"', 'time = "9"').replace('venue = "hall"', 'venue = "moon"')
    south = BREAKS["a syntax error"](SOUTH)
    found = loaded({"north": north, "south": south}, ledger=BOTH)
    assert [(one.file, one.group, len(one.problems)) for one in found.refused] == [
        ("groups/north.toml", "north", 2), ("groups/south.toml", "south", 1),
    ]  # fmt: skip
    assert set(found.catalogue.event_by_id) == {"assembly", "north-talk", "north-walk", "south-talk", "south-walk"}


def test_a_broken_main_file_still_refuses_all_and_tells_the_groups_mistakes_too() -> None:
    main = MAIN.replace('time = "18:00"', 'time = "25:00"')
    with pytest.raises(CatalogueError) as refusal:
        loaded({"south": BREAKS["a wrong value"](SOUTH)}, main, BOTH)
    assert {problem.file for problem in refusal.value.problems} == {"events.toml", "groups/south.toml"}


def test_an_included_file_without_a_group_refuses_all() -> None:
    with pytest.raises(CatalogueError):
        loaded({"more": '[[event]]\nid = "x"\ntitle = "X"\n'}, ledger=BOTH)


def test_what_other_files_name_is_there_while_the_file_that_holds_it_is_refused() -> None:
    south = SOUTH + '[[venue]]\nid = "barn"\nname = "Barn"\n' + (
        '[[event]]\nid = "dance"\ntitle = "Dance"\ndate = 2026-04-01\ntime = "20:00"\nvenue = "barn"\n')  # fmt: skip
    main = (
        MAIN.replace('venue = "hall"', 'venue = "barn"')
        + '[[reminder]]\nid = "r"\nwhen = "2 days before at 10:00"\nevents = ["dance"]\n'
    )
    ledger = published({"south": south}, main)
    found = loaded({"south": BREAKS["a syntax error"](south)}, main, ledger)
    assert len(found.refused) == 1
    assert pending_lines(found.catalogue, ledger, LATER) == ()


def test_a_changed_venue_of_the_main_file_leaves_a_frozen_event_at_the_place_as_it_was() -> None:
    found = loaded({"south": BREAKS["a wrong value"](SOUTH)}, MAIN.replace("Town hall", "City hall"), BOTH_SOUTH)
    listings = {listing.event.id: listing for listing in Edition(found.catalogue, BOTH_SOUTH, DAY).listings}
    assert listings["south-talk"].venue.name.said_in("en").text == "Town hall"
    assert [line.event for line in pending_lines(found.catalogue, BOTH_SOUTH, LATER)] == ["assembly"]


BOTH_SOUTH = published({"south": SOUTH})


def test_the_group_itself_stays_as_it_was_published() -> None:
    opening = 'organiser = "Old name"\nreply_to = "Old <old@fed.example>"'
    ledger = published({"south": group("south", opening=opening)})
    renamed = group("south", opening='organiser = "New name"\nreply_to = "nobody"')
    [kept] = loaded({"south": renamed}, ledger=ledger).catalogue.groups
    assert (kept.id, kept.organiser[0].name, kept.reply_to) == ("south", "Old name", "Old <old@fed.example>")
    assert kept.name.said_in("fr").text == "Groupe south"


def test_a_group_that_was_never_published_leaves_nothing_behind() -> None:
    found = loaded({"south": SOUTH, "west": BREAKS["a wrong value"](group("west"))}, ledger=BOTH_SOUTH)
    assert [one.group for one in found.refused] == ["west"]
    assert "west" not in found.catalogue.group_by_id


def test_retired_events_of_a_refused_group_stay_retired() -> None:
    gone = SOUTH[: SOUTH.index('[[event]]\nid = "south-walk"')]
    ledger = BOTH_SOUTH.extended([retirement(loaded({"south": gone}).catalogue, BOTH_SOUTH, "south-walk", LATER)])
    found = loaded({"south": BREAKS["a wrong value"](gone)}, ledger=ledger)
    assert set(found.catalogue.event_by_id) == {"assembly", "south-talk"}


def test_a_group_file_that_disappeared_is_as_events_that_were_deleted() -> None:
    found = loaded({"north": NORTH}, ledger=BOTH)
    assert set(vanished(found.catalogue, BOTH)) == {"south-talk", "south-walk"}
    broken = loaded({"north": BREAKS["a syntax error"](NORTH)}, ledger=BOTH)
    assert set(vanished(broken.catalogue, BOTH)) == {"south-talk", "south-walk"}


def test_a_duplicate_belongs_to_the_later_file() -> None:
    ledger = published({"a": group("a"), "b": group("b")})
    found = loaded({"a": group("a"), "b": group("b").replace('id = "b-talk"', 'id = "a-talk"')}, ledger=ledger)
    [refused] = found.refused
    assert (refused.file, refused.problems[0].line) == ("groups/b.toml", 8)
    again = loaded({"a": group("a"), "c": group("a").replace("a-", "c-")}, ledger=ledger)
    assert [one.file for one in again.refused] == ["groups/c.toml"]


def test_a_file_that_two_patterns_name_is_read_once() -> None:
    main = MAIN.replace('["groups/*.toml"]', '["groups/*.toml", "groups/south.toml"]')
    assert len(loaded({"south": SOUTH}, main).catalogue.events) == 3


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[group]\nid = "north"\nname = "N"\n[[event]]\nx = ', "north"),
        ("# x\n [ group ] # y\nname = \"N\nid = 'north'\n", "north"),
        ('group = { id = "north" }\n[[event]\n', "north"),
        ("[group]\nid = 3\n[[event]\n", None),
        ('[group\nname = "N"\n', None),
    ],
)
def test_the_id_of_a_group_is_read_from_a_file_that_is_no_toml(text: str, name: str | None) -> None:
    assert group_id_in(text) == name


def test_nobody_can_type_what_the_loader_fills_in() -> None:
    with pytest.raises(CatalogueError, match="there is no key `kept` here"):
        loaded({}, 'kept = ["assembly"]\n' + MAIN)


def test_the_facts_of_an_event_name_its_group_as_it_was() -> None:
    catalogue = loaded({"north": NORTH}).catalogue
    event = catalogue.event_by_id["north-talk"]
    facts = json.loads(json.dumps(facts_of(event, catalogue.venue_of(event), catalogue.group_of(event))))
    assert group_of(facts) == catalogue.group_by_id["north"]
    assert group_of(facts_of(catalogue.event_by_id["assembly"], None)) is None


# ------------------------------------------------------------------------------------------- defaults


def wrong(main: str, **files: str) -> list[tuple[str, int, str]]:
    with pytest.raises(CatalogueError) as refusal:
        loaded(files, main)
    return [(problem.file, problem.line, problem.key) for problem in refusal.value.problems]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('time = "7 pm"', "time"), ('venue = "moon"', "venue"), ("price = 3", "price"), ('status = "maybe"', "status"),
        ('online = "ftp://x"', "online.url"), ('duration = "long"', "duration"), ('tba = ["tme"]', "tba #1"),
        ('timezone = "Europe/Pari"', "timezone"), ("online = { secret = 'x' }", "online.secret"),
        ('speakers = [{ name = "A", group = "B" }]', "speakers #1"), ('id = "x"', "id"), ('colour = "x"', "colour"),
    ],
)  # fmt: skip
def test_a_bad_default_is_told_once_at_its_own_line_whether_or_not_an_event_inherits_it(line: str, key: str) -> None:
    where = MAIN.index("[[venue]]")
    main = f"{MAIN[:where]}[defaults]\n{line}\n{MAIN[where:]}"
    at = main[:where].count("\n") + 2
    own = line.split(" =")[0]
    ours = 'time = "18:00"\nvenue = "hall"'
    filled = main.replace(ours, f"{ours}\n{GOOD[own]}") if own in GOOD else main
    assert [(file, number, said) for file, number, said in wrong(filled)] == [("events.toml", at, f"defaults.{key}")]
    [(file, number, _)] = wrong(main)
    assert (file, number) == ("events.toml", at)


GOOD = {
    "price": 'price = "free"',
    "status": 'status = "confirmed"',
    "online": 'online = "https://x.example/"',
    "duration": 'duration = "2h"',
    "timezone": 'timezone = "Europe/Paris"',
    "speakers": "speakers = []",
}


def test_defaults_of_a_groups_file_hold_for_that_file_only() -> None:
    south = SOUTH.replace("[[event]]", '[defaults]\nprice = "free"\n[[event]]', 1)
    catalogue = loaded({"north": NORTH, "south": south}).catalogue
    assert {event.id for event in catalogue.events if event.price} == {"south-talk", "south-walk"}


def test_a_bad_default_of_a_group_refuses_its_file_alone() -> None:
    south = SOUTH.replace("[[event]]", "[defaults]\nprice = 3\n[[event]]", 1)
    [refused] = loaded({"north": NORTH, "south": south}, ledger=BOTH).refused
    assert [(problem.line, problem.key) for problem in refused.problems] == [(8, "defaults.price")]


# ------------------------------------------------------------------------------------------- what is published


@pytest.fixture(scope="module")
def site() -> dict[str, bytes]:
    return outputs(loaded({"north": NORTH, "south": SOUTH}), BOTH)


@pytest.mark.parametrize("tree", ["", "fr/"])
def test_a_groups_calendar_holds_its_events_under_their_usual_identities(site: Mapping[str, bytes], tree: str) -> None:
    def events(path: str) -> dict[str, object]:
        return {str(event["uid"]): event for event in Calendar.from_ical(site[tree + path]).walk("VEVENT")}

    own, all_of_them = events("groups/north/calendar.ics"), events("calendar.ics")
    assert {uid.partition("@")[0] for uid in own} == {"north-talk", "north-walk"}
    for uid, event in own.items():
        assert event == all_of_them[uid]
        assert event["organizer"] == "mailto:hello@north.example"
    south = Calendar.from_ical(site[tree + "groups/south/calendar.ics"]).walk("VEVENT")
    assert {str(event["organizer"]) for event in south} == {"mailto:all@fed.example"}


@pytest.mark.parametrize("tree", ["", "fr/"])
@pytest.mark.parametrize("form", ["atom.xml", "rss.xml"])
def test_a_groups_feed_has_entries_of_the_series_feed(site: Mapping[str, bytes], tree: str, form: str) -> None:
    own, series = (feedparser.parse(site[f"{tree}{path}{form}"]) for path in ("groups/north/", ""))
    ids = {entry.id for entry in own.entries}
    assert len(ids) == 2
    assert ids < {entry.id for entry in series.entries}
    assert own.feed.link == f"https://fed.example/{tree}groups/north/"
    links = {link.get("rel"): link.href for link in own.feed.links}
    assert links["self"] == f"https://fed.example/{tree}groups/north/{form}"
    assert {entry.author for entry in own.entries} == {"North"}
    assert ("Groupe north" if tree else "North group") in own.feed.title
    assert own.feed.title != series.feed.title


def test_a_groups_json_feed_is_that_of_the_group(site: Mapping[str, bytes]) -> None:
    feed = json.loads(site["groups/north/feed.json"])
    assert feed["feed_url"] == "https://fed.example/groups/north/feed.json"
    assert feed["home_page_url"] == "https://fed.example/groups/north/"
    assert feed["authors"] == [{"name": "North", "url": "https://n.example/"}]
    assert len(feed["items"]) == 2
    main = {item["id"] for item in json.loads(site["feed.json"])["items"]}
    assert {item["id"] for item in feed["items"]} < main


def test_the_feeds_of_two_groups_and_of_the_series_have_ids_of_their_own(site: Mapping[str, bytes]) -> None:
    ids = [feedparser.parse(site[path]).feed.id for path in site if path.endswith("atom.xml")]
    assert len(ids) == len(set(ids))


def test_a_group_may_be_called_as_the_folder_of_archives_is() -> None:
    files = {"archive": group("archive")}
    made = outputs(loaded(files), published(files))
    assert feedparser.parse(made["groups/archive/atom.xml"]).feed.link == "https://fed.example/groups/archive/"
    assert {"groups/archive/rss.xml", "fr/groups/archive/feed.json"} <= made.keys()


@pytest.mark.parametrize(("tree", "name"), [("", "North group"), ("fr/", "Groupe north")])
def test_a_groups_page_tells_who_it_is_and_its_programme(site: Mapping[str, bytes], tree: str, name: str) -> None:
    page = Reader(site[f"{tree}groups/north/index.html"].decode())
    assert len(page.all("h1")) == 1
    assert name in page.text
    assert page.all("a", href="https://n.example/")
    address = f"https://fed.example/{tree}groups/north/"
    assert page.all("link", rel="canonical", href=address)
    for form, media_type in (
        ("calendar.ics", "text/calendar"), ("atom.xml", "application/atom+xml"), ("rss.xml", "application/rss+xml"),
        ("feed.json", "application/feed+json"),
    ):  # fmt: skip
        assert page.all("link", rel="alternate", type=media_type, href=address + form)
    assert page.all("a", href=f"webcal://fed.example/{tree}groups/north/calendar.ics")
    assert page.text.index("A talk in the north") < page.text.index("A walk in the north")
    assert "south" not in page.text
    assert "General assembly" not in page.text


def test_an_events_page_leads_to_its_group_and_home_to_all_groups(site: Mapping[str, bytes]) -> None:
    def ways(path: str) -> set[str]:
        return {link["href"] for link in Reader(site[path].decode()).all("a")}

    assert "../../groups/north/index.html" in ways("events/north-talk/index.html")
    assert not [way for way in ways("events/assembly/index.html") if "groups/" in way]
    assert {way for way in ways("index.html") if "groups/" in way} == {
        "groups/north/index.html", "groups/south/index.html",
    }  # fmt: skip


def test_a_groups_organisers_stand_in_the_data_for_search_engines(site: Mapping[str, bytes]) -> None:
    def data(path: str) -> dict[str, object]:
        html = site[path].decode()
        return json.loads(html.partition('<script type="application/ld+json">')[2].partition("</script>")[0])

    assert data("events/north-talk/index.html")["organizer"][0]["name"] == "North"
    assert data("events/south-talk/index.html")["organizer"][0]["name"] == "The Federation"
    of_group = data("groups/north/index.html")
    assert (of_group["@type"], of_group["organizer"][0]["name"], len(of_group["subEvent"])) == (
        "EventSeries",
        "North",
        2,
    )


def test_the_pages_of_groups_are_in_the_sitemap(site: Mapping[str, bytes]) -> None:
    places = {element.text for element in etree.fromstring(site["sitemap.xml"]).iter("{*}loc")}
    assert {
        f"https://fed.example/{tree}groups/{name}/" for tree in ("", "fr/") for name in ("north", "south")
    } <= places


def test_a_group_of_which_all_is_retired_keeps_calendar_and_feed_but_no_page() -> None:
    ledger = BOTH
    catalogue = loaded({"north": NORTH}).catalogue
    for number, event in enumerate(("south-talk", "south-walk")):
        at = LATER.replace(minute=number)
        ledger = ledger.extended([retirement(catalogue, ledger, event, at)])
    files = outputs(loaded({"north": NORTH}), ledger)
    events = Calendar.from_ical(files["groups/south/calendar.ics"]).walk("VEVENT")
    assert {str(event["status"]) for event in events} == {"CANCELLED"}
    assert len(events) == 2
    assert len(feedparser.parse(files["groups/south/atom.xml"]).entries) >= 2
    assert "groups/south/index.html" not in files


def test_without_groups_nothing_speaks_of_them() -> None:
    files = outputs(loaded({}), published({}))
    assert not [path for path in files if "groups" in path]
    assert b"Groups" not in files["index.html"]
