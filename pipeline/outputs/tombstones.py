"""The page of an event that is no longer in the programme: links in calendars, feeds and mails still lead there."""

from collections.abc import Iterator
from functools import partial

from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.event_page import event_path, page_title
from pipeline.outputs.site import Page, Site, page_file
from pipeline.outputs.structured_data import event_data
from pipeline.rendering import Renderer

RETIRED = "site/retired.html"


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """One page for each retired event and language."""
    site = Site(edition, renderer)
    retired = [listing for listing in edition.listings if listing.retired]
    for language in edition.languages:
        for listing in retired:
            key = site.key_of(RETIRED, listing)
            yield page_file(edition, event_path(listing), language, partial(_page, site, listing, language), key)


def _page(site: Site, listing: Listing, language: str) -> bytes:
    edition = site.edition
    told = words(language)("This event is no longer in the programme of “{series}”.").format(
        series=edition.series.title.said_in(language).text
    )
    page = Page(event_path(listing), language, page_title(listing, language), told, listed=False)
    context = site.context(page, event_data(edition, listing, language)) | {"listing": listing, "told": told}
    return site.rendered(RETIRED, page, context)
