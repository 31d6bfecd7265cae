"""What is put off keeps its old date; nothing that says so may read as if that were the new one."""

import re

import feedparser
import pytest
from icalendar import Calendar
from publishing import TALK, edition

from pipeline.outputs import render_all
from pipeline.outputs.event_page import description
from pipeline.rendering import Renderer

LATER = TALK + 'status = "postponed"\nnotice = "The hall is closed."\n'
SAID = {"en": "Postponed: the new date is to be announced.", "fr": "Reporté : la nouvelle date sera annoncée."}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_calendar_says_that_the_date_is_still_to_come(language: str) -> None:
    found = edition(TALK, LATER)
    path = found.path("events/talk.ics", language)
    (body,) = [item.body for item in render_all(found, Renderer()) if item.path == path]
    (event,) = Calendar.from_ical(body).walk("VEVENT")
    assert SAID[language] in re.sub(r"\s", " ", event["DESCRIPTION"])


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_search_result_gives_no_date_after_the_word(language: str) -> None:
    (listing,) = edition(TALK, LATER).listings
    said = description(listing, language).replace("\xa0", " ")
    assert said.startswith(SAID[language])
    assert "2026" not in said
    assert "Town hall" in said


@pytest.mark.parametrize("language", ["en", "fr"])
def test_a_feed_says_that_the_date_is_still_to_come(language: str) -> None:
    found = edition(TALK, LATER)
    path = found.path("atom.xml", language)
    (body,) = [item.body for item in render_all(found, Renderer()) if item.path == path]
    entry = feedparser.parse(body).entries[0]
    summary = entry.summary.replace("\xa0", " ")
    assert summary.startswith(f"{SAID[language].removesuffix('.')} · Town hall")
    assert SAID[language] in entry.content[0].value.replace("\xa0", " ")


def test_a_feed_gives_the_date_of_what_recurs_as_its_first() -> None:
    found = edition(TALK + 'repeats = "FREQ=WEEKLY"\n')
    (body,) = [item.body for item in render_all(found, Renderer()) if item.path == "atom.xml"]
    summary = feedparser.parse(body).entries[0].summary
    assert summary.startswith("One of several dates; the first: Tuesday 20 October 2026, 19:00")


def test_once_it_has_its_new_date_nothing_of_this_is_left() -> None:
    (listing,) = edition(TALK, LATER, TALK.replace("10-20", "11-20")).listings
    assert description(listing, "en").startswith("Friday 20 November 2026, 19:00. Town hall")
