"""The rules of the catalogue, table by table: what each key takes, and what it refuses, with what is said."""

from datetime import UTC, datetime

import pytest

from pipeline.catalogue.load import Loaded, Source, load
from pipeline.errors import CatalogueError, Severity

WHOLE = """format = 1
[series]
id = "talks"
title = "Talks"
timezone = "Europe/Paris"
default_language = "en"
languages = ["en", "fr"]
organiser = "The Society"
#series
[site]
url = "https://talks.example/"
#site
[[venue]]
id = "hall"
name = "Hall"
#venue
#top
[[event]]
id = "talk"
title = "A talk"
date = 2027-03-04
time = "19:00"
#event
"""
OPEN = '[[event]]\nid = "later"\n'
NIGHT = OPEN + 'title = "L"\ndate = {day}\ntime = "{time}"\n'
REMINDER = '[[reminder]]\nid = "r"\n'
LETTER = '[[newsletter]]\nid = "n"\nsubject = "N"\n'
FORWARD, BACK = "2027-03-28", "2027-10-31"


def read(place: str, typed: str) -> Loaded:
    text = WHOLE.replace(f"#{place}\n", f"{typed}\n")
    return load(Source("events.toml", text), now=datetime(2026, 9, 1, tzinfo=UTC))


TAKEN = [
    ("series", 'venue = "hall"\ndefault_duration = "2h"\nlicense = "CC BY 4.0"\ncontact = "us"\nsupporters = ["A"]'),
    ("series", 'tba = ["subtitle", "partners"]'),
    ("site", "service = false"),
    ("site", 'service = "https://post.example"\nhub = "https://hub.example/"\ncolor = "#a03020"\ntheme = "paper"'),
    ("venue", 'country = "XK"'),
    ("venue", 'country = "FR"\ngeo = [48.8, 2.3]\nurl = "https://h.example"\ndirections = "Two\\nlines"'),
    ("venue", 'access = { step_free = true, toilets = false, hearing_loop = true, note = "by the yard" }'),
    ("event", 'access = { sign_language = true, captions = false, contact = "us", step_free = true }'),
    *(("event", f'duration = "{length}"') for length in ("2h", "1h30", "90 min")),
    ("event", "venue = false"),
    ("event", 'online = { url = "https://o.example", label = "Video", phone = "+33 1" }'),
    ("event", 'online = { secret = "TOCSIN_ROOM", label = "Video" }'),
    ("event", 'registration = { opens = 2027-01-01, closes = 2027-02-01, capacity = 3, required = true, note = "n" }'),
    ("event", 'recordings = [{ title = "T", url = "https://r.example", kind = "video", language = "fr" }]'),
    ("event", 'resources = ["https://r.example/a b"]'),
    ("event", ('repeats = "FREQ=WEEKLY;UNTIL=20270401"\nexcept = [2027-03-11]\n'
              'moved = [{ from = 2027-03-18, date = 2027-03-19, time = "20:00" }]')),
    ("event", 'status = "postponed"\nnotice = "The hall is closed."'),
    ("event", 'status = "tentative"'),
    ("event", 'notice = "Bring a chair."'),
    *(("event", f'weekday = "{day}"') for day in ("Thursday", "jeudi", "Jeudi")),
    ("event", 'speakers = [{ name = "A", work = { title = "W", publisher = "P", year = 2020 } }, { group = "G" }]'),
    ("event", OPEN + 'title = "L"\ndate = 2027-04-01\ntime = 19:00:00'),
    ("event", OPEN + 'title = "L"\ndate = 2027-04-01\nall_day = true'),
    ("event", OPEN + 'tba = ["title", "date", "time"]'),
    ("event", OPEN.replace("later", "x" * 64) + 'title = "L"\ntba = ["date", "time"]'),
    ("event", NIGHT.format(day=BACK, time="02:30") + "fold = 1"),
    ("top", "[defaults]\nprice = \"free\"\ntime = \"20:00\""),
    *(("top", f'{REMINDER}when = "{when}"') for when in (
        "14 days before at 10:00", "2 hours before", "1 day after at 18:00", "when announced", "when changed",
        "monthly on day 1 at 10:00", "weekly on Monday at 10:00",
    )),
    ("top", REMINDER + 'when = "when changed"\nneeds = ["recordings", "registration", "resources"]\nevents = ["talk"]'),
    ("top", LETTER + 'send = 2027-01-01T10:00:00\ninclude = ["news", "upcoming", "recordings"]'),
    ("top", ('[mail]\nfrom = "A <a@x.org>"\nmax_late = "12h"\nquiet = ["22:00", "08:00"]\nsettle = "10 min"\n'
            'hold = true\nproof = { to = "a@x.org", before = "3h" }\n'
            'lists = [{ address = "l@x.org", language = ["fr", "en"], kinds = ["reminders"] }]')),
]  # fmt: skip

REFUSED = [
    ("series", 'venue = "moon"', "there is no [[venue]] 'moon'"),
    ("series", 'tba = ["subtitle"]\nsubtitle = "S"', "filled in and still in `tba`"),
    ("site", "service = true", "is not a text"),
    ("site", 'service = "http://post.example"', "not served over https"),
    ("site", 'hub = "ftp://hub.example"', "is not a web address"),
    ("venue", 'country = "FRA"', "is not a country code"),
    ("venue", "geo = [91.0, 2.0]", "it is at most 90"),
    ("venue", "geo = [48.8]", "the list is too short (write both)"),
    ("venue", 'access = { step_free = "yes" }', "write true or false"),
    ("venue", "access = { sign_language = true }", "the keys here are hearing_loop, note, step_free, toilets"),
    ("event", 'abstract.de = "x"', "not one of the languages of the series"),
    ("event", 'duration = "soon"', "is not a length of time"),
    ("event", 'duration = "2h"\nend_time = "21:00"', "both say when it ends"),
    ("event", "venue = true", "is not a text"),
    ("event", 'online = { secret = "TOCSIN_ROOM", url = "https://o.example" }', "has either `url` or `secret`"),
    ("event", 'online = { secret = "TOCSIN_SECRET" }', "names a setting of tocsin itself"),
    ("event", "registration = { opens = 2027-03-01, closes = 2027-02-01 }", "before it opens"),
    ("event", 'spoken = ["klingon!"]', "is not a language"),
    ("event", 'image = "../a.png"', "is not a file below the catalogue's folder"),
    ("event", 'image = "/etc/a.png"', "is not a file below the catalogue's folder"),
    ("event", "image = 'images\\a.png'", "is not a file below the catalogue's folder"),
    ("event", 'repeats = "FREQ=WEEKLY"\nexcept = [2027-03-12]', "is not one of the days"),
    ("event", "except = [2027-03-12]", "`except` without `repeats`"),
    ("event", "fold = 2", "is not one of 0, 1"),
    ("event", 'speakers = [{ name = "A", group = "B" }]', "exactly one of"),
    ("event", 'speakers = [{ role = "chair" }]', "exactly one of"),
    ("event", 'status = "postponed"', "needs a `notice`"),
    ("event", 'weekday = "lundi"', "is a jeudi, not a lundi"),
    ("event", 'weekday = "Donnerstag"', "not a day of the week"),
    ("event", 'tba = ["time"]', "filled in and still in `tba`"),
    ("event", "all_day = true", "has no hours"),
    ("event", "end_date = 2027-03-03", "before it starts"),
    ("event", 'end_time = "18:00"', "not after it starts"),
    ("event", 'estimated_duration = "2h"', "there is no key"),
    ("event", 'tags = ["Two words"]', "can't be an id"),
    ("event", 'resources = ["ftp://r.example"]', "is not a web address"),
    *(("event", f'price = "a\\u{code}b"', f"the character U+{code} can't be published") for code in ("0007", "202E")),
    ("event", 'price = "a\\nb"', "a line break in a one-line text"),
    ("event", 'abstract = "a\\u2066b"', "the character U+2066 can't be published"),
    ("event", OPEN + 'title = "L"\ndate = 2027-04-01', 'write time = "19:00", or tba = ["time"]'),
    ("event", OPEN + 'title = "L"\ntba = ["time"]', 'write date = 2026-05-07, or tba = ["date"]'),
    ("event", OPEN + 'tba = ["date", "time"]', 'write title = "…", or tba = ["title"]'),
    ("event", 'number = 1\n' + OPEN + 'number = 1\ntba = ["title", "date", "time"]', "1 is used twice"),
    ("event", OPEN.replace("later", "talk") + 'tba = ["title", "date", "time"]', "'talk' is used twice"),
    ("event", OPEN.replace("later", "x" * 65) + 'tba = ["title", "date", "time"]', "64 at most"),
    ("event", NIGHT.format(day="0027-04-01", time="19:00"), "the year 27 can't be meant"),
    ("event", NIGHT.format(day="2027-04-01", time="25:00"), 'write "19:00"'),
    ("event", NIGHT.format(day=FORWARD, time="02:30"), 'write "01:59" or "03:00"'),
    ("event", NIGHT.format(day=FORWARD, time="01:00") + 'end_time = "02:30"', 'write "01:59" or "03:00"'),
    ("event", 'repeats = "FREQ=WEEKLY"\nmoved = [{ from = 2027-03-11, date = 2027-03-28, time = "02:30" }]',
     'write "01:59" or "03:00"'),
    ("event", "registration = { opens = 2027-03-28T02:30:00 }", 'write "01:59" or "03:00"'),
    ("top", LETTER + "send = 2027-03-28T02:30:00", 'write "01:59" or "03:00"'),
    ("top", LETTER + 'send = 2027-01-01T10:00:00\ninclude = ["gossip"]', "is not one of news, upcoming, recordings"),
    ("top", '[[newsletter]]\nid = "n"\nsend = 2027-01-01T10:00:00', "`subject` is missing"),
    ("top", '[defaults]\nid = "x"', "can't be a default"),
    ("top", "[defaults]\nnumber = 1", "can't be a default"),
    ("top", REMINDER, "`when` is missing"),
    *(("top", f'{REMINDER}when = "{when}"', "is not a moment") for when in (
        "soon", "2 hours before at 10:00", "monthly on day 32 at 10:00", "weekly on Lundi at 10:00",
    )),
    ("top", REMINDER + 'when = "when changed"\nneeds = "rec"', "is not one of recordings, registration, resources"),
    ("top", REMINDER + 'when = "when changed"\nevents = ["zz"]', "there is no [[event]] 'zz'"),
    ("top", '[group]\nid = "g"\nname = "G"', "opens an included file, not the main one"),
    ("top", '[[organisation]]\nkind = "union"', "`name` is missing"),
    ("top", '[[venue]]\nid = "hall"\nname = "Another"', "'hall' is used twice"),
    ("top", '[mail]\nfrom = "nobody"', "is not a mail address"),
    ("top", '[mail]\nquiet = ["22:00"]', "the list is too short (write both)"),
    ("top", '[mail]\nlists = [{ address = "l@x.org", language = "de" }]', "not one of the languages of the series"),
    ("top", '[mail]\nlists = [{ address = "l@x.org", language = "fr", kinds = ["x"] }]', "is not one of announcements"),
]  # fmt: skip

WARNED = [
    ("event", NIGHT.format(day=BACK, time="02:30"), "happens twice on 2027-10-31", "write fold = 0 to confirm it"),
    ("event", NIGHT.format(day=BACK, time="01:00") + 'end_time = "02:30"', "the first of the two is meant", "end_fold"),
    ("event", 'repeats = "FREQ=WEEKLY"\nmoved = [{ from = 2027-03-11, date = 2027-10-31, time = "02:30" }]',
     "happens twice on 2027-10-31", "choose another hour"),
    ("series", "announced_events = 3", "the public text announces 3 events, 1 are listed", "correct"),
    ("event", 'number = 1\n' + OPEN + 'number = 3\ntba = ["title", "date", "time"]', "no event has the number 2", ""),
    ("event", 'venue = "hall"\n' + NIGHT.format(day="2027-03-04", time="19:00") + 'venue = "hall"', "same time", ""),
    ("event", OPEN + f'title = "{"x" * 201}"\ntba = ["date", "time"]', "more than 200 characters", ""),
    ("event", 'resources = ["https://bit.ly/x"]', "shortens addresses", ""),
    ("top", '[[venue]]\nid = "shed"\nname = "The shed"', "calendars show its name alone", "street and city"),
    ("event", 'price.en = "free"\nabstract.fr = "Un soir."', "texts are missing", "shown in the default language"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "typed"), TAKEN)
def test_what_a_key_may_hold_is_taken(place: str, typed: str) -> None:
    assert all(remark.severity is Severity.WARNING for remark in read(place, typed).remarks)


@pytest.mark.parametrize(("place", "typed", "said"), REFUSED)
def test_what_a_key_may_not_hold_is_refused_with_what_to_do(place: str, typed: str, said: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read(place, typed)
    assert said in str(caught.value)
    assert all(problem.line and problem.file == "events.toml" for problem in caught.value.problems)


@pytest.mark.parametrize(("place", "typed", "said", "remedy"), WARNED)
def test_what_deserves_a_look_is_warned_of(place: str, typed: str, said: str, remedy: str) -> None:
    remarks = [remark for remark in read(place, typed).remarks if said in remark.what()]
    assert [remark.severity for remark in remarks][:1] == [Severity.WARNING]
    assert remedy in remarks[0].remedy()


def test_every_problem_is_reported_in_one_go_in_the_order_of_the_file() -> None:
    with pytest.raises(CatalogueError) as caught:
        read("event", 'status = "canceled"\nwekday = "jeudi"\nduration = "soon"')
    assert [problem.key.rpartition(" ")[2] for problem in caught.value.problems] == ["status", "wekday", "duration"]


def test_open_questions_are_told_and_stop_nothing() -> None:
    remarks = read("event", 'todo = ["who speaks?"]').remarks
    assert "who speaks?" in [remark.what() for remark in remarks if remark.severity is Severity.TODO]


@pytest.mark.parametrize(
    ("moved", "typed"),
    [
        ("{from = 2027-03-22, date = 2027-03-28}", "02:30"),
        ("{from = 2027-03-22, date = 2027-03-28, time = 02:30:00}", "19:00"),
    ],
)
def test_an_hour_that_a_moved_time_lacks_is_said_once_at_what_names_it(moved: str, typed: str) -> None:
    weekly = f'title = "L"\ndate = 2027-03-15\ntime = "{typed}"\nrepeats = "FREQ=WEEKLY;COUNT=3"\nmoved = [{moved}]'
    with pytest.raises(CatalogueError) as refused:
        read("event", OPEN + weekly)
    (problem,) = refused.value.problems
    assert "02:30 does not exist on 2027-03-28" in problem.message.format(**problem.values)


def test_the_open_questions_of_the_series_and_of_its_events_are_told() -> None:
    whole = WHOLE.replace("#series\n", 'todo = ["Who pays?"]\n').replace("#event\n", 'todo = ["Which room?"]\n')
    loaded = load(Source("events.toml", whole), now=datetime(2026, 9, 1, tzinfo=UTC))
    asked = [remark.what() for remark in loaded.remarks if remark.severity is Severity.TODO]
    assert asked == ["Who pays?", "Which room?"]


@pytest.mark.parametrize("known", ["The Society", "The Gardeners"])
def test_a_name_of_the_series_is_written_in_one_way_in_its_events_too(known: str) -> None:
    spoken = WHOLE.replace("#series\n", 'partners = ["The Gardeners"]\n')
    spoken = spoken.replace("#event\n", f'speakers = [{{ name = "Ada", affiliation = "{known.upper()}" }}]\n')
    said = [remark.what() for remark in load(Source("events.toml", spoken)).remarks]
    assert f"{known.upper()!r} is also written {known!r}" in said
