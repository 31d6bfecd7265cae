"""The words of feed entries: that an event is online, and in which language a text is really written."""

import re

import pytest
from publishing import HEAD, TALK, edition
from test_feeds import atom, files, items, titles

from pipeline.edition import Edition
from pipeline.ledger import read, write
from pipeline.outputs import render_all
from pipeline.rendering import Renderer


@pytest.mark.parametrize(("tree", "word"), [("", "Online"), ("fr/", "En ligne")])
@pytest.mark.parametrize("online", ['"https://meet.example/"', '{secret = "TOCSIN_ROOM", label = "Jitsi"}'])
def test_an_event_without_a_place_is_said_to_be_online(tree: str, word: str, online: str) -> None:
    of = edition(TALK.replace('venue = "hall"', f"venue = false\nonline = {online}"))
    entry = items(of, f"{tree}feed.json")[0]
    assert entry["summary"].endswith(f" · {word}")
    assert word in entry["content_html"]


def test_a_label_of_a_link_is_said_to_be_online() -> None:
    html = items(edition(TALK + 'online = {url = "https://meet.example/", label = "Jitsi"}\n'), "fr/feed.json")[0]
    said = '<p>En ligne\u00a0: <a href="https://meet.example/"><span lang="en">Jitsi</span></a></p>'
    assert said in html["content_html"]


def test_a_title_of_which_the_translation_is_missing_is_marked() -> None:
    of = edition(TALK + TALK.replace('"talk"', '"expose"').replace('"A talk"', '{fr = "Un exposé"}'))
    for path, marks in (("atom.xml", {"fr": 1}), ("fr/atom.xml", {"en": 1})):
        found = re.findall(rb'<title xml:lang="(..)">', files(of)[path])
        assert {language.decode(): found.count(language) for language in found} == marks
    languages = {entry.link: entry.title_detail.language for entry in atom(of, "fr/atom.xml").entries}
    home = "https://talks.example/cycle/fr/events/"
    assert languages == {f"{home}talk/": "en", f"{home}expose/": "fr"}


def test_the_title_of_a_feed_itself_is_marked_where_its_translation_is_missing() -> None:
    head = HEAD.replace('title.fr = "Causeries du soir"\n', 'description.fr = "Le soir."\ndescription.en = "Late."\n')
    of = edition(TALK + 'tags = ["tea"]\n', head=head)
    for path in ("atom.xml", "tags/tea.atom.xml", "soon.atom.xml"):
        feed = atom(of, f"fr/{path}").feed
        assert (feed.title_detail.language, feed.subtitle_detail.language) == ("en", "fr")
        feed = atom(of, path).feed
        assert (feed.title_detail.language, feed.subtitle_detail.language) == ("en", "en")


def test_a_missing_translation_is_shown_in_the_default_language_whichever_way_the_ledger_came() -> None:
    """Read from its file, a ledger has the languages of a text in the order of their names."""
    head = HEAD.replace('languages = ["en", "fr"]', 'languages = ["fr", "en", "de"]')
    head = head.replace('default_language = "en"', 'default_language = "fr"')
    text = TALK.replace('title = "A talk"', 'title.en = "A talk"\ntitle.fr = "Un exposé"')
    fresh = edition(text, text + 'status = "cancelled"\nnotice.en = "Off."\nnotice.fr = "Annulé."\n', "", head=head)
    reread = Edition(fresh.catalogue, read(write(fresh.ledger)), fresh.day)
    for of in (fresh, reread):
        assert all("Un exposé" in title for title in titles(of, "de/atom.xml"))
        assert "Annulé." in items(of, "de/feed.json")[0]["content_html"]
    rendered = ({artifact.path: artifact.body for artifact in render_all(of, Renderer())} for of in (fresh, reread))
    first, second = rendered
    assert first == second


def test_french_news_has_a_space_before_its_colons() -> None:
    html = items(edition(TALK, TALK.replace("19:00", "20:00")), "fr/feed.json")[0]["content_html"]
    assert re.search("<li>Date\u00a0: mardi 20 octobre 2026, 19:00 → ", html)
