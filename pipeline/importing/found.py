"""What a foreign file holds: events as facts under the catalogue's keys, and what of them has no place there."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import N_, Problem, Severity

LONGEST_SHOWN = 120
LARGEST = 50_000_000
"""Bytes that a file may have."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Where in the foreign file an event stands: the line of its first character (0: not known), and its name."""

    file: str
    line: int = 0
    label: str = ""

    def problem(self, message: str, hint: str = "", severity: Severity = Severity.ERROR, **values: object) -> Problem:
        """A problem at this spot."""
        return Problem(self.file, self.line, self.label, message, hint, values, severity)

    def lost(self, fact: str, value: object, why: str = "", /, **values: object) -> Problem:
        """A warning: something of the foreign file has no place in the catalogue, or can't be read.

        `why` is an English pattern, filled from `values`.
        """
        text = re.sub(r"\s+", " ", str(value)).strip()
        shown = text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 1] + "…"
        values = {**values, "fact": fact, "shown": shown}
        message = N_("{fact} is not carried over: {shown}")
        return Problem(self.file, self.line, self.label, message, why, values, Severity.WARNING)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a person must look at: an English pattern, filled from `values` when it is said."""

    pattern: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """One event of a foreign file.

    `facts` has the catalogue's keys; a text is a dict from language to text ("" where the file doesn't say which),
    `venue` is a dict with the keys of a place, or False where there is none; a day is a date, an hour a time.
    """

    spot: Spot
    uid: str
    """The identity that the file gives it; empty where it gives none. Each kind of file has its own."""
    facts: Mapping[str, Any]
    lost: tuple[Problem, ...] = ()
    questions: tuple[Question, ...] = ()
    wanted_id: str = ""
    """The id that it had in another catalogue of ours."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file holds, read as it is asked for: all at once it takes many times the memory of the file.

    Asking for the next event raises CatalogueError where the file can't be read.
    """

    events: Iterator[Found]
    """Every event, once."""
    lost: list[Problem] = field(default_factory=list)
    """What was lost of the file as a whole: all of it is known when the events have been read."""
    organisations: tuple[Mapping[str, Any], ...] = ()
    """What the file says of organisations; only our own format does."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a file is to be read."""

    zone: str
    """The IANA zone of times that name none, and into which times in UTC are put."""
    site: str = ""
    """The address of the site: links to its own pages aren't facts."""
    order: str = ""
    """`dmy` or `mdy`: how dates with slashes are meant, where the file leaves it open."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """The key of the catalogue for a column of a table; empty: leave that column out."""


class Gathering:
    """The facts of one event while they are being read."""

    def __init__(self, spot: Spot) -> None:
        self.spot = spot
        self.facts: dict[str, Any] = {}
        self._lost: list[Problem] = []
        self._questions: list[Question] = []

    def put(self, key: str, value: Any) -> None:
        """A fact, unless it is empty."""
        if value not in (None, "", [], {}):
            self.facts[key] = value

    def put_text(self, key: str, text: str | None, language: str = "") -> None:
        """A text in a language ("": the file doesn't say which)."""
        if text is not None and text.strip():
            self.facts.setdefault(key, {})[language] = text.strip()

    def lose(self, fact: str, value: object, why: str = "") -> None:
        """Says that something is not carried over, and why; nothing where there was nothing."""
        if str(value).strip():
            self._lost.append(self.spot.lost(fact, value, why))

    def ask(self, pattern: str, **values: object) -> None:
        """Leaves a question for the organisers."""
        self._questions.append(Question(pattern, values))

    def found(self, uid: str = "", wanted_id: str = "") -> Found:
        """What was gathered."""
        return Found(self.spot, uid, self.facts, tuple(self._lost), tuple(self._questions), wanted_id)
