"""How texts of organisers are set on pages and in letters: no sign alone on a line, no link that leads nowhere."""

import re
from datetime import UTC, datetime

import pytest
from html_reader import Reader, site
from letter_writing import ANA, html_of, occasion, read_html, text_of, write
from publishing import HEAD, TALK, edition

from pipeline.markdown import to_text
from pipeline.outputs.event_page import description
from pipeline.outputs.share import share_text
from pipeline.outputs.site import compact
from pipeline.outputs.structured_data import event_data
from pipeline.reminders.occasions import Kind
from pipeline.rendering import Renderer, spaced

FRENCH = TALK.replace(
    'title = "A talk"',
    'title.en = "Who asks ?"\ntitle.fr = "Qui demande ?"\n'
    'abstract.en = "Read “this” : now !"\nabstract.fr = "On dit « assez » ; vraiment ?\\n\\n    x ; y"\n',
)
LINKED = TALK + 'abstract = "See the [slides](slides.pdf), [all](/all/) and ![the room](room.jpg)."\n' + (
    'notice = "Read [this](#new)."\n'
)  # fmt: skip
PAGE = "https://talks.example/cycle/events/talk/"


@pytest.mark.parametrize(
    ("typed", "firm"),
    [
        ("Qui ?", "Qui\u202f?"), ("Oui !", "Oui\u202f!"), ("a ; b", "a\u202f; b"), ("ici : là", "ici\u00a0: là"),
        ("« oui »", "«\u00a0oui\u00a0»"), ("déjà\u00a0!", "déjà\u00a0!"), ("à 19:00, http://a.example/?b", None),
    ],
)  # fmt: skip
def test_french_signs_stay_with_their_words_and_english_is_left_alone(typed: str, firm: str | None) -> None:
    assert spaced(typed, "fr") == (firm or typed)
    assert spaced(typed, "fr-CA") == (firm or typed)
    assert spaced(typed, "en") == spaced(typed, "frr") == typed  # the latter is North Frisian


def test_a_page_sets_each_text_by_the_rules_of_its_own_language(renderer: Renderer) -> None:
    pages = site(edition(FRENCH), renderer)
    french = pages["fr/events/talk/index.html"]
    assert "Qui demande\u202f?</span></h1>" in french
    assert "On dit «\u00a0assez\u00a0»\u202f; vraiment\u202f?" in french
    assert "x ; y" in french  # code, which is copied
    assert "Qui demande\u202f?" in pages["fr/index.html"]
    assert "Who asks ?" in pages["events/talk/index.html"]


def test_a_stylesheet_keeps_what_is_quoted_and_loses_what_only_people_need() -> None:
    style = """
/* it's "ours": { x } */
a :hover > b { color: red;  margin: 0 1px;
  font: 1rem/1.5 "A;  B : c", serif; }
.x::before { content: " · { ; } "; }
.y::before { content: "\\" ; "; } .z { content: '\\'  ,  \\\\'; }
@media (min-width: 3rem) { p ~ p,
  li { width: calc(1rem + 2px) } }
"""
    assert compact(style) == (
        'a :hover > b{color: red;margin: 0 1px;font: 1rem/1.5 "A;  B : c",serif;}.x::before{content: " · { ; } ";}'
        '.y::before{content: "\\" ; ";}'
        ".z{content: '\\'  ,  \\\\';}"
        "@media (min-width: 3rem){p ~ p,li{width: calc(1rem + 2px)}}\n"
    )


def test_relative_links_lead_from_letters_to_where_they_lead_from_the_page(renderer: Renderer) -> None:
    of = edition(LINKED, head=HEAD + '[mail]\nfrom = "post@talks.example"\n')
    due = datetime(2026, 10, 18, 8, tzinfo=UTC)
    letter = write(of, occasion("talk", Kind.REMINDERS, due=due))
    wanted = {f"{PAGE}slides.pdf", "https://talks.example/all/", f"{PAGE}room.jpg", f"{PAGE}#new"}
    text = text_of(letter)
    assert wanted <= set(re.findall(r"https://[^\s()]+", text)), text
    assert "(slides.pdf)" not in text
    assert wanted <= set(read_html(html_of(letter))[1])
    page = Reader(site(of, renderer)["events/talk/index.html"])
    assert wanted <= {link["href"] for link in page.all("a")}
    assert ANA.address in str(letter["To"])


def test_where_no_link_can_be_followed_its_words_stand_alone(renderer: Renderer) -> None:
    assert to_text("See the [slides](slides.pdf) and ![the room](room.jpg).") == "See the slides and the room."
    of = edition(LINKED)
    data = event_data(of, of.shown[0], "en")
    assert data is not None
    assert data["description"] == "See the slides, all and the room."
    described = Reader(site(of, renderer)["events/talk/index.html"]).all("meta", name="description")
    assert described[0]["content"].endswith("See the slides, all and the room.")


def test_a_semicolon_of_ours_has_its_space_in_french_where_no_template_gives_it() -> None:
    several = TALK + 'speakers = [{name = "Ada", role = "poet"}, {name = "Bo"}]\n'
    (listing,) = edition(several).listings
    assert "Ada, poet; Bo" in description(listing, "en")
    assert "Ada, poet\u202f; Bo" in description(listing, "fr")
    assert "Ada, poet\u202f; Bo" in share_text(listing, "https://talks.example/", "fr")


def test_a_date_behind_the_word_for_its_status_opens_no_sentence() -> None:
    (listing,) = edition(TALK + 'status = "cancelled"\nnotice = "Off."\n').listings
    assert description(listing, "fr").startswith("Annulé\u00a0: mardi 20 octobre 2026, 19:00. Town hall")
    (listing,) = edition(TALK).listings
    assert description(listing, "fr").startswith("Mardi 20 octobre 2026")
