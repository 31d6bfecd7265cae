"""Importing again: changes at the source are told, taken over on demand, and never undo what was done here."""

import json
from typing import Any

import pytest
from importing_project import HEAD, Project, verdicts

from pipeline.cli import main
from pipeline.importing.merging import Verdict


def test_a_change_at_the_source_is_told_and_not_taken_over(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z"))
    before = project.text
    moved = project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270311T180000Z")
    for _ in range(2):
        (outcome,) = project.bring(moved).outcomes
        assert outcome.verdict is Verdict.CHANGED
        assert [(c.key, c.before, c.after) for c in outcome.changes] == [("date", "2027-03-04", "2027-03-11")]
    assert project.text == before


def test_an_update_changes_that_key_alone(project: Project) -> None:
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z\nLOCATION:Hall"))
    typed = project.text.replace('title = "Bees"', 'title = "Bees & co"  # mine').replace(
        "[[event]]", "[[event]] # one"
    )
    project.write(typed)
    project.bring(project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270311T180000Z\nLOCATION:Hall"), update=True)
    assert project.text == typed.replace("2027-03-04", "2027-03-11")


def test_an_update_can_cancel_fill_in_move_and_take_out(project: Project) -> None:
    project.bring(
        project.calendar("UID:1\nSUMMARY:Bees\nDTSTART;VALUE=DATE:20270304\nCATEGORIES:a,b\nDESCRIPTION:One\\nTwo")
    )
    project.write(project.text + "\n# the end\n")
    changed = project.calendar(
        "UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z\nDTEND:20270304T190000Z\nSTATUS:CANCELLED\nLOCATION:Elsewhere\nDESCRIPTION:Three\\n\\nFour"
    )
    project.bring(changed, update=True)
    (event,) = project.catalogue.events
    assert (str(event.time), str(event.end_time), event.all_day) == ("19:00:00", "20:00:00", False)
    assert (event.status.value, event.tags, event.venue) == ("cancelled", (), "elsewhere")
    assert event.notice is not None
    assert event.abstract is not None
    assert event.abstract.root == {"fr": "Three\n\nFour"}
    assert "# the end" in project.text
    assert verdicts(project.bring(changed)) == [Verdict.SAME]


def test_a_change_to_an_event_of_an_included_file_is_left_to_people(project: Project) -> None:
    (project.folder / "group.toml").write_text(
        '[[event]]\nid = "bees"\ntitle = "Bees"\ndate = 2027-03-04\ntime = "19:00"\n'
    )
    project.write(HEAD.replace("format = 1", 'include = ["group.toml"]\nformat = 1'))
    before = project.text
    source = project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z")
    assert verdicts(project.bring(source)) == [Verdict.LINKED]
    source = project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T190000Z")
    for _ in range(2):
        result = project.bring(source, update=True)
        assert (verdicts(result), result.by_hand) == ([Verdict.UPDATED], frozenset({"bees"}))
    assert project.text == before


def test_an_event_that_was_taken_out_here_stays_out(project: Project) -> None:
    source = project.calendar("UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z")
    project.bring(source)
    project.write(HEAD)
    assert verdicts(project.bring(source)) == [Verdict.TAKEN_OUT]
    assert project.text == HEAD


def test_a_row_whose_day_changed_is_the_same_event(project: Project) -> None:
    source = project.folder / "x.csv"
    source.write_text("title,date\nBees,2027-03-04\nWasps,2027-03-05\n")
    project.bring(source)
    source.write_text("title,date\nBees,2027-03-11\nWasps,2027-03-05\n")
    assert verdicts(project.bring(source)) == [Verdict.CHANGED, Verdict.SAME]
    assert verdicts(project.bring(source, update=True)) == [Verdict.UPDATED, Verdict.SAME]
    assert verdicts(project.bring(source)) == [Verdict.SAME, Verdict.SAME]
    assert str(project.catalogue.event_by_id["bees"].date) == "2027-03-11"


def test_changes_to_several_events_leave_all_between_them_as_it_is(project: Project) -> None:
    first = "UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z", "UID:2\nSUMMARY:Wasps\nDTSTART:20270311T180000Z"
    project.bring(project.calendar(*first))
    typed = project.text.replace("[[event]]", "# a remark, with [[event]] in it\n[[event]]") + (
        '\n[[event]] # by hand\nid = "ants"\ntitle = "Ants"\ndate = 2027-05-06\ntime = "19:00"\n'
        'notice.fr = """\n[[event]]\nid = "bees"\n"""\n'
    )
    project.write(typed)
    later = [one.replace("T18", "T19") for one in first]
    project.bring(project.calendar(*later), update=True)
    assert project.text == typed.replace('"19:00"', '"20:00"', 2)


ELSEWHERE = """
[[event]]
id = "bees"
title = "Bees"
date = 2027-05-10
time = "20:00"
end_time = "21:00"
timezone = "America/Toronto"
"""


def test_an_event_that_the_organisers_tell_in_another_zone_is_moved_in_that_zone(project: Project) -> None:
    project.write(HEAD + ELSEWHERE)
    line = "UID:1\nSUMMARY:Bees\nDTSTART;TZID=Europe/Paris:{start}\nDTEND;TZID=Europe/Paris:{end}"
    source = project.calendar(line.format(start="20270511T020000", end="20270511T030000"))
    (outcome,) = project.bring(source).outcomes
    assert (outcome.verdict, outcome.changes) == (Verdict.LINKED, ())
    moved = project.calendar(line.format(start="20270511T070000", end="20270511T083000"))
    (outcome,) = project.bring(moved, update=True).outcomes
    assert outcome.verdict is Verdict.UPDATED
    (event,) = project.catalogue.events
    assert (str(event.date), str(event.time), str(event.end_time), event.end_date, event.timezone) == (
        "2027-05-11", "01:00:00", "02:30:00", None, "America/Toronto",
    )  # fmt: skip
    assert verdicts(project.bring(moved)) == [Verdict.SAME]


@pytest.mark.parametrize(
    ("there", "typed", "other"),
    [
        ('title = "Bees"', 'title = "Bees & co"', ("Bees", "Wasps")),
        ("2027-03-04", "2027-03-05", ("20270304", "20270306")),
        ('time = "19:00"', 'time = "18:30"', ("T18", "T19")),
    ],
)
def test_what_both_sides_have_changed_is_left_to_people(
    project: Project, there: str, typed: str, other: tuple[str, str]
) -> None:
    line = "UID:1\nSUMMARY:Bees\nDTSTART:20270304T180000Z\nLOCATION:Hall"
    project.bring(project.calendar(line))
    mine = project.text.replace(there, typed)
    project.write(mine)
    changed = project.calendar(line.replace(*other).replace("Hall", "Barn"))
    for _ in range(2):
        result = project.bring(changed, update=True)
        assert (verdicts(result), result.by_hand) == ([Verdict.UPDATED], frozenset({"bees"}))
        assert project.text == mine
    # Once it was done by hand, there is nothing more to say.
    project.write(mine.replace(typed, there).replace(*{
        "Bees": ('"Bees"', '"Wasps"'), "20270304": ("2027-03-04", "2027-03-06"), "T18": ("19:00", "20:00"),
    }[other[0]]))  # fmt: skip
    assert not project.bring(changed, update=True).by_hand
    assert verdicts(project.bring(changed)) == [Verdict.SAME]


def test_a_program_is_told_what_changed_as_one_object(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*events: str) -> Any:
        source = project.calendar(*events)
        assert main(["import", str(source), "--json", "--dry-run", "--catalogue", str(project.file)]) == 0
        text = capsys.readouterr().out
        value = json.loads(text)
        assert text == json.dumps(value, ensure_ascii=False, indent=2) + "\n"
        return value

    first, second = "UID:1\nSUMMARY:Abeilles\nDESCRIPTION:Été", "UID:2\nSUMMARY:Wasps\nX-FOOD:Honey"
    project.bring(project.calendar(first, second))
    [food] = told(first, second, "UID:3\nSUMMARY:Ants\nX-FOOD:Leaves")["not_carried_over"]
    assert "Leaves" in food["message"]
    assert told(first.replace("Été", "Hiver"), second) == {
        "events": [
            {
                "event": "abeilles",
                "outcome": "changed",
                "by_hand": False,
                "changes": [{"key": "abstract", "before": {"fr": "Été"}, "after": {"fr": "Hiver"}}],
            },
            {"event": "wasps", "outcome": "same", "by_hand": False, "changes": []},
        ],
        "venues": [],
        "not_carried_over": [],
        "dry_run": True,
    }
    assert told() == {"events": [], "venues": [], "not_carried_over": [], "dry_run": True}
