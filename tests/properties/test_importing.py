"""Whatever a file holds: no traceback, no hang; what is imported passes `check`, keeps the rest, and comes in once."""

import json
import tempfile
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.actions.importing import ImportOptions, import_file
from pipeline.actions.project import project_at, read_catalogue
from pipeline.errors import TocsinError, unchanged
from pipeline.importing.cells import Days, UnreadableError, read_day_and_times, read_times
from pipeline.importing.found import Manner
from pipeline.importing.long_strings import SetAside, without_long_strings
from pipeline.importing.markup import as_markdown
from pipeline.importing.merging import Verdict
from pipeline.importing.reading import read
from pipeline.importing.updating import rewritten
from pipeline.importing.writing import appended, event_text, inline
from pipeline.importing.zones import iana

DATA = Path(__file__).parents[1] / "data" / "import"
SAMPLES = {path.name: path.read_bytes() for path in sorted(DATA.iterdir())}
ENOUGH = settings(max_examples=40)
HEAD = """format = 1
[series]
id = "talks"
title = "Talks"
timezone = "Europe/Paris"
default_language = "en"
languages = ["en", "fr"]
organiser = "The Society"
[site]
url = "https://talks.example/"
# The end, and no line break"""

NAMES = (
    "SUMMARY", "DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID", "UID", "LOCATION", "GEO",
    "STATUS", "CATEGORIES", "URL", "ATTACH", "DESCRIPTION", "ORGANIZER", "SEQUENCE", "CLASS", "CONFERENCE", "X-ODD",
)  # fmt: skip
VALUES = (
    "20270304T190000", "20270304T180000Z", "20270304", "20270328T023000", "00010101T000000Z", "99991231T235959Z",
    "PT2H",
    "-P1W", "P9999999D", "FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=3;BYDAY=MO,TH", "FREQ=DAILY;INTERVAL=0",
    "FREQ=YEARLY;UNTIL=1",
    "48.1;2.2", "https://x.example/a b", "CANCELLED", "a\\,b\\nc", "", "\x00\u202e\u2028", "=;:", "<b>x</b><br>",
    "'''", '"""\\',
)  # fmt: skip
PARAMETERS = (
    "",
    ";VALUE=DATE",
    ";TZID=Europe/Paris",
    ";TZID=Romance Standard Time",
    ";TZID=No/Where",
    ";LANGUAGE=fr",
    ';X="',
)
LINES = st.builds(
    "{}{}:{}".format,
    st.sampled_from(NAMES),
    st.sampled_from(PARAMETERS),
    st.sampled_from(VALUES) | st.text(max_size=20),
)
EVENTS = st.lists(st.lists(LINES, max_size=9), max_size=4)


def calendar(events: list[list[str]]) -> bytes:
    rows = [row for event in events for row in ("BEGIN:VEVENT", *event, "END:VEVENT")]
    return "\r\n".join(["BEGIN:VCALENDAR", *rows, "END:VCALENDAR", ""]).encode(errors="replace")


def bring(name: str, data: bytes) -> None:
    """Imports into a fresh project, and holds all that an import promises."""
    with tempfile.TemporaryDirectory() as folder:
        file, source = Path(folder, "events.toml"), Path(folder, name)
        file.write_bytes(HEAD.encode())
        source.write_bytes(data)
        project = project_at(file)

        def once(*, update: bool = False) -> list[Verdict]:
            result = import_file(
                project, source, ImportOptions({}, "dmy", update), unchanged, lambda _language: unchanged
            )
            assert not result.by_hand
            return [outcome.verdict for outcome in result.outcomes]

        try:
            first = once()
        except TocsinError:
            assert file.read_bytes() == HEAD.encode()
            return
        assert set(first) <= {Verdict.NEW}
        after = file.read_bytes()
        assert after.startswith(HEAD.encode())
        assert len(read_catalogue(project).catalogue.events) == len(first)
        assert set(once(update=True)) <= {Verdict.SAME}
        assert file.read_bytes() == after


@ENOUGH
@given(EVENTS)
def test_any_calendar(events: list[list[str]]) -> None:
    bring("x.ics", calendar(events))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.sampled_from(VALUES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "@type", "name", "startDate", "endDate", "location", "performer", "offers", "url", "keywords", "address", "geo",
        "@value", "price", "inLanguage", "description", "eventStatus", "image", "duration", "latitude",
    ]), inner, max_size=5), max_leaves=20,
)  # fmt: skip


@ENOUGH
@given(
    st.dictionaries(
        st.sampled_from(
            [
                "name",
                "startDate",
                "endDate",
                "location",
                "performer",
                "offers",
                "url",
                "keywords",
                "description",
                "duration",
                "inLanguage",
                "image",
                "@id",
            ]
        ),
        JSON,
    ),
    st.booleans(),
)
def test_any_event_of_schema_org(event: dict[str, Any], several: bool) -> None:
    value = {"@type": "Event", "name": "x", **event}
    bring("x.json", json.dumps([value, value] if several else value).encode())


OURS = (
    "id",
    "uid",
    "title",
    "date",
    "time",
    "speakers",
    "tba",
    "venue",
    "online",
    "tags",
    "moved",
    "except",
    "repeats",
    "number",
    "status",
)


@ENOUGH
@given(
    st.lists(st.dictionaries(st.sampled_from(OURS), JSON | st.sampled_from(["2027-03-04", "19:00", "a"])), max_size=3)
)
def test_any_programme_of_ours(events: list[dict[str, Any]]) -> None:
    bring("x.json", json.dumps({"format": 1, "language": "en", "series": {}, "events": events}).encode())


CELLS = st.sampled_from(
    ["", "2027-03-04", "07/05/2027", "19h", "19:00-21:00", "a", "à préciser", '"', "https://x.example/"]
) | st.text(max_size=12)


@ENOUGH
@given(st.lists(st.lists(CELLS, min_size=1, max_size=7), max_size=4))
def test_any_table(rows: list[list[str]]) -> None:
    header = "Titre;Date;Heure;Lieu;Intervenants;URL;Statut"
    bring("x.csv", "\n".join([header, *(";".join(row) for row in rows)]).encode(errors="replace"))


@settings(max_examples=150)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_any_sample_with_bytes_changed(name: str, data: st.DataObject) -> None:
    body = bytearray(SAMPLES[name])
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(body)))
        body[start : start + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
    with suppress(TocsinError):
        list(read(name, bytes(body), Manner("Europe/Paris")).events)


@settings(max_examples=150)
@given(st.binary(max_size=300), st.sampled_from(["x.ics", "x.csv", "x.xml", "x.json", "x.html", "x"]))
def test_any_bytes(body: bytes, name: str) -> None:
    with suppress(TocsinError):
        list(read(name, body, Manner("Europe/Paris")).events)


@given(st.text(max_size=40))
def test_any_cell_zone_or_text(text: str) -> None:
    for reader in (Days("dmy").read, read_times, lambda cell: read_day_and_times(cell, Days("mdy"))):
        with suppress(UnreadableError):
            reader(text)
    iana(text)
    as_markdown(text)
    as_markdown(f"<p>{text}</p>")


CLEAN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
PROSE = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=80).map(str.strip)


@given(CLEAN, PROSE, st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read_back(title: str, abstract: str, ending: str) -> None:
    row_text = event_text({"id": "x", "title": title, "abstract": abstract})
    cut = [bytes([byte]) for byte in ending.encode()]
    text = b"".join(appended([b"format = 1", *cut], [row_text], "from x")).decode()
    (row,) = tomllib.loads(text)["event"]
    assert (row["title"], row["abstract"].strip()) == (title, abstract)
    assert text.count("\n") == text.count(ending)


@given(CLEAN, PROSE, st.integers(0, 2))
def test_a_rewritten_event_leaves_every_other_byte(title: str, abstract: str, number: int) -> None:
    rows = [
        f'# {n}\n[[event]] # one\nid = "e{n}"   # id\ntitle.en = "T{n}"\nx = """\n[[event]]\n"""\n\n[event.y]\nz = 1\n'
        for n in range(3)
    ]
    text = "format = 1\n" + "".join(rows) + "[series]\nid = 'x'\n"
    keys = {"title": {"en": title}, "abstract": abstract or "a", "x": None}
    written: list[bytes] = []
    left = rewritten([text.encode()], {f"e{number}"}, lambda _event, _row: keys, written.append)
    changed = b"".join(written).decode()
    assert not left
    event = tomllib.loads(changed)["event"][number]
    assert (event["title"], event["abstract"].strip(), "x" in event) == (
        {"en": title},
        (abstract or "a").strip(),
        False,
    )
    for other, row in enumerate(rows):
        assert (row in changed) == (other != number)


QUOTED = st.lists(st.sampled_from(["'", '"', "\\", "#", "x", "[[event]]", "🎉"]), max_size=12).map("".join)
LONG_WORDS = "long words " * 50


@given(st.lists(st.tuples(QUOTED, QUOTED, st.booleans(), st.sampled_from("abcd")), min_size=1, max_size=6))
def test_long_strings_are_set_aside_and_put_back_however_they_are_quoted(
    texts: list[tuple[str, str, bool, str]],
) -> None:
    """Each beside a remark that holds quotes; between three quotes up to two more may stand at either end."""
    text, values = "", {}
    for number, (before, after, long, form) in enumerate(texts):
        value = before + (LONG_WORDS if long else "") + after
        written = {
            "a": inline(value),
            "b": '"""' + value.replace("\\", "\\\\").replace('"""', '""\\"') + '"""',
            "c": "'" + value.replace("'", "") + "'",
            "d": "'''" + value.replace("'''", "") + "'''",
        }[form]
        text += f'k{number} = {written} # it\'s """ {before}\n'
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assume(False)
    aside = SetAside()
    short = aside.short(text.encode())
    assert aside.whole(short) == text.encode()
    kept = {key: value for key, value in values.items() if len(value) < len(LONG_WORDS)}
    for brief in (short, without_long_strings(text.encode())):
        read = tomllib.loads(brief.decode())
        assert read.keys() == values.keys()
        assert {key: read[key] for key in kept} == kept
        assert all(len(value) < len(LONG_WORDS) for value in read.values())


@given(st.text(st.sampled_from("\"'\\\n\t\x00\x7f\x1b#xé🎉"), max_size=30))
def test_whatever_is_put_aside_is_read_as_it_was(said: str) -> None:
    aside = SetAside()
    written = aside.whole(f"x = {inline(aside.prose(said, None))}".encode())
    assert tomllib.loads(written.decode()) == {"x": said}
