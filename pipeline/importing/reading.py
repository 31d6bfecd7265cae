"""Any file that may hold a programme: which format it is, and its events."""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath

from pipeline.errors import N_, CatalogueError
from pipeline.importing.encoding import in_utf8
from pipeline.importing.found import LARGEST, Manner, Reading, Spot

_BY_ENDING = {
    ".ics": "calendar", ".ical": "calendar", ".csv": "table", ".tsv": "table", ".xml": "schedule", ".json": "json",
    ".jsonld": "json", ".html": "page", ".htm": "page", ".xhtml": "page",
}  # fmt: skip
_BY_BEGINNING = (
    (b"BEGIN:VCALENDAR", "calendar"), (b"<!DOCTYPE HTML", "page"), (b"<HTML", "page"), (b"<?XML", "schedule"),
    (b"<SCHEDULE", "schedule"), (b"{", "json"), (b"[", "json"),
)  # fmt: skip
_SPREADSHEETS = frozenset({".xlsx", ".xls", ".ods", ".numbers"})
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""What the files of spreadsheets begin with, and archives."""
_READERS = {
    "calendar": ("calendars", "read_calendar"), "table": ("tables", "read_table"), "json": ("json_files", "read_json"),
    "page": ("json_files", "read_page"), "schedule": ("frab", "read_schedule"),
}  # fmt: skip
"""The module and the function that reads each kind: a table doesn't need the library of calendars."""


def read(file: str, data: bytes, manner: Manner) -> Reading:
    """The events of a file by its name and bytes; CatalogueError says why it can't be read, with the line.

    They are read as they are asked for, and so may the error come.
    """
    if len(data) > LARGEST:
        raise CatalogueError([Spot(file).problem(
            N_("the file is larger than {megabytes} MB"), N_("export a shorter span of time"),
            megabytes=LARGEST // 1_000_000)])  # fmt: skip
    kind = _kind(file, data)
    module, function = _READERS[kind]
    reader: Callable[[bytes, str, Manner], Reading] = getattr(import_module(f"pipeline.importing.{module}"), function)
    # An XML file says its encoding itself.
    found = reader(data if kind == "schedule" else in_utf8(data), file, manner)
    # The same event says less in a calendar than in a table: each kind of file is remembered by itself.
    events = (replace(event, uid=f"{kind}:{event.uid}" if event.uid else "") for event in found.events)
    return replace(found, events=events)


def _kind(file: str, data: bytes) -> str:
    if PurePath(file).suffix.lower() in _SPREADSHEETS or data.startswith(_WORKBOOKS):
        raise CatalogueError([Spot(file).problem(
            N_("this is a spreadsheet or an archive"), N_("save the table as CSV, and import that"))])  # fmt: skip
    ending = _BY_ENDING.get(PurePath(file).suffix.lower())
    start = in_utf8(data[:200]).lstrip().upper()
    if ending is not None and not (ending == "schedule" and start.startswith((b"<!DOCTYPE HTML", b"<HTML"))):
        return ending
    kind = next((kind for beginning, kind in _BY_BEGINNING if start.startswith(beginning)), None)
    if kind is None and file.lower().endswith(".txt"):
        # What Excel calls Unicode text is a table.
        kind = "table"
    if kind is None:
        raise CatalogueError([Spot(file).problem(
            N_("this is none of the formats that can be read"),
            N_("give it the ending of what it is: .ics, .csv, .xml (schedule.xml), .json or .html"))])  # fmt: skip
    return kind
