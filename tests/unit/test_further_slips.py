"""More slips of people who are no programmers: what they meant is offered to them as it is typed here."""

import pytest
from test_slips import DATE, TIME, TITLE, judge_slip

URL, LANGUAGE, NUMBER, COUNTRY = (
    'url = "https://jeudis.example/"',
    'languages = ["fr", "en"]',
    "number = 1",
    "country =",
)

SLIPS = [
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


@pytest.mark.parametrize(("right", "slip", "place", "what", "remedy"), SLIPS)
def test_a_further_slip_is_told_alone_at_its_place_with_what_to_type(
    right: str, slip: str, place: str, what: str, remedy: str
) -> None:
    judge_slip(right, slip, place, what, remedy)
