"""What a run read of the catalogue and its ledger, kept beside them: what is as it was need not be read again.

Like all notes in `var/` it is only a memory: where it is damaged, or of another program, it counts for nothing.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from pipeline.actions.verdict_memory import is_this_program, program, sealed, unsealed
from pipeline.catalogue.memory import Memory
from pipeline.catalogue.remembering import facts_of_known
from pipeline.edition import Edition
from pipeline.errors import FileError
from pipeline.files import write_whole
from pipeline.ledger_lines import AT_HAND, KnownFacts, Line, LineKind, places_of_rows
from pipeline.outputs.keys import keys

KEPT_IN = Path("var", "reading.json")


class Reading:
    """What an earlier run read of a project, and what this one reads of it."""

    def __init__(self, folder: Path, *, recalls: bool = True) -> None:
        """Who doesn't recall reads everything; what was read can be kept all the same."""
        self._file = folder / KEPT_IN
        self.memory = Memory()
        self._told: dict[str, str] = {}
        """The digest of the facts of each known event, by the digest of its block."""
        self._ledger = ""
        """The digest of the ledger that is known."""
        self._rows: list[str] = []
        """What is known of each of its lines, as JSON, in the order of the file."""
        self._lines: Sequence[Line] | None = None
        """The lines that were read, where they were not known."""
        if recalls:
            self._recall()

    def _recall(self) -> None:
        with suppress(OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            lines = iter(unsealed(self._file.read_bytes()))
            head = json.loads(next(lines, ""))
            if head["python"] != sys.version or not is_this_program(head["program"]):
                return
            known, told, rows = dict[str, str](), dict[str, str](), list[str]()
            for line in lines:
                if line.startswith("["):
                    rows.append(line)
                else:
                    block, told[block], known[block] = line.split(" ", 2)
            self.memory, self._told, self._ledger, self._rows = Memory(head["head"], known), told, head["ledger"], rows

    @property
    def told(self) -> Mapping[str, str]:
        """The digests of the facts of the events that were known, by their ids."""
        if not self.memory.recalled:
            return {}
        return {event: self._told[block] for event, block in self.memory.blocks.items() if block in self._told}

    @property
    def knows_a_ledger(self) -> bool:
        """Whether it is worth asking for the lines of one."""
        return bool(self._rows)

    def lines_of(self, ledger: bytes, digest: str) -> list[Line] | None:
        """The lines of a ledger in the order of its text, where it is the one that is known; None otherwise.

        `digest` is its SHA-256.
        """
        if digest != self._ledger:
            return None
        with suppress(ValueError, TypeError):
            told = json.loads(f"[{','.join(self._rows)}]")  # many short texts one by one take far longer
            return list(_known_lines(ledger, told))
        return None

    def learn_ledger(self, digest: str, lines: Sequence[Line]) -> None:
        """Takes the lines, in their order, of a ledger as it was read or written, of which nothing is wrong.

        `digest` is the SHA-256 of its text.
        """
        self._ledger, self._lines = digest, lines

    def keep(self, edition: Edition) -> None:
        """Writes down what was read for this edition; where nothing can be written, nothing is kept."""
        if not self.memory.blocks:
            return
        head = {
            "python": sys.version, "program": program(), "head": self.memory.head, "ledger": self._ledger,
        }  # fmt: skip
        rows = self._rows if self._lines is None else (_row(line, edition) for line in self._lines)
        with suppress(OSError, FileError):
            write_whole(self._file, sealed(chain((json.dumps(head),), self._events(edition), rows)))

    def _events(self, edition: Edition) -> Iterator[str]:
        own, known = keys(edition), self.memory.known
        for event in edition.catalogue.events:
            block = self.memory.blocks.get(event.id)
            if block is None:
                continue
            if (facts := known.get(block)) is None:
                yield f"{block} {own.facts(edition.ledger.of(event.id)[-1])} {facts_of_known(event)}"
            else:
                yield f"{block} {self._told[block]} {facts}"


def _row(line: Line, edition: Edition) -> str:
    own, at_hand = keys(edition), {key: value for key, value in line.facts.items() if key in AT_HAND}
    told = (
        line.kind, line.event, line.uid, line.news, line.at.isoformat(), sorted(line.changed), own.facts(line),
        own.line(line).hex(), edition.ledger.is_edit(line), at_hand,
    )  # fmt: skip
    return _BRIEFLY.encode(told)


_BRIEFLY = json.JSONEncoder(separators=(",", ":"))


def _known_lines(ledger: bytes, told: Iterable[Sequence[Any]]) -> Iterator[Line]:
    instants = dict[str, datetime]()  # many lines were published in one second
    rows = ((start, end) for start, end in places_of_rows(ledger) if _says_something(ledger, start, end))
    for (start, end), line in zip(rows, told, strict=True):
        kind, event, uid, news, at, changed, digest, of_line, is_edit, at_hand = line
        if (instant := instants.get(at)) is None:
            instant = instants[at] = datetime.fromisoformat(at)
        facts = KnownFacts(ledger, start, end, digest, bytes.fromhex(of_line), is_edit, at_hand)
        yield Line(_KINDS[kind], event, uid, news, instant, frozenset(changed), facts)


def _says_something(ledger: bytes, start: int, end: int) -> bool:
    return ledger.startswith(b"{", start, end) or bool(ledger[start:end].strip())


_KINDS: Mapping[str, LineKind] = {kind.value: kind for kind in LineKind}
