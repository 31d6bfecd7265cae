"""A series of two groups, each with a file of its own: what it loads as, its ledger, and what is made of it."""

from collections.abc import Mapping
from datetime import UTC, date, datetime

from pipeline.catalogue.load import Loaded, Source, load
from pipeline.edition import Edition
from pipeline.keeping import last_published
from pipeline.ledger import Ledger, pending_lines
from pipeline.outputs import render_all
from pipeline.rendering import Renderer

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 6, 12, tzinfo=UTC)
DAY = date(2026, 2, 1)

MAIN = """
format = 1
include = ["groups/*.toml"]
[series]
id = "fed"
title = "The federation"
timezone = "Europe/Paris"
default_language = "en"
languages = ["en", "fr"]
organiser = { name = "The Federation", email = "all@fed.example" }
[site]
url = "https://fed.example/"
[[venue]]
id = "hall"
name = "Town hall"
city = "Paris"
[[event]]
id = "assembly"
title = "General assembly"
date = 2026-06-01
time = "18:00"
venue = "hall"
"""


def group(name: str, events: str = "", opening: str = "") -> str:
    """A group's file with one event to come and one that is over."""
    return f"""
[group]
id = "{name}"
name.en = "{name.title()} group"
name.fr = "Groupe {name}"
{opening}
[[event]]
id = "{name}-talk"
title = "A talk in the {name}"
date = 2026-03-04
time = "19:00"
venue = "hall"
[[event]]
id = "{name}-walk"
title = "A walk in the {name}"
date = 2026-01-10
all_day = true
{events}
"""


NORTH = group(
    "north", opening='organiser = { name = "North", email = "hello@north.example", url = "https://n.example/" }'
)
SOUTH = group("south")


def loaded(files: Mapping[str, str], main: str = MAIN, ledger: Ledger | None = None) -> Loaded:
    """The catalogue of a main file and groups' files; where there is a ledger, mistakes in the latter stay theirs."""
    sources = [Source(f"groups/{name}.toml", text) for name, text in files.items()]
    keep = None if ledger is None else last_published(ledger)
    return load(Source("events.toml", main), lambda _: sources, keep=keep)


def published(files: Mapping[str, str], main: str = MAIN) -> Ledger:
    return Ledger(pending_lines(loaded(files, main).catalogue, Ledger(), NOON))


BOTH = published({"north": NORTH, "south": SOUTH})


def outputs(catalogue_of: Loaded, ledger: Ledger, day: date = DAY) -> dict[str, bytes]:
    edition = Edition(catalogue_of.catalogue, ledger, day)
    return {artifact.path: artifact.body for artifact in render_all(edition, Renderer())}
