"""Subscribers by hand or from a CSV file: read, checked, added."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pipeline.errors import CatalogueError, Problem
from pipeline.reminders.occasions import Kind
from pipeline.store.subscribers import ALL_KINDS, AddressError, add, normalised

COLUMNS = ("address", "language", "kinds", "tags", "consent")


@dataclass(frozen=True, slots=True)
class Entry:
    """One subscriber to be added; no kinds means all kinds."""

    address: str
    language: str
    kinds: frozenset[Kind] = ALL_KINDS
    tags: frozenset[str] = frozenset()
    consent: str = ""


def add_all(connection: Connection, series: str, entries: Iterable[Entry], now: datetime) -> list[bool]:
    """Adds subscribers as active; for each, whether it is new. One that is there already stays as it is."""
    return [
        add(connection, series, entry.address, entry.language, entry.kinds, entry.tags, entry.consent, now)[1]
        for entry in entries
    ]


def read_csv(text: str, name: str, languages: Sequence[str]) -> list[Entry]:
    """The entries of a CSV with the header `address,language,kinds,tags,consent`; CatalogueError names each bad row."""
    rows = csv.DictReader(io.StringIO(text))
    header = [column.strip() for column in rows.fieldnames or ()]
    if "address" not in header or not set(header) <= set(COLUMNS):
        raise CatalogueError(
            [
                Problem(
                    name, 1, "", "the header is {header!r}", "write " + ",".join(COLUMNS), {"header": ",".join(header)}
                )
            ]
        )
    rows.fieldnames = header
    entries, problems = [], []
    for row in rows:
        try:
            entries.append(entry_of(row, languages))
        except ValueError as error:
            problems.append(Problem(name, rows.line_num, "", "{reason}", "", {"reason": str(error)}))
    if problems:
        raise CatalogueError(problems)
    return entries


def entry_of(row: dict[str, str | None], languages: Sequence[str]) -> Entry:
    """An entry from the cells of a row, kinds and tags apart by spaces or semicolons; ValueError says what is wrong."""
    cell = {
        key: (value or "").strip() for key, value in row.items() if key in COLUMNS and isinstance(value, str | None)
    }
    language = cell.get("language") or languages[0]
    if language not in languages:
        raise ValueError(f"language {language!r} is not one of the series ({', '.join(languages)})")
    try:
        address = normalised(cell.get("address", "")).address
    except AddressError as error:
        raise ValueError(str(error)) from None
    return Entry(
        address, language, kinds_of(_words(cell.get("kinds", ""))), frozenset(_words(cell.get("tags", ""))),
        cell.get("consent", ""),
    )  # fmt: skip


def kinds_of(names: Iterable[str]) -> frozenset[Kind]:
    """The kinds of mail by their names, all of them where none is named; ValueError names a wrong one."""
    names = list(names)
    known = {kind.value: kind for kind in Kind}
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not a kind of mail ({', '.join(known)})")
    return frozenset(known[name] for name in names) or ALL_KINDS


def _words(cell: str) -> list[str]:
    return cell.replace(";", " ").replace("|", " ").replace(",", " ").split()
