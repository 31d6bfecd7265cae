"""Subscribers by hand or from a CSV file: read, checked, added."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from pipeline.errors import N_, CatalogueError, Problem, SettingsError
from pipeline.importing.layout import UNREADABLE, unreadable
from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import NO_WISHES, ON_SITE, ONLINE, Wishes
from pipeline.store.addresses import normalised
from pipeline.store.subscribers import ALL_KINDS, add

FIRST = ("address", "language", "kinds", "tags", "consent")
COLUMNS = (*FIRST, "reminders", "groups", "cities", "ways", "events", "text_only", "paused_until")
"""The columns of a CSV; all but the first may be left out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One subscriber to be added; no kinds means all kinds."""

    address: str
    language: str
    kinds: frozenset[Kind] = ALL_KINDS
    tags: frozenset[str] = frozenset()
    consent: str = ""
    wishes: Wishes = NO_WISHES


@dataclass(frozen=True, slots=True)
class Row:
    """A row that can be read: its line in the file, and whom it names."""

    line: int
    entry: Entry


def add_all(connection: Connection, series: str, entries: Iterable[Entry], now: datetime) -> list[bool]:
    """Adds subscribers as active; for each, whether it is new. One that is there already stays as it is."""
    return [
        add(
            connection,
            series,
            entry.address,
            entry.language,
            entry.kinds,
            entry.tags,
            entry.consent,
            now,
            wishes=entry.wishes,
        )[1]
        for entry in entries
    ]


def read_csv(text: str, name: str, languages: Sequence[str]) -> list[Entry]:
    """The entries of a CSV, see `rows_of`; CatalogueError names each bad row."""
    rows = list(rows_of(text, name, languages))
    if problems := [row for row in rows if isinstance(row, Problem)]:
        raise CatalogueError(problems)
    return [row.entry for row in rows if isinstance(row, Row)]


def rows_of(text: str, name: str, languages: Sequence[str]) -> Iterator[Row | Problem]:
    """Each row of a CSV with the header `address,language,kinds,tags,consent`, or what is wrong with it.

    The columns may come in any order, more of COLUMNS or less; CatalogueError where the header has others.
    """
    reader = csv.DictReader(io.StringIO(text), strict=True)
    try:
        header = [column.strip().casefold() for column in reader.fieldnames or ()]
    except csv.Error as error:
        raise CatalogueError([problem(name, 1, "this is no CSV: {reason}", "", reason=unreadable(error))]) from None
    if "address" not in header or not set(header) <= set(COLUMNS):
        wrong = problem(
            name,
            1,
            N_("the header is {header!r}"),
            N_("write {columns}"),
            columns=",".join(FIRST),
            header=",".join(header),
        )
        raise CatalogueError([wrong])
    reader.fieldnames = header
    while True:
        try:
            row = next(reader, None)
            if row is None:
                return
            yield Row(reader.reader.line_num, entry_of(row, languages))
        except csv.Error as error:
            hint = N_("is a quote missing?")
            yield problem(name, reader.reader.line_num, UNREADABLE, hint, reason=unreadable(error))
        except SettingsError as error:
            yield Problem(name, reader.reader.line_num, "", error.message, "", error.values)


def problem(name: str, line: int, message: str, hint: str, **values: object) -> Problem:
    """What is wrong with a line of a CSV."""
    return Problem(name, line, "", message, hint, values)


def entry_of(row: dict[str, str | None], languages: Sequence[str]) -> Entry:
    """An entry from the cells of a row, kinds and tags apart by spaces or semicolons; else SettingsError."""
    cell = {
        key: (value or "").strip() for key, value in row.items() if key in COLUMNS and isinstance(value, str | None)
    }
    language = cell.get("language") or languages[0]
    if language not in languages:
        raise SettingsError(
            "language {language!r} is not one of the series ({languages})",
            language=language, languages=", ".join(languages),
        )  # fmt: skip
    address = normalised(cell.get("address", "")).address
    return Entry(
        address, language, kinds_of(_words(cell.get("kinds", ""))), frozenset(_words(cell.get("tags", ""))),
        cell.get("consent", ""), wishes_of(cell),
    )  # fmt: skip


def wishes_of(cell: Mapping[str, str]) -> Wishes:
    """What the further cells of a row say, as `export` writes them; SettingsError says what is wrong."""
    if not any(cell.get(name) for name in COLUMNS[len(FIRST) :]):
        return NO_WISHES
    rules = _words(cell.get("reminders", ""))
    if wrong := [rule for rule in rules if rule[:1] not in "+-" or not rule[1:]]:
        raise SettingsError(
            "reminder {rule!r}: write +{rule} for one asked for, -{rule} for one declined", rule=wrong[0]
        )
    ways = frozenset(_words(cell.get("ways", "")))
    if not ways <= {ONLINE, ON_SITE}:
        raise SettingsError(
            "ways {ways!r}: write {online}, {on_site}, or nothing for both",
            ways=cell["ways"], online=ONLINE, on_site=ON_SITE,
        )  # fmt: skip
    return Wishes(
        asked=frozenset(rule[1:] for rule in rules if rule[0] == "+"),
        declined=frozenset(rule[1:] for rule in rules if rule[0] == "-"),
        groups=frozenset(_words(cell.get("groups", ""))),
        # The name of a city may hold spaces.
        cities=frozenset(filter(None, (city.strip() for city in cell.get("cities", "").split(";")))),
        ways=ways,
        events=frozenset(_words(cell.get("events", ""))),
        text_only=_is_yes(cell.get("text_only", "")),
        paused_until=_instant(cell.get("paused_until", "")),
    )


def _is_yes(cell: str) -> bool:
    if cell.casefold() not in {"", "yes", "no"}:
        raise SettingsError("text_only {cell!r}: write yes or no", cell=cell)
    return cell.casefold() == "yes"


def _instant(cell: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(cell) if cell else None
    except ValueError:
        found = datetime.min  # noqa: DTZ901 - without a zone, so refused below
    if found is not None and found.tzinfo is None:
        raise SettingsError(
            "paused_until {cell!r}: write an instant with its offset, like 2027-03-01T00:00:00+01:00", cell=cell
        )
    return found


def kinds_of(names: Iterable[str]) -> frozenset[Kind]:
    """The kinds of mail by their names, all of them where none is named; SettingsError names a wrong one."""
    names = list(names)
    known = {kind.value: kind for kind in Kind}
    for name in names:
        if name not in known:
            raise SettingsError("{name!r} is not a kind of mail ({kinds})", name=name, kinds=", ".join(known))
    return frozenset(known[name] for name in names) or ALL_KINDS


def _words(cell: str) -> list[str]:
    return cell.replace(";", " ").replace("|", " ").replace(",", " ").split()
