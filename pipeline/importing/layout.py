"""How a table is laid out: the marks between its columns, the row that names them, and the rows below it."""

import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from pipeline.errors import N_, CatalogueError, Problem, TocsinError, in_our_words
from pipeline.importing.columns import key_of
from pipeline.importing.found import Spot

LONGEST_LINE = 5_000_000
"""How many characters a line or a cell may have."""
LONGEST_HEAD = 100_000
MOST_ABOVE = 20
"""In how many bytes, and in how many rows, the names of the columns are looked for."""

_OURS = {
    "larger than field limit": N_("a line or a cell is longer than five million characters"),
    "unexpected end of data": N_("the file ends within quotes"),
    "expected after": N_("something follows the quote that closes a cell"),
    "new-line character": N_("a line ends within a cell that has no quotes"),
}
"""In our words what the library says of a broken table."""
UNREADABLE = N_("this row can't be read: {reason}")

Row = tuple[int, list[str]]
"""The line on which a row begins, and its cells."""


class Layout(NamedTuple):
    """How a table is laid out."""

    delimiter: str
    line: int
    header: list[str]
    """The names of the columns, and on which line they stand."""
    above: list[Problem]
    """What stands above them: a title of the whole, as people put it there."""


def laid_out(data: bytes, file: str, mapping: Mapping[str, str]) -> Layout:
    """The marks and the row by which most columns are known; the first row where none is.

    CatalogueError where there is no row.
    """
    head = data[:LONGEST_HEAD]
    first_line = head.decode("utf-8", errors="replace").lstrip("\r\n").partition("\n")[0]
    named = frozenset(" ".join(name.casefold().split()) for name in mapping)
    begins = {
        delimiter: [row for row in islice(_rows(head, file, delimiter), MOST_ABOVE) if _says_something(row[1])]
        for delimiter in sorted(";\t,|", key=first_line.count, reverse=True)
    }
    found = [(delimiter, number) for delimiter, rows in begins.items() for number in range(len(rows))]
    if not found:
        raise CatalogueError([Spot(file, 1).problem(N_("the file is empty"), "")])
    delimiter, number = max(found, key=lambda place: _known(begins[place[0]][place[1]][1], named))
    line, header = begins[delimiter][number]
    above = [
        Spot(file, line).lost("row", ", ".join(filter(None, row)), N_("it stands above the names of the columns"))
        for line, row in begins[delimiter][:number]
    ]
    return Layout(delimiter, line, header, above)


def _says_something(row: list[str]) -> bool:
    """Whether it is more than blanks, and more than the mark between columns that Excel writes first."""
    return any(map(str.strip, row)) and not row[0].startswith("sep=")


def _known(header: Iterable[str], named: frozenset[str]) -> int:
    """How many columns these cells would name."""
    names = {" ".join(cell.casefold().split()) for cell in header}
    return len(names & named) + len({key_of(name) for name in names} - {""})


def body(data: bytes, file: str, layout: Layout) -> Iterator[Row]:
    """The rows below the names of the columns, which may stand there again on each page."""
    for line, row in _rows(data, file, layout.delimiter, to_its_end=True):
        if line > layout.line and row != layout.header and any(cell.strip() for cell in row):
            yield line, row


def _rows(data: bytes, file: str, delimiter: str, *, to_its_end: bool = False) -> Iterator[Row]:
    """Every row with the line on which it begins; `to_its_end` where nothing of the file is left out."""
    csv.field_size_limit(LONGEST_LINE)
    written: list[str] = []
    last: list[str] = []
    reader = csv.reader(_noted(_lines(data), written), delimiter=delimiter)
    line = above = 1
    try:
        for row in reader:
            if row:
                yield line, row
            above, line = line, reader.line_num + 1
            last = written.copy()
            written.clear()
        if to_its_end:
            line = above
            _refuse_open_quote(last, delimiter)
    except csv.Error as error:
        raise CatalogueError([
            Spot(file, line).problem(UNREADABLE, N_("is a quote missing?"), reason=unreadable(error))
        ]) from None  # fmt: skip


def _refuse_open_quote(row: list[str], delimiter: str) -> None:
    """csv.Error where the last row of a file ends within quotes: then it has swallowed all that should follow."""
    try:
        deque(csv.reader(row, delimiter=delimiter, strict=True), maxlen=0)
    except csv.Error as error:
        if str(error) == "unexpected end of data":
            raise


def unreadable(error: csv.Error) -> TocsinError:
    """In our words why a table can't be read."""
    return in_our_words(str(error), _OURS)


def _noted(lines: Iterable[str], written: list[str]) -> Iterator[str]:
    """The same lines, each noted when it is asked for."""
    for line in lines:
        written.append(line)
        yield line


def _lines(data: bytes) -> Iterator[str]:
    text = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace", newline="")
    while line := text.readline(LONGEST_LINE + 1):
        if len(line) > LONGEST_LINE:
            raise csv.Error(f"line larger than field limit ({LONGEST_LINE})")
        yield line
