"""`embed/`: the bare programme, for an iframe on the organisers' own site. It depends on the day."""

from collections.abc import Iterator
from functools import partial

from pipeline.edition import Edition
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.site import Page, Site, page_file
from pipeline.rendering import Renderer

PATH = "embed/index.html"


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """The programme without head and foot, in every language."""
    site = Site(edition, renderer)
    for language in edition.languages:
        yield page_file(edition, PATH, language, partial(_programme, site, language))


def _programme(site: Site, language: str) -> Iterator[bytes]:
    say, series = words(language), site.edition.series.title.said_in(language).text
    page = Page(
        PATH,
        language,
        say("Programme"),
        say("The programme of “{series}”, to be shown on other sites.").format(series=series),
        listed=False,
    )
    return site.rendered_in_parts("site/embed.html", page, site.context(page, None))
