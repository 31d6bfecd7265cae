"""A finding: something to say about one key of the catalogue, before its line is known."""

import importlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

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


def unknown(path: Path, word: str, known: Collection[str], what: str, hint: str = "", **values: object) -> Finding:
    """A word that names nothing, for which the nearest one that does is proposed; the hint where none is near."""
    return Finding(path, what, hint, {"word": word, **values}, known=known)


def proposed(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings with the words that were probably meant; where there are very many, only the first get one."""
    left = MOST_COMPARED
    for finding in findings:
        if finding.known and len(finding.known) <= left:
            left -= len(finding.known)
            if (meant := nearest(str(finding.values["word"]), finding.known)) is not None:
                values = {**finding.values, "meant": meant}
                finding = finding._replace(hint=N_("did you mean {meant!r}?"), values=values)
        yield finding._replace(known=()) if finding.known else finding
