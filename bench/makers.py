"""The calendar of a long series against ical-generator, and its feeds against feed: CPU of making them, nothing else.

The peers get finished facts and HTML; ours begins with the catalogue's Markdown and also says what changed.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from catalogue import catalogue
from icalendar import Calendar
from timing import Ratio, paired

ROOT = Path(__file__).parent.parent
NPM = Path(__file__).parent / "npm"
sys.path.insert(0, str(ROOT))

from pipeline.actions.build import draft  # noqa: E402
from pipeline.actions.project import project_at  # noqa: E402
from pipeline.edition import Edition  # noqa: E402
from pipeline.outputs import calendar, each, feeds  # noqa: E402
from pipeline.rendering import Renderer  # noqa: E402

NOW = datetime(2027, 1, 1, tzinfo=UTC)
CALENDAR = ("calendar.ics",)
FEEDS = ("atom.xml", "rss.xml", "feed.json")


def measure(events: int = 1000, runs: int = 5) -> list[Ratio]:
    """CPU of each over that of its peer, in alternated pairs, every run in a process or an edition of its own."""
    if not (NPM / "node_modules").is_dir():
        raise FileNotFoundError("the peers are not here: make peers")
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "events.toml"
        file.write_text(catalogue(events), encoding="utf-8")
        edition = draft(project_at(file), NOW).edition
    return [
        _against("a calendar", "calendar", edition, CALENDAR, f"ical-generator, {len(edition.dated)} events", runs),
        _against("three feeds", "feeds", edition, FEEDS, "feed, the newest entries", runs),
    ]


def _against(name: str, maker: str, edition: Edition, paths: Sequence[str], peer: str, runs: int) -> Ratio:
    facts = _facts(maker, made(edition, paths)[1])
    ours, theirs = list[float](), list[float]()
    for _ in range(runs):
        ours.append(made(edition, paths)[0])
        told = subprocess.run(
            ["node", NPM / "makers.mjs", maker], input=facts, capture_output=True, text=True, check=True
        )
        theirs.append(float(json.loads(told.stdout)["seconds"]))
    return Ratio(name, paired(ours, theirs), 0, f"{peer} ({min(theirs) * 1000:.0f} ms, ours {min(ours) * 1000:.0f} ms)")


def made(edition: Edition, paths: Sequence[str]) -> tuple[float, Mapping[str, bytes]]:
    """Seconds of CPU of the files at those paths, in English, and the files; nothing is kept from an earlier run."""
    fresh = Edition(edition.catalogue, edition.ledger, edition.day)
    wanted = {fresh.path(path, "en") for path in paths}
    begun = time.process_time()
    files = [
        one for output in (calendar, feeds) for one in each(output.render(fresh, Renderer())) if one.path in wanted
    ]
    bodies = {one.path: one.body for one in files}
    return time.process_time() - begun, bodies


def _facts(maker: str, files: Mapping[str, bytes]) -> str:
    if maker == "feeds":
        feed = json.loads(next(body for path, body in files.items() if path.endswith("feed.json")))
        return json.dumps({"title": feed["title"], "address": feed["home_page_url"], "items": feed["items"]})
    (body,) = files.values()
    parsed = Calendar.from_ical(body)
    return json.dumps({"name": str(parsed["name"]), "events": list(_events(parsed))})


def _events(parsed: Any) -> Iterable[Mapping[str, object]]:
    for event in parsed.walk("VEVENT"):
        start, stamp = event["dtstart"].dt, event["dtstamp"].dt
        yield {
            "uid": str(event["uid"]), "start": start.isoformat(), "end": event.end.isoformat(),
            "allDay": not isinstance(start, datetime), "stamp": stamp.isoformat(),
            "sequence": int(event.get("sequence", 0)), "summary": str(event["summary"]),
            "description": str(event.get("description", "")), "location": str(event.get("location", "")),
            "url": str(event.get("url", "")),
        }  # fmt: skip


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.2f} of {result.note}")
