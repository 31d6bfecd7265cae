"""Each guard and each warning: what it finds, where, and that the same file without the slip is taken in silence."""

from datetime import UTC, datetime

import pytest
from smallest import SMALLEST

from pipeline.catalogue.load import Loaded, Source, load
from pipeline.errors import CatalogueError, Problem, Severity

HEAD = f"""{SMALLEST}[[venue]]
id = "hall"
name = "Hall"
city = "Lyon"
"""
EVENT = """[[event]]
id = "a"
title = "A"
date = 2026-10-20
time = "19:00"
"""
OTHER = EVENT.replace('"a"', '"b"').replace('"A"', '"B"').replace("10-20", "10-27")
WEEKLY = EVENT + 'repeats = "FREQ=WEEKLY;COUNT=4"\n'
NOW = datetime(2026, 9, 1, tzinfo=UTC)


def taken(text: str, now: datetime = NOW, files: set[str] | None = None) -> Loaded:
    there = (lambda path: path in files) if files is not None else (lambda _path: True)
    return load(Source("events.toml", text), now=now, is_there=there)


def refused(text: str, files: set[str] | None = None) -> list[Problem]:
    with pytest.raises(CatalogueError) as caught:
        taken(text, files=files)
    return list(caught.value.problems)


def told(problem: Problem, text: str) -> tuple[str, str]:
    return text.split("\n")[problem.line - 1], problem.what()


GUARDS = [
    # the slip, the line to be named, what is said
    (WEEKLY + "except = [2026-10-28]\n", "except =", "2026-10-28 is not one of the days"),
    (WEEKLY + "except = [2026-10-27, 2026-11-17]\n", "except =", "2026-11-17 is not one of the days"),
    (WEEKLY + "moved = [{ from = 2026-10-26, date = 2026-10-28 }]\n", "moved =", "2026-10-26 is not one of the days"),
    (WEEKLY.replace("WEEKLY", "WEEKLY;BYDAY=WE"), "date =", "2026-10-20 is not one of the days"),
    (EVENT + 'repeats = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"\n', "date =", "is not one of the days"),
    (EVENT + 'repeats = "FREQ=DAILY;UNTIL=20261001"\n', "date =", "is not one of the days"),
    (EVENT + 'repeats = "FREQ=DAILY;UNTIL=yesterday"\n', "repeats =", "is not a recurrence rule"),
    (EVENT + 'repeats = "FREQ=HOURLY"\n', "repeats =", "is not a recurrence rule"),
    (EVENT + 'repeats = "FREQ=DAILY;BYHOUR=3,4"\n', "repeats =", "is not a recurrence rule"),
    (EVENT + 'repeats = "FREQ=DAILY;INTERVAL=0"\n', "repeats =", "is not a recurrence rule"),
    (EVENT + 'repeats = "FREQ=DAILY;COUNT=2;UNTIL=20261101"\n', "repeats =", "is not a recurrence rule"),
    (EVENT + 'repeats = "FREQ=WEEKLY;BYDAY=DI"\n', "repeats =", "is not a recurrence rule"),
    (EVENT + "except = [2026-10-27]\n", "except =", "`except` without `repeats`"),
    (EVENT + "moved = [{ from = 2026-10-20, date = 2026-10-21 }]\n", "moved =", "`moved` without `repeats`"),
    (EVENT.replace("date = 2026-10-20", 'tba = ["date"]') + 'repeats = "FREQ=DAILY"\n', "repeats =", "needs the date"),
    (WEEKLY + 'moved = [{ from = 2026-10-27, date = 2027-03-28, time = "02:30" }]\n', "moved =", "does not exist on"),
    (
        EVENT.replace("2026-10-20", "2027-03-28") + 'end_date = 2027-03-28\nend_time = "02:30"\n',
        "end_time =",
        "does not exist",
    ),
    (EVENT + "end_date = 2026-10-22\n", "end_date =", "it ends on 2026-10-22, at an hour that is missing"),
    (EVENT + 'end_date = 2026-10-22\nduration = "2h"\n', "end_date =", "by its `duration` on 2026-10-20"),
    (EVENT.replace("2026", "1026"), "date =", "the year 1026 can't be meant"),
    (EVENT + "end_date = 9999-12-31\n", "end_date =", "the year 9999 can't be meant"),
    (WEEKLY + "except = [0001-01-01]\n", "except =", "the year 1 can't be meant"),
    (WEEKLY + "moved = [{ from = 2026-10-27, date = 9999-12-31 }]\n", "moved =", "the year 9999 can't be meant"),
    (WEEKLY + "moved = [{ from = 0206-10-27, date = 2026-10-28 }]\n", "moved =", "the year 206 can't be meant"),
    (EVENT + "registration = { opens = 0001-01-01 }\n", "registration =", "the year 1 can't be meant"),
    (EVENT + "registration = { opens = 2026-10-02, closes = 2026-10-01 }\n", "registration =", "before it opens"),
    (
        EVENT + "registration = { opens = 2026-10-02T12:00:00, closes = 2026-10-02T09:00:00Z }\n",
        "registration =",
        "before it opens",
    ),
    (EVENT + "all_day = true\n", "time =", "lasts all day has no hours"),
    (EVENT.replace('time = "19:00"', 'all_day = true\nduration = "2h"'), "duration =", "lasts all day has no hours"),
    (EVENT + 'end_time = "21:00"\nduration = "2h"\n', "duration =", "both say when it ends"),
    (EVENT + 'end_time = "19:00"\n', "end_time =", "not after it starts"),
    (EVENT + "end_date = 2026-10-19\n", "end_date =", "before it starts"),
    (EVENT.replace("date = 2026-10-20", 'tba = ["date"]') + "end_date = 2026-10-21\n", "end_date =", "no date"),
    (EVENT + 'status = "postponed"\n', "status =", "needs a `notice`"),
    (EVENT + 'tba = ["status"]\n', "tba =", "is not a key that can be announced later"),
    (EVENT + 'tba = ["time"]\n', "tba =", "filled in and still in `tba`"),
    (EVENT + 'venue = "hal"\n', "venue =", "did you mean 'hall'?"),
    (EVENT + 'image = "C:\\\\talk.png"\n', "image =", "is not a file below"),
    (EVENT + 'image = ".env"\n', "image =", "does not end like the name of a picture"),
    (EVENT + 'image = "var/tocsin.db"\n', "image =", "does not end like the name of a picture"),
    (EVENT + 'image = "images/.png"\n', "image =", "does not end like the name of a picture"),
    (EVENT + EVENT, "id =", "'a' is used twice"),
    (EVENT + "number = 1\n" + OTHER + "number = 1\n", "number =", "1 is used twice"),
    ('[[venue]]\nid = "hall"\nname = "X"\n', "id =", "'hall' is used twice"),
    ('[[organisation]]\nname = "X"\n[[organisation]]\nname = "X"\n', "name =", "'X' is used twice"),
    ('[[reminder]]\nid = "r"\nwhen = "when announced"\n' * 2, "id =", "'r' is used twice"),
    ('[[newsletter]]\nid = "n"\nsend = 2026-10-01T10:00:00\nsubject = "N"\n' * 2, "id =", "'n' is used twice"),
    ('[[reminder]]\nid = "r"\nwhen = "two days before"\n', "when =", "is not a moment"),
    ('[[reminder]]\nid = "r"\nwhen = "when announced"\nevents = ["a"]\n', "events =", "there is no [[event]] 'a'"),
    (
        '[[reminder]]\nid = "r"\nwhen = "when announced"\ntemplate = "remindr"\n',
        "template =",
        "did you mean 'reminder'?",
    ),
    ('[[newsletter]]\nid = "n"\nsend = 2026-10-01T10:00:00\nsubject = "N"\ncorrects = "m"\n', "corrects =", "no other"),
    ('[[newsletter]]\nid = "n"\nsend = 2026-10-01T10:00:00\nsubject = "N"\ncorrects = "n"\n', "corrects =", "no other"),
    ('[mail]\nlists = [{ address = "l@a.example", language = ["en", "fr"] }]\n', "lists =", "languages of the series"),
    (EVENT + 'registration = { opens = "soon" }\n', "registration =", "is not a date"),
    (EVENT.replace("2026-10-20", "2026-10-20T19:00:00"), "date =", "is a day and an hour"),
    (EVENT.replace("2026-10-20", "86400"), "date =", "is not a date"),
    ('[[newsletter]]\nid = "n"\nsend = 2026-10-01\nsubject = "N"\n', "send =", "is not a day and an hour"),
    ("[mail]\nper_second = inf\n", "per_second =", "is not a number"),
]


@pytest.mark.parametrize(("tail", "line", "said"), GUARDS)
def test_each_guard_names_its_line_and_its_reason(tail: str, line: str, said: str) -> None:
    text = HEAD + tail
    # A template of one's own can't be known by its name alone.
    found = [(there, str(problem)) for problem in refused(text, files=set()) for there in [told(problem, text)[0]]]
    assert any(there.startswith(line) and said in message for there, message in found), found
    assert len(found) == 1, found


HEADS = [
    ("https://talks.example/", "https://talks.example/?a=1", "a part after `?` or `#`"),
    ("https://talks.example/", "https://talks.example/#top", "a part after `?` or `#`"),
    (
        'url = "https://talks.example/"',
        'url = "https://talks.example/"\nservice = "http://run.example"',
        "not served over https",
    ),
    ('default_language = "en"', 'default_language = "en"\nlanguages = ["fr"]', "is not one of `languages` (fr)"),
    ('organiser = "Somebody"', 'organiser = "Somebody"\nvenue = "hal"', "did you mean 'hall'?"),
    ('organiser = "Somebody"', 'organiser = "Somebody"\ntba = ["title"]', "can be announced later"),
    ('organiser = "Somebody"', 'organiser = "Somebody"\ntba = ["venue"]\nvenue = "hall"', "still in `tba`"),
    ('organiser = "Somebody"', 'organiser = "Somebody"\nimage = "../x.png"', "is not a file below"),
]


@pytest.mark.parametrize(("there", "typed", "said"), HEADS)
def test_each_guard_of_the_series_and_the_site(there: str, typed: str, said: str) -> None:
    [problem] = refused(HEAD.replace(there, typed))
    assert said in str(problem)


def test_what_is_right_is_taken_in_silence() -> None:
    for tail in (
        EVENT, OTHER, WEEKLY + "except = [2026-10-27]\nmoved = [{ from = 2026-11-03, date = 2026-11-04 }]\n",
        EVENT + 'repeats = "RRULE:FREQ=WEEKLY;UNTIL=20261103T180000Z"\nexcept = [2026-11-03]\n',
        EVENT + "registration = { opens = 2026-10-01, closes = 2026-10-01 }\n",
        '[defaults]\nduration = "2h"\n' + EVENT + 'end_time = "20:00"\n', '[defaults]\ntime = "18:00"\n' + EVENT,
        '[defaults]\ntime = "18:00"\nduration = "2h"\n' + EVENT.replace('time = "19:00"', "all_day = true"),
        '[[reminder]]\nid = "r"\nwhen = "when announced"\ntemplate = "our-own"\n',
    ):  # fmt: skip
        assert taken(HEAD + tail).remarks == ()


def test_files_that_the_catalogue_names_must_be_there_where_its_folder_is_known() -> None:
    text = HEAD + EVENT + 'image = "a.png"\n'
    assert taken(text, files={"a.png"}).remarks == ()
    [problem] = refused(text, files=set())
    assert told(problem, text) == ('image = "a.png"', "there is no file 'a.png'")
    own = HEAD + '[[reminder]]\nid = "r"\nwhen = "when announced"\ntemplate = "our-own"\n'
    assert taken(own, files={"templates/mail/our-own.txt", "templates/mail/our-own.html"}).remarks == ()
    [problem] = refused(own, files={"templates/mail/our-own.txt"})
    assert "our-own.txt and our-own.html" in problem.remedy()
    outside = own.replace("our-own", "../own")
    [problem] = refused(outside, files={"templates/mail/../own.txt", "templates/mail/../own.html"})
    assert "there is no letter" in problem.what()


def group_twice() -> list[Problem]:
    group = '[group]\nid = "north"\nname = "North"\n'
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", 'include = ["*"]\n' + HEAD), lambda _: [Source("a", group), Source("b", group)])
    return list(caught.value.problems)


def test_two_groups_of_one_id_are_refused_in_the_second_file() -> None:
    [problem] = group_twice()
    assert (problem.file, problem.line) == ("b", 2)
    assert "'north' is used twice" in problem.what()


WARNINGS = [
    (EVENT + 'registration.url = "https://bit.ly/x"\n', "registration.url =", "bit.ly shortens addresses"),
    (EVENT + 'online = "https://t.co/x"\n', "online =", "t.co shortens addresses"),
    (EVENT + 'resources = ["https://is.gd/x"]\n', "resources =", "is.gd shortens addresses"),
    (EVENT + 'recordings = [{ url = "https://is.gd/x" }]\n', "recordings =", "is.gd shortens addresses"),
    (EVENT.replace('"A"', '"' + "A" * 201 + '"'), "title =", "more than 200 characters"),
    (
        EVENT
        + 'venue = "hall"\nduration = "2h"\n'
        + EVENT.replace('"a"', '"b"').replace("19:00", "20:00")
        + 'venue = "hall"\n',
        "time =",
        'at the same time and place as "a"',
    ),
    (
        EVENT + 'registration.url = "https://f.example/1"\n' + OTHER + 'registration.url = "https://f.example/1"\n',
        "registration.url =",
        'that of event "a" too',
    ),
    (EVENT + "number = 1\n" + OTHER + "number = 4\n", "number =", "no event has the number 2, 3"),
    (EVENT + "number = 1\n" + OTHER + "number = 999999999999\n", "number =", "2, 3, 4"),
    (EVENT.replace("2026-10-20", "2026-08-01") + 'tba = ["price"]\n', "tba =", "it is past"),
    (
        EVENT
        + 'speakers = [{ group = "Café Social" }]\n'
        + OTHER
        + 'speakers = [{ name = "X", affiliation = "Cafe  social" }]\n',
        "speakers =",
        "'Cafe  social' is also written 'Café Social'",
    ),
    (
        '[[organisation]]\nname = "CGT"\n' + EVENT + 'speakers = [{ group = "C.G.T." }]\n',
        "speakers =",
        "also written 'CGT'",
    ),
    (
        '[[reminder]]\nid = "r"\nwhen = "when announced"\ntags = ["art"]\n' + EVENT + 'tags = ["arts"]\n',
        "tags =",
        "did you mean 'arts'?",
    ),
    (EVENT.replace("2026-10-20", "2026-10-25").replace("19:00", "02:30"), "time =", "happens twice"),
    (
        EVENT.replace("date = 2026-10-20", 'tba = ["date", "time"]').replace('time = "19:00"\n', "")
        + 'status = "postponed"\nnotice = "The hall is closed."\n',
        "status =",
        "it is in no calendar",
    ),
    (WEEKLY + "except = [2026-10-20, 2026-10-27, 2026-11-03, 2026-11-10]\n", "except =", "no date is left"),
]


@pytest.mark.parametrize(("tail", "line", "said"), WARNINGS)
def test_each_warning_names_its_line_and_stops_nothing(tail: str, line: str, said: str) -> None:
    text = HEAD + tail
    [remark] = taken(text).remarks
    assert remark.severity is Severity.WARNING
    assert told(remark, text)[0].startswith(line)
    assert said in str(remark)


def test_events_in_one_place_one_after_the_other_or_cancelled_are_no_collision() -> None:
    first = EVENT + 'venue = "hall"\nduration = "1h"\n'
    second = EVENT.replace('"a"', '"b"') + 'venue = "hall"\n'
    assert taken(HEAD + first + second.replace("19:00", "20:00")).remarks == ()
    assert taken(HEAD + first + second + 'status = "cancelled"\nnotice = "No."\n').remarks == ()
    assert len(taken(HEAD + first + second).remarks) == 1


def test_the_series_counts_and_open_questions_are_told() -> None:
    counted = HEAD.replace("organiser", "announced_events = 2\norganiser") + EVENT
    assert "announces 2 events, 1 are listed" in str(*taken(counted).remarks)
    asked = HEAD + EVENT + 'todo = ["Who?"]\n'
    [question] = taken(asked).remarks
    assert (question.severity, question.what()) == (Severity.TODO, "Who?")
    french = HEAD.replace('default_language = "en"', 'default_language = "en"\nlanguages = ["en", "fr"]') + EVENT
    assert 'language "fr": 3 of 3 texts are missing' in str(*taken(french).remarks)


def test_a_past_event_is_quiet_once_nothing_is_to_be_announced() -> None:
    assert taken(HEAD + EVENT, datetime(2030, 1, 1, tzinfo=UTC)).remarks == ()


def test_what_recurs_is_past_when_its_last_time_is() -> None:
    open_still = HEAD + WEEKLY + 'tba = ["speakers"]\n'
    assert taken(open_still, datetime(2026, 11, 10, tzinfo=UTC)).remarks == ()
    assert "it is past" in str(*taken(open_still, datetime(2026, 11, 11, tzinfo=UTC)).remarks)
    longer = open_still.replace("COUNT=4", "COUNT=4;INTERVAL=2").replace("tba", "except = [2026-12-01]\ntba")
    assert "it is past" in str(*taken(longer, datetime(2026, 11, 20, tzinfo=UTC)).remarks)
    endless = open_still.replace(";COUNT=4", "")
    assert taken(endless, datetime(2035, 1, 1, tzinfo=UTC)).remarks == ()


def test_a_link_that_comes_by_mail_needs_somebody_who_sends_mail() -> None:
    secret = EVENT + 'online = { secret = "TOCSIN_ROOM" }\n'
    text = HEAD + secret
    [remark] = taken(text).remarks
    assert told(remark, text) == (
        'online = { secret = "TOCSIN_ROOM" }', "its link comes by mail alone, and no mail is sent"
    )  # fmt: skip
    assert taken(HEAD + '[mail]\nfrom = "talks@talks.example"\n' + secret).remarks == ()


@pytest.mark.parametrize(
    "tail",
    [
        EVENT + "end_date = 2026-10-20\n",
        EVENT + 'end_date = 2026-10-22\nend_time = "10:00"\n',
        EVENT + 'end_date = 2026-10-21\nduration = "8h"\n',
        EVENT.replace('time = "19:00"', 'end_date = 2026-10-22\ntba = ["time"]'),
        WEEKLY + "except = [2026-10-20, 2026-10-27, 2026-11-03]\n",
        WEEKLY + "except = [2026-10-20, 2026-10-27, 2026-11-03]\nmoved = [{ from = 2026-11-10, date = 2026-11-12 }]\n",
        WEEKLY.replace(";COUNT=4", "") + "except = [2026-10-20, 2026-10-27]\n",
    ],
)
def test_a_last_day_that_is_shown_and_a_date_that_is_left_are_taken(tail: str) -> None:
    assert taken(HEAD + tail).remarks == ()
