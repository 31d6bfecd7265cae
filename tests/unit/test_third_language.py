"""A third language is one file: its words in a gettext catalogue; dates, numbers and lists come from Babel."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from html_reader import Reader, site
from publishing import HEAD, TALK, edition

from pipeline import interface_words
from pipeline.catalogue.load import Source, load
from pipeline.rendering import Renderer

WORDS = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Next event"
msgstr "Volgende bijeenkomst"

msgid "Stay informed"
msgstr "Blijf op de hoogte"
"""
DUTCH = HEAD.replace('["en", "fr"]', '["en", "fr", "nl"]').replace(
    'title.fr = "Causeries du soir"', 'title.fr = "Causeries du soir"\ntitle.nl = "Avondgesprekken"'
)


@pytest.fixture
def dutch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    place = tmp_path / "nl" / "LC_MESSAGES"
    place.mkdir(parents=True)
    with (place / "tocsin.mo").open("wb") as file:
        write_mo(file, read_po(BytesIO(WORDS.encode())))
    monkeypatch.setattr(interface_words, "LOCALES", tmp_path)
    interface_words.translations.cache_clear()
    yield
    interface_words.translations.cache_clear()


@pytest.mark.usefixtures("dutch")
def test_its_words_are_taken_from_the_file_its_dates_from_babel_and_what_lacks_a_word_is_english() -> None:
    pages = site(edition(TALK, head=DUTCH), Renderer())
    home = Reader(pages["nl/index.html"])
    assert home.all("html", lang="nl", dir="ltr")
    for words in ("Volgende bijeenkomst", "Blijf op de hoogte", "Avondgesprekken", "dinsdag 20 okt 2026"):
        assert words in home.text, words
    assert "Add to calendar" in home.text
    assert "20 oktober 2026" in Reader(pages["nl/events/talk/index.html"]).text
    assert home.all("a", hreflang="fr", lang="fr")
    assert Reader(pages["fr/index.html"]).all("a", hreflang="nl")


def warned() -> list[str]:
    remarks = load(Source("events.toml", DUTCH + TALK)).remarks
    return [str(remark) for remark in remarks if "has no words in it" in str(remark)]


@pytest.mark.usefixtures("dutch")
def test_who_publishes_in_a_language_of_which_the_words_are_there_is_not_warned() -> None:
    assert not any('language "nl"' in remark for remark in warned())


def test_who_publishes_in_a_language_without_words_hears_that_headings_are_english() -> None:
    (remark,) = warned()
    assert 'language "nl": headings, buttons and letters are in English' in remark
    assert "it has words in en, fr" in remark
