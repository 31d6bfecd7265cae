"""A finding: something to say about one key of the catalogue, before its line is known."""

import importlib
from collections.abc import Iterable, Mapping
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


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The known word that was probably meant: by its sense, or by its spelling."""
    known = list(candidates)
    # Where nothing is wrong nothing need be compared, nor loaded that does it.
    if (meant := importlib.import_module("pipeline.catalogue.synonyms").meant_by(word, frozenset(known))) is not None:
        return str(meant)
    close: list[str] = importlib.import_module("difflib").get_close_matches(word.lower(), known, n=1, cutoff=0.6)
    return next(iter(close), None)


def unknown(path: Path, word: str, candidates: Iterable[str], what: str) -> Finding:
    """A word that names nothing, with the nearest one that does."""
    meant = nearest(word, candidates)
    hint = N_("did you mean {meant!r}?") if meant else ""
    return Finding(path, what, hint, {"word": word, "meant": meant})
