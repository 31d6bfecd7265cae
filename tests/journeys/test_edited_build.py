"""One edited event: its own files are made again, those around it, and those that list it; nothing else is."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial, partialmethod
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, SupportsBytes

import pytest
import twelve_talks
from checkout import ROOT
from holding import is_held
from twelve_talks import HEAD, LATER, NOW, talk

from pipeline.actions import build as building
from pipeline.actions import verdict_memory
from pipeline.actions.project import project_at
from pipeline.actions.publish import publish
from pipeline.actions.remembered import KEPT_IN, Remembered
from pipeline.actions.remembered_pieces import OPENING
from pipeline.cli import main
from pipeline.clock import SystemClock
from pipeline.commands import building as build_command
from pipeline.files import MANIFEST, Stretch
from pipeline.outputs import entries
from pipeline.rendering import Renderer
from pipeline.staging import staging
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


# --------------------------------------------------------------------------------------------- the notes


def note(known: Remembered, path: str, body: bytes, time: int) -> None:
    passing = known.passing()
    passing.take(body)
    known.passed(path, "key", passing, time)


def noted(folder: Path) -> Remembered:
    found = Remembered(folder, folder / "out", "templates")
    (folder / "out").mkdir(exist_ok=True)
    (folder / "out" / "a.txt").write_bytes(b"abc")
    note(found, "a.txt", b"abc", (folder / "out" / "a.txt").stat().st_mtime_ns)
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
    old = int(next(line for line in text.splitlines() if line.endswith('"a.txt"')).split()[3])
    os.utime(tmp_path / KEPT_IN, ns=(old, old))
    file.write_bytes(b"abd")
    os.utime(file, ns=(old, old))
    assert not Remembered(tmp_path, tmp_path / "out", "templates").holds("a.txt", "key")
    file.write_bytes(b"abc")
    os.utime(file, ns=(at + 9, at + 9))
    assert Remembered(tmp_path, tmp_path / "out", "templates").holds("a.txt", "key")


def test_a_file_changed_before_the_notes_are_written_is_known_by_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "out" / "a.txt"
    file.parent.mkdir()
    file.write_bytes(b"abc")
    found = Remembered(tmp_path, tmp_path / "out", "templates")
    note(found, "a.txt", b"abc", file.stat().st_mtime_ns - 9)
    file.write_bytes(b"abd")
    found.keep()
    assert not Remembered(tmp_path, tmp_path / "out", "templates").holds("a.txt", "key")


def test_what_ran_while_its_files_were_exchanged_is_no_longer_this_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server goes on with the code that it has loaded: what it makes after an upgrade is the old program's."""
    file, module = tmp_path / "library.py", ModuleType("library_of_a_test")
    file.write_text("old")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(verdict_memory, "_first", {})
    verdict_memory.remember_program()
    file.write_text("new and longer")
    assert noted(tmp_path).holds("a.txt", "key")
    monkeypatch.setattr(verdict_memory, "_first", {})  # as in the next process
    assert not Remembered(tmp_path, tmp_path / "out", "templates").holds("a.txt", "key")
    # Nor does the server take what the new program made for its own.
    new = noted(tmp_path)
    assert new.holds("a.txt", "key")
    monkeypatch.setattr(verdict_memory, "_first", {str(file): [3, 1]})
    assert not Remembered(tmp_path, tmp_path / "out", "templates").holds("a.txt", "key")


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


@pytest.mark.parametrize("templates", ["others", "templates"])
def test_other_templates_or_a_note_written_over_count_for_nothing(tmp_path: Path, templates: str) -> None:
    noted(tmp_path)
    if templates == "templates":
        text = (tmp_path / KEPT_IN).read_text()
        (tmp_path / KEPT_IN).write_text(text.replace("key ", "kex "))
    found = Remembered(tmp_path, tmp_path / "out", templates)
    assert not found.holds("a.txt", "key")
    assert not found.holds("a.txt", "kex")


@pytest.mark.parametrize("cuts", [(), (1,), (2,), (3,), (1, 2, 3, 4), (2, 4)])
def test_pieces_are_found_in_whichever_part_of_a_file_they_come(cuts: tuple[int, ...], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    first = Remembered(tmp_path, tmp_path / "out", "templates")
    pieces = {b"<one>": "one", b"<two>": "two"}
    chunks = (b"<head>", b"<one>", b", and now:", b"<two>", b"<end>")

    def parts() -> Iterator[bytes]:
        for start, end in pairwise((0, *cuts, len(chunks))):
            for chunk in chunks[start:end]:
                first.put("never", b"<what a template drops>")
                if chunk in pieces:
                    first.put(pieces[chunk], chunk)
            yield b"".join(chunks[start:end])

    passing = first.passing()
    (tmp_path / "out" / "long.txt").write_bytes(b"".join(passing.through(parts())))
    first.passed("long.txt", "key", passing, (tmp_path / "out" / "long.txt").stat().st_mtime_ns)
    first.keep()
    second = Remembered(tmp_path, tmp_path / "out", "templates")
    assert [second.find("one"), second.find("two"), second.find("never")] == [b"<one>", b"<two>", None]
    assert second.holds("long.txt", "key")
    second.close()


def test_a_piece_is_told_from_others_that_begin_alike(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    opening, first = b"<entry>" * OPENING, Remembered(tmp_path, tmp_path / "out", "templates")
    pieces = {name: opening + name.encode() for name in ("one", "two")}
    body = b"<head>" + opening + b"none, " + b", ".join(first.of(name, lambda of=name: pieces[of]) for name in pieces)  # type: ignore[misc]
    (tmp_path / "out" / "long.txt").write_bytes(body)
    note(first, "long.txt", body, (tmp_path / "out" / "long.txt").stat().st_mtime_ns)
    first.keep()
    second = Remembered(tmp_path, tmp_path / "out", "templates")
    assert [second.find(name) for name in pieces] == list(pieces.values())
    second.close()


def test_pieces_come_from_the_file_that_holds_them_until_it_is_another(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    first = Remembered(tmp_path, tmp_path / "out", "templates")
    body = (
        b"<head>"
        + b", ".join(first.of(name, lambda text=name: text.encode() * 9) for name in ("one", "two"))
        + b"<end>"
    )  # type: ignore[misc]
    (tmp_path / "out" / "long.txt").write_bytes(body)
    note(first, "long.txt", body, (tmp_path / "out" / "long.txt").stat().st_mtime_ns)
    first.keep()
    second = Remembered(tmp_path, tmp_path / "out", "templates")
    assert [second.find("one"), second.find("two"), second.find("three")] == [b"one" * 9, b"two" * 9, None]
    second.close()
    (tmp_path / "out" / "long.txt").write_bytes(body.replace(b"two", b"TWO"))
    third = Remembered(tmp_path, tmp_path / "out", "templates")
    assert third.find("two") is None
    third.close()


def test_pieces_are_taken_unread_from_one_file_to_the_next(tmp_path: Path) -> None:
    out, taken = tmp_path / "out", list[type]()
    out.mkdir()

    def parts(head: bytes, known: Remembered) -> Iterator[SupportsBytes]:
        yield head
        for name in ("one", "two"):
            part = known.part(name, partial(bytes.__mul__, name.encode(), 9))
            taken.append(type(part))
            yield part

    for head in (b"<head>", b"<another head>", b"<h>"):
        with closing(Remembered(tmp_path, out, "templates")) as known:
            passing = known.passing()
            with staging(out) as staged:
                time = staged.add("long.txt", passing.through(parts(head, known)))
                staged.put()
            known.passed("long.txt", "key", passing, time)
            known.keep()
        assert (out / "long.txt").read_bytes() == head + b"one" * 9 + b"two" * 9
    assert taken == [bytes, bytes, *[Stretch] * 4]
    text = (out / "long.txt").read_bytes()
    # A file that got another time is known by its bytes: also by those of the pieces.
    for body, same in ((text, True), (text.replace(b"et", b"eT"), False), (text.replace(b"<h", b"<H"), False)):
        (out / "long.txt").write_bytes(body)
        os.utime(out / "long.txt", ns=(1, 1))
        assert Remembered(tmp_path, out, "templates").holds("long.txt", "key") is same


def test_of_however_many_files_take_pieces_only_those_of_one_are_open(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    names = [f"{number}.ics" for number in range(40)]

    def free() -> int:
        number = os.open(os.devnull, os.O_RDONLY)
        os.close(number)
        return number

    for run in range(2):
        with closing(Remembered(tmp_path, tmp_path / "out", "templates")) as known:
            before = free()
            for name in names:
                piece = bytes(known.part(name, partial(bytes, f"{name} of run {run}", "ascii")))
                (tmp_path / "out" / name).write_bytes(piece)
                note(known, name, piece, (tmp_path / "out" / name).stat().st_mtime_ns)
                assert piece == f"{name} of run 0".encode()
                assert free() <= before + 1
            known.keep()
