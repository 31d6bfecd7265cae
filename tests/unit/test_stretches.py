"""Parts of a file that stand in another one already are copied by the system, or by us where it can't."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import FileError
from pipeline.files import Part, Stretch, write_parts
from pipeline.outputs.base import AT_ONCE, gathered
from pipeline.staging import staging

TEXT = bytes(range(256)) * 9


@contextmanager
def numbered(file: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    number = os.open(file, flags)
    try:
        yield number
    finally:
        os.close(number)


def by_system(_patch: pytest.MonkeyPatch) -> None:
    pass


def by_us(patch: pytest.MonkeyPatch) -> None:
    patch.delattr(os, "copy_file_range")


def refused(patch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> int:
        raise OSError(errno.EXDEV, "another file system")

    patch.setattr(os, "copy_file_range", refuse)


def half_by_system(patch: pytest.MonkeyPatch) -> None:
    """As where a signal comes in between, and then no more of it."""
    system, called = os.copy_file_range, list[int]()

    def some(source: int, target: int, count: int, offset: int) -> int:
        called.append(count)
        return system(source, target, min(count, 3), offset) if len(called) < 3 else 0

    patch.setattr(os, "copy_file_range", some)


@pytest.mark.parametrize("copied", [by_system, by_us, refused, half_by_system])
def test_parts_are_written_in_their_order_whoever_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: Callable[[pytest.MonkeyPatch], None]
) -> None:
    copied(monkeypatch)
    (tmp_path / "old").write_bytes(TEXT)
    with numbered(tmp_path / "old") as old, numbered(tmp_path / "new", os.O_WRONLY | os.O_CREAT) as new:
        # The second stands behind the first, and is copied with it; the others don't follow one another.
        parts = [b"<", Stretch(old, 5, 10), Stretch(old, 15, 20), b"", Stretch(old, 5, 10), b">", Stretch(old, 0, 0)]
        write_parts(new, parts)
        assert b"".join(map(bytes, parts)) == (tmp_path / "new").read_bytes()
    assert (tmp_path / "new").read_bytes() == b"<" + TEXT[5:35] + TEXT[5:15] + b">"


@pytest.mark.parametrize("copied", [by_system, by_us])
def test_what_another_hand_cut_off_meanwhile_is_told_and_nothing_half_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: Callable[[pytest.MonkeyPatch], None]
) -> None:
    copied(monkeypatch)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "long.txt").write_bytes(TEXT)
    with numbered(tmp_path / "out" / "long.txt") as old:
        parts = iter((b"another head", Stretch(old, 50, 90)))
        (tmp_path / "out" / "long.txt").write_bytes(TEXT[:100])
        with pytest.raises(FileError, match=r"long\.txt.*meanwhile") as told, staging(tmp_path / "out") as staged:
            staged.add("long.txt", parts)
    assert "again" in str(told.value)
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["long.txt"]


PLACES = st.tuples(st.integers(0, len(TEXT)), st.integers(0, 400))


@given(st.lists(st.one_of(st.binary(max_size=9), PLACES)), st.one_of(st.none(), st.integers(0, len(TEXT))))
def test_a_file_of_any_parts_is_the_same_as_of_their_bytes(
    tmp_path_factory: pytest.TempPathFactory, given: list[bytes | tuple[int, int]], kept: int | None
) -> None:
    """Also one that begins as the old one, and one that is the old one."""
    folder = tmp_path_factory.mktemp("out")
    (folder / "long.txt").write_bytes(TEXT)
    with numbered(folder / "long.txt") as old:
        parts: list[Part] = [] if kept is None else [Stretch(old, 0, kept), Stretch(old, kept, len(TEXT) - kept)]
        for item in given:
            if isinstance(item, bytes):
                parts.append(item)
            else:
                parts.append(Stretch(old, item[0], min(item[1], len(TEXT) - item[0])))
        whole = b"".join(map(bytes, parts))
        with staging(folder) as staged:
            staged.add("long.txt", iter(parts))
            written = staged.put().written
    assert (folder / "long.txt").read_bytes() == whole
    assert written == (() if whole == TEXT else ("long.txt",))


def test_only_what_is_at_hand_is_put_together(tmp_path: Path) -> None:
    (tmp_path / "old").write_bytes(TEXT)
    with numbered(tmp_path / "old") as old:
        stretch, long = Stretch(old, 1, 2), bytes(AT_ONCE)
        found = list(gathered((b"a", b"b", stretch, b"c", long, b"d", stretch)))
    assert found == [b"ab", stretch, b"c" + long, b"d", stretch]
