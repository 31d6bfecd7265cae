"""One edited event: its own files are made again, those around it, and those that list it; nothing else is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partialmethod
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import twelve_talks
from checkout import ROOT
from holding import is_held
from twelve_talks import HEAD, LATER, NOW, talk

from pipeline.actions import build as building
from pipeline.actions import verdict_memory
from pipeline.actions.project import project_at
from pipeline.actions.publish import publish
from pipeline.actions.remembered import Remembered
from pipeline.cli import main
from pipeline.clock import SystemClock
from pipeline.commands import building as build_command
from pipeline.files import MANIFEST
from pipeline.outputs import entries
from pipeline.rendering import Renderer
from pipeline.store.database import open_database
from pipeline.store.editions import published_edition


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A published series of twelve talks."""
    monkeypatch.chdir(tmp_path)
    twelve_talks.publish(tmp_path)
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that are rendered from now on."""
    found = list[str]()
    for name in ("render", "render_encoded", "render_in_parts"):

        def noted(self: Renderer, template: str, *others: object, render: Callable[..., object]) -> object:
            found.append(template)
            return render(self, template, *others)

        monkeypatch.setattr(Renderer, name, partialmethod(noted, render=getattr(Renderer, name)))
    return found


def edit(folder: Path, before: str, after: str) -> None:
    file = folder / "events.toml"
    assert file.read_text().count(before) == 1
    file.write_text(file.read_text().replace(before, after))


def stamps(folder: Path) -> dict[str, tuple[int, int]]:
    """What tells that a file was written: which one it is, and when it was. Without the list of all names."""
    found = {path: path.stat() for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST}
    return {path.relative_to(folder).as_posix(): (stat.st_ino, stat.st_mtime_ns) for path, stat in found.items()}


@pytest.mark.parametrize("command", ["build", "publish"])
def test_only_what_tells_of_an_edited_event_is_made_again(built: Path, rendered: list[str], command: str) -> None:
    before = stamps(built / "out")
    edit(built, 'title = "Talk 5"', 'title = "Another talk"')
    assert main([command, *LATER]) == 0
    assert rendered.count("site/event.html") == 3
    after = stamps(built / "out")
    changed = {path for path in after if after[path] != before.get(path)}
    own = {"events/talk-5.ics", "events/talk-5/index.html", "events/talk-5/share.txt"}
    around = {"events/talk-4/index.html", "events/talk-6/index.html"}
    lists = {
        "calendar.ics", "alarms/calendar.ics", "venues/hall.ics", "tags/tea.ics", "events.json", "schedule.xml",
        "index.html", "embed/index.html", "poster/index.html", "sitemap.xml",
    }  # fmt: skip
    [card] = {path for path in changed if path.startswith("assets/cards/")}
    assert changed == {*own, *around, *lists, card}


def test_for_an_edit_that_is_no_news_no_feed_is_put_together(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["build", *LATER]) == 0
    edit(built, 'title = "Talk 5"', 'title = "Another talk"')

    def fails(_self: object) -> None:
        raise AssertionError

    with monkeypatch.context() as patched:
        patched.setattr(entries.Desk, "feeds", property(fails))
        assert main(["build", *LATER]) == 0
    edit(built, '2027-03-06\ntime = "19:00"', '2027-03-06\ntime = "20:30"')
    assert main(["build", *LATER]) == 0
    assert "20:30" in (built / "out" / "atom.xml").read_text()


def test_another_hour_changes_no_page_of_another_event(built: Path) -> None:
    before = stamps(built / "out")
    edit(built, '2027-03-06\ntime = "19:00"', '2027-03-06\ntime = "20:30"')
    assert main(["publish", *LATER]) == 0
    after = stamps(built / "out")
    changed = {path for path in after if after[path] != before.get(path)}
    assert {path for path in changed if path.startswith("events/")} == {
        "events/talk-5.ics", "events/talk-5/index.html", "events/talk-5/share.txt",
    }  # fmt: skip
    # Two of them for its tag: the calendar and the feed.
    assert len(changed) <= 16 + 2


def test_another_day_makes_only_what_depends_on_the_day(built: Path, rendered: list[str]) -> None:
    before = stamps(built / "out")
    assert main(["build", "--now", "2027-03-04T10:00:00Z"]) == 0
    after = stamps(built / "out")
    assert "site/event.html" not in rendered
    assert {path for path in after if after[path] != before.get(path)} <= {
        "index.html", "embed/index.html", "poster/index.html", "next/index.html", "soon.atom.xml",
    }  # fmt: skip


def test_a_venue_that_is_called_otherwise_is_so_everywhere(built: Path) -> None:
    edit(built, 'name = "The hall"', 'name = "The great hall"')
    assert main(["build", *LATER]) == 0
    for number in range(12):
        assert "The great hall" in (built / "out" / "events" / f"talk-{number}" / "index.html").read_text()


def test_names_that_are_not_utf_8_are_published_and_remembered_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rendered: list[str]
) -> None:
    folder = tmp_path / os.fsdecode(b"d\xe9p")
    (folder / "templates").mkdir(parents=True)
    (folder / "templates" / os.fsdecode(b"\xe9.txt")).write_text("")
    (folder / "events.toml").write_text(HEAD + talk(1))
    monkeypatch.chdir(folder)
    out = ("--out", os.fsdecode(b"o\xe9"))
    assert main(["publish", *out, *NOW]) == 0
    with open_database(f"sqlite:///{folder}/var/tocsin.db", SystemClock()) as database, database.look() as connection:
        assert published_edition(connection, "talks") is not None
    rendered.clear()
    assert main(["build", *out, *LATER]) == 0
    assert "site/event.html" not in rendered


def test_mail_goes_by_what_is_published_even_where_its_files_can_not_be_remembered(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_self: Remembered) -> None:
        raise MemoryError

    monkeypatch.setattr(Remembered, "keep", fails)
    edit(built, 'title = "Talk 5"', 'title = "Another talk"')
    now = datetime(2027, 1, 10, 11, tzinfo=UTC)
    with open_database(f"sqlite:///{built}/var/tocsin.db", SystemClock(now)) as database:
        with pytest.raises(MemoryError):
            publish(project_at(built / "events.toml"), database, now)
        with database.look() as connection:
            stored = published_edition(connection, "talks")
    assert stored is not None
    assert "Another talk" in b"".join(stored.catalogue).decode()


def test_nobody_publishes_between_the_reading_of_a_build_and_its_note(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = list[str]()

    def watched(module: Any, name: str) -> None:
        does: Callable[..., object] = getattr(module, name)

        def step(*arguments: object, **named: object) -> object:
            assert is_held(built), name
            steps.append(name)
            return does(*arguments, **named)

        monkeypatch.setattr(module, name, step)

    for module, name in ((building, "draft"), (building, "write_out"), (build_command, "_memory")):
        watched(module, name)
    assert main(["build", *LATER]) == 0
    assert steps == ["draft", "write_out", "_memory"]
    assert not is_held(built)
    building.build(project_at(built / "events.toml"), datetime(2027, 1, 10, 12, tzinfo=UTC))
    assert steps[3:] == ["draft", "write_out"]


def test_what_is_published_into_the_folder_of_the_catalogue_waits_for_nobody(built: Path) -> None:
    command = [sys.executable, "-m", "pipeline", "publish", "--out", ".", *LATER]
    subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True, capture_output=True, timeout=120)
    assert (built / "calendar.ics").read_bytes() == (built / "out" / "calendar.ics").read_bytes()


def test_a_build_of_nothing_makes_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--catalogue", "nowhere/events.toml"]) == 1
    assert "there is no such file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_library_with_which_files_were_made_is_noted_by_an_edit_that_does_without(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, note = ModuleType("library_of_a_test"), built / verdict_memory.KEPT_OF_BUILD
    library.__file__ = str(built / "library.py")
    with monkeypatch.context() as loaded:
        loaded.setitem(sys.modules, library.__name__, library)
        assert main(["build", *LATER]) == 0
    edit(built, 'title = "Talk 5"', 'title = "Another talk"')
    assert main(["build", *LATER]) == 0
    assert library.__file__ in json.loads(note.read_text().splitlines()[0])["program"]
