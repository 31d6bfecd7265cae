"""`poster/`: the events to come on one sheet of A4, and the QR code of each event. The sheet depends on the day."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice

from pipeline.catalogue.models import Venue
from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.outputs.base import Artifact, Bundle
from pipeline.outputs.keys import keys
from pipeline.outputs.pictures import picture_of_series
from pipeline.outputs.qr import qr_svg
from pipeline.outputs.site import Page, Site, asset, digest, page_file
from pipeline.rendering import Renderer

PATH = "poster/index.html"
STYLESHEET = "assets/poster.css"
HOME_CODE = "qr.svg"

ROOM = 10
"""How many events one sheet holds in letters that can be read from a step away."""
SIZES = ((2, "large"), (5, "medium"), (ROOM, "small"))
"""Up to so many events, in letters of that size."""


@dataclass(frozen=True, slots=True)
class Poster:
    """What stands on the sheet: the events in their order, how many more there are, the size of the letters."""

    events: Sequence[Listing]
    more: int
    size: str
    place: Venue | None
    """The place where all of them are held, to be said once; None where they differ."""


def poster(edition: Edition) -> Poster:
    """The events to come that take place, dated ones first, as many as one sheet holds."""
    coming = [item for item in edition.to_come if not item.cancelled]
    shown = coming[:ROOM]
    size = next(name for most, name in SIZES if len(shown) <= most)
    places = {item.event.venue: item.venue for item in shown}
    place = next(iter(places.values())) if len(places) == 1 and len(shown) > 1 else None
    return Poster(shown, len(coming) - len(shown), size, place)


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact | Bundle]:
    """The poster and its stylesheet, the code of the site and that of each event, in every language."""
    style = Artifact(
        STYLESHEET, "text/css; charset=utf-8", partial(asset, edition, renderer, STYLESHEET), keys(edition).series
    )
    yield style
    site, runs, shown = Site(edition, renderer), list(_runs(edition)), cache(partial(poster, edition))
    for language in edition.languages:
        yield page_file(edition, PATH, language, partial(_sheet, site, style, shown, language))
        yield _code(edition, HOME_CODE, "", language)
        for events, key in runs:
            yield Bundle(f"codes/{language}/{events[-1]}", key, partial(_codes, edition, events, language))


def _runs(edition: Edition) -> Iterator[tuple[Sequence[str], str]]:
    """The ids of events whose codes are looked at together, and the key of these, the same in every language."""
    ids = iter(edition.places)
    for run in keys(edition).runs(edition.shown):
        events = list(islice(ids, len(run)))
        yield events, keys(edition).of(values=events)


def _codes(edition: Edition, events: Iterable[str], language: str) -> Iterator[Artifact]:
    for event in events:
        yield _code(edition, f"events/{event}/qr.svg", f"events/{event}/", language)


def _sheet(site: Site, style: Artifact, shown: Callable[[], Poster], language: str) -> bytes:
    edition = site.edition
    page = Page(
        PATH,
        language,
        words(language)("Poster"),
        words(language)("The dates of “{series}” on one sheet, to be printed.").format(
            series=edition.series.title.said_in(language).text
        ),
        picture=picture_of_series(edition, language),
    )
    context = site.context(page, None) | {
        "poster": shown(),
        "sheet": f"{site.shared_file(page, STYLESHEET)}?v={digest(style.body)}",
    }
    return site.rendered("site/poster.html", page, context)


def _code(edition: Edition, path: str, target: str, language: str) -> Artifact:
    make = partial(qr_svg, edition.address(target, language))
    return Artifact(edition.path(path, language), "image/svg+xml", make, keys(edition).series)
