"""CSV: a programme kept in a spreadsheet, its columns recognised by their English or French names."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from typing import Any, NamedTuple

from pipeline.catalogue.texts import proposed_slug
from pipeline.errors import N_, CatalogueError, Problem
from pipeline.importing.cells import Days, UnreadableError, is_unknown, order_of, read_day_and_times, read_times
from pipeline.importing.columns import KEYS, key_of
from pipeline.importing.found import Found, Gathering, Manner, Reading, Spot
from pipeline.importing.layout import Layout, Row, body, laid_out
from pipeline.importing.markup import as_markdown, as_words
from pipeline.importing.moments import last_day
from pipeline.importing.places import place_in_words


def read_table(data: bytes, file: str, manner: Manner) -> Reading:
    """The events of a CSV text in UTF-8, one a row. CatalogueError names every row whose day or hour isn't sure."""
    lost: list[Problem] = []
    return Reading(_events(data, file, manner, lost), lost)


def _events(data: bytes, file: str, manner: Manner, lost: list[Problem]) -> Iterator[Found]:
    """The rows are walked three times: in memory together they would take ten times as much as their text."""
    layout = laid_out(data, file, manner.columns)
    lost += layout.above
    columns, unknown = _columns(layout, file, body(data, file, layout), manner.columns)
    lost += unknown
    days = Days(manner.order or order_of(cell for _, row in body(data, file, layout) for cell in row), manner.zone)
    problems: list[Problem] = []
    day_above: date | None = None
    for line, row in body(data, file, layout):
        event = _event(Spot(file, line), row, len(layout.header), columns, _Reader(days, day_above, problems))
        day_above = event.facts.get("date", day_above)
        yield event
    if problems:
        raise CatalogueError(problems)


def _columns(
    layout: Layout, file: str, rows: Iterable[Row], mapping: Mapping[str, str]
) -> tuple[dict[int, str], list[Problem]]:
    """The key of each column, and the columns that have none."""
    given = {" ".join(name.casefold().split()): key for name, key in mapping.items()}
    names = [" ".join(name.split()) for name in layout.header]
    spot = Spot(file, layout.line)
    _refuse_wrong_mapping(given, names, spot)
    columns: dict[int, str] = {}
    unknown: dict[int, str] = {}
    for index, name in enumerate(names):
        key = given.get(name.casefold(), key_of(name))
        if key and key not in columns.values():
            columns[index] = key
        elif name and given.get(name.casefold()) != "":
            unknown[index] = name
    if "title" not in columns.values() and not any(key.startswith("title.") for key in columns.values()):
        raise CatalogueError([spot.problem(
            N_("no column is the title: {columns}"), N_('say which: --map "{first}=title"'),
            columns=", ".join(names)[:200], first=next(filter(None, names), "…"))])  # fmt: skip
    return columns, _lost_columns(unknown, spot, rows)


def _lost_columns(unknown: Mapping[int, str], spot: Spot, rows: Iterable[Row]) -> list[Problem]:
    """Those of the unknown columns in which something stands, with the number of their cells."""
    filled = Counter(index for _, row in rows for index in unknown if index < len(row) and row[index].strip())
    why = N_('to say what it is: --map "{name}=…"')
    return [
        spot.lost(f'column "{name}"', f"{filled[index]} ×", why, name=name)
        for index, name in unknown.items() if filled[index]
    ]  # fmt: skip


def _refuse_wrong_mapping(given: Mapping[str, str], names: list[str], spot: Spot) -> None:
    there = {name.casefold() for name in names}
    problems = [
        spot.problem(N_("there is no column {name!r}"), N_("the columns are {columns}"), name=name,
                     columns=", ".join(names)[:200])
        for name in given if name not in there
    ] + [
        spot.problem(N_("{key!r} is nothing that a column can hold"), N_("it can hold {keys}"), key=key,
                     keys=", ".join(sorted(KEYS)))
        for key in given.values() if key and key.partition(".")[0] not in KEYS
    ]  # fmt: skip
    if problems:
        raise CatalogueError(problems)


class _Reader(NamedTuple):
    """What the rows of a table have in common when one of them is read."""

    days: Days
    above: date | None
    """The last day that a row above says."""
    problems: list[Problem]


class _Row:
    """One row under the keys of its columns."""

    def __init__(self, cells: Mapping[str, str], gathering: Gathering, reader: _Reader) -> None:
        self.cells = cells
        self.gathering = gathering
        self.above = reader.above
        self._days = reader.days
        self._problems = reader.problems

    def text(self, key: str) -> str:
        """The cell, empty where it isn't there or isn't known yet."""
        cell = self.cells.get(key, "")
        return "" if is_unknown(cell) else cell.strip()

    def moment(self, *keys: str) -> tuple[date | None, time | None, time | None]:
        """The day and the hours of the first of these columns that is filled."""
        for key in keys:
            if cell := self.text(key):
                try:
                    return read_day_and_times(cell, self._days)
                except UnreadableError as error:
                    self._complain(N_("{value!r} is not read as a date"), cell, error)
        return None, None, None

    def hours(self, key: str) -> tuple[time | None, time | None]:
        """The hours of a column."""
        if cell := self.text(key):
            try:
                return read_times(cell)
            except UnreadableError as error:
                self._complain(N_("{value!r} is not read as an hour"), cell, error)
        return None, None

    def _complain(self, pattern: str, cell: str, error: UnreadableError) -> None:
        self._problems.append(self.gathering.spot.problem(pattern, str(error), value=cell))


def _event(spot: Spot, row: list[str], width: int, columns: Mapping[int, str], reader: _Reader) -> Found:
    cells = {key: row[index] for index, key in columns.items() if index < len(row)}
    title = next((cells[key] for key in cells if key.startswith("title") and cells[key].strip()), "")
    gathering = Gathering(Spot(spot.file, spot.line, f'"{" ".join(title.split())[:60]}"'))
    for extra in row[width:]:
        gathering.lose("cell", extra, N_("it stands in no column"))
    taken = _Row(_with_hours(cells), gathering, reader)
    _put_times(taken)
    _put_words(taken)
    _put_rest(taken)
    wanted = taken.text("id")
    return gathering.found(
        taken.text("uid") or (f"id:{wanted}" if wanted else ""), proposed_slug(wanted) if wanted else ""
    )


def _with_hours(cells: dict[str, str]) -> dict[str, str]:
    """The same where, beside a day, the columns of start and end hold hours alone."""
    if not cells.get("date", "").strip():
        return cells
    alone = {"start": "time", "end": "end_time"}
    return {alone[key] if key in alone and _is_hour(cell) else key: cell for key, cell in cells.items()}


def _is_hour(cell: str) -> bool:
    try:
        read_times(cell)
    except UnreadableError:
        return False
    return True


def _put_times(row: _Row) -> None:
    facts = row.gathering.facts
    day, start, end = row.moment("start", "date")
    hour, until = row.hours("time")
    start, end = hour or start, until or end
    last, last_hour, _ = row.moment("end", "end_date")
    closing, _ = row.hours("end_time")
    end = closing or last_hour or end
    row.gathering.put("date", day)
    if _is_whole_day(row):
        start, last = None, _last_whole_day(day, last, closing or last_hour)
        facts["all_day"] = True
    if day is None and start is not None:
        row.gathering.lose("time", f"{start:%H:%M}", N_("there is no day"))
        if row.above is not None:
            row.gathering.ask(N_("No day is written, and {day} above it: is it the same day?"), day=f"{row.above}")
    elif day is not None and start is not None:
        facts["time"] = start
        if end is not None and (end != start or last not in (None, day)):
            facts["end_time"] = end
            if last is None and end < start:
                last = date.fromordinal(day.toordinal() + 1)
    if day is not None and last not in (None, day):
        facts["end_date"] = last
    row.gathering.put("duration", row.text("duration") if "end_time" not in facts else None)
    if "end_time" in facts and row.text("duration"):
        row.gathering.lose("duration", row.text("duration"), N_("the end is given too"))
    row.gathering.put("timezone", row.text("timezone"))


_PERHAPS_SEVERAL = re.compile(r",| (?:/|&|\+|et|and) ")
_YES = frozenset({"true", "yes", "1", "x", "vrai", "oui"})


def _is_whole_day(row: _Row) -> bool:
    return row.text("all_day").casefold() in _YES


def _last_whole_day(day: date | None, last: date | None, hour: time | None) -> date | None:
    """The last day of whole days: where they end at midnight, the one before."""
    return day if last is None or day is None else max(day, last_day(last) if hour == time() else last)


_LINES = ("title", "kind", "price")
_PROSE = ("abstract", "notice")


def _put_words(row: _Row) -> None:
    for key in row.cells:
        name, _, language = key.partition(".")
        if name in _LINES:
            row.gathering.put_text(name, as_words(row.text(key)), language)
        elif name in _PROSE:
            row.gathering.put_text(name, as_markdown(row.text(key)), language)


def _put_rest(row: _Row) -> None:
    gathering = row.gathering
    speakers = [{"name": name} for name in _parts(row.text("speakers"))]
    about = {key: row.text(key) for key in ("role", "affiliation") if row.text(key)}
    if len(speakers) != 1:
        for key, said in about.items():
            gathering.lose(key, said, N_("it can't be told of whom it is"))
    else:
        speakers[0] |= about
        if _PERHAPS_SEVERAL.search(speakers[0]["name"]):
            gathering.ask(
                N_("Is {name} one person? Several speakers stand on lines of their own."), name=speakers[0]["name"]
            )
    gathering.put("speakers", speakers)
    place: dict[str, Any] = place_in_words(gathering, row.text("venue"))
    place |= {key: row.text(key) for key in ("street", "postal_code", "city", "country") if row.text(key)}
    gathering.put("venue", place)
    for key in ("online", "registration"):
        if address := row.text(key):
            gathering.put(key, {"url": address})
    for key in ("resources", "recordings"):
        gathering.put(key, [{"url": part} for part in re.split(r"[\s,;|]+", row.text(key)) if part])
    gathering.put("tags", _parts(row.text("tags").replace(",", ";")))
    gathering.put("spoken", [part.lower() for part in _parts(row.text("spoken").replace(",", ";"))])
    gathering.put("status", _STATUS.get(row.text("status").casefold(), row.text("status")))
    if number := row.text("number"):
        gathering.put("number", int(number) if number.isdecimal() and len(number) < 10 else number)


_STATUS = {
    "confirmé": "confirmed", "confirmée": "confirmed", "ok": "confirmed", "annulé": "cancelled", "annulée": "cancelled",
    "canceled": "cancelled", "cancelled": "cancelled", "reporté": "postponed", "reportée": "postponed",
    "postponed": "postponed", "provisoire": "tentative", "à confirmer": "tentative", "tentative": "tentative",
    "confirmed": "confirmed",
}  # fmt: skip


def _parts(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"[;|\n]", text) if part.strip()]
