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
from pipeline.errors import N_, Severity, TocsinError, reason_of

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
        if address in answers and answers[address] is None:
            continue
        for path in paths:
            yield _finding(path, address, answers.get(address))


def _finding(path: Path, address: str, trouble: TocsinError | None) -> Finding:
    if trouble is None:
        message, hint = N_("{address} has not answered in time"), N_("open it in a browser")
    else:
        message, hint = N_("{address} can't be opened: {trouble}"), N_("open it in a browser and correct it")
    return Finding(path, message, hint, {"address": address, "trouble": trouble}, Severity.WARNING)


def _answers(addresses: Iterable[str], within: float) -> dict[str, TocsinError | None]:
    """What is wrong with each address that answered in that many seconds; None where nothing is."""
    left = deque(addresses)
    answers: dict[str, TocsinError | None] = {}
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


def trouble_with(address: str) -> TocsinError | None:
    """What is wrong with an http(s) address, in words; None where it answers."""
    trouble = None
    for method in ("HEAD", "GET"):
        request = urllib.request.Request(address, method=method, headers={"User-Agent": AGENT})  # noqa: S310 - Url type
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE):  # noqa: S310 - http(s) only, by the Url type
                return None
        except urllib.error.HTTPError as error:
            answer = {"code": error.code, "reason": error.reason}
            trouble = None if error.code in UNDECIDED else TocsinError("{code} {reason}", **answer)
            error.close()
        except (OSError, ValueError, HTTPException) as error:
            return connection_reason(error)
    return trouble


def connection_reason(error: Exception) -> TocsinError:
    """Why an address can't be asked; what the client only wraps is looked at itself."""
    inner = getattr(error, "reason", error)
    return reason_of(inner if isinstance(inner, OSError) else error)


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
