"""How a problem looks to a person: on one line, and with the line of the file and the place marked."""

import re

import pytest
from smallest import SMALLEST

from pipeline.catalogue.load import Source, load
from pipeline.commands.reader import as_json, on_one_line, with_the_line
from pipeline.errors import CatalogueError, Problem, Severity


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(Source("events.toml", text))
    return caught.value.problems


def marked(problem: Problem, width: int = 100) -> str:
    """The piece of the shown line above the marks."""
    _, shown, marks, *_ = with_the_line(problem, "en", width=width).split("\n")
    return shown[marks.index("^") : marks.rindex("^") + 1]


def test_the_line_is_shown_as_it_stands_and_the_place_is_marked() -> None:
    [problem] = problems_of(SMALLEST.replace("timezone =", "\ttimezne ="))[-1:]
    assert with_the_line(problem, "en").split("\n")[1:3] == ['    5 |  timezne = "Europe/Paris"', "      |  ^^^^^^^"]


@pytest.mark.parametrize(
    ("line", "mark"),
    [
        ('organiser = { name = "A", emial = "a@b.example" }', "emial"),
        ('organiser = [ "日本語の会", { nam = "B" } ]', "nam"),
        ('organiser = { "na me" = "B", name = "C" }', '"na me"'),
        ('organiser = { name = "' + "very " * 60 + '", emial = "a@b.example" }', "emial"),
    ],
)
def test_the_mark_stands_below_the_place_after_wide_letters_and_in_long_lines(line: str, mark: str) -> None:
    problem = problems_of(SMALLEST.replace('organiser = "Somebody"', line))[-1]
    rows = with_the_line(problem, "en", width=80).split("\n")
    wide = sum(2 if "\u3040" <= letter <= "\u9fff" else 1 for letter in rows[1][: rows[1].index(mark)])
    assert rows[2].index("^") == wide
    assert rows[2].count("^") == len(mark)
    assert len(rows[1]) <= 80


def test_an_unclosed_long_text_is_marked_where_it_opens() -> None:
    text = SMALLEST.replace("[site]", "description = '''\nNo end.\n\n[site]")
    [problem] = problems_of(text)
    assert (problem.line, marked(problem)[:1]) == (8, "'")
    assert "has no end" in problem.what()


def test_nothing_in_a_file_can_command_the_terminal_or_break_the_line() -> None:
    text = (
        SMALLEST.replace('"Talks"', '"Ta\\u001b[31mlks"')
        + '"a\\n\\u001b]0;x\\u0007\\u202E" = 1\n[mail]\nper_day = "1\\n2"\n'
    )
    for problem in problems_of(text):
        for shown in (
            on_one_line(problem, "en"),
            *with_the_line(problem, "en").split("\n"),
            problem.key and problem.show(),
        ):
            assert not re.search("[\x00-\x1f\x7f-\x9f\u202a-\u202e]", shown), repr(shown)
    raw = problems_of(SMALLEST.replace('"Talks"', '"Ta\u202elks"'))[0]
    assert "\\u202e" in with_the_line(raw, "en")
    assert "\u202e" not in with_the_line(raw, "en")


def test_a_value_of_a_megabyte_gives_a_short_message() -> None:
    for spoil in (
        ('id = "talks"', 'id = "{}"'),
        ('url = "https://talks.example/"', 'url = "{}"'),
        ("[site]", "{} = 1\n[site]"),
    ):
        text = SMALLEST.replace(spoil[0], spoil[1].format("x" * 1_000_000))
        for problem in problems_of(text):
            assert len(on_one_line(problem, "en")) < 1500
            assert len(with_the_line(problem, "en", width=100)) < 2000


def test_french_typography_is_not_taken_for_something_dangerous() -> None:
    problem = Problem("events.toml", 1, "x", "a {b}", "", {"b": "« non »\u202f!"})
    assert problem.what() == "a « non »\u202f!"


def test_colour_only_on_demand_and_the_question_is_not_repeated() -> None:
    question = Problem("events.toml", 3, "todo #1", "{question}", "", {"question": "Who?"}, Severity.TODO, 1, '"Who?"')
    assert with_the_line(question, "en") == "events.toml:3:1: to do: todo #1: Who?"
    assert on_one_line(question, "en") == "events.toml:3: todo #1: Who? [to do]"
    assert "\x1b[36m" in with_the_line(question, "en", colour=True)


def test_a_program_gets_the_same_facts() -> None:
    [problem] = problems_of(SMALLEST.replace("timezone =", "timezne ="))[-1:]
    assert as_json(problem) == {
        "file": "events.toml", "line": 5, "column": 1, "key": "series.timezne", "severity": "error",
        "message": "there is no key `timezne` here", "hint": "did you mean 'timezone'?",
    }  # fmt: skip


@pytest.mark.parametrize("line", ["[series]", "  [series]  # once more"])
def test_a_header_that_is_there_twice_is_marked_where_it_begins(line: str) -> None:
    [problem] = problems_of(f"{SMALLEST}\n{line}\n")
    assert problem.what() == "the table is written twice"
    assert problem.column == len(line) - len(line.lstrip()) + 1


def test_a_translation_beside_a_bare_text_is_told_how_both_are_written() -> None:
    text = SMALLEST.replace('default_language = "en"', 'default_language = "br"')
    [problem] = problems_of(f'{text}\n[[venue]]\nid = "x"\nname = "Ti"\nname.fr = "Maison"\n')
    assert (problem.what(), problem.column) == ("the key is written twice", 1)
    assert problem.remedy() == 'write the other one as name.br = "…", or delete one of the two'


def test_a_control_character_is_to_be_deleted_since_no_way_to_write_it_is_taken() -> None:
    [problem] = problems_of(SMALLEST.replace("Somebody", "Some\x07body"))
    assert (problem.line, problem.column, problem.remedy()) == (7, 18, "delete it")


def test_the_rest_of_an_event_whose_id_is_refused_is_judged_with_the_others() -> None:
    event = '[[event]]\n{}title = "B"\ndate = 2027-05-08\nweekday = "Monday"\ntba = ["time"]\nnumber = 1\n'
    reminder = '[[reminder]]\nid = "r"\nwhen = "when announced"\nevents = ["stand-in-2"]\n'
    text = SMALLEST + event.format('id = "../x"\n') + event.format("") + event.format('id = "b"\n') + reminder
    told = [(problem.key, problem.what()) for problem in problems_of(text)]
    assert [key for key, what in told if "is a Saturday" in what] == [
        'event "../x": weekday', "event #2: weekday", 'event "b": weekday',
    ]  # fmt: skip
    assert sum("used twice" in what for _, what in told) == 2
    assert sum("id" in key.rpartition(":")[2] for key, _ in told) == 2
    assert not any("stand-in" in problem.show() for problem in problems_of(text.partition("[[reminder]]")[0]))


@pytest.mark.parametrize("line", ['title.en = "B"\ntitle.de = "B"', 'title = { en = "B", de = "B" }'])
def test_a_language_that_is_none_of_the_series_is_marked_itself(line: str) -> None:
    text = f'{SMALLEST}[[event]]\nid = "b"\n{line}\ntba = ["date", "time"]\n'
    [problem] = problems_of(text)
    assert problem.key == 'event "b": title.de'
    assert text.splitlines()[problem.line - 1][problem.column - 1 :].startswith(("title.de", "de ="))


@pytest.mark.parametrize(
    ("line", "remedy"),
    [
        ('languages = ["en"]', "write it below a line [series]"),
        ('postal_code = "1"', "write it below a line [[venue]]"),
        ('name = "B"', "did you mean 'title'?"), ('nonsense = "B"', "the keys here are abstract, access, "),
    ],
)  # fmt: skip
def test_a_key_of_another_table_is_told_where_it_belongs(line: str, remedy: str) -> None:
    [problem] = problems_of(f'{SMALLEST}[[event]]\nid = "b"\n{line}\ntba = ["title", "date", "time"]\n')
    assert problem.remedy().startswith(remedy)
