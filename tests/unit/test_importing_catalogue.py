"""`tocsin import` on a project: text is only added, twice is once, changes are told, what is taken out stays out."""

import json
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.actions.importing import Imported, Wishes, import_file
from pipeline.actions.project import project_at, read_catalogue
from pipeline.actions.publish import draft
from pipeline.catalogue.models import Catalogue
from pipeline.cli import main
from pipeline.errors import CatalogueError, unchanged
from pipeline.importing.merging import Verdict
from pipeline.outputs import calendar, program, schedule
from pipeline.rendering import Renderer

DATA = Path(__file__).parents[1] / "data" / "import"
SAMPLES = sorted(path.name for path in DATA.iterdir())

HEAD = """format = 1   # a remark
[series]
id = "talks"
title = "Causeries"
timezone = "Europe/Paris"
default_language = "fr"
languages = ["fr", "en"]
organiser = "La Société"
venue = "hall"
[site]
url = "https://talks.example/"
[[venue]]
id = "hall"
name = "Salle des fêtes"
"""


class Project:
    """A project in a folder, and imports into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "events.toml"
        self.project = project_at(self.file)

    def write(self, text: str) -> None:
        self.file.write_bytes(text.encode())

    @property
    def text(self) -> str:
        return self.file.read_bytes().decode()

    @property
    def catalogue(self) -> Catalogue:
        return read_catalogue(self.project).catalogue

    def bring(self, source: Path | str, *, update: bool = False, dry_run: bool = False, order: str = "") -> Imported:
        path = DATA / source if isinstance(source, str) else source
        wishes = Wishes({}, order, update, dry_run)
        return import_file(self.project, path, wishes, unchanged, lambda _language: unchanged)

    def export(self) -> None:
        """Writes what can come back into `out/`."""
        edition = draft(self.project, datetime(2022, 9, 1, 10, tzinfo=UTC)).edition
        for output in (calendar, program, schedule):
            for artifact in output.render(edition, Renderer()):
                path = self.folder / "out" / artifact.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(artifact.body)

    def calendar(self, *events: str, name: str = "x.ics") -> Path:
        path = self.folder / name
        rows = "\n".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events)
        path.write_text(f"BEGIN:VCALENDAR\n{rows}\nEND:VCALENDAR\n")
        return path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A series in French without events."""
    made = Project(tmp_path)
    made.write(HEAD)
    return made


def verdicts(result: Imported) -> list[Verdict]:
    return [outcome.verdict for outcome in result.outcomes]


@pytest.mark.parametrize("sample", SAMPLES)
def test_what_is_imported_passes_the_check_and_only_adds_text(project: Project, sample: str) -> None:
    result = project.bring(sample)
    assert set(verdicts(result)) == {Verdict.NEW}
    assert project.text.startswith(HEAD)
    assert [event.id for event in project.catalogue.events] == [outcome.event for outcome in result.outcomes]


@pytest.mark.parametrize("sample", SAMPLES)
def test_importing_twice_changes_nothing(project: Project, sample: str) -> None:
    project.bring(sample)
    before = {path.name: path.read_bytes() for path in project.folder.iterdir()}
    again = project.bring(sample, update=True)
    assert set(verdicts(again)) == {Verdict.SAME}
    assert again.venues == ()
    assert {path.name: path.read_bytes() for path in project.folder.iterdir()} == before


@pytest.mark.parametrize("sample", SAMPLES)
def test_without_the_memory_events_are_known_by_their_look(project: Project, sample: str) -> None:
    project.bring(sample)
    before = project.text
    (project.folder / "imported.jsonl").unlink()
    assert set(verdicts(project.bring(sample))) == {Verdict.LINKED}
    assert project.text == before


def test_a_dry_run_writes_nothing(project: Project) -> None:
    assert verdicts(project.bring("google.ics", dry_run=True)) == [Verdict.NEW] * 3
    assert [path.name for path in project.folder.iterdir()] == ["events.toml"]


@pytest.mark.parametrize(
    "shape",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.rstrip("\n"),
        lambda text: text + "# the last remark, without a line break",
        lambda text: text + "\n[mail]\nfrom = 'a@example.org'\n\n\n",
    ],
    ids=["crlf", "bom", "no line break", "remark", "another table"],
)
def test_what_was_there_stays_byte_for_byte(project: Project, shape: Callable[[str], str]) -> None:
    project.write(shape(HEAD))
    before = project.file.read_bytes()
    project.bring("google.ics")
    after = project.file.read_bytes()
    assert after.startswith(before)
    assert len(project.catalogue.events) == 3
    if b"\r\n" in before:
        assert after.count(b"\n") == after.count(b"\r\n")


def test_a_list_between_brackets_is_refused_with_what_to_type(project: Project) -> None:
    text = HEAD.replace("format = 1", 'event = [{id = "a", title = "A", tba = ["date", "time"]}]\nformat = 1')
    project.write(text)
    with pytest.raises(CatalogueError, match=r"write each one under \[\[event\]\]"):
        project.bring("google.ics")
    assert project.text == text


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


def test_what_is_not_known_is_to_be_announced_and_nothing_is_inherited(project: Project) -> None:
    project.write(HEAD.replace("[site]", '[defaults]\ntime = "20:00"\nduration = "2h"\nprice = "5 €"\n[site]'))
    project.bring(
        project.calendar(
            "UID:1\nSUMMARY:Day\nDTSTART;VALUE=DATE:20270304", "UID:2\nDTSTART:20270304T180000Z\nDTEND:20270304T183000Z"
        )
    )
    day, hour = project.catalogue.events
    assert (day.time, day.venue, day.duration, set(day.tba)) == (None, None, None, {"duration", "venue"})
    assert (hour.title, hour.tba) == (None, ("title", "venue"))
    assert hour.duration is not None
    assert hour.duration.total_seconds() == 1800


def test_ids_are_never_used_twice(project: Project) -> None:
    project.bring(
        project.calendar(
            *(f"UID:{n}\nSUMMARY:Bees\nDTSTART:2027030{n}T180000Z" for n in (1, 2)),
            "UID:9\nSUMMARY:Bees\nDTSTART:20270302T200000Z",
        )
    )
    assert [event.id for event in project.catalogue.events] == ["bees", "bees-2027-03-02", "bees-2027-03-02-2"]


def test_a_known_place_is_used_and_what_it_says_otherwise_is_named(project: Project) -> None:
    result = project.bring(
        project.calendar(
            "UID:1\nSUMMARY:A\nLOCATION:salle des fêtes\\, 1 rue Haute",
            "UID:2\nSUMMARY:B\nLOCATION:Salle des fêtes\nGEO:48;2",
            "UID:3\nSUMMARY:C\nLOCATION:Salle bleue",
            "UID:4\nSUMMARY:D\nLOCATION:Salle bleue",
        )
    )
    assert [event.venue for event in project.catalogue.events] == ["hall", "hall", "salle-bleue", "salle-bleue"]
    assert result.venues == ("salle-bleue",)
    assert any("venue.geo is not carried over: 48" in str(problem) for problem in result.lost)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("DTSTART;TZID=Europe/Paris:20270328T023000", "does not exist"),
        ("DTSTART;VALUE=DATE:25000101", "the year 2500"),
        ("SUMMARY:x\nURL:ftp://x.example/", "is not a web address"),
        ("SUMMARY:bell \x07 and \u202e turn", "U+0007, U+202E"),
        ("SUMMARY:x\nLOCATION:Hall\nGEO:200;500", "geo is not carried over: 500"),
        ("SUMMARY:x\nCATEGORIES:日本", "no letter from a to z"),
    ],
)  # fmt: skip
def test_what_the_catalogue_would_refuse_is_left_out_and_named(project: Project, lines: str, said: str) -> None:
    result = project.bring(project.calendar(f"UID:1\n{lines}"))
    assert any(said in str(problem) for problem in result.lost), list(map(str, result.lost))
    assert len(project.catalogue.events) == 1


def test_a_broken_memory_or_catalogue_stops_everything(project: Project) -> None:
    (project.folder / "imported.jsonl").write_text('{"uid": 1\n')
    with pytest.raises(CatalogueError, match=r"imported\.jsonl:1"):
        project.bring("google.ics")
    (project.folder / "imported.jsonl").unlink()
    project.write(HEAD.replace("Europe/Paris", "Europe/Pari"))
    with pytest.raises(CatalogueError, match="time zone"):
        project.bring("google.ics")


# --------------------------------------------------------------------------------------------- our own exports


@pytest.fixture
def seed(tmp_path: Path, seed_text: str) -> Project:
    """The real series, with what it publishes in `out/`."""
    made = Project(tmp_path)
    made.write(seed_text)
    made.export()
    return made


@pytest.mark.parametrize("name", ["calendar.ics", "fr/calendar.ics", "events.json", "fr/events.json", "schedule.xml"])
def test_our_own_exports_change_nothing_where_they_come_from(seed: Project, name: str) -> None:
    before = seed.text
    result = seed.bring(seed.folder / "out" / name, update=name != "calendar.ics")
    assert set(verdicts(result)) <= {Verdict.LINKED, Verdict.UPDATED}
    assert tomllib.loads(seed.text)["event"] == tomllib.loads(before)["event"]


def without_events(text: str) -> str:
    return text[
        : text.index(
            "# ----------------------------------------------------------------------------------------------- events"
        )
    ]


def test_events_json_comes_back_without_loss(seed: Project) -> None:
    before = seed.catalogue
    seed.write(without_events(seed.text))
    for name in ("events.json", "fr/events.json"):
        result = seed.bring(seed.folder / "out" / name, update=True)
        assert [str(problem) for problem in result.lost] == []
    private = {"todo": (), "weekday": None}
    assert seed.catalogue.events == tuple(event.model_copy(update=private) for event in before.events)
    assert seed.catalogue.venues == before.venues


BEES = """
[[event]]
id = "bees"
title.fr = "Abeilles"
title.en = "Bees"
date = 2027-03-04
time = "19:00"
duration = "1h30"
repeats = "FREQ=WEEKLY;COUNT=3"
except = [2027-03-11]
moved = [{from = 2027-03-18, date = 2027-03-19, time = "20:00"}]
speakers = [{name = "Ada", role.fr = "reine", role.en = "queen"}]
venue = "hall"
abstract.en = "Buzz."
"""


def test_each_language_adds_its_texts(project: Project) -> None:
    project.write(HEAD + BEES)
    before = project.catalogue.events
    project.export()
    project.write(HEAD)
    project.bring(project.folder / "out" / "events.json")
    project.bring(project.folder / "out" / "en" / "events.json", update=True)
    assert project.catalogue.events == before


# --------------------------------------------------------------------------------------------- the command


def test_the_command_tells_each_event_and_ends_well(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--catalogue", str(project.file), "import", str(DATA / "google.ics")]
    assert main(arguments) == 0
    said = capsys.readouterr()
    assert "atelier-d-ecriture: added, Atelier d'écriture" in said.out
    assert "google.ics:48" in said.err
    assert main([*arguments, "--json"]) == 0
    assert [row["outcome"] for row in json.loads(capsys.readouterr().out)["events"]] == ["same"] * 3


@pytest.mark.parametrize("file", ["absent.ics", "."])
def test_a_file_that_cannot_be_read_is_named(project: Project, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--catalogue", str(project.file), "import", str(project.folder / file)]) == 1
    assert "nothing was changed" in capsys.readouterr().err


def test_a_wrong_mapping_is_a_wrong_call(project: Project) -> None:
    assert main(["--catalogue", str(project.file), "import", str(DATA / "programme.csv"), "--map", "Titre"]) == 2
