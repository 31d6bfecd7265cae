"""What was imported: `imported.jsonl`, one line for each foreign event, so that importing again knows it."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from typing import Any

from pipeline.errors import N_, CatalogueError, Problem

FILE = "imported.jsonl"


@dataclass(frozen=True, slots=True)
class Record:
    """One event that was imported: its identity at the source, its id here, and what the source said then."""

    uid: str
    event: str
    facts: Mapping[str, Any]
    """Values under the catalogue's keys; plain JSON where they were read."""


@dataclass(frozen=True, slots=True)
class Memory:
    """All that was imported."""

    records: Mapping[str, Record] = field(default_factory=dict)

    def without(self, uids: Iterable[str]) -> "Memory":
        """This memory without the records of these identities."""
        gone = frozenset(uids)
        return Memory({uid: record for uid, record in self.records.items() if uid not in gone})

    def with_all(self, records: Iterable[Record]) -> "Memory":
        """This memory, with records that replace those of the same identity."""
        return Memory({**self.records, **{record.uid: record for record in records}})


def read(text: Iterable[bytes], file: str, held: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> Memory:
    """The memory of the lines of a text in UTF-8; of two for one event (both sides of a merge) the later one counts.

    `held` gives equal facts to hold in the place of those that were read.
    """
    records: dict[str, Record] = {}
    problems: list[Problem] = []
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            record = Record(str(row["uid"]), str(row["event"]), held(dict(row["facts"])))
        except (ValueError, KeyError, TypeError, RecursionError):
            problems.append(Problem(file, number, "", N_("this line can't be read"),
                                    N_("restore the file from git, or delete the line")))  # fmt: skip
        else:
            records[record.uid] = record
    if problems:
        raise CatalogueError(problems)
    return Memory(records)


def lines(memory: Memory) -> Iterator[bytes]:
    """The lines of a memory, in the order of the identities, so that it merges well."""
    for _, row in sorted(memory.records.items()):
        record = {"uid": row.uid, "event": row.event, "facts": plain(row.facts)}
        yield json.dumps(record, ensure_ascii=False, sort_keys=True).encode() + b"\n"


def plain(value: Any) -> Any:
    """A fact as JSON can hold it."""
    match value:
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case time():
            return value.isoformat("minutes" if not value.second else "seconds")
        case date():
            return value.isoformat()
        case float() if value == int(value):
            return int(value)
    return value
