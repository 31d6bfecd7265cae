"""Breaking `events.toml` in many ways gives as many messages, each with the right line and what to type."""

import pytest
from smallest import SMALLEST

from pipeline.catalogue.load import Source, load
from pipeline.errors import CatalogueError

# What stands in the seed, what a tired organiser makes of it, a piece of the text on the line that must be named, and
# what the message must say.
SLIPS = [
    ('weekday = "Tuesday"', 'weekday = "Wednesday"', "weekday =", "2022-10-25 is a Tuesday, not a Wednesday"),
    ('weekday = "Tuesday"', 'weekday = "mercredi"', "weekday =", "2022-10-25 is a mardi, not a mercredi"),
    ('weekday = "Tuesday"', 'weekday = "Toosday"', "weekday =", "not a day of the week"),
    ('weekday = "Tuesday"', 'weekdy = "Tuesday"', "weekdy =", "did you mean 'weekday'?"),
    ('time = "19:00"', "time = 19:00", "time =", 'write time = "19:00"'),
    ('time = "19:00"', 'time = "25:00"', "time =", 'write "19:00"'),
    ('time = "19:00"\n', "", "[[event]]", "`time` is missing"),
    ("date = 2022-10-25", "date = 2022-02-30", "date =", "2022-02-30 is not a day of the calendar"),
    ("date = 2022-10-25", "date = 25/10/2022", "date =", "write date = 2022-10-25"),
    ("date = 2022-10-25", "date = 1/4/2027", "date =", "write date = 2027-04-01"),
    ("date = 2022-10-25", "date = 10/25/2022  # autumn", "date =", "write date = 2022-10-25"),
    ("date = 2022-10-25", "date = 25.10.2022", "date =", "write date = 2022-10-25"),
    ("date = 2022-10-25", 'date = "soon"', "date =", "is not a date"),
    ("date = 2022-10-25", "date = 0022-10-25", "date =", "the year 22 can't be meant"),
    ('venue = "picoulet"', 'venue = "picolet"', "venue =", "did you mean 'picoulet'?"),
    ("number = 2", "number = 1", "number =", "used twice"),
    ("number = 2", 'number = "2"', "number =", "is not a whole number"),
    ('tba = ["resources"]', 'tba = ["resorces"]', "tba =", "did you mean 'resources'?"),
    ('tba = ["resources"]', 'tba = ["time"]', "tba =", "filled in and still in `tba`"),
    ('kind.en = "discussion"', 'kind.de = "Gespräch"', "kind.de", "not one of the languages of the series (en, fr)"),
    ('kind.en = "discussion"', 'status = "canceled"', "status =", "did you mean 'cancelled'?"),
    ('kind.en = "discussion"', 'status = "cancelled"', "status =", "needs a `notice`"),
    ('kind.en = "discussion"', 'kind.en = "discussion', "kind.en", "close it with a quote on the same line"),
    ("https://link.infini.fr/cycle_dem", "link.infini.fr/cycle_dem", "registration.url", "is not a web address"),
    ("https://link.infini.fr/cycle_dem", "javascript:alert(1)//", "registration.url", "is not a web address"),
    ('{ name = "Clara Deville"', '{ group = "X", name = "Clara Deville"', "Clara", "exactly one of"),
    ('{ name = "Clara Deville"', '{ nam = "Clara Deville"', "Clara", "did you mean 'name'?"),
    ('timezone = "Europe/Paris"', 'timezone = "Paris"', "timezone =", "is not a time zone"),
    ('timezone = "Europe/Paris"\n', "", "[series]", "`timezone` is missing"),
    ("format = 1", "format = 2", "format =", "is not one of 1"),
    ('url = "https://digitize.example/"', 'url = "http://digitize.example/"', "url =", "not served over https"),
    ('id = "social-work"', 'id = "Social Work"', "id =", "can't be an id"),
    ('id = "social-work"', 'id = "non-take-up"', "id =", "used twice"),
    ('id = "social-work"', 'id = "../etc"', "id =", "can't be an id"),
    ("annonces@digitize.example", "annonces(at)digitize.example", "from =", "is not a mail address"),
    ("date = 2022-11-24", 'date = 2022-11-24\nend_time = "18:00"', "end_time =", "not after it starts"),
    ("date = 2022-11-24", "date = 2022-11-24\nend_date = 2022-11-23", "end_date =", "before it starts"),
    ("date = 2022-11-24", 'date = 2022-11-24\nvenue = "picolet"', 'venue = "picolet"', "did you mean 'picoulet'?"),
    ("date = 2022-11-24", 'date = 2022-11-24\ngroup = "x"', "group =", "there is no key `group`"),
    ("date = 2022-11-24", 'date = 2022-11-24\nrepeats = "every week"', "repeats =", "not a recurrence rule"),
    ("date = 2022-11-24", 'date = 2022-11-24\nimage = "../../etc/passwd"', "image =", "not a file below"),
    ('city = "Paris"', 'city = "Pa\\u202Eris"', "city =", "U+202E can't be published"),
    ('city = "Paris"', 'city = "Pa\\u0007ris"', "city =", "U+0007 can't be published"),
    ('city = "Paris"', 'city = "Pa\\nris"', "city =", "a line break in a one-line text"),
    ('country = "FR"', 'country = "France"', "country =", "is not a country code"),
    ('country = "FR"', 'country = "FR"\ngeo = [48.87, 222.0]', "geo =", "out of range"),
]


def problems_of(text: str) -> list[tuple[int, str]]:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    return [(problem.line, str(problem)) for problem in caught.value.problems]


@pytest.mark.parametrize(("there", "typed", "place", "said"), SLIPS)
def test_a_slip_is_named_with_its_line_and_its_remedy(
    seed_text: str, there: str, typed: str, place: str, said: str
) -> None:
    assert there in seed_text
    start = seed_text.index(there)
    text = seed_text[:start] + typed + seed_text[start + len(there) :]
    # The line to be named is the next one on which that piece stands, or the header above.
    lines = text[: start + len(typed) + 1].count("\n")
    near = [n for n, line in enumerate(text.split("\n"), 1) if place in line]
    expected = min(near, key=lambda number: abs(number - lines))
    found = problems_of(text)
    assert any(line == expected and said in message for line, message in found), found
    assert all(message.startswith(f"events.toml:{line}: ") for line, message in found)


def test_every_problem_is_reported_at_once_in_the_order_of_the_file(seed_text: str) -> None:
    text = (
        seed_text.replace('weekday = "Tuesday"', 'weekday = "Friday"')
        .replace("number = 2", 'number = "x"')
        .replace('weekday = "Thursday"', 'weekday = "Monday"')
        .replace('title.en = "A toolkit', 'titel.en = "A toolkit')
        .replace('timezone = "Europe/Paris"', 'timezone = "Paris"')
    )
    found = problems_of(text)
    assert [line for line, _ in found] == sorted(line for line, _ in found)
    said = "\n".join(message for _, message in found)
    for piece in (
        "not a time zone",
        "not a Friday",
        "not a whole number",
        "not a Monday",
        "`titel`",
    ):
        assert piece in said, said
    # It is there, misspelt.
    assert "`title` is missing" not in said


def test_what_many_events_inherit_is_reported_once(seed_text: str) -> None:
    found = problems_of(seed_text.replace('venue = "picoulet"', 'venue = "picolet"'))
    assert len(found) == 1


def test_a_time_that_a_clock_change_skips_names_its_neighbours(seed_text: str) -> None:
    text = seed_text.replace(
        'date = 2022-10-25\nweekday = "Tuesday"\ntime = "19:00"', 'date = 2023-03-26\ntime = "02:30"'
    )
    [(_, message)] = problems_of(text)
    assert '"01:59" or "03:00"' in message


def test_a_time_that_happens_twice_is_a_warning_and_the_first_is_meant(seed_text: str) -> None:
    text = seed_text.replace(
        'date = 2022-10-25\nweekday = "Tuesday"\ntime = "19:00"', 'date = 2022-10-30\ntime = "02:30"'
    )
    loaded = load(Source("events.toml", text))
    assert any("happens twice" in str(remark) for remark in loaded.remarks)
    assert loaded.catalogue.events[0].when.start.utcoffset().total_seconds() == 7200
    second = load(Source("events.toml", text.replace('time = "02:30"', 'time = "02:30"\nfold = 1', 1)))
    assert second.catalogue.events[0].when.start.utcoffset().total_seconds() == 3600
    assert not any("happens twice" in str(remark) for remark in second.remarks)


def test_an_event_may_end_within_the_hour_that_happens_twice() -> None:
    text = SMALLEST + '[[event]]\nid = "a"\ntitle = "A"\ndate = 2027-10-31\ntime = "02:30"\nduration = "45 min"\n'
    [event] = load(Source("events.toml", text)).catalogue.events
    assert event.when.end.timestamp() - event.when.start.timestamp() == 45 * 60


def test_files_from_other_systems_are_read_alike(seed_text: str) -> None:
    plain = load(Source("events.toml", seed_text)).catalogue
    assert load(Source("events.toml", seed_text.replace("\n", "\r\n"))).catalogue == plain


def test_defaults_fill_what_an_event_does_not_say_and_tba_overrides() -> None:
    text = (
        SMALLEST
        + '[defaults]\ntime = "18:30"\nprice = "free"\n'
        + """
[[event]]
id = "a"
title = "A"
date = 2026-05-07
[[event]]
id = "b"
title = "B"
date = 2026-05-08
time = "20:00"
[[event]]
id = "c"
title = "C"
date = 2026-05-09
tba = ["time"]
"""
    )
    a, b, c = load(Source("events.toml", text)).catalogue.events
    assert (a.time.isoformat("minutes"), b.time.isoformat("minutes"), c.time) == ("18:30", "20:00", None)
    assert a.price is not None
    assert a.price.root == {"en": "free"}


def test_a_wrong_default_is_reported_once_at_its_own_line() -> None:
    text = (
        SMALLEST
        + '[defaults]\ntime = "late"\n'
        + "".join(f'[[event]]\nid = "{name}"\ntitle = "T"\ndate = 2026-05-07\n' for name in "abc")
    )
    [(line, message)] = problems_of(text)
    assert text.split("\n")[line - 1] == 'time = "late"', message


def test_included_files_bring_their_events_and_their_own_names_into_messages() -> None:
    group = (
        '[group]\nid = "north"\nname = "North"\n[[event]]\nid = "n"\ntitle = "N"\ndate = 2026-05-07\ntime = "19:0"\n'
    )
    main = 'include = ["groups/*.toml"]\n' + SMALLEST
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", main), lambda _pattern: [Source("groups/north.toml", group)])
    [problem] = caught.value.problems
    assert (problem.file, problem.line) == ("groups/north.toml", 8)
    good = load(Source("events.toml", main), lambda _p: [Source("groups/north.toml", group.replace("19:0", "19:00"))])
    assert [(event.id, event.group) for event in good.catalogue.events] == [("n", "north")]


BROKEN = ["", "\n", "x", "[[[", "format = 1", "a = " + "[" * 3000, "[series]\nid = 3\n", "event = 3", "[event]\nid = 1",
          "series = []\nsite = 4\nvenue = [1, 2]", "format = 1\n[[event]]\n"]  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_no_input_however_broken_gives_anything_but_problems(text: str) -> None:
    assert problems_of(text)


def test_the_smallest_catalogue_is_valid() -> None:
    assert load(Source("events.toml", SMALLEST)).catalogue.events == ()
