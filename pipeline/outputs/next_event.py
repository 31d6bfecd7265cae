"""`next/`: an address that stays, under which the next event is always found. It depends on the day."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pipeline.catalogue.recurrence import at_one_time
from pipeline.edition import Edition
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.cards import cards_of, picture_of
from pipeline.outputs.event_page import EventPages, description, page_title
from pipeline.outputs.joining import joining
from pipeline.outputs.pictures import picture_of_event, picture_of_series
from pipeline.outputs.site import Page, Site, page_file
from pipeline.outputs.structured_data import event_data
from pipeline.rendering import Renderer

PATH = "next/index.html"


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """The page of the next event at its standing address, in every language; or that none is known."""
    site = Site(edition, renderer)
    for language in edition.languages:
        yield page_file(edition, PATH, language, partial(_next, site, language))


def _next(site: Site, language: str) -> bytes:
    edition, say = site.edition, words(language)
    coming = edition.next
    if coming is None:
        title, series = say("Next event"), edition.series.title.said_in(language).text
        told = say("The next date of “{series}” is to be announced.")
        if edition.is_over:
            told = say("“{series}” is over. Its programme and recordings stay here.")
        page = Page(PATH, language, title, told.format(series=series), picture=picture_of_series(edition, language))
        return site.rendered("site/no-next.html", page, site.context(page, None))
    alone = replace(coming, event=at_one_time(coming.event, coming.event.when))
    page = Page(
        PATH,
        language,
        say("Next event: {title}").format(title=page_title(coming, language)),
        description(alone, language, edition.series.timezone),
        stands_for=f"events/{coming.event.id}/",
        picture=picture_of_event(coming, language) or picture_of_series(edition, language),
        card=picture_of(cards_of(edition).of_event(coming, language)),
    )
    # Machines are told of all times of what recurs, as on the event's own page.
    whole = next(listing for listing in edition.shown if listing.event.id == coming.event.id)
    context = site.context(page, event_data(edition, whole, language))
    about = EventPages(edition).of(coming, language)
    context |= {"about": about, "listing": coming, "joining": joining(edition.catalogue)}
    return site.rendered("site/next.html", page, context)
