"""A ledger that was hurt: what is wrong with its text, and how as much of it as can be is made whole again."""

import importlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pipeline.catalogue.when import starts
from pipeline.errors import N_, LedgerError, Problem, Severity
from pipeline.ledger import Ledger, Line, LineKind, digest_of, event_of, group_of, ordered
from pipeline.ledger_lines import (
    CONFLICT_MARKS,
    FROM_GIT,
    MEND,
    places_of_rows,
    read_row,
    read_rows,
    to_hold,
    write_line,
)


class Mended(NamedTuple):
    """The lines of a whole ledger, and what was done to get there; nothing where it was whole."""

    lines: tuple[Line, ...]
    done: tuple[Problem, ...]

    @property
    def rows(self) -> Iterator[bytes]:
        """What to write, piece by piece."""
        return (write_line(line).encode() for line in self.lines)


def mend(text: str | bytes, file: str) -> Mended:
    """Takes out the marks of a merge conflict and a last line that is cut off, sorts, and keeps each line once.

    Both sides of a conflict stay. LedgerError names any other line that can't be read: what it held must not be lost.
    """
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    lines, notes, lost = _kept(data, file)
    if lost:
        raise LedgerError(lost)
    whole = ordered(lines)
    if len(whole) < len(lines):
        notes.append(
            _note(
                file, 0, "lines that stood there more than once are kept once: {count}", count=len(lines) - len(whole)
            )
        )
    if list(dict.fromkeys(map(_identity, lines))) != list(map(_identity, whole)):
        notes.append(_note(file, 0, "the lines are put in the order of their instants"))
    mended = Mended(whole, ())
    if not notes and not _holds(data, mended.rows):
        notes.append(_note(file, 0, "the lines are written in the usual form"))
    return mended._replace(done=tuple(notes))


def _holds(data: bytes, rows: Iterable[bytes]) -> bool:
    """Whether just these rows stand there."""
    at = 0
    for row in rows:
        if not data.startswith(row, at):
            return False
        at += len(row)
    return at == len(data)


def _kept(data: bytes, file: str) -> tuple[list[Line], list[Problem], list[Problem]]:
    lines: list[Line] = []
    notes, lost = [], []
    for number, (start, end) in enumerate(places_of_rows(data), start=1):
        row = data[start:end].decode(errors="surrogatepass")
        if not row.strip():
            continue
        found = read_row(row, file, number)
        if isinstance(found, Line):
            lines.append(to_hold(found, data, start, end))
        elif row.startswith(CONFLICT_MARKS):
            notes.append(_note(file, number, "the mark of a merge conflict is taken out, both sides stay"))
        elif end == len(data):
            said = N_("the last line was cut off and is dropped; the next `tocsin publish` tells its change again")
            notes.append(_note(file, number, said))
        else:
            lost.append(found)
    if data and not data.endswith(b"\n") and not notes:
        notes.append(_note(file, data.count(b"\n") + 1, "the last line gets its line break"))
    return lines, notes, lost


def _note(file: str, number: int, message: str, **values: object) -> Problem:
    return Problem(file, number, "", message, "", values, Severity.WARNING)


def _identity(line: Line) -> tuple[str, str]:
    return line.event, line.news


# ------------------------------------------------------------------------------------------- verifying


def verify(text: str | bytes, file: str) -> tuple[Problem, ...]:
    """Everything that is wrong with a ledger: what can't be read, was edited by hand, contradicts itself, is untidy."""
    lines, problems = read_rows(text, file)
    found = [*problems, *_edited(lines, file), *_identities(lines, file), *_order(lines, file)]
    return tuple(sorted(found, key=lambda problem: problem.position))


def _edited(lines: list[tuple[int, Line]], file: str) -> Iterator[Problem]:
    values = {"file": file}
    hint = "take the file as it was from git: git checkout {file}"
    for number, line in lines:
        if not line.news.endswith(f"-{digest_of(line.facts, line.at)}"):
            said = "the facts or the instant of this line were changed by hand"
            yield Problem(file, number, line.about, said, hint, values)
        if (unlike := _unlike(line)) is not None:
            yield Problem(file, number, line.about, unlike, hint, values)


def unlike_events(ledger: Ledger, text: str | bytes, file: str) -> tuple[Problem, ...]:
    """The lines of a ledger, read from that text, whose facts nothing could have: nothing can be shown of them."""
    if not any(_unlike(line) for line in ledger.all_lines if (line.event, line.news) not in ledger.known):
        return ()
    return tuple(
        Problem(file, number, line.about, unlike, FROM_GIT, {"file": file})
        for number, line in read_rows(text, file)[0]
        if (unlike := _unlike(line)) is not None
    )


def _unlike(line: Line) -> str | None:
    """What is wrong with the facts of a line; None where they are those of an event or of a newsletter."""
    if line.kind is LineKind.NEWSLETTER:
        return None if _is_of_a_newsletter(line) else N_("the facts of this line are not those of a newsletter")
    return None if _is_of_an_event(line) else N_("the facts of this line are not those of an event")


def _is_of_an_event(line: Line) -> bool:
    try:
        event, _ = event_of(line.facts)
        group_of(line.facts)
        # Dates that are well written may still make no time.
        starts(event.when)
    except (ValueError, TypeError, OverflowError):
        return False
    return event.id == line.event


def _is_of_a_newsletter(line: Line) -> bool:
    try:
        # Most ledgers tell of events alone.
        sent = importlib.import_module("pipeline.sent_newsletters")
        return bool(sent.newsletter_of(line.facts).id == line.event)
    except (ValueError, TypeError):
        return False


def _identities(lines: list[tuple[int, Line]], file: str) -> Iterator[Problem]:
    uids: dict[str, str] = {}
    events: dict[str, str] = {}
    for number, line in lines:
        if line.kind is LineKind.NEWSLETTER:
            continue
        key = f'event "{line.event}"'
        if uids.setdefault(line.event, line.uid) != line.uid:
            yield Problem(
                file, number, key, "its UID was {first} and is {uid} here: calendars would show two events",
                "write the first one again", {"first": uids[line.event], "uid": line.uid},
            )  # fmt: skip
        elif events.setdefault(line.uid, line.event) != line.event:
            yield Problem(
                file, number, key, 'its UID is that of event "{other}"',
                "take the file as it was from git: git checkout {file}", {"other": events[line.uid], "file": file},
            )  # fmt: skip


def _order(lines: list[tuple[int, Line]], file: str) -> Iterator[Problem]:
    seen: dict[tuple[str, str], int] = {}
    previous: Line | None = None
    for number, line in lines:
        first = seen.setdefault(_identity(line), number)
        if first != number:
            yield Problem(
                file, number, line.about, "this line stands in line {first} already", MEND,
                {"first": first}, Severity.WARNING,
            )  # fmt: skip
        elif previous is not None and line.at < previous.at:
            yield Problem(
                file, number, line.about, "this line is older than the one before it", MEND, {},
                Severity.WARNING,
            )  # fmt: skip
        previous = line
