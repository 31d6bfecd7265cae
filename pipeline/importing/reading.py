"""Any file that may hold a programme: which format it is, and its events."""

from dataclasses import replace
from pathlib import PurePath

from pipeline.errors import N_, CatalogueError
from pipeline.importing.calendars import read_calendar
from pipeline.importing.found import LARGEST, Manner, Reading, Spot
from pipeline.importing.frab import read_schedule
from pipeline.importing.json_files import read_json, read_page
from pipeline.importing.tables import read_table

_BY_ENDING = {
    ".ics": "calendar", ".ical": "calendar", ".csv": "table", ".tsv": "table", ".xml": "schedule", ".json": "json",
    ".jsonld": "json", ".html": "page", ".htm": "page", ".xhtml": "page",
}  # fmt: skip
_BY_BEGINNING = (
    ("BEGIN:VCALENDAR", "calendar"), ("<!DOCTYPE HTML", "page"), ("<HTML", "page"), ("<?XML", "schedule"),
    ("<SCHEDULE", "schedule"), ("{", "json"), ("[", "json"),
)  # fmt: skip


def read(file: str, data: bytes, manner: Manner) -> Reading:
    """The events of a file by its name and bytes; CatalogueError says why it can't be read, with the line."""
    if len(data) > LARGEST:
        raise CatalogueError([Spot(file).problem(
            N_("the file is larger than {megabytes} MB"), N_("export a shorter span of time"),
            megabytes=LARGEST // 1_000_000)])  # fmt: skip
    kind = _kind(file, data)
    found = _read(kind, file, data, manner)
    # The same event says less in a calendar than in a table: each kind of file is remembered by itself.
    events = (replace(event, uid=f"{kind}:{event.uid}" if event.uid else "") for event in found.events)
    return replace(found, events=tuple(events))


def _read(kind: str, file: str, data: bytes, manner: Manner) -> Reading:
    if kind == "schedule":
        return read_schedule(data, file, manner)
    text = decoded(data)
    match kind:
        case "calendar":
            return read_calendar(text, file, manner)
        case "table":
            return read_table(text, file, manner)
        case "json":
            return read_json(text, file, manner)
        case "page":
            return read_page(text, file, manner)
    raise CatalogueError([Spot(file).problem(
        N_("this is none of the formats that can be read"),
        N_("give it the ending of what it is: .ics, .csv, .xml (schedule.xml), .json or .html"))])  # fmt: skip


def _kind(file: str, data: bytes) -> str:
    ending = _BY_ENDING.get(PurePath(file).suffix.lower())
    start = decoded(data[:200]).lstrip("\ufeff \t\r\n").upper()
    if ending is not None and not (ending == "schedule" and start.startswith(("<!DOCTYPE HTML", "<HTML"))):
        return ending
    return next((kind for beginning, kind in _BY_BEGINNING if start.startswith(beginning)), "")


def decoded(data: bytes) -> str:
    """A text in UTF-8, or in UTF-16 if its first bytes say so, or else as Windows writes western languages."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
