"""Values that programs misread where they are written as they came: addresses, positions, texts of another language."""

import pytest
from publishing import HEAD, TALK, edition
from test_calendar import files, lines, the_event


def test_a_comma_does_not_cut_an_address() -> None:
    """vobject, and so Radicale, takes the value of a property that it doesn't know for a list of texts."""
    extra = 'online = "https://meet.example/a,b;c"\nresources = ["https://papers.example/1,2"]\n'
    event = the_event(edition(TALK + extra))
    assert event.conference.value == "https://meet.example/a%2Cb;c"
    assert event.attach.value == "https://papers.example/1%2C2"
    assert "Online: https://meet.example/a,b;c\n" in event.description.value


def test_a_position_near_zero_is_a_number_without_an_exponent() -> None:
    head = HEAD.replace("geo = [48.8606, 2.3376]", "geo = [0.00001, -0.0000004]")
    assert "GEO:0.00001;0" in lines(files(edition(TALK, head=head))["events/talk.ics"])


def test_the_address_of_an_organiser_is_a_uri() -> None:
    head = HEAD.replace("hello@society.example", "hé?a&b+c@society.example")
    assert the_event(edition(TALK, head=head)).organizer.value == "mailto:h%C3%A9%3Fa%26b+c@society.example"


def test_a_link_of_a_description_is_whole() -> None:
    text = the_event(edition(TALK + 'abstract = "See [the slides](slides.pdf) and ![a map](/map.png)."\n')).description
    page = "https://talks.example/cycle/events/talk/"
    assert f"See the slides ({page}slides.pdf) and a map (https://talks.example/map.png)." in text.value


def test_each_text_of_which_the_translation_is_missing_is_marked() -> None:
    head = HEAD.replace('title.fr = "Causeries du soir"', 'description = "Talks [here](x)."')
    found = files(edition(TALK + 'kind = "lecture"\ntags = ["tea"]\n', head=head))
    french, english = (lines(found[f"{tree}alarms/calendar.ics"]) for tree in ("fr/", ""))
    assert r"NAME;LANGUAGE=en:Evening talks\; tea\, cake (avec alarmes)" in french
    assert "DESCRIPTION;LANGUAGE=en:Talks here (https://talks.example/cycle/fr/x)." in french
    assert "CATEGORIES;LANGUAGE=en:lecture,tea" in french
    assert french.count("DESCRIPTION;LANGUAGE=en:A talk") == 2
    assert "CATEGORIES:lecture,tea" in english
    assert english.count("DESCRIPTION:A talk") == 2


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("https://Dématérialiser.example:8443/é", "https://xn--dmatrialiser-bebd.example:8443/%C3%A9/"),
        ("https://talks.example/é", "https://talks.example/%C3%A9/"),
    ],
)
def test_an_international_domain_is_written_as_the_network_knows_it(typed: str, address: str) -> None:
    of = edition(TALK, head=HEAD.replace("https://talks.example/cycle/", typed))
    event = the_event(of)
    assert event.url.value == f"{address}events/talk/"
    assert event.uid.value.isascii()
    assert "%" not in event.uid.value + of.news[0].id


def test_a_backslash_before_an_n_is_no_line_break() -> None:
    """The library takes one before a capital N for one."""
    talk = TALK.replace('"A talk"', r"'C:\New; \n, \N'").replace("title = { en", "title = { en")
    event = the_event(edition(talk + r"kind = '\N'" + '\ntags = ["tea"]\n'))
    assert event.summary.value == r"C:\New; \n, \N"
    assert event.categories.value == [r"\N", "tea"]
