"""One edited event: its own files are made again, those around it, and those that list it; nothing else is."""

import json
import os
from pathlib import Path

import pytest

from pipeline.actions.remembered import KEPT_IN, Remembered
from pipeline.cli import main
from pipeline.files import MANIFEST
from pipeline.rendering import Renderer

HEAD = """format = 1
[series]
id = "talks"
title = "Talks"
timezone = "Europe/Paris"
default_language = "en"
organiser = "The society"
[site]
url = "https://talks.example/"
[[venue]]
id = "hall"
name = "The hall"
"""
NOW = ("--now", "2027-01-10T10:00:00Z")
LATER = ("--now", "2027-01-10T11:00:00Z")


def talk(number: int) -> str:
    return (
        f'[[event]]\nid = "talk-{number}"\ntitle = "Talk {number}"\ndate = 2027-03-{number + 1:02}\n'
        'time = "19:00"\nvenue = "hall"\ntags = ["tea"]\n'
    )


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A published series of twelve talks."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "events.toml").write_text(HEAD + "".join(map(talk, range(12))))
    assert main(["publish", *NOW]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The templates that are rendered from now on."""
    found, render = list[str](), Renderer.render

    def noted(self: Renderer, template: str, *others: object) -> str:
        found.append(template)
        return render(self, template, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(Renderer, "render", noted)
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


# --------------------------------------------------------------------------------------------- the notes


def noted(folder: Path) -> Remembered:
    found = Remembered(folder, folder / "out", "templates")
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out" / "a.txt").write_bytes(b"abc")
    found.made("a.txt", "key", b"abc")
    found.keep()
    os.utime(folder / "out" / "a.txt", ns=(1, (folder / "out" / "a.txt").stat().st_mtime_ns))
    return Remembered(folder, folder / "out", "templates")


def test_a_file_that_stands_as_it_was_written_holds_for_its_key_alone(tmp_path: Path) -> None:
    known = noted(tmp_path)
    assert known.holds("a.txt", "key")
    assert not known.holds("a.txt", "another")
    assert not known.holds("b.txt", "key")


def test_what_was_written_in_the_very_instant_of_the_notes_is_known_by_its_bytes(tmp_path: Path) -> None:
    noted(tmp_path)
    file, at = tmp_path / "out" / "a.txt", (tmp_path / KEPT_IN).stat().st_mtime_ns
    text = (tmp_path / KEPT_IN).read_text()
    old = json.loads(text.partition("\n")[2])["files"]["a.txt"][3]
    os.utime(tmp_path / KEPT_IN, ns=(old, old))
    file.write_bytes(b"abd")
    os.utime(file, ns=(old, old))
    assert not Remembered(tmp_path, tmp_path / "out", "templates").holds("a.txt", "key")
    file.write_bytes(b"abc")
    os.utime(file, ns=(at + 9, at + 9))
    assert Remembered(tmp_path, tmp_path / "out", "templates").holds("a.txt", "key")


@pytest.mark.parametrize("templates", ["others", "templates"])
def test_other_templates_or_a_note_written_over_count_for_nothing(tmp_path: Path, templates: str) -> None:
    noted(tmp_path)
    if templates == "templates":
        text = (tmp_path / KEPT_IN).read_text()
        (tmp_path / KEPT_IN).write_text(text.replace('"key"', '"kex"'))
    found = Remembered(tmp_path, tmp_path / "out", templates)
    assert not found.holds("a.txt", "key")
    assert not found.holds("a.txt", "kex")


def test_pieces_come_from_the_file_that_holds_them_until_it_is_another(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    first = Remembered(tmp_path, tmp_path / "out", "templates")
    body = (
        b"<head>"
        + b", ".join(first.of(name, lambda text=name: text.encode() * 9) for name in ("one", "two"))
        + b"<end>"
    )  # type: ignore[misc]
    (tmp_path / "out" / "long.txt").write_bytes(body)
    first.made("long.txt", "key", body)
    first.keep()
    second = Remembered(tmp_path, tmp_path / "out", "templates")
    assert [second.find("one"), second.find("two"), second.find("three")] == [b"one" * 9, b"two" * 9, None]
    second.close()
    (tmp_path / "out" / "long.txt").write_bytes(body.replace(b"two", b"TWO"))
    third = Remembered(tmp_path, tmp_path / "out", "templates")
    assert third.find("two") is None
    third.close()
