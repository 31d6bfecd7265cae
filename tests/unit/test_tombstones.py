"""What was taken out of the programme keeps its page, since links in calendars, feeds and mails lead there."""

import json
import re
from datetime import date

import feedparser
import vobject
from html_reader import Reader
from publishing import TALK, edition

from pipeline.outputs import render_all
from pipeline.rendering import Renderer

PAGE = "events/talk/index.html"


def files(*versions: str) -> dict[str, bytes]:
    of = edition(*versions, day=date(2026, 2, 1))
    return {artifact.path: artifact.body for artifact in render_all(of, Renderer())}


def test_the_page_of_a_retired_event_stays_and_says_so_in_each_language() -> None:
    found = files(TALK, "")
    english, french = (Reader(found[f"{tree}{PAGE}"].decode()) for tree in ("", "fr/"))
    assert "This event is no longer in the programme of “Evening talks; tea, cake”." in english.text
    assert "Was planned for Tuesday 20 October 2026, 19:00" in english.text
    assert "Cancelled A talk" in english.text
    assert "This event" not in french.text
    assert english.all("meta", name="robots")[0]["content"].startswith("noindex")
    assert len(english.all("h1")) == len(english.all("main")) == 1


def test_every_link_of_subscribers_still_leads_to_a_page() -> None:
    found = files(TALK, "")
    base = "https://talks.example/cycle/"
    pages = {entry.link for entry in feedparser.parse(found["atom.xml"]).entries}
    calendar = vobject.readOne(found["calendar.ics"].decode()).vevent
    assert pages == {calendar.url.value} == {f"{base}events/talk/"}
    assert PAGE in found
    assert "events/talk.ics" in found


def test_machines_are_told_that_it_is_cancelled_on_its_old_date() -> None:
    (data,) = re.findall(r'ld\+json">(.*?)</script>', files(TALK, "")[PAGE].decode(), re.DOTALL)
    told = json.loads(data)
    assert told["eventStatus"] == "https://schema.org/EventCancelled"
    assert told["startDate"] == "2026-10-20T19:00:00+02:00"


def test_it_is_in_no_list_and_an_event_that_comes_back_has_its_own_page_again() -> None:
    assert "events/talk/" not in files(TALK, "")["index.html"].decode()
    assert b"events/talk/" not in files(TALK, "")["sitemap.xml"]
    assert "no longer in the programme" not in files(TALK, "", TALK)[PAGE].decode()


def test_an_event_that_never_had_a_date_keeps_a_page_too() -> None:
    undated = TALK.replace('date = 2026-10-20\ntime = "19:00"', 'tba = ["date", "time"]')
    assert "no longer in the programme" in files(undated, "")[PAGE].decode()
