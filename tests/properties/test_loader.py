"""Whatever stands in `events.toml`, there is a result or there are problems, and soon."""

import json
import os
import resource
import time
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from smallest import SMALLEST

from pipeline import ledger as journal
from pipeline.catalogue.crowds import (
    LONGEST_TABLE,
    MOST_ENTRIES,
    MOST_IN_ONE,
    MOST_INLINE_TABLES,
    MOST_KEYS,
    MOST_TABLES,
)
from pipeline.catalogue.descriptions import DESCRIPTIONS
from pipeline.catalogue.load import Source, load
from pipeline.commands.reader import on_one_line, with_the_line
from pipeline.edition import Edition
from pipeline.errors import CatalogueError
from pipeline.ledger import Ledger, pending_lines

EXAMPLES = int(os.environ.get("TOCSIN_FUZZ", "150"))
"""How many inputs each test tries; more of them: TOCSIN_FUZZ=20000."""

NOW = datetime(2026, 9, 1, tzinfo=UTC)


def judged(text: str) -> bool:
    """Whether a catalogue is taken; each of its problems can be shown and has its place in the file."""
    try:
        loaded = load(Source("events.toml", text), now=NOW)
    except CatalogueError as error:
        problems, taken = error.problems, False
    else:
        problems, taken = loaded.remarks, True
        # What is taken can be published and read back.
        lines = pending_lines(loaded.catalogue, Ledger(), NOW)
        assert journal.read(journal.write(Ledger(lines))).events == tuple(sorted(line.event for line in lines))
        edition = Edition(loaded.catalogue, Ledger().extended(lines), NOW.date())
        assert len(edition.upcoming) + len(edition.past) + len(edition.to_be_announced) == len(lines)
    assert taken or problems
    rows = text.count("\n") + 1
    for problem in problems:
        assert 0 <= problem.line <= rows
        for shown in (on_one_line(problem, "en"), with_the_line(problem, "fr")):
            assert len(shown) < 4000
        assert "\n" not in on_one_line(problem, "en")
    return taken


# ---------------------------------------------------------------------------------- values that don't fit

wild_texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "\n", "\u202e", "../x", "a" * 70, "\ufffe", "аdmin", "{value}", "{", "{0}", "%s", "\x7f", "19:00"]
    ),
)
days = st.dates().map(lambda day: day.isoformat())
moments = st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds"))
hours = st.times().map(lambda hour: hour.isoformat(timespec="seconds"))


def quoted(text: str) -> str:
    return json.dumps(text.encode("utf-8", "replace").decode()).replace("\x7f", "\\u007f")


values = st.recursive(
    st.one_of(
        wild_texts.map(quoted),
        days,
        moments,
        hours,
        st.integers(-(10**25), 10**25).map(str),
        st.just("nan"),
        st.just("-inf"),
        st.booleans().map(lambda value: str(value).lower()),
        st.just('"FREQ=WEEKLY;COUNT=3"'),
        st.just('"2 hours before"'),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
        st.dictionaries(
            st.sampled_from(sorted({key for table in DESCRIPTIONS.values() for key in table})), inner, max_size=3
        ).map(lambda items: "{ " + ", ".join(f"{key} = {value}" for key, value in items.items()) + " }"),
    ),
    max_leaves=5,
)
TABLES = {
    "series": "Series",
    "site": "Site",
    "mail": "Mail",
    "defaults": "Event",
    "[event]": "Event",
    "[venue]": "Venue",
    "[organisation]": "Organisation",
    "[reminder]": "Rule",
    "[newsletter]": "Newsletter",
    "group": "Group",
}


@st.composite
def tables(draw: st.DrawFn) -> str:
    """A table with some of its own keys and any values."""
    header = draw(st.sampled_from(sorted(TABLES)))
    keys = draw(st.lists(st.sampled_from(sorted(DESCRIPTIONS[TABLES[header]])), max_size=5, unique=True))
    rows = [f"{key} = {draw(values)}" for key in keys]
    return "\n".join([f"[{header}]", *rows])


@settings(max_examples=EXAMPLES)
@given(st.lists(tables(), max_size=4))
def test_any_values_under_any_keys_are_taken_or_refused_with_their_places(parts: list[str]) -> None:
    judged("format = 1\n" + "\n".join(parts))


@settings(max_examples=EXAMPLES)
@given(st.lists(tables().filter(lambda table: not table.startswith(("[series", "[site", "[group"))), max_size=4))
def test_any_tables_after_a_sound_head_are_taken_or_refused(parts: list[str]) -> None:
    judged(SMALLEST + "\n".join(parts))


# ---------------------------------------------------------------------------------- sound events of any date

rules = st.builds(
    lambda frequency, rest: f"FREQ={frequency}" + "".join(f";{part}" for part in rest),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY", "SECONDLY", "NEVER"]),
    st.lists(
        st.sampled_from(
            [
                "COUNT=3",
                "COUNT=0",
                "COUNT=99999999",
                "INTERVAL=2",
                "INTERVAL=0",
                "INTERVAL=-1",
                "INTERVAL=9999",
                "UNTIL=99991231",
                "UNTIL=00010101T000000Z",
                "UNTIL=20261301",
                "UNTIL=",
                "BYDAY=MO",
                "BYDAY=53SU",
                "BYDAY=XX",
                "BYMONTH=2",
                "BYMONTHDAY=30",
                "BYMONTHDAY=-1",
                "BYSETPOS=400",
                "BYSETPOS=0",
                "BYYEARDAY=366",
                "BYWEEKNO=53",
                "BYEASTER=1",
                "WKST=SU",
                "=",
                "COUNT",
            ]
        ),
        max_size=3,
        unique=True,
    ),
)


@st.composite
def events(draw: st.DrawFn, number: int = 0) -> str:
    """An event that is well-formed, with any date, hour, zone and rule."""
    rows = ["[[event]]", f'id = "e{number}"', 'title = "T"', f"date = {draw(days)}", f"time = {draw(hours)}"]
    zones = ["Europe/Paris", "Pacific/Kiritimati", "Asia/Kathmandu", "America/Santiago", "Africa/Monrovia", "UTC"]
    optional = {
        "timezone": st.sampled_from(zones).map(quoted),
        "end_date": days,
        "end_time": hours,
        "fold": st.sampled_from("01"),
        "duration": st.sampled_from(['"1 min"', '"999 days"', '"2h"']),
        "repeats": rules.map(quoted),
        "except": days.map(lambda day: f"[{day}]"),
        "moved": st.tuples(days, days, hours).map(lambda of: f"[{{ from = {of[0]}, date = {of[1]}, time = {of[2]} }}]"),
        "registration": st.tuples(st.one_of(days, moments), st.one_of(days, moments)).map(
            lambda of: f"{{ opens = {of[0]}, closes = {of[1]} }}"
        ),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(optional)), max_size=4, unique=True))
    return "\n".join([*rows, *(f"{key} = {draw(optional[key])}" for key in chosen)])


@settings(max_examples=EXAMPLES)
@given(st.lists(events(), min_size=1, max_size=1))
def test_dates_from_year_1_to_9999_with_any_rule_are_judged(parts: list[str]) -> None:
    judged(SMALLEST + "\n".join(parts))


@settings(max_examples=EXAMPLES)
@given(st.text(max_size=80), st.integers(0, 300), st.integers(0, 20))
def test_any_text_anywhere_in_a_sound_file_is_judged(typed: str, at: int, gone: int) -> None:
    text = SMALLEST + '[[event]]\nid = "e"\ntitle = "T"\ndate = 2026-10-20\ntime = "19:00"\n'
    at = min(at, len(text))
    judged(text[:at] + typed.encode("utf-8", "replace").decode() + text[at + gone :])


# ---------------------------------------------------------------------------------- size and depth

MEGABYTE = 1_000_000
HEAVY = {
    "a title of a megabyte": SMALLEST + f'[[event]]\nid = "e"\ntitle = "{"x" * MEGABYTE}"\ntba = ["date", "time"]\n',
    "an id of a megabyte": SMALLEST + f'[[event]]\nid = "{"x" * MEGABYTE}"\n',
    "an address of a megabyte": SMALLEST.replace("talks.example", "x" * MEGABYTE),
    "a key of a megabyte": SMALLEST + f"{'k' * MEGABYTE} = 1\n",
    "a time of a megabyte": SMALLEST + f'[[event]]\nid = "e"\ntime = "{"1" * MEGABYTE}"\n',
    "a length of many digits and spaces": SMALLEST + f'[[event]]\nid = "e"\nduration = "1{" " * 50_000}x"\n',
    "a mail address of many dots": SMALLEST + f'[mail]\nfrom = "{"a." * 50_000}@x.example"\n',
    "a number of many digits": SMALLEST + f'[[event]]\nid = "e"\nnumber = {"9" * 4000}\n',
    "a number of too many digits": SMALLEST + f'[[event]]\nid = "e"\nnumber = {"9" * 9000}\n',
    "many brackets": SMALLEST + "x = " + "[" * 100_000,
    "many closed brackets": SMALLEST + "x = " + "[" * 900 + "]" * 900 + "\n",
    "many braces": SMALLEST + "x = " + "{a=" * 50_000,
    "many dots": SMALLEST + ".".join("a" * 20_000) + " = 1\n",
    "many quoted dots": SMALLEST + "x = { " + ".".join(["'a'"] * 20_000) + " = 1 }\n",
    "many tables": SMALLEST + "".join(f"[t{number}]\n" for number in range(5_000)),
    "many events with one slip each": SMALLEST + '[[event]]\nid = "A"\n' * 2000,
    "a million events": SMALLEST + "[[event]]\n" * 1_000_000,
    "many languages": SMALLEST
    + "[[event]]\nid = 'e'\n"
    + "".join(f'title.a{number} = "x"\n' for number in range(20_000)),
    "a rule of a megabyte": SMALLEST
    + f'[[event]]\nid = "e"\ndate = 2026-05-07\nrepeats = "FREQ=DAILY;BYDAY={"MO," * 300_000}MO"\n',
    "null characters": "\x00" * MEGABYTE,
    "a list of a hundred thousand slips": SMALLEST + f"[[event]]\nid = 'e'\ntags = [{'1,' * 100_000}]\n",
    "as many among the defaults": SMALLEST + f"[defaults]\ntags = [{'1,' * 100_000}]\n",
    "fifty thousand unknown keys": SMALLEST
    + "[[event]]\nid = 'e'\n"
    + "".join(f"a{number} = 1\n" for number in range(50_000)),
    "twenty thousand questions on one line": SMALLEST + "[[event]]\nid = 'e'\ntodo = [" + "'?'," * 20_000 + "]\n",
}


@pytest.mark.parametrize("name", HEAVY)
def test_heavy_files_are_judged_in_seconds_and_little_memory(name: str) -> None:
    started = time.process_time()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    judged(HEAVY[name])
    assert time.process_time() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kilobytes


SPEAKERS = SMALLEST + "[[event]]\nid = 'e'\ntitle = 'E'\ntba = ['date', 'time']\nspeakers = [{}]\n"
TAGS = SPEAKERS.replace("speakers", "tags")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SMALLEST + "[[event]]\n" * (MOST_TABLES + 1), "there are more than 50000 tables in the file"),
        (SMALLEST + "  [[event]]\n" * (MOST_TABLES + 1), "there are more than 50000 tables in the file"),
        (SMALLEST + "[t]\n" * (MOST_TABLES + 1), "there are more than 50000 tables in the file"),
        (SPEAKERS.format("{name='a'}," * (MOST_INLINE_TABLES + 1)), "there are more than 100000 tables in the file"),
        (TAGS.format("'a'," * (MOST_ENTRIES + 1)), "there are more than 400000 entries in the lists of the file"),
        (SMALLEST + "x = 1\n" * (MOST_KEYS + 1), "there are more than 300000 keys in the file"),
        (TAGS.format("1,\n" * (MOST_ENTRIES + 1)), "there are more than 400000 entries in the lists of the file"),
    ],
)
def test_more_than_memory_is_for_is_refused_before_it_is_read(text: str, told: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    (problem,) = caught.value.problems
    assert problem.what() == told
    assert "`include`" in problem.remedy()


def test_a_table_may_not_be_longer_than_five_megabytes() -> None:
    text = TAGS.format("'a'") + f"abstract = '{'x' * LONGEST_TABLE}'\n[[event]]\n"
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    (problem,) = caught.value.problems
    assert problem.what() == f"the table is longer than {LONGEST_TABLE} characters"
    assert text.split("\n")[problem.line - 1] == "[[event]]"
    assert "a page of its own" in problem.remedy()


EVENTS = "[[event]]\nid = 'e%d'\ntitle = 'E'\ntba = ['date', 'time']\n"


@pytest.mark.parametrize(
    ("text", "column", "key", "told"),
    [
        (SPEAKERS.format("{name='a'}," * (MOST_IN_ONE + 1)), 1, "event #1.speakers", "the list is too long"),
        (TAGS.format("1," * (MOST_IN_ONE + 1)), 1, "event #1.tags", "the list is too long"),
        (TAGS.format("[" + "1," * (MOST_IN_ONE + 1) + "]"), 9, "event #1.tags #1", "the list is too long"),
        (SMALLEST + "x = { y = [" + "1," * (MOST_IN_ONE + 1) + "] }\n", 7, "site.x.y", "the list is too long"),
        (
            SMALLEST + "".join(f"x.a{number} = 1\n" for number in range(MOST_IN_ONE + 1)),
            1,
            "site.x",
            "the table has too many keys",
        ),
        (SMALLEST + "[[venue]]\n" * (MOST_IN_ONE + 1), 1, "venue", "the list is too long"),
    ],
)
def test_no_list_or_table_may_have_more_than_ten_thousand_entries(text: str, column: int, key: str, told: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    (problem,) = caught.value.problems
    assert (problem.column, problem.key, problem.what()) == (column, key, told)
    assert problem.remedy() == "10000 at most"


def test_but_for_the_list_of_the_events() -> None:
    text = SMALLEST + "".join(EVENTS % number for number in range(MOST_IN_ONE + 1))
    assert len(load(Source("events.toml", text)).catalogue.events) == MOST_IN_ONE + 1
    assert len(load(Source("events.toml", TAGS.format("'a'," * MOST_IN_ONE))).catalogue.events[0].tags) == MOST_IN_ONE


def test_of_all_events_ten_thousand_mistakes_are_told_and_that_there_are_more() -> None:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", SMALLEST + "[[event]]\ntitel = 'E'\n" * 6000))
    assert len(caught.value.problems) == 10_001
    (last,) = [problem for problem in caught.value.problems if "more than" in problem.what()]
    assert (last.what(), last.key) == ("there are more than 10000 mistakes here", "event #5001")


@pytest.mark.parametrize("quotes", ["'''", '"""'])
def test_a_text_may_have_any_number_of_lines_that_look_like_tables(quotes: str) -> None:
    lines = "[x] = {\n" * (MOST_KEYS + 1)
    long = f"abstract = {quotes}\n{lines}{quotes}\n"
    assert load(Source("events.toml", TAGS.format("'a'") + long)).catalogue.events[0].tags == ("a",)


@pytest.mark.parametrize("quotes", ["'''", '"""', "'", '"'])
def test_a_text_may_have_any_number_of_commas(quotes: str) -> None:
    long = f"abstract = {quotes}{'well, ' * MOST_ENTRIES}{quotes}  # {'so, ' * MOST_ENTRIES}\n"
    assert load(Source("events.toml", TAGS.format("'a'") + long)).catalogue.events[0].tags == ("a",)


def test_of_one_table_a_hundred_mistakes_are_told_and_that_there_are_more() -> None:
    text = TAGS.format("1," * 101) + "[[event]]\nid = 'f'\ntitle = 1\ntba = ['date', 'time']\n"
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    said = Counter(problem.what() for problem in caught.value.problems)
    assert said["1 is not a text"] == 101  # a hundred tags, and the title of the other event
    assert said["there are more than 100 mistakes here"] == 1
