"""Telling the WebSub hub which feeds have changed, so that it fetches them and tells their readers at once.

What it was told last is remembered beside the database: a hub that didn't answer, or a publication that was cut off
before, is made up for by the next one, and nothing is told twice.
"""

import hashlib
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from pipeline.actions.links import connection_reason
from pipeline.actions.project import Project
from pipeline.catalogue.models import Catalogue
from pipeline.errors import FileError, TocsinError, reason_of, visible
from pipeline.files import write_whole

PATIENCE: Final = 10.0
"""Seconds to wait for each answer."""
AGENT: Final = "tocsin publish"
FEEDS: Final = ("atom.xml", "*.atom.xml", "rss.xml", "feed.json")


@dataclass(frozen=True, slots=True)
class Told:
    """The addresses of the feeds that the hub was told of, and what went wrong; None where nothing did."""

    feeds: tuple[str, ...] = ()
    trouble: TocsinError | None = None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A form that is sent on elsewhere isn't what the organiser asked for, and a redirect would send it as a GET."""

    def redirect_request(self, *_redirect: Any) -> None:
        """Nowhere: the answer then counts as a refusal."""


def tell_hub(project: Project, catalogue: Catalogue) -> Told:
    """Posts the address of each feed in `out/` that differs from when the hub was last told of it; never raises."""
    hub = catalogue.site.hub
    if hub is None:
        return Told()
    memory = project.folder / "var" / "hub.json"
    known = _known(memory, hub)
    told: dict[str, str] = {}
    trouble: TocsinError | None = None
    for path, digest in _feeds(project.out):
        if known.get(path) == digest:
            continue
        if (trouble := _posted(hub, catalogue.site.base + path)) is not None:
            break
        told[path] = digest
    if told:
        trouble = _remember(memory, hub, {**known, **told}) or trouble
    return Told(tuple(catalogue.site.base + path for path in told), trouble)


def _feeds(out: Path) -> Iterator[tuple[str, str]]:
    """The feeds that name a hub, which archives don't, by path, each with a digest of its bytes."""
    found = {path for pattern in FEEDS for path in out.rglob(pattern) if path.parent.name != "archive"}
    for path in sorted(found):
        yield path.relative_to(out).as_posix(), hashlib.blake2b(path.read_bytes(), digest_size=10).hexdigest()


def _posted(hub: str, feed: str) -> TocsinError | None:
    """What is wrong with the hub's answer, in words; None where it took the news."""
    form = urlencode({"hub.mode": "publish", "hub.url": feed}).encode()
    request = urllib.request.Request(hub, data=form, headers={"User-Agent": AGENT})  # noqa: S310 - http(s), by the Url type
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=PATIENCE):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return TocsinError("{code} {reason}", code=error.code, reason=visible(str(error.reason)))
    except (OSError, ValueError, HTTPException) as error:
        return connection_reason(error)


def _known(memory: Path, hub: str) -> Mapping[str, str]:
    """The digest of each feed that this hub was told of; nothing where that can't be read."""
    try:
        record = json.loads(memory.read_bytes())
        return dict(record["feeds"]) if record["hub"] == hub else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _remember(memory: Path, hub: str, feeds: Mapping[str, str]) -> FileError | None:
    text = json.dumps({"hub": hub, "feeds": dict(sorted(feeds.items()))}, indent=0) + "\n"
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        write_whole(memory, text.encode())
    except OSError as error:
        return FileError("{file} can't be written: {reason}", file=memory, reason=reason_of(error))
    return None
