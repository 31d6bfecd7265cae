"""Opening the catalogue's addresses, only when asked: which of them don't answer any more."""

import urllib.error
import urllib.request
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from http.client import HTTPException
from threading import Condition, Thread

from pydantic import BaseModel

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.places import Path
from pipeline.errors import N_, Severity

PATIENCE = 10.0
"""Seconds to wait for one answer."""
ALTOGETHER = 120.0
"""Seconds to wait for all of them."""
AT_ONCE = 8
AGENT = "tocsin check --links"
UNDECIDED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS})
"""Answers by which servers keep programs out: they say nothing about what a person would see."""


def broken_links(catalogue: Catalogue, within: float = ALTOGETHER) -> Iterator[Finding]:
    """A warning for each place of an address that can't be opened; each address is asked for once.

    After `within` seconds no more answers are waited for, and each address that has none is named too.
    """
    places: dict[str, list[Path]] = defaultdict(list)
    for path, address in _addresses((), catalogue):
        places[address].append(path)
    answers = _answers(places, within)
    for address, paths in places.items():
        for path in paths if answers.get(address, "late") else ():
            yield _finding(path, address, answers.get(address))


def _finding(path: Path, address: str, trouble: str | None) -> Finding:
    if trouble is None:
        message, hint = N_("{address} has not answered in time"), N_("open it in a browser")
    else:
        message, hint = N_("{address} can't be opened: {trouble}"), N_("open it in a browser and correct it")
    return Finding(path, message, hint, {"address": address, "trouble": trouble}, Severity.WARNING)


def _answers(addresses: Iterable[str], within: float) -> dict[str, str]:
    """What is wrong with each address that answered in that many seconds; empty where nothing is."""
    left = deque(addresses)
    answers: dict[str, str] = {}
    wanted, answered = len(left), Condition()

    def ask() -> None:
        while True:
            try:
                address = left.popleft()
            except IndexError:
                return
            trouble = trouble_with(address)
            with answered:
                answers[address] = trouble
                answered.notify_all()

    # As daemons they don't keep the program from ending when a server answers a letter at a time.
    for _ in range(min(AT_ONCE, wanted)):
        Thread(target=ask, daemon=True).start()
    with answered:
        answered.wait_for(lambda: len(answers) == wanted, timeout=within)
        left.clear()
        return dict(answers)


def trouble_with(address: str) -> str:
    """What is wrong with an http(s) address, in words; empty where it answers."""
    for method in ("HEAD", "GET"):
        request = urllib.request.Request(address, method=method, headers={"User-Agent": AGENT})  # noqa: S310 - Url type
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310 - http(s) only, by the Url type
                return ""
        except urllib.error.HTTPError as error:
            trouble = "" if error.code in UNDECIDED else f"{error.code} {error.reason}"
            error.close()
        except (OSError, ValueError, HTTPException) as error:
            return str(getattr(error, "reason", error)) or type(error).__name__
    return trouble


def _addresses(path: Path, value: object) -> Iterator[tuple[Path, str]]:
    """Every address that stands alone under a key, with its path in the catalogue."""
    if isinstance(value, BaseModel):
        for name in value.model_fields_set:
            key = type(value).model_fields[name].alias or name
            yield from _addresses((*path, key), getattr(value, name))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _addresses((*path, index), item)
    elif isinstance(value, str) and value.startswith(("http://", "https://")) and path[:1] != ("site",):
        yield path, value
