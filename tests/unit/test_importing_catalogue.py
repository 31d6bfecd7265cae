"""`tocsin import` on a project: text is only added, twice is once, what the catalogue refuses is named."""

import json
from collections.abc import Callable

import pytest
from importing_project import DATA, HEAD, Project, verdicts

from pipeline.cli import main
from pipeline.errors import CatalogueError
from pipeline.importing.merging import Verdict

SAMPLES = sorted(path.name for path in DATA.iterdir())


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


@pytest.mark.parametrize(
    ("sample", "event", "when", "place"),
    [
        ("google-series.ics", "lecture-a-voix-haute", "2027-01-07 19:30–21:00", "bibliotheque-marguerite-duras"),
        ("google-series.ics", "nuit-de-la-chouette", "2027-03-28 01:30–04:00", False),
        ("google-series.ics", "visioconference-avec-montreal", "2027-05-10 12:00–13:30 America/Toronto", None),
        ("google-series.ics", "journee-portes-ouvertes", "2027-02-01", None),
        ("outlook-desktop.ics", "journee-d-etude", "2027-05-04", None),
        ("outlook-desktop.ics", "atelier", "2027-06-10 18:00–19:30", "salle-3"),
        ("apple-old-rules.ics", "repetition-publique", "2027-03-18 19:00–20:30", "eglise-saint-merri"),
        ("apple-old-rules.ics", "week-end-de-chant", "2027-06-19–2027-06-20", "48-6-2-3"),
        ("nextcloud-sabredav.ics", "plenum", "2027-05-12 19:00–21:00 Europe/Berlin", False),
        ("indico-html.ics", "seminaire", "2027-03-10 14:00–15:00", None),
        ("gancio-html.ics", "cineforum-all-aperto", "2027-06-04 21:30–2027-06-05 00:00",
         "giardino-via-roma-1-torino"),
        ("mobilizon-address.ics", "lecture-publique", "2027-06-05 20:00–22:00",
         "maison-des-associations-28-rue-denfert-rochereau-lyon-auvergne-r"),
        ("mobilizon.jsonld", "concert", "2027-06-01 18:00–20:00", "salle"),
        ("meetup-markdown.ics", "soiree-asyncio-l-ete-en-parallele", "2027-05-20 19:00–21:30",
         "la-cantine-numerique-11-impasse-juton-nantes-france"),
        ("pretalx-talks.ics", "what-bees-know-ada-roux-paul-le-goff", "2027-05-20 10:00–10:45 Europe/Berlin",
         "main-hall"),
        ("schedule-frab.xml", "bk27-9002-nacht", "2027-05-15 00:30–02:00 Europe/Berlin", "saal-1"),
        ("page-wordpress.html", "cafe-d-ete", "2027-05-20 18:30–20:00", "le-cafe"),
        ("programme-cp1252.csv", "debat-l-eau", "2027-02-17 18:30", None),
        ("programme-utf16.csv", "nuit-blanche", "2027-03-05 22:00–2027-03-06 06:00", "mediatheque"),
        ("programme-outlook.csv", "open-day", "2027-03-20–2027-03-21", None),
        ("programme-google.csv", "final-exam", "2027-05-30 10:00–13:00", "columbia-schermerhorn-614"),
        ("programme-sep.csv", "late-show", "2027-05-07 21:30–23:00", "town-hall-1-high-street"),
    ],
)  # fmt: skip
def test_each_program_is_understood(project: Project, sample: str, event: str, when: str, place: object) -> None:
    project.bring(sample)
    found = project.catalogue.event_by_id[event]
    start = " ".join(str(part)[:10] for part in (found.date, found.time and f"{found.time:%H:%M}") if part)
    end = " ".join(str(part)[:10] for part in (found.end_date, found.end_time and f"{found.end_time:%H:%M}") if part)
    zone = "" if found.timezone == "Europe/Paris" else f" {found.timezone}"
    assert ((f"{start}–{end}" if end else start) + zone, found.venue) == (when, place)
