"""A project in a folder into which tests import."""

from datetime import UTC, datetime
from pathlib import Path

from pipeline.actions.importing import Imported, ImportOptions, import_file
from pipeline.actions.project import project_at, read_catalogue
from pipeline.actions.publish import draft
from pipeline.catalogue.models import Catalogue
from pipeline.errors import unchanged
from pipeline.importing.merging import Verdict
from pipeline.outputs import calendar, each, program, schedule
from pipeline.rendering import Renderer

DATA = Path(__file__).parent / "data" / "import"

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
        wishes = ImportOptions({}, order, update, dry_run)
        return import_file(self.project, path, wishes, unchanged, lambda _language: unchanged)

    def export(self) -> None:
        """Writes what can come back into `out/`."""
        edition = draft(self.project, datetime(2022, 9, 1, 10, tzinfo=UTC)).edition
        for output in (calendar, program, schedule):
            for artifact in each(output.render(edition, Renderer())):
                path = self.folder / "out" / artifact.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(artifact.body)

    def calendar(self, *events: str, name: str = "x.ics") -> Path:
        path = self.folder / name
        rows = "\n".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in events)
        path.write_text(f"BEGIN:VCALENDAR\n{rows}\nEND:VCALENDAR\n")
        return path


def verdicts(result: Imported) -> list[Verdict]:
    return [outcome.verdict for outcome in result.outcomes]
