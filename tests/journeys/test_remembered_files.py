"""What is noted of the files of `out/`: which stand as they were written, and where the pieces of long ones are."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import SupportsBytes

import pytest

from pipeline.actions import verdict_memory
from pipeline.actions.remembered import KEPT_IN, Remembered
from pipeline.actions.remembered_pieces import OPENING
from pipeline.files import Stretch
from pipeline.staging import staging


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
