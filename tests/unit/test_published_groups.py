"""What is published of groups: calendars, feeds, pages, and the data for search engines."""

import json
from collections.abc import Mapping

import feedparser
import pytest
from federation import BOTH, LATER, NORTH, SOUTH, group, loaded, outputs, published
from html_reader import Reader
from icalendar import Calendar
from lxml import etree

from pipeline.ledger import retirement


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
