"""A group's file with a mistake, seen from the terminal: the others go on, and what is said of it is true."""

from pathlib import Path

import pytest
from importing_project import HEAD, Project

from pipeline.cli import main

GROUP = """[group]
id = "harbour"
name = "The harbour"
[[event]]
id = "harbour-walk"
title = "A walk"
date = 2027-01-10
all_day = true
"""
ICS = "SUMMARY:New\nDTSTART;VALUE=DATE:20270304\nUID:new"


@pytest.fixture
def federation(tmp_path: Path) -> Project:
    """A published series with one group."""
    made = Project(tmp_path)
    made.write('include = ["groups/*.toml"]\n' + HEAD)
    (tmp_path / "groups").mkdir()
    (tmp_path / "groups" / "harbour.toml").write_text(GROUP)
    assert tocsin(made, "publish") == 0
    return made


def tocsin(project: Project, command: str, *arguments: str) -> int:
    return main(
        [command, *arguments, "--catalogue", str(project.file), "--lang", "en", "--now", "2026-09-01T10:00:00Z"]
    )


def spoil(project: Project, before: str, after: str) -> None:
    file = project.folder / "groups" / "harbour.toml"
    file.write_text(file.read_text().replace(before, after))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("harbour", 'group "harbour" keeps its last published edition'),
        ("harbor", 'nothing has been published yet of a group "harbor": did you mean "harbour"?'),
        ("zzz", 'nothing has been published yet of a group "zzz"; all else goes on'),
    ],
)
def test_a_refused_group_is_named_with_the_one_that_may_be_meant(
    federation: Project, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    spoil(federation, 'id = "harbour"\n', f'id = "{name}"\n')
    spoil(federation, "all_day = true", "all_day = maybe")
    assert tocsin(federation, "build") == 1
    assert said in capsys.readouterr().err


def test_a_second_file_of_a_group_is_refused_and_the_first_said_to_go_on(
    federation: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    second = federation.folder / "groups" / "quay.toml"
    second.write_text((federation.folder / "groups" / "harbour.toml").read_text().replace("harbour-walk", "quay-walk"))
    assert tocsin(federation, "build") == 1
    said = capsys.readouterr().err
    assert 'groups/quay.toml was refused: group "harbour" is that of another file, which goes on' in said
    assert (federation.folder / "out" / "events" / "harbour-walk.ics").exists()
    assert not (federation.folder / "out" / "events" / "quay-walk.ics").exists()


def test_an_import_goes_on_beside_a_broken_group(federation: Project, capsys: pytest.CaptureFixture[str]) -> None:
    spoil(federation, "all_day = true", "all_day = maybe")
    assert tocsin(federation, "import", str(federation.calendar(ICS))) == 0
    assert 'id = "new"' in federation.text
    said = capsys.readouterr()
    assert "groups/harbour.toml was refused" in said.err
    assert "1 event added" in said.out


def test_an_imported_event_never_takes_an_id_of_a_group(federation: Project) -> None:
    before = federation.text
    spoil(federation, 'id = "harbour-walk"', 'id = "new"')
    federation.calendar(ICS)
    assert tocsin(federation, "import", str(federation.folder / "x.ics")) == 0
    assert 'id = "new-2027-03-04"' in federation.text.removeprefix(before)


def test_a_broken_main_file_still_stops_an_import(federation: Project) -> None:
    federation.write(federation.text.replace('timezone = "Europe/Paris"', 'timezone = "Europe/Pari"'))
    before = federation.text
    assert tocsin(federation, "import", str(federation.calendar(ICS))) == 1
    assert federation.text == before
