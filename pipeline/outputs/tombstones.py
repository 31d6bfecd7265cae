"""The page of an event that is no longer in the programme: links in calendars, feeds and mails still lead there."""

from collections.abc import Iterator

from pipeline.edition import Edition
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.event_page import page_title
from pipeline.outputs.site import Page, page_file, site_of
from pipeline.outputs.structured_data import event_data
from pipeline.rendering import Renderer


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """One page for each retired event and language."""
    retired = [listing for listing in edition.listings if listing.retired]
    if not retired:
        return
    site = site_of(edition, renderer)
    for language in edition.languages:
        told = words(language)("This event is no longer in the programme of “{series}”.").format(
            series=edition.series.title.said_in(language).text
        )
        for listing in retired:
            path = f"events/{listing.event.id}/index.html"
            page = Page(path, language, page_title(listing, language), told, listed=False)
            context = site.context(page, event_data(edition, listing, language)) | {"listing": listing, "told": told}
            yield page_file(site, renderer, "site/retired.html", page, context)
