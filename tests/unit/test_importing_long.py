"""Imports of what is long: prose that waits on disk, and what is longer than a catalogue may be."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.actions.importing import MOST_AT_ONCE
from pipeline.catalogue.crowds import LONGEST_TABLE, MOST_TABLES
from pipeline.errors import CatalogueError
from pipeline.importing.found import LARGEST
from pipeline.importing.merging import Verdict
from pipeline.importing.writing import inline, venue_text
from tests.importing_project import HEAD, Project, verdicts

LONG = "L’été — 🎉 '''three''' words " * 300


def described(folder: Path, *texts: str) -> Path:
    file = folder / "programme.json"
    events = [
        {
            "@type": "Event",
            "@id": f"{number}",
            "name": f"Event {number}",
            "startDate": "2027-05-04",
            "description": text,
        }
        for number, text in enumerate(texts)
    ]
    file.write_text(json.dumps(events, indent=1), encoding="utf-8")
    return file


def test_long_prose_arrives_as_it_stands(project: Project) -> None:
    texts = [LONG.strip(), "Short.", LONG[10:].strip()]
    result = project.bring(described(project.folder, *texts))
    abstracts = [event.abstract for event in project.catalogue.events]
    assert [abstract and " ".join(abstract.said_in("fr").text.split()) for abstract in abstracts] == texts
    assert [outcome.event for outcome in result.outcomes] == [event.id for event in project.catalogue.events]
    assert not project.bring(described(project.folder, *texts)).lost


def test_changed_prose_is_taken_over_beside_new_prose(project: Project) -> None:
    project.bring(described(project.folder, "Before.", LONG))
    project.bring(described(project.folder, "After.", LONG, f"New. {LONG}"), update=True)
    first, _, last = (event.abstract.said_in("fr").text for event in project.catalogue.events if event.abstract)
    assert first == "After."
    assert last.startswith("New.")
    assert len(last) > len(LONG)


def test_prose_with_line_breaks_backslashes_and_quotes_is_taken_over_however_long_it_is(project: Project) -> None:
    paragraph = 'A `back\\\\slash`, a \ttab and """ quotes" ' * 2_000
    project.bring(described(project.folder, "Before.\n\nAnd after."))
    typed = project.text.replace("[[event]]", "# a remark\n[[event]]  # another")
    project.write(typed)
    project.bring(described(project.folder, f"{paragraph}\n\n{paragraph}"), update=True)
    (event,) = tomllib.loads(project.text)["event"]
    assert event["abstract"].split("\n\n") == [paragraph.strip()] * 2
    assert project.text.startswith(typed.partition("abstract")[0])
    assert not project.bring(described(project.folder, f"{paragraph}\n\n{paragraph}"), update=True).outcomes[0].changes


def test_text_that_was_typed_as_the_source_says_it_now_stays_as_it_was_typed(project: Project) -> None:
    project.bring(described(project.folder, LONG))
    typed = f'abstract = """New. \\\n   {LONG.strip()}"""'
    written = re.sub(r"(?s)abstract = .*\"\"\"", lambda _: typed, project.text)
    project.write(written)
    assert typed in written
    source = described(project.folder, f"New. {LONG.strip()}")
    assert verdicts(project.bring(source, update=True)) == [Verdict.UPDATED]
    assert project.text == written


def test_an_event_that_becomes_longer_than_a_catalogue_may_hold_stays_as_it_is(project: Project) -> None:
    project.bring(described(project.folder, "Short."))
    before = project.text
    with pytest.raises(CatalogueError) as refused:
        project.bring(described(project.folder, "words " * (LONGEST_TABLE // 6 + 1)), update=True)
    [problem] = refused.value.problems
    assert (problem.file, problem.line) == ("events.toml", before[: before.index("[[event]]")].count("\n") + 1)
    assert problem.what() == f"the table is longer than {LONGEST_TABLE} characters"
    assert project.text == before


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_event_longer_than_a_catalogue_may_hold_is_named_in_its_own_file(project: Project, dry_run: bool) -> None:
    source = described(project.folder, "Short.", "words " * (LONGEST_TABLE // 6 + 1))
    assert source.stat().st_size < LARGEST
    with pytest.raises(CatalogueError) as refused:
        project.bring(source, dry_run=dry_run)
    [problem] = refused.value.problems
    assert problem.file == "programme.json"
    assert "Event 1" in problem.key
    assert problem.what() == f"the table is longer than {LONGEST_TABLE} characters"
    assert project.text == HEAD
    assert not (project.folder / "imported.jsonl").exists()


def test_more_events_than_a_catalogue_may_hold_are_refused(project: Project) -> None:
    source = project.folder / "many.csv"
    source.write_text("title,date\n" + "x,2027-05-04\n" * (MOST_TABLES + 10))
    with pytest.raises(CatalogueError) as refused:
        project.bring(source)
    [problem] = refused.value.problems
    assert (problem.file, problem.line) == ("many.csv", MOST_TABLES + 2)
    assert problem.what() == f"there are more than {MOST_TABLES} events in the file"
    assert project.text == HEAD


def test_more_new_events_than_there_is_memory_for_are_refused(project: Project) -> None:
    source = project.folder / "many.csv"
    source.write_text("title,date\n" + "".join(f"Talk {n},2027-05-04\n" for n in range(MOST_AT_ONCE + 1)))
    with pytest.raises(CatalogueError) as refused:
        project.bring(source)
    [problem] = refused.value.problems
    assert problem.what() == f"there are more than {MOST_AT_ONCE} new events in the file"
    assert project.text == HEAD


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(lambda text: text.replace("\r", "")))
def test_any_text_is_written_as_toml_reads_it(text: str) -> None:
    assert tomllib.loads(f"key = {inline(text)}")["key"] == text


@pytest.mark.parametrize("text", ["It says '''so''' \\ \"here\"\nand 'there'", "''' end'" * 100_000])
def test_prose_with_any_quotes_is_written_however_long_it_is(text: str) -> None:
    table = venue_text({"id": "hall", "name": "Hall", "directions": text})
    assert tomllib.loads(table)["venue"][0]["directions"] == text + "\n"
