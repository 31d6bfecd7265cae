"""One line of the ledger: what it holds, how it is written as JSON, and what is wrong with a line that is none."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic_core import to_json

from pipeline.errors import N_, Problem

SCHEDULING = frozenset(
    {
        "date", "time", "end_date", "end_time", "duration", "all_day", "timezone", "fold",
        "end_fold", "repeats", "except", "moved", "status", "venue", "online",
    }
)  # fmt: skip
"""The facts whose change means another SEQUENCE and a notice; all others are editorial."""

Facts = Mapping[str, Any]


AT_HAND = frozenset({"date", "status", "time", "timezone"})
"""The facts of a known line that are asked for most."""


LONG = 2**23
"""From how many bytes on the facts of a ledger are read again each time that they are asked for."""


class UnreadFacts(Mapping[str, Any]):
    """The facts of a line, which stay in its text: as values all of them would take several times its memory."""

    __slots__ = ("_end", "_start", "_text")

    def __init__(self, text: bytes, start: int, end: int) -> None:
        """The line stands in `text` from `start` to `end`."""
        self._text, self._start, self._end = text, start, end

    def read(self) -> Facts:
        """All of them as a plain mapping."""
        return _facts_in(self._text[self._start : self._end])

    def __getitem__(self, key: str) -> Any:
        return self.read()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read())

    def __len__(self) -> int:
        return len(self.read())

    def __eq__(self, other: object) -> bool:
        """As the mapping that it reads."""
        return self.read() == (other.read() if isinstance(other, UnreadFacts) else other)

    __hash__ = None  # type: ignore[assignment]


@lru_cache(maxsize=8)
def _facts_in(row: bytes) -> Facts:
    facts: Facts = json.loads(row)["facts"]
    return facts


class KnownFacts(UnreadFacts):
    """The facts of a line that is known to be sound, read from its text when somebody asks for one of them."""

    __slots__ = ("_facts", "at_hand", "digest", "is_edit", "of_line")

    def __init__(
        self, text: bytes, start: int, end: int, digest: str, of_line: bytes, is_edit: bool, at_hand: Facts
    ) -> None:
        """The line stands in `text` from `start` to `end`.

        `digest` is what `digest_of_facts` gives of its facts, `of_line` what `digest_of_line` gives of all of it,
        `is_edit` what `Ledger.is_edit` says; `at_hand` are those of the facts that are named in `AT_HAND`.
        """
        # As the class above does it: to call that for each line of a ledger takes as long as all the rest.
        self._text, self._start, self._end = text, start, end
        self.digest, self.of_line, self.is_edit, self.at_hand = digest, of_line, is_edit, at_hand
        self._facts: Facts | None = None

    def read(self) -> Facts:
        """All of them as a plain mapping, which is kept."""
        if self._facts is None:
            self._facts = super().read()
        return self._facts

    def __getitem__(self, key: str) -> Any:
        return (self.at_hand if key in AT_HAND else self.read())[key]


def in_full(facts: Facts) -> Facts:
    """The same facts as a plain mapping, which JSON can be made of."""
    return facts.read() if isinstance(facts, UnreadFacts) else facts


def digest_of_facts(facts: Facts) -> str:
    """By which facts are known to be the same."""
    if isinstance(facts, KnownFacts):
        return facts.digest
    facts = in_full(facts)
    # In the order of their names, as they are in the file: what was published is the same as before.
    ordered = list(facts) == sorted(facts)
    return hashlib.blake2b(to_json(facts) if ordered else compact_json(facts).encode(), digest_size=16).hexdigest()


class LineKind(StrEnum):
    """What a line of the ledger tells, in the order in which one change outweighs another."""

    ANNOUNCED = "announced"
    RETIRED = "retired"
    CANCELLED = "cancelled"
    POSTPONED = "postponed"
    REINSTATED = "reinstated"
    CHANGED = "changed"
    RECORDING = "recording"
    EDITED = "edited"
    NEWSLETTER = "newsletter"
    """The one kind that tells of no event: a newsletter is out."""


class Line(NamedTuple):
    """One published revision of one event, or a newsletter that is out. `at` is aware, UTC, to the second.

    The `facts` of an event are those of `facts_of`, those of a newsletter those of a `SentNewsletter`.
    """

    kind: LineKind
    event: str
    """The event's id; that of a newsletter in its line."""
    uid: str
    """Empty for a newsletter, which is in no calendar."""
    news: str
    at: datetime
    changed: frozenset[str]
    facts: Facts

    @property
    def name(self) -> str:
        """What tells the line from the other lines of its event: the last part of its news id."""
        return self.news.rpartition(":")[2]

    @property
    def about(self) -> str:
        """What the line tells of, for messages: `event "talk"`."""
        return f'{"newsletter" if self.kind is LineKind.NEWSLETTER else "event"} "{self.event}"'

    @property
    def reschedules(self) -> bool:
        """Whether this revision changed a scheduling fact."""
        return bool(self.changed & SCHEDULING)

    @property
    def redated(self) -> bool:
        """Whether what was off takes place on a new date."""
        return is_redated(self.kind, self.changed) and "date" in self.facts


def is_redated(kind: LineKind, changed: frozenset[str]) -> bool:
    """Whether what was off takes place, with another date or hour."""
    return kind is LineKind.REINSTATED and not changed.isdisjoint({"date", "time"})


place_of = attrgetter("at", "event", "news")
"""Where a line stands among others: of one instant by the event."""


def ordered(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Each line once, by instant, whatever order they came in."""
    unique = {(line.event, line.news): line for line in lines}
    return tuple(sorted(unique.values(), key=place_of))


_WORDED_PARTS: Mapping[str, tuple[str, ...]] = {
    "venue": ("id", "street", "postal_code", "city"),
    "online": ("url", "secret", "phone"),
    "notice": (),
}
"""The facts that hold words, and those of their parts that readers must hear of, besides a name."""


def reworded(before: Facts, after: Facts, changed: frozenset[str]) -> frozenset[str]:
    """The changed facts that still tell readers the same: with one more translation, another label or country code."""
    return frozenset(
        key for key in changed & _WORDED_PARTS.keys() if _same(_WORDED_PARTS[key], before.get(key), after.get(key))
    )


def _same(parts: tuple[str, ...], before: Any, after: Any) -> bool:
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return False
    if not parts:
        return _same_text(before, after)
    return _same_text(before.get("name"), after.get("name")) and all(before.get(key) == after.get(key) for key in parts)


def _same_text(before: Any, after: Any) -> bool:
    """Whether who read the one reads the same now: nothing differs in a language that both have."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return bool(before == after)
    both = before.keys() & after.keys()
    if not both:
        # The same text, said to be in another language.
        return not set(before.values()).isdisjoint(after.values())
    return all(before[language] == after[language] for language in both)


def digest_of_line(line: Line, digest: str) -> bytes:
    """By which a line is known to be the same; `digest` is that of its facts."""
    facts = line.facts
    if type(facts) is KnownFacts:
        return facts.of_line
    # The digest of the facts is as long for each line, so it shows where the changed keys end.
    said = (line.kind, line.event, line.uid, line.news, line.at.isoformat(), *sorted(line.changed), digest)
    return hashlib.blake2b("\n".join(said).encode(), digest_size=16).digest()


# --------------------------------------------------------------------------------------------- text


def compact_json(value: object) -> str:
    """JSON in one way only: the same value gives the same text."""
    return _COMPACT.encode(value)


_COMPACT = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def write_line(line: Line) -> str:
    """The line as JSON, with its line break."""
    record = {
        "at": line.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "facts": in_full(line.facts),
        "kind": line.kind.value,
        "news": line.news,
    }
    if line.kind is LineKind.NEWSLETTER:
        record |= {"newsletter": line.event}
    else:
        record |= {"changed": sorted(line.changed), "event": line.event, "uid": line.uid}
    return compact_json(record) + "\n"


CONFLICT_MARKS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")
MEND = N_("type: tocsin ledger mend")
FROM_GIT = N_("take the file as it was from git: git checkout {file}")


def read_rows(
    text: str | bytes, file: str, held: Callable[[Line], Line] = lambda line: line
) -> tuple[list[tuple[int, Line]], list[Problem]]:
    """Every line that can be read, with its number, and a problem for each one that can't; bytes are UTF-8.

    `held` gives for each line, once it is read, an equal one to hold in its place.
    """
    data = text.encode(errors="surrogatepass") if isinstance(text, str) else text
    lines, problems = [], []
    # A row at a time: a long ledger is held once.
    for number, (start, end) in enumerate(places_of_rows(data), start=1):
        row = data[start:end].decode(errors="surrogatepass")
        found = read_row(row, file, number, last=end == len(data)) if row.strip() else None
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            line = held(found)
            lines.append((number, to_hold(found, data, start, end) if line is found else line))
    return lines, problems


def to_hold(line: Line, data: bytes, start: int, end: int) -> Line:
    """A line that was read from there in a ledger; that of a long one leaves its facts in its text.

    In its own, so that a ledger need not be held for the few lines that say something else than the catalogue.
    """
    return line._replace(facts=UnreadFacts(data[start:end], 0, end - start)) if len(data) > LONG else line


def places_of_rows(ledger: bytes) -> Iterator[tuple[int, int]]:
    """Where each row of a ledger begins and ends, blank ones too; the last ends with the text."""
    start = 0
    while (end := ledger.find(b"\n", start)) >= 0:
        yield start, end
        start = end + 1
    yield start, len(ledger)


def read_row(row: str, file: str, number: int, *, last: bool = False) -> Line | Problem:
    """A row of the file as a line, or what is wrong with it. `last`: no line break follows it."""

    def wrong(message: str, hint: str = FROM_GIT, column: int = 1, key: str = "") -> Problem:
        values = {"file": file, "column": column, "key": key}
        # What is shown of a line ends soon behind the place.
        return Problem(file, number, "", message, hint, values, column=column, text=row[: column + 500])

    if row.startswith(CONFLICT_MARKS):
        return wrong(N_("git left a mark of a merge conflict here"), MEND)
    if last:
        return wrong(N_("this last line is cut off"), MEND, len(row))
    try:
        record = json.loads(row)
    except json.JSONDecodeError as error:
        return wrong(N_("this line is not whole JSON: it can't be read from column {column} on"), column=error.colno)
    except (ValueError, RecursionError):
        return wrong(N_("this line can't be read: it is nested too deep, or holds a number that is too long"))
    try:
        return _line_of(record)
    except KeyError as error:
        return wrong(N_("this line has no `{key}`"), key=error.args[0])
    except (ValueError, TypeError, AttributeError, OverflowError):
        return wrong(N_("this line is not one of a ledger: `at`, `kind`, `changed` or `facts` has another shape"))


def _line_of(record: Any) -> Line:
    if not isinstance(record, dict):
        raise TypeError
    if record["kind"] == LineKind.NEWSLETTER:
        record = {"event": record["newsletter"], "uid": "", "changed": [], **record}
    at, facts, changed = datetime.fromisoformat(record["at"]), record["facts"], record["changed"]
    names = [record[key] for key in ("kind", "event", "uid", "news")]
    if at.tzinfo is None or not isinstance(facts, dict) or not isinstance(changed, list):
        raise TypeError
    if not all(isinstance(name, str) for name in (*names, *changed)):
        raise TypeError
    kind, event, uid, news = names
    return Line(LineKind(kind), event, uid, news, at.astimezone(UTC), frozenset(changed), facts)
