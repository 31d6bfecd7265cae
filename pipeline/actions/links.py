"""Opening the catalogue's addresses, only when asked: which of them don't answer any more."""

import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

from pydantic import BaseModel

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.places import Path
from pipeline.errors import Severity

PATIENCE = 10.0
"""Seconds to wait for one answer."""
AT_ONCE = 8
AGENT = "tocsin check --links"
UNDECIDED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.TOO_MANY_REQUESTS})
"""Answers by which servers keep programs out: they say nothing about what a person would see."""


def broken_links(catalogue: Catalogue) -> Iterator[Finding]:
    """A warning for each place of an address that can't be opened; each address is asked for once."""
    places: dict[str, list[Path]] = defaultdict(list)
    for path, address in _addresses((), catalogue):
        places[address].append(path)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for address, trouble in zip(places, pool.map(trouble_with, places), strict=True):
            for path in places[address] if trouble else ():
                yield Finding(
                    path, "{address} can't be opened: {trouble}", "open it in a browser and correct it",
                    {"address": address, "trouble": trouble}, Severity.WARNING,
                )  # fmt: skip


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
        except (OSError, ValueError) as error:
            return str(getattr(error, "reason", error))
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
