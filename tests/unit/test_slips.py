"""The slips of people who are no programmers: each is told in plain words, at its place, with what to type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.catalogue.load import Source, load
from pipeline.catalogue.proposals import proposed_day, proposed_time
from pipeline.catalogue.slips import slip_in
from pipeline.errors import CatalogueError, Problem

CATALOGUE = """format = 1

[series]
id = "jeudis"
title.fr = "Les jeudis"
default_language = "fr"
languages = ["fr", "en"]
timezone = "Europe/Paris"
organiser = "L'association"

[site]
url = "https://jeudis.example/"

[[venue]]
id = "salle"
name = "La salle"
country = "FR"

[[event]]
id = "un"
number = 1
title = "Soirée"
date = 2027-03-04
time = "19:00"
venue = "salle"
speakers = [{ name = "Ada" }]
"""
TITLE, DATE, TIME = 'title = "Soirée"', "date = 2027-03-04", 'time = "19:00"'
URL, LANGUAGE = 'url = "https://jeudis.example/"', 'languages = ["fr", "en"]'
NUMBER, COUNTRY = "number = 1", "country ="

SLIPS = [
    (TITLE, "title = “Soirée”", "“", "quotes are those of printed text", 'title = "Soirée"'),
    (TITLE, "title = «\u00a0Soirée\u00a0»", "«", "quotes are those of printed text", 'title = "Soirée"'),
    (TITLE, 'title = "Soirée”', "”", "quotes are those of printed text", 'title = "Soirée"'),
    ('{ name = "Ada" }', "{ name = “Ada” }", "“", "quotes are those of printed text", "between quotes"),
    (TITLE, 'title = “La "belle" soirée”', "“", "quotes are those of printed text", '"La \\"belle\\" soirée"'),
    (TITLE, "title = Soirée d'été", "Soirée", "a text stands between quotes", 'title = "Soirée d\'été"'),
    (TITLE, "title = 'L'été'", "'été", "the apostrophe ends the text", 'title = "…"'),
    (TITLE, 'title = "La "belle" soirée"', '"belle', "a quote within the text ends it", '\\"'),
    (TITLE, 'title: "Soirée"', ":", "an equals sign", "in the place of the colon"),
    (TITLE, 'title == "Soirée"', '= "', "two equals signs", 'write title = "Soirée"'),
    (DATE, "date = 20270304", "date", "not a date", "write 2027-03-04, without quotes"),
    (DATE, "date = 2027", "date", "not a date", "write 2026-05-07, without quotes"),
    ("format = 1", 'format = "1"', "format", "not one of 1", "write 1, without quotes"),
    (TITLE, 'title = ["Soirée"]', "title", "is not a text", "write it without brackets"),
    ('venue = "salle"', 'venue = ["salle"]', "venue", "is not a text", "write it without brackets"),
    (TITLE, 'title ＝ "Soirée"', "＝", "＝ is the wide form of a sign", "write the plain one: ="),
    (TITLE, "title = ＂Soirée＂", "＂", "＂ is the wide form of a sign", 'write the plain one: "'),
    (TITLE, '＃ un soir\ntitle = "Soirée"', "＃", "＃ is the wide form of a sign", "write the plain one: #"),
    ("[[event]]", "［［event］］", "［", "［ is the wide form of a sign", "write the plain one: ["),
    (TITLE, 'title = "Soirée"\ntags = ["a"，"b"]', "，", "， is the wide form of a sign", "write the plain one: ,"),
    (TITLE, 'title = "Soirée ＝"  ＃ x', "＃", "＃ is the wide form of a sign", "write the plain one: #"),
    ('name = "Ada"', 'name: "Ada"', ":", "an equals sign", "in the place of the colon"),
    (TITLE, 'title = "Soirée";', ";", "a line doesn't end with ;", "delete it"),
    (TITLE, 'title = "Soirée",', ",", "a line doesn't end with ,", "delete it"),
    (TITLE, '\u00a0title = "Soirée"', "\u00a0", "can't be seen, U+00A0", "delete it"),
    (TITLE, 'title =\u202f"Soirée"', "\u202f", "can't be seen, U+202F", "delete it"),
    (TITLE, '\u200btitle = "Soirée"', "\u200b", "can't be seen, U+200B", "delete it"),
    (TITLE, f"<<<<<<< HEAD\n{TITLE}\n=======\n{TITLE}\n>>>>>>> b", "<<<<<<<", "a conflict", "keep one of the two"),
    (TITLE, f"// un titre\n{TITLE}", "//", "a remark begins with #", "in the place of //"),
    ("number = 1", "number = 1 ; le premier", ";", "a remark begins with #", "in the place of ;"),
    (TIME, f'{TIME}\ndurée = "2h"', "durée", "only the letters a to z", "'duration'"),
    ("[[event]]", "[[évènement]]", "évènement", "only the letters a to z", "'event'"),
    (DATE, "date = 04/03/2027", "04/03", "begins with its year", "date = 2027-03-04"),
    (DATE, "date = 4 mars 2027", "4 mars", "begins with its year", "date = 2027-03-04"),
    (DATE, "date = bientôt", "bientôt", "begins with its year", "date = 2026-05-07"),
    (DATE, "date = 2027-3-4", "2027-3-4", "two digits", "date = 2027-03-04"),
    (DATE, "date = 2027–03–04", "2027–03", "two digits", "date = 2027-03-04"),
    (DATE, "date = 2027-02-30", "2027-02-30", "not a day of the calendar", "correct the day"),
    (DATE, f"{DATE},", ",", "a line doesn't end with ,", "delete it"),
    (DATE, f"{DATE} // jeudi", " // jeudi", "something follows the value", "date = 2027-03-04"),
    (DATE, "date = 2027-03-04T19:00", "T19:00", "something follows the value", "date = 2027-03-04"),
    (TIME, "time = 18h30", "18h30", "between quotes", 'time = "18:30"'),
    (TIME, "time = 18:30,", "18:30", "between quotes", 'time = "18:30"'),
    (TIME, "time = 18:30 // salle", "18:30", "between quotes", 'time = "18:30"'),
    (TIME, "time = 18h30-20h", "18h30", "between quotes", 'time = "18:30" and end_time = "20:00"'),
    (TIME, "time = 18h", "18h", "between quotes", 'time = "18:00"'),
    (TIME, "all_day = oui", "oui", "oui is not yes or no", "true or false"),
    (TIME, f"{TIME}\nprice = 5,50", "5,50", "between quotes", 'price = "5,50"'),
    (TITLE, 'title = "Deux\nlignes"', "", "the text has no end", '"""'),
    (TITLE, f"{TITLE}\n{TITLE}", "", "the key is written twice", "[[event]]"),
    ("[site]", "[site", "", "the header has no end", "[series]"),
    (TIME, f"{TIME}\nonline = {{", "{", "its } on the same line", "online = { … } on one line"),
    (
        TIME,
        f'{TIME}\nonline = {{ url = "https://a.example/{{"',
        "{",
        "its } on the same line",
        'a line online.url = "…"',
    ),
    (TIME, f'{TIME}\nonline = {{\n  url = "https://a.example"\n}}', "{", "its } on the same line", "online.url"),
    (
        '[{ name = "Ada" }]',
        '[{ name = "Ada" }, { name = "Bo"',
        '{ name = "Bo',
        "its } on the same line",
        "[{ … }, { … }]",
    ),
    (TIME, f'{TIME}\nimage = "C:\\users\\me.png"', "", "a backslash has a meaning", "single quotes"),
    (TIME, f'{TIME}\nabstract = "Dis \\"oui\\" à \\moi"', "", "a backslash has a meaning", "write two of them"),
    # What is TOML, and not what is meant:
    (TIME, f'{TIME}\nimage = "C:\\temp"', "image", "a backslash has a meaning", 'write "C:/temp"'),
    (TIME, f'{TIME}\nimage = "images\\nuit.png"', "image", "a backslash has a meaning", 'write "images/nuit.png"'),
    (TIME, "time = 18.30", "time", "18.30 is not a time of day", 'write "18:30"'),
    (TIME, "time = 25.30", "time", "25.3 is not a time of day", 'write "19:00"'),
    (TIME, 'time = "18h30"', "time", "not a time of day", 'write "18:30"'),
    (TIME, 'time = "7 pm"', "time", "not a time of day", 'write "19:00"'),
    (TIME, 'time = "24:00"', "time", "not a time of day", 'midnight is "00:00" of the next day'),
    (TIME, 'time = "19h-21h30"', "time", "not a time of day", 'time = "19:00" and end_time = "21:30"'),
    (DATE, 'date = "le 1er avril 2027"', "date", "not a date", "write 2027-04-01"),
    (DATE, 'date = "demain"', "date", "not a date", "write 2026-05-07"),
    ('"Ada" }]', '"Ada" }, "Bob"]', '"Bob"', "not what stands here", '[{ name = "…" }]'),
    ('speakers = [{ name = "Ada" }]', 'speakers = "Ada"', "speakers", "not what stands here", '[{ name = "…" }]'),
    ('country = "FR"', 'country = "FR"\ngeo = [48,85, 2,35]', "geo", "not what stands here", "[48.85, 2.35]"),
    ('country = "FR"', 'country = "ZZ"', "country", "not a country code", '"FR", "BE"'),
    ('country = "FR"', 'country = "UK"', "country", "not a country code", 'write "GB"'),
    ('country = "FR"', 'country = "fr"', "country", "not a country code", 'write "FR"'),
    ('country = "FR"', 'country = "France"', "country", "not a country code", 'write "FR"'),
    ('venue = "salle"', 'venue = "La salle"', "venue", "can't be an id", "did you mean 'salle'?"),
    ('venue = "salle"', 'venue = "Chez Ada"', "venue", "can't be an id", "the `id` of one of the [[venue]] tables"),
    (TIME, f"{TIME}\nprice = 5.5", "price", "5.5 is not a text", "between quotes"),
    (TIME, f'{TIME}\nstatus = "annulé"', "status", "not one of", "'cancelled'"),
    ("https://jeudis", "www.jeudis", "url", "not a web address", '"https://www.jeudis.example/"'),
    ("[site]", '[mail]\nfrom = "Ada <mailto:ada@x.org>"\n[site]', "from", "not a mail address", 'write "ada@x.org"'),
    ('organiser = "L\'association"\n', "", "[series]", "`organiser` is missing", 'organiser = "…"'),
    ("format = 1\n", "", "", "`format` is missing", "format = 1"),
    # What isn't known yet, and what is nearly said:
    (DATE, "date =", "", "nothing behind the equals sign", "on the same line"),
    (TITLE, 'title =\n  "Soirée"', "", "nothing behind the equals sign", "on the same line"),
    (TIME, "time = # on ne sait pas", "# on", "nothing behind the equals sign", "or delete the line"),
    (DATE, 'date = "à définir"', "date", "not a date", 'delete the line and write tba = ["date"]'),
    (DATE, 'date = "à definir".'.replace("def", "de\u0301f")[:-1], "date", "not a date", 'write tba = ["date"]'),
    (TIME, 'time = "TBA"', "time", "not a time of day", 'delete the line and write tba = ["time"]'),
    (TIME, 'time = "?"', "time", "not a time of day", 'delete the line and write tba = ["time"]'),
    (
        TIME,
        f'{TIME}\nregistration = {{ url = "https://a.example", closes = "à venir" }}',
        "closes",
        "not a date",
        "delete the line while it is not known",
    ),
    (TIME, 'time = "de 18h à 20h"', "time", "not a time of day", 'time = "18:00" and end_time = "20:00"'),
    (TIME, 'time = "from 7 pm to 8.30 pm"', "time", "not a time of day", 'time = "19:00" and end_time = "20:30"'),
    (DATE, "date = 2027‑03‑04", "2027", "two digits", "date = 2027-03-04"),
    (
        f"{DATE}\n{TIME}",
        "date = 2027-03-04T18:30:00\ntba = ['time']",
        "date",
        "a day and an hour",
        '2027-03-04, and the hour apart: "18:30"',
    ),
    ("number = 1", 'number = "12"', "number", "not a whole number", "write 12, without quotes"),
    ("number = 1", 'number = "XII"', "number", "not a whole number", "without quotes: 12"),
    (TITLE, "title = 1984", "title", "1984 is not a text", 'between quotes: "1984"'),
    (TITLE, "title = true", "title", "true is not a text", 'between quotes: "…"'),
    (TIME, f"{TIME}\nduration = 2", "duration", "not a length of time", 'write "2h"'),
    (TIME, f"{TIME}\nduration = 90", "duration", "not a length of time", 'write "90 min"'),
    (TIME, f'{TIME}\nduration = "2 heures et demie"', "duration", "not a length of time", 'write "2h30"'),
    (TIME, f'{TIME}\nduration = "1,5 h"', "duration", "not a length of time", 'write "1h30"'),
    (TIME, f'{TIME}\nduration = "longtemps"', "duration", "not a length of time", '"2h", "1h30" or "90 min"'),
    (TIME, f'{TIME}\nspoken = ["français"]', '"français"', "not a language", 'write "fr"'),
    (TIME, f'{TIME}\nspoken = ["EN"]', '"EN"', "not a language", 'write "en"'),
    (TIME, f'{TIME}\nspoken = ["Klingonien"]', '"Klingonien"', "not a language", '"pt-BR"'),
    ('timezone = "Europe/Paris"', 'timezone = "Bruxelles"', "timezone", "not a time zone", '"Europe/Paris"'),
    ('timezone = "Europe/Paris"', 'timezone = "Brussels"', "timezone", "not a time zone", '"Europe/Brussels"'),
    ('timezone = "Europe/Paris"', 'timezone = "america/new york"', "timezone", "not a time zone", '"America/New_York"'),
    ("[site]", "[[site]]", "[[site]]", "`site` is one table", "write [site]"),
    (TIME, f'{TIME}\ntags = ["a",\n  "b"\n', "", "the list has no end", "["),
    (TIME, f'{TIME}\nabstract = """Un\ndeux\n', '"""', "the long text that begins here", "the same three quotes"),
    (TIME, 'time = "20:30 CET"', "time", "not a time of day", 'write "20:30"'),
    (TIME, 'time = "à partir de 20h"', "time", "not a time of day", 'write "20:00"'),
    (TIME, 'time = "20h ou 21h"', "time", "not a time of day", 'write "19:00"'),
    (TIME, "time = 2030", "time", "not a time of day", 'write "20:30"'),
    (TIME, 'time = "930"', "time", "not a time of day", 'write "09:30"'),
    (TIME, 'time = "Midi"', "time", "not a time of day", 'write "12:00"'),
    (TIME, 'time = "minuit"', "time", "not a time of day", 'write "00:00"'),
    ('venue = "salle"', 'venue = "cave"', "venue", "no [[venue]] 'cave'", "or such a table with this id"),
    ('venue = "salle"', 'venue = { name = "La cave" }', "venue", "is not a text", "`id` of one of the [[venue]]"),
    (
        NUMBER,
        "registration = true",
        "registration",
        "not what stands here",
        'write "https://…", or { url = "https://…" }',
    ),
    (NUMBER, "online = true", "online", "not what stands here", 'write "https://…", or { url = "https://…" }'),
    (COUNTRY, 'access = "oui"\ncountry =', "access", "not what stands here", "write { step_free = true }"),
    (LANGUAGE, 'languages = "fr, en"', "languages", "is not a list", 'brackets: ["fr", "en"]'),
    (NUMBER, 'tba = "speakers"', "tba", "is not a list", 'brackets: ["speakers"]'),
    (NUMBER, 'todo = "Qui vient, et quand ?"', "todo", "is not a list", 'brackets: ["Qui vient, et quand ?"]'),
    (NUMBER, f'tags = "{"long, " * 40}"', "tags", "is not a list", 'brackets: ["…"]'),
    (NUMBER, "tags = 'a \"b\"'", "tags", "is not a list", 'brackets: ["…"]'),
    (NUMBER, "tags = 3", "tags", "is not a list", 'brackets: ["…"]'),
    ('default_language = "fr"', 'default_language = "fr_FR"', "default_language", "not a language", 'write "fr"'),
    (URL, 'url = "https:/jeudis.example"', "url", "not a web address", '"https://jeudis.example"'),
    (URL, 'url = "http//jeudis.example/a"', "url", "not a web address", '"https://jeudis.example/a"'),
    (URL, 'url = "https://jeudis.example /"', "url", "not a web address", '"https://jeudis.example/"'),
    (URL, f'{URL}\n[mail]\nquiet = "22:00-08:00"', "quiet", "not what stands here", '["22:00", "08:00"]'),
    ('title.fr = "Les', '"title.fr" = "Les', '"title.fr"', "no key `title.fr`", "write title.fr without quotes"),
    (TITLE, f"{TITLE}\ntitle.fr = 3", "title.fr", "the key is written twice", "delete one of the two"),
    ("[site]", "[[speakers]]\n[site]", "[[speakers]]", "no key `speakers`", "write it below a line [[event]]"),
    ("format = 1", 'format = 1\ntitle = "Les jeudis"', "title", "no key `title`", "below a line [[event]], [series]"),
    (NUMBER, "resources = [\n  url: 3\n]", ":", "an equals sign", "in the place of the colon"),
    (NUMBER, 'resources = [{ lien = "https://x.example" }]', "lien", "no key `lien`", "did you mean 'url'?"),
    (NUMBER, 'resources = [{ url = "https://x.example", label = "A" }]', "label", "no key `label`", "mean 'title'?"),
    (
        DATE,
        f'{DATE}\nrepeats = "FREQ=WEEKLY"\nmoved = [{{ from = 2027-03-11 }}]',
        "{",
        "`date` is missing",
        "2026-05-07",
    ),
    (URL, f'{URL}\n[[newsletter]]\nid = "n"\nsubject = "N"', "[[", "`send` is missing", "send = 2026-05-07T10:00:00"),
    (URL, f'{URL}\n[[reminder]]\nid = "r"', "[[", "`when` is missing", 'when = "2 days before at 10:00"'),
]


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    return caught.value.problems


@pytest.mark.parametrize(("right", "slip", "place", "what", "remedy"), SLIPS)
def test_a_slip_is_told_alone_at_its_place_with_what_to_type(
    right: str, slip: str, place: str, what: str, remedy: str
) -> None:
    assert right in CATALOGUE
    (problem,) = problems_of(CATALOGUE.replace(right, slip, 1))
    assert (what in problem.what(), remedy in problem.remedy()) == (True, True), problem.show()
    assert problem.text[problem.column - 1 :].startswith(place), (problem.text, problem.column)


FRENCH = {
    "titre": (TITLE, "title"), "heure": (TIME, "time"), "lieu": ('venue = "salle"', "venue"),
    "intervenants": ("speakers = [", "speakers"), "numéro": ("number = 1", "number"), "nom": ('name = "La', "name"),
    "pays": ("country =", "country"), "fuseau": ("timezone =", "timezone"),
    "organisateur": ("organiser =", "organiser"),
}  # fmt: skip


@pytest.mark.parametrize("word", FRENCH)
def test_a_french_key_is_told_with_ours_and_nothing_follows_from_it(word: str) -> None:
    line, key = FRENCH[word]
    typed = word if word.isascii() else f'"{word}"'
    (problem,) = problems_of(CATALOGUE.replace(line, line.replace(key, typed, 1), 1))
    assert (problem.what(), problem.remedy()) == (f"there is no key `{word}` here", f"did you mean {key!r}?")


def test_a_french_word_in_tba_is_told_alone() -> None:
    (problem,) = problems_of(CATALOGUE.replace(TIME, 'tba = ["heure"]'))
    assert (problem.key, problem.remedy()) == ('event "un": tba #1', "did you mean 'time'?")


def test_what_is_missing_is_told_beside_a_slip_that_does_not_explain_it() -> None:
    said = [one.what() for one in problems_of(CATALOGUE.replace(TIME, 'tba = ["title"]').replace(DATE, ""))]
    assert said == ["`date` is missing", "`time` is missing", "`title` is filled in and still in `tba`"]
    said = [one.what() for one in problems_of(CATALOGUE.replace(TITLE, 'titre = "x"').replace(TIME, ""))]
    assert said == ["`time` is missing", "there is no key `titre` here"]


def test_an_event_that_lasts_all_day_needs_a_title_and_a_date() -> None:
    bare = CATALOGUE.replace(TIME, "all_day = true").replace(TITLE, "").replace(DATE, "")
    assert [one.what() for one in problems_of(bare)] == ["`date` is missing", "`title` is missing"]


def test_a_word_processors_document_is_no_catalogue() -> None:
    for text in ("{\\rtf1 format = 1}", "<!DOCTYPE html><p>format = 1</p>"):
        (problem,) = problems_of(text)
        assert "another kind" in problem.what()


def test_a_picture_that_is_described_and_not_there_deserves_a_look() -> None:
    described = CATALOGUE.replace(TIME, f'{TIME}\nimage_alt = "une photo"')
    found = [remark for remark in load(Source("events.toml", described)).remarks if remark.key.endswith("image_alt")]
    assert [remark.line for remark in found] == [25]
    for more in ('image = "a.jpg"', 'tba = ["image"]'):
        with_it = load(Source("events.toml", described.replace(TIME, f"{TIME}\n{more}")))
        assert not [remark for remark in with_it.remarks if remark.key.endswith("image_alt")]


def test_languages_that_cannot_be_read_make_no_text_wrong() -> None:
    (problem,) = problems_of(CATALOGUE.replace('["fr", "en"]', '"fr, en"').replace(TITLE, f"{TITLE}"))
    assert problem.key == "series.languages"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("04/03/2027", "2027-03-04"), ("4.3.27", "2027-03-04"), ("3/25/2027", "2027-03-25"), ("2027/3/4", "2027-03-04"),
        ("jeudi 4 mars 2027", "2027-03-04"), ("March 4, 2027", "2027-03-04"), ("4 août 2027", "2027-08-04"),
        ("30 février 2027", None), ("4 brumaire 2027", None), ("bientôt", None),
    ],
)  # fmt: skip
def test_a_day_is_understood_as_people_write_it(written: str, meant: str | None) -> None:
    assert proposed_day(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("19h", "19:00"), ("9h05", "09:05"), ("12 am", "00:00"), ("12:30 pm", "12:30"), ("7 p.m.", "19:00"),
     ("25h", None), ("18h75", None), ("soir", None)],
)  # fmt: skip
def test_an_hour_is_understood_as_people_write_it(written: str, meant: str | None) -> None:
    assert proposed_time(written) == meant


@given(
    st.text(max_size=40) | st.lists(st.sampled_from(list("a =\"'“{}[],:;#/é1")), max_size=20).map("".join),
    st.integers(1, 45),
)
def test_any_line_has_a_slip_that_can_be_said_or_none(line: str, column: int) -> None:
    slip = slip_in(line, column)
    if slip is not None:
        assert Problem("x", 1, slip.key, slip.message, slip.hint, slip.values).show()
        assert 1 <= slip.column <= max(len(line) + 1, column)  # what is missing at the end is marked behind it


def test_endless_lines_are_not_looked_at() -> None:
    assert slip_in("title = " + " " * 1_000_000, 9) is None
