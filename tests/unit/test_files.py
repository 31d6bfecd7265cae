"""Files are written whole, only where they change, and only ours are removed."""

import os
import resource
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from checkout import ROOT
from holding import is_held
from patience import PATIENCE

from pipeline.cli import main
from pipeline.errors import CatalogueError, FileError
from pipeline.files import MANIFEST, alone_in, read_text, read_utf8, write_whole
from pipeline.staging import Staged, Written, staging


def write_folder(folder: Path, files: Mapping[str, bytes]) -> Written:
    """Makes a folder hold these files, by relative path."""
    with staging(folder) as staged:
        for path, data in files.items():
            staged.add(path, data)
        return staged.put()


def test_only_changed_files_are_written_and_only_ours_removed(tmp_path: Path) -> None:
    (tmp_path / "theirs.txt").write_text("not ours")
    first = write_folder(tmp_path, {"a.txt": b"a", "b/c.txt": b"c"})
    assert first.written == ("a.txt", "b/c.txt")
    stamp = (tmp_path / "a.txt").stat().st_mtime_ns
    second = write_folder(tmp_path, {"a.txt": b"a", "d.txt": b"d"})
    assert (second.written, second.removed, second.kept) == (("d.txt",), ("b/c.txt",), 1)
    assert (tmp_path / "a.txt").stat().st_mtime_ns == stamp
    assert not (tmp_path / "b").exists()
    assert (tmp_path / "theirs.txt").read_text() == "not ours"


def test_a_second_time_nothing_is_touched(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.txt": b"a"})
    stamps = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert not write_folder(tmp_path, {"a.txt": b"a"}).written
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == stamps


@pytest.mark.parametrize("old", [None, b"", b"one, two", b"one, two!", b"one, ", b"one, too", b"One, two"])
def test_a_file_may_come_in_parts(old: bytes | None, tmp_path: Path) -> None:
    if old is not None:
        write_folder(tmp_path, {"long.txt": old})
        os.utime(tmp_path / "long.txt", ns=(7, 7))
    with staging(tmp_path) as staged:
        time = staged.add("long.txt", iter((b"one", b", ", b"two")))
        assert (tmp_path / "long.txt").exists() == (old is not None)
        written = staged.put().written
    assert (tmp_path / "long.txt").read_bytes() == b"one, two"
    assert (written, (tmp_path / "long.txt").stat().st_mtime_ns) == (() if old == b"one, two" else ("long.txt",), time)
    assert (time == 7) == (old == b"one, two")


def test_a_file_whose_parts_end_by_an_error_leaves_nothing(tmp_path: Path) -> None:
    def parts() -> Iterator[bytes]:
        yield b"one"
        raise ValueError

    with pytest.raises(ValueError), staging(tmp_path / "out") as staged:
        staged.add("deep/long.txt", parts())
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_completed(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.txt": b"a", "old.txt": b"old"})
    (tmp_path / "a.txt.tocsin-unfinished").write_bytes(b"hal")
    (tmp_path / "a.txt").write_bytes(b"spoilt")
    done = write_folder(tmp_path, {"a.txt": b"a"})
    assert (done.written, done.removed) == (("a.txt",), ("old.txt",))
    assert sorted(path.name for path in tmp_path.iterdir()) == [MANIFEST, "a.txt"]


def test_what_a_killed_process_left_under_names_of_nobody_goes_too(tmp_path: Path) -> None:
    write_folder(tmp_path, {"a.txt": b"a"})
    Staged(tmp_path).add("guests/secret.html", b"never to be seen")  # killed before it is put or discarded
    # Another publication into a folder inside is at work.
    (tmp_path / "inner").mkdir()
    with staging(tmp_path / "inner") as inner:
        inner.add("deep/b.txt", b"b")
        assert not write_folder(tmp_path, {"a.txt": b"a"}).written
        inner.put()
    assert sorted(path.name for path in tmp_path.rglob("*")) == [MANIFEST, MANIFEST, "a.txt", "b.txt", "deep", "inner"]


def test_who_is_alone_in_a_folder_may_enter_it_again_by_another_name(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    seen = list[bool]()

    def twice() -> None:
        with alone_in(tmp_path / "folder"):
            with alone_in(tmp_path / "link"):
                seen.append(is_held(tmp_path / "folder"))
            seen.append(is_held(tmp_path / "folder"))
        seen.append(is_held(tmp_path / "folder"))
        with alone_in(tmp_path / "link"):
            seen.append(is_held(tmp_path / "folder"))

    # In a thread that would be left behind, should it wait for itself.
    thread = threading.Thread(target=twice, daemon=True)
    thread.start()
    thread.join(30)
    assert seen == [True, True, False, True]


def test_another_thread_waits_for_who_is_alone(tmp_path: Path) -> None:
    entered = threading.Event()

    def enter() -> None:
        with alone_in(tmp_path):
            entered.set()

    thread = threading.Thread(target=enter, daemon=True)
    with alone_in(tmp_path):
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(PATIENCE)


def test_the_manifest_holds_no_place_and_no_time(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        write_folder(tmp_path / folder, {"x.txt": b"x", "é.txt": b"y"})
    assert (tmp_path / "one" / MANIFEST).read_bytes() == (tmp_path / "two" / MANIFEST).read_bytes()
    assert b"one" not in (tmp_path / "one" / MANIFEST).read_bytes()


@pytest.mark.parametrize(
    "manifest", [b"", b"[]", b'{"files": 3}', b'{"files": ["../../x", "/etc/passwd", 3]}', b"\xff"]
)
def test_a_manifest_spoilt_by_hand_removes_nothing(tmp_path: Path, manifest: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(manifest)
    assert write_folder(tmp_path, {"a.txt": b"a"}).removed == ()


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", ""])
def test_nothing_is_written_outside_the_folder(tmp_path: Path, path: str) -> None:
    with pytest.raises(FileError):
        write_folder(tmp_path / "out", {path: b"x"})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_can_not_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "a"
    write_whole(target, b"old")
    target.with_name("a.tocsin-unfinished").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_whole(target, b"new")
    assert target.read_bytes() == b"old"


def test_a_disk_without_room_keeps_the_old_file_and_no_half_of_the_new_one(tmp_path: Path) -> None:
    target = tmp_path / "a"
    write_whole(target, b"old")
    for data in (b"new" * 2000, iter([b"new"] * 2000)):
        with no_file_beyond(4096), pytest.raises(OSError, match=f"File too large: '{target}'"):
            write_whole(target, data)
        assert [path.name for path in tmp_path.iterdir()] == ["a"]
        assert target.read_bytes() == b"old"


def test_a_publication_without_room_is_discarded_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write_folder(folder, {"a": b"old", "b/c": b"old"})
    for files in ({"a": b"new", "b/c": b"new" * 2000}, {f"{number:03}" * 9: b"new" for number in range(200)}):
        with no_file_beyond(4096), pytest.raises(FileError, match=r"out/(b/c|\.tocsin\.json) can't be written: "):
            write_folder(folder, files)
        assert {path.name: path.read_bytes() for path in folder.rglob("[abc]") if path.is_file()} == {
            "a": b"old", "c": b"old",
        }  # fmt: skip
        assert list(folder.rglob("*unfinished")) == []


@contextmanager
def no_file_beyond(octets: int) -> Iterator[None]:
    """Files of this process can't grow beyond so many octets."""
    before, writes_none = resource.getrlimit(resource.RLIMIT_FSIZE), sys.dont_write_bytecode
    # Python would cut off the code of what is imported now, and never notice.
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = writes_none


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "events.toml"
    file.write_bytes("format = 1\n# fa\xe7ade\n".encode("latin-1"))
    with pytest.raises(CatalogueError) as caught:
        read_text(file, file.name)
    assert (caught.value.problems[0].line, "UTF-8" in str(caught.value)) == (2, True)
    file.write_bytes(b"\xef\xbb\xbfformat = 1\n")
    assert read_text(file, file.name) == "format = 1\n"


def test_a_link_does_not_lead_a_publication_out_of_its_folder(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    out.mkdir()
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("theirs")
    (out / "events").symlink_to(elsewhere)
    (out / MANIFEST).write_text('{"files": ["events/kept"]}')
    with pytest.raises(FileError, match=r"out/events can't be written: a link .* delete it"):
        write_folder(out, {"a.txt": b"a", "events/a.ics": b"b"})
    write_folder(out, {"a.txt": b"a"})
    assert [path.name for path in elsewhere.iterdir()] == ["kept"]


def test_a_link_in_place_of_an_unfinished_file_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.txt.tocsin-unfinished").symlink_to(tmp_path / "theirs")
    with pytest.raises(FileError, match=r"out/a\.txt can't be written"):
        write_folder(tmp_path / "out", {"a.txt": b"a"})
    assert (tmp_path / "theirs").read_text() == "theirs"


def test_the_folder_itself_may_be_a_link_and_so_may_a_file_in_it(tmp_path: Path) -> None:
    (tmp_path / "served").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "served")
    (tmp_path / "theirs").write_text("theirs")
    (tmp_path / "served" / "b.txt").symlink_to(tmp_path / "theirs")
    write_folder(tmp_path / "out", {"a/b/c.txt": b"c", "b.txt": b"b"})
    assert (tmp_path / "served" / "a" / "b" / "c.txt").read_bytes() == b"c"
    assert ((tmp_path / "served" / "b.txt").read_bytes(), (tmp_path / "theirs").read_text()) == (b"b", "theirs")


def test_what_must_survive_a_power_cut_is_on_the_disk_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(str(Path(f"/proc/self/fd/{handle}").readlink())))
    write_whole(tmp_path / "ledger.jsonl", b"{}", durable=True)
    assert synced == [str(tmp_path / "ledger.jsonl.tocsin-unfinished"), str(tmp_path)]


@pytest.mark.parametrize("name", ["events.toml", "ledger.jsonl", "x.ics"])
def test_a_device_or_a_pipe_is_refused_and_not_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    catalogue = tmp_path / "events.toml"
    catalogue.write_bytes((ROOT / "events.toml").read_bytes())
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to("/dev/zero")
    command = ["import", str(tmp_path / name)] if name == "x.ics" else ["check"]
    assert main([*command, "--catalogue", str(catalogue), "--lang", "en"]) == 1
    told = "the file is larger than 50 MB" if name == "x.ics" else "this is a device, not a file"
    assert f"{name}: {told}" in capsys.readouterr().err


def test_a_pipe_is_read_only_where_one_may_come(tmp_path: Path) -> None:
    pipe = tmp_path / "events.toml"
    os.mkfifo(pipe)
    with pytest.raises(CatalogueError, match="not a file"):
        read_text(pipe, pipe.name)
    writer = threading.Thread(target=pipe.write_text, args=("a text",))
    writer.start()
    assert read_text(pipe, pipe.name, piped=True) == "a text"
    writer.join()


def test_a_file_that_is_none_is_told_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_utf8(tmp_path, "events.toml")
    (problem,) = caught.value.problems
    # A pattern by itself, so that it is translated.
    assert (problem.what(), problem.remedy()) == ("this is a folder, not a file", "name a file")


@pytest.mark.parametrize(("name", "remedy"), [("events.toml", "write one with: tocsin init"), ("readers.csv", "")])
def test_only_a_catalogue_is_begun_with_init(tmp_path: Path, name: str, remedy: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_utf8(tmp_path / name, name)
    (problem,) = caught.value.problems
    assert (problem.what(), problem.remedy()) == ("there is no such file", remedy)
