"""Real files with any bytes spoilt are read or refused: no traceback, no hang, little memory."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from checkout import ROOT
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import ledger as journal
from pipeline.actions.project import check, project_at
from pipeline.catalogue.load import Source, load
from pipeline.errors import InputError, Problem
from pipeline.importing.found import Manner
from pipeline.importing.reading import read
from pipeline.ledger import Ledger, pending_lines

EXAMPLES = int(os.environ.get("TOCSIN_FUZZ", "60"))
NOW = datetime(2026, 9, 1, tzinfo=UTC)
FOREIGN = sorted(path for path in (ROOT / "tests" / "data" / "import").rglob("*") if path.is_file())
SMALL = 100_000
any_change = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)

ODD = st.sampled_from(
    [
        b"\x00", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xff\xfe", b"\r", b"\n", b"\x1b[31m", b"\\ud800",
        b"&#xD800;", b"\xe2\x80\xae", b"\xe2\x81\xa6", "а".encode(), b"../../x", b'"', b"'", b'"""', b"[", b"]", b"{",
        b"[" * 200, b"{a=" * 200, b"<" * 200, b"0001-01-01", b"9999-12-31", b"00010101T000000Z", b"99991231T235959Z",
        b"9" * 5000, b"}", b"\n ", b";", b",", b"\t", b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"[[event]]\n", b"]]>",
    ]
)  # fmt: skip


@st.composite
def spoilt(draw: st.DrawFn, sound: bytes) -> bytes:
    """The bytes with a few pieces cut out, doubled, or put in."""
    data = sound
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        gone = draw(st.sampled_from([0, 0, 1, 2, 40, 2000]))
        put = draw(st.one_of(ODD, st.binary(max_size=4), st.just(data[at : at + 300])))
        data = data[:at] + put + data[at + gone :]
    return data


def refused(work: Callable[[], object]) -> tuple[Problem, ...]:
    """The problems for which a file is refused, none where it is taken; every other error is one of ours."""
    try:
        work()
    except InputError as error:
        if not error.problems:
            raise
        return error.problems
    return ()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.mark.parametrize("name", ["events.toml", "ledger.jsonl"])
def test_a_project_with_spoilt_bytes_is_judged(folder: Path, name: str) -> None:
    for file in ("events.toml", "ledger.jsonl"):
        (folder / file).write_bytes((ROOT / file).read_bytes())
    sound = (ROOT / name).read_bytes()
    project = project_at(folder / "events.toml")

    @any_change
    @given(spoilt(sound))
    def judge(data: bytes) -> None:
        (folder / name).write_bytes(data)
        for problem in refused(lambda: check(project, NOW)):
            assert problem.file != name or problem.line <= data.count(b"\n") + 1

    judge()


def test_there_are_foreign_files_to_spoil() -> None:
    assert len(FOREIGN) > 10


@any_change
@given(st.data())
def test_a_foreign_programme_with_spoilt_bytes_is_read_or_refused(data: st.DataObject) -> None:
    file = data.draw(st.sampled_from([path for path in FOREIGN if path.stat().st_size < SMALL]))
    refused(lambda: list(read(file.name, data.draw(spoilt(file.read_bytes())), Manner("Europe/Paris")).events))


MEGABYTES = 200
READ = """
import re, sys
from pathlib import Path
from pipeline.importing.found import Manner
from pipeline.importing.reading import read
head, row, foot, count = {pieces!r}
rows = (row.replace(b"NUMBER", b"%d" % number) for number in range(count))
# The pieces are made one by one and let go, so that only the reader's own memory is measured beside the file.
data = head + (b"".join(rows) if b"NUMBER" in row else row * count) + foot
reading = read({name!r}, data, Manner("Europe/Paris"))
del data
found = sum(1 for _ in reading.events)
# The peak of this program alone: `ru_maxrss` begins with the peak of the process that started it.
print(found, int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""
WORDS = b"words " * 100
BIG = WORDS * 1000
ENCODED = b"\r\n ".join([b"QUJD" * 18] * 10_000)
CALENDAR = (b"BEGIN:VCALENDAR\r\n", b"END:VCALENDAR\r\n")
VEVENT = b"BEGIN:VEVENT\r\nUID:NUMBER\r\nSUMMARY:Event NUMBER\r\nDTSTART:20270304T190000Z\r\n%s\r\nEND:VEVENT\r\n"
JSON = b'{"@type": "Event", "@id": "NUMBER", "name": "Event NUMBER", "description": "%s"}'
OURS = b'{"format": 1, "language": "en", "series": {"id": "x"}, "events": [{"id": "x"}'
SCRIPT = b"<script type='application/ld+json'>"
PICTURE = b"<img src='data:image/png;base64,%s'>" % (b"QUJD" * 150_000)
XML = b"<event guid='NUMBER'><title>Event NUMBER</title><abstract>%s</abstract></event>"
LONG = {
    "a calendar of thousands of events": ("x.ics", CALENDAR, VEVENT % (b"DESCRIPTION:" + WORDS), 3000),
    "a calendar of files": ("x.ics", CALENDAR, VEVENT % (b"ATTACH;ENCODING=BASE64;VALUE=BINARY:" + ENCODED), 65),
    "a calendar of empty lines": ("x.ics", CALENDAR, b"\r\n", 6_000_000),
    "a calendar of one line": ("x.ics", (b"BEGIN:VCALENDAR\r\nX-WORDS:", b"\r\nEND:VCALENDAR\r\n"), WORDS, 82_000),
    "a table of thousands of rows": (
        "x.csv",
        (b"title,date,abstract\n", b""),
        b"Event NUMBER,2027-03-04," + WORDS + b"\n",
        5000,
    ),
    "a table of long cells": ("x.csv", (b"title,abstract\n", b""), b'Event NUMBER,"' + BIG + b'"\n', 82),
    "a schedule": (
        "x.xml",
        (b"<schedule><day date='2027-03-04'><room name='Hall'>", b"</room></day></schedule>"),
        XML % BIG,
        82,
    ),
    "a list of events": ("x.json", (b"[0", b"]"), b"," + JSON % BIG, 82),
    "our own programme": (
        "x.json",
        (OURS, b"]}"),
        b',{"id": "eNUMBER", "title": "Event NUMBER", "abstract": "%s"}' % BIG,
        82,
    ),
    "a page with a list": (
        "x.html",
        (b"<html><body>" + SCRIPT + b"[0", b"]</script></body></html>"),
        b"," + JSON % BIG,
        82,
    ),
    "a page of pictures": (
        "x.html",
        (b"<html><body>", b"</body></html>"),
        PICTURE + SCRIPT + JSON % b"" + b"</script>",
        82,
    ),
}
"""Files by their name, what stands before and after their events, and one event, which is repeated."""


@pytest.mark.parametrize("kind", LONG)
def test_a_long_file_is_read_in_little_memory(kind: str) -> None:
    name, (head, foot), row, count = LONG[kind]
    process = subprocess.run(
        [sys.executable, "-"], input=READ.format(pieces=(head, row, foot, count), name=name),
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    found, peak = map(int, process.stdout.split())
    assert peak < MEGABYTES
    assert found == (count if b"Event NUMBER" in row else 0) + (head == OURS)


TOCSIN = """
import re, sys
from pathlib import Path
from pipeline.cli import main
status = main(sys.argv[1:])
print(status, int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024)
"""
HEAD = """
format = 1
series = { id = "x", title = "X", timezone = "Europe/Paris", default_language = "en", organiser = "X" }
site = { url = "https://x.example/" }
"""
LONG_EVENT = """
[[event]]
id = "e%d"
title = "Event %d"
date = 2027-03-04
time = "19:00"
abstract = '''
%s
'''
"""


def peak_of(*arguments: str) -> int:
    """The megabytes that a command of tocsin takes, which must succeed."""
    process = subprocess.run(
        [sys.executable, "-c", TOCSIN, *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    status, peak = map(int, process.stdout.split()[-2:])
    assert status == 0, process.stderr
    return peak


def test_a_long_catalogue_is_judged_in_little_memory(folder: Path) -> None:
    # One emoji anywhere, if all were one text, would make four bytes of each character.
    events = (LONG_EVENT % (number, number, BIG.decode()) for number in range(66))
    (folder / "events.toml").write_text(HEAD + "".join(events).replace("words", "🎉", 1), encoding="utf-8")
    assert (folder / "events.toml").stat().st_size > 39_000_000
    assert peak_of("check", "--quiet", "--catalogue", str(folder / "events.toml")) < MEGABYTES


def test_a_long_programme_is_imported_in_little_memory(folder: Path) -> None:
    (folder / "events.toml").write_text(HEAD, encoding="utf-8")
    rows = (b'Event %d,2027-03-04,"%s"\n' % (number, BIG) for number in range(66))
    (folder / "x.csv").write_bytes(b"title,date,abstract\n" + b"".join(rows))
    assert peak_of("import", str(folder / "x.csv"), "--catalogue", str(folder / "events.toml")) < MEGABYTES
    assert (folder / "events.toml").stat().st_size > 39_000_000


WIDE = "An emoji 🎉 in each text makes four bytes of each of its characters. " * 400


def test_a_long_catalogue_and_its_ledger_are_read_in_little_memory(folder: Path) -> None:
    """Thirty megabytes each, an emoji in each text: as texts they would be 240 megabytes."""
    text = HEAD + "".join(LONG_EVENT % (number, number, WIDE) for number in range(1_000))
    (folder / "events.toml").write_text(text, encoding="utf-8")
    lines = pending_lines(load(Source("events.toml", text)).catalogue, Ledger(), NOW)
    (folder / "ledger.jsonl").write_text(journal.write(Ledger.holding(lines)), encoding="utf-8")
    assert (folder / "ledger.jsonl").stat().st_size > 28_000_000
    catalogue = ("--catalogue", str(folder / "events.toml"))
    for command in (("check",), ("ledger", "verify"), ("ledger", "log"), ("ledger", "diff"), ("ledger", "mend")):
        assert peak_of(*command, "--quiet", *catalogue) < MEGABYTES


def test_importing_a_long_programme_again_takes_little_memory(folder: Path) -> None:
    (folder / "events.toml").write_text(HEAD, encoding="utf-8")
    rows = (f'Event {number},2027-03-04,"{WIDE}"\n' for number in range(700))
    (folder / "x.csv").write_text("title,date,abstract\n" + "".join(rows), encoding="utf-8")
    again = ("import", str(folder / "x.csv"), "--catalogue", str(folder / "events.toml"))
    assert peak_of(*again) < MEGABYTES
    before = (folder / "events.toml").read_bytes()
    assert len(before) > 19_000_000
    assert peak_of(*again) < MEGABYTES
    assert (folder / "events.toml").read_bytes() == before


@pytest.mark.parametrize("wishes", [("--json",), ("--update", "--dry-run", "--json"), ("--update", "--quiet")])
def test_a_long_programme_of_which_every_text_is_another_takes_little_memory(
    folder: Path, wishes: tuple[str, ...]
) -> None:
    """Twenty megabytes each: the catalogue, the file, what was imported before, and what comes of it; together 80."""
    (folder / "events.toml").write_text(HEAD, encoding="utf-8")
    catalogue = ("--catalogue", str(folder / "events.toml"))
    for said in ("before", "since"):
        rows = (f'Event {number},2027-03-04,"{said} {WIDE}"\n' for number in range(700))
        (folder / "x.csv").write_text("title,date,abstract\n" + "".join(rows), encoding="utf-8")
        if said == "before":
            peak_of("import", str(folder / "x.csv"), "--quiet", *catalogue)
    # The file itself and what any command takes are more than half of it.
    assert peak_of("import", str(folder / "x.csv"), *wishes, *catalogue) < 110
    changed = (folder / "events.toml").read_text(encoding="utf-8")
    done = wishes == ("--update", "--quiet")
    assert (changed.count("since"), changed.count("before")) == ((700, 0) if done else (0, 700))


def test_what_is_told_of_thousands_of_changes_takes_little_memory(folder: Path) -> None:
    """Of each event a change and eight cells that are lost; at once they would take half as much again."""
    event = '[[event]]\nid = "e%d"\ntitle = "Event %d"\ndate = 2027-03-04\ntba = ["time"]\n'
    text = HEAD + "".join(event % (number, number) for number in range(5_000))
    (folder / "events.toml").write_text(text, encoding="utf-8")
    rows = (f"Event {number},2027-03-04,19:00,a,b,c,d,e,f,g,h\n" for number in range(5_000))
    (folder / "x.csv").write_text("title,date,time\n" + "".join(rows), encoding="utf-8")
    assert peak_of("import", str(folder / "x.csv"), "--update", "--catalogue", str(folder / "events.toml")) < 85
    assert (folder / "events.toml").read_text(encoding="utf-8") == text.replace('tba = ["time"]', 'time = "19:00"')
