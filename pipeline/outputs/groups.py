"""The page of each group: who it is, how to hear of its events alone, and its programme."""

from collections.abc import Iterator, Sequence
from functools import partial

from pipeline.catalogue.models import Group
from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.event_page import DESCRIPTION_LENGTH
from pipeline.outputs.excerpt import excerpt
from pipeline.outputs.pictures import picture_of_series
from pipeline.outputs.site import Page, Site, page_file
from pipeline.outputs.structured_data import group_data
from pipeline.rendering import Renderer


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """`groups/<id>/index.html` in every language; nothing where there are no groups."""
    if not edition.catalogue.groups:
        return
    site = Site(edition, renderer)
    for language in edition.languages:
        for group in edition.catalogue.groups:
            yield page_file(edition, _path(group), language, partial(_page, site, language, group))


def _path(group: Group) -> str:
    return f"groups/{group.id}/index.html"


def _page(site: Site, language: str, group: Group) -> Iterator[bytes]:
    edition = site.edition
    name = group.name.said_in(language).text
    said = words(language)("The programme of {group}, part of “{series}”.").format(
        group=name, series=edition.series.title.said_in(language).text
    )
    page = Page(
        _path(group),
        language,
        name,
        excerpt(said, DESCRIPTION_LENGTH),
        picture=picture_of_series(edition, language),
    )
    context = site.context(page, group_data(edition, group, language)) | {
        "group": group,
        "upcoming": _own(edition.upcoming, group),
        "to_be_announced": _own(edition.to_be_announced, group),
        "past": _own(edition.past, group),
    }
    return site.rendered_in_parts("site/group.html", page, context)


def _own(listings: Sequence[Listing], group: Group) -> list[Listing]:
    return [listing for listing in listings if listing.event.group == group.id]
