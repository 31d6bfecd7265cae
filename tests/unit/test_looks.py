"""What a preview makes after a save: the file that is asked for, and of the others not even the list."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.actions.build import draft, files_of
from pipeline.actions.preview import Look, look
from pipeline.actions.project import Project, project_at
from pipeline.errors import TemplateError
from pipeline.outputs import Artifact

ROOT = Path(__file__).parents[2]
NOW = datetime(2022, 10, 1, 10, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name in ("events.toml", "ledger.jsonl"):
        shutil.copy(ROOT / name, tmp_path)
    return project_at(tmp_path / "events.toml")


def artifacts(made: list[str], *paths: str) -> Iterator[Artifact]:
    for path in paths:
        made.append(f"listed {path}")

        def make(path: str = path) -> bytes:
            made.append(f"made {path}")
            return path.encode()

        yield Artifact(path, "text/plain", make)


def test_only_what_is_asked_for_is_made_and_each_file_once(project: Project) -> None:
    made: list[str] = []
    shown = Look(draft(project, NOW), artifacts(made, "a", "b", "c"))
    assert made == []
    assert shown.body("b") == b"b"
    assert made == ["listed a", "listed b", "made b"]
    assert shown.body("b") == b"b"
    assert shown.body("nowhere") is None
    assert shown.paths() == ["a", "b", "c"]
    assert made == ["listed a", "listed b", "made b", "listed c"]


def test_the_site_is_shown_without_looking_for_calendars_and_feeds(project: Project) -> None:
    found = list(look(project, NOW).paths())
    assert {"index.html", "atom.xml", "calendar.ics"} <= set(found)
    drawn = draft(project, NOW)
    asked: list[str] = []

    def files() -> Iterator[Artifact]:
        for artifact in files_of(project, drawn.edition):
            asked.append(artifact.path)
            yield artifact

    shown = Look(drawn, files())
    assert shown.body("index.html")
    assert shown.body("assets/style.css")
    assert shown.body("events/non-take-up/index.html")
    assert all(path.endswith((".html", ".css", ".svg")) for path in asked)


def test_what_goes_wrong_in_finding_a_file_is_told_at_each_asking(project: Project) -> None:
    def files() -> Iterator[Artifact]:
        yield Artifact("first", "", lambda: b"whole")
        raise TemplateError("site/feed.html:1: wrong")

    shown = Look(draft(project, NOW), files())
    for _ in range(2):
        with pytest.raises(TemplateError, match=r"feed\.html:1"):
            shown.body("second")
        with pytest.raises(TemplateError, match=r"feed\.html:1"):
            shown.paths()
    assert shown.body("first") == b"whole"
