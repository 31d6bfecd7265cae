"""A finding: something to say about one key of the catalogue, before its line is known."""

import importlib
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import Any, NamedTuple

from pipeline.catalogue.places import Path
from pipeline.errors import N_, NO_VALUES, Severity


class Finding(NamedTuple):
    """What is wrong at a key path of the merged catalogue, and what to type."""

    path: Path
    message: str
    hint: str = ""
    values: Mapping[str, object] = NO_VALUES
    severity: Severity = Severity.ERROR
    known: Collection[str] = ()
    """The words of which the nearest to `{word}` is proposed, in the place of the hint."""
    table: str = ""
    """The list of tables of which one is to be named by its id: `{word}` may be what that one is called."""


MOST_COMPARED = 20_000
"""How many words are compared for the proposals of one catalogue: a hundred mistakes among two hundred names."""


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The known word that was probably meant: by its sense, or by its spelling."""
    known = list(candidates)
    # Where nothing is wrong nothing need be compared, nor loaded that does it.
    if (meant := importlib.import_module("pipeline.catalogue.synonyms").meant_by(word, frozenset(known))) is not None:
        return str(meant)
    close: list[str] = importlib.import_module("difflib").get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return next(iter(close), None)


def unknown(
    path: Path, word: str, known: Collection[str], what: str, hint: str = "", table: str = "", **values: object
) -> Finding:
    """A word that names nothing, for which the nearest one that does is proposed; the hint where none is near.

    `table` is the list of tables of which `known` are the ids.
    """
    return Finding(path, what, hint, {"word": word, **values}, known=known, table=table)


def proposed(findings: Iterable[Finding], tables: Mapping[str, Any]) -> Iterator[Finding]:
    """The findings with the words that were probably meant; where there are very many, only the first get one.

    `tables` is the catalogue, read or still as it was written.
    """
    left, called = MOST_COMPARED, cache(partial(_called, tables))
    for finding in findings:
        word = str(finding.values.get("word", ""))
        meant = called(finding.table).get(bare(word)) if finding.table else None
        if meant is None and finding.known and len(finding.known) <= left:
            left -= len(finding.known)
            meant = nearest(word, finding.known)
        if meant is not None and meant != word:
            values = {**finding.values, "meant": meant}
            finding = finding._replace(hint=N_("did you mean {meant!r}?"), values=values)
        yield finding._replace(known=()) if finding.known else finding


_NAMES = {"venue": "name", "event": "title", "newsletter": "subject"}
"""The key that says what people call a table that has an id."""


def _called(tables: Mapping[str, Any], table: str) -> Mapping[str, str]:
    """The ids of the tables in a list by what each is called in any language, bare."""
    ids: dict[str, str] = {}
    for row in tables.get(table, ()):
        said = row if isinstance(row, Mapping) else getattr(row, "__dict__", {})
        name = said.get(_NAMES[table])
        names = getattr(name, "root", name)
        for one in (*(names.values() if isinstance(names, Mapping) else [names]), said.get("id")):
            if isinstance(one, str) and isinstance(said.get("id"), str):
                ids.setdefault(bare(one), said["id"])
    return ids


def bare(name: str) -> str:
    """A name without what people write in different ways: accents, capitals, spaces and dots."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    return "".join(letter for letter in letters if letter.isalnum())
