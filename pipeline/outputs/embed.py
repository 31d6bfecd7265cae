"""`embed/`: the bare programme, for an iframe on the organisers' own site. It depends on the day."""

from collections.abc import Iterator

from pipeline.edition import Edition
from pipeline.language import words
from pipeline.outputs.base import Artifact
from pipeline.outputs.site import Page, page_file, site_of
from pipeline.rendering import Renderer

PATH = "embed/index.html"


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """The programme without head and foot, in every language."""
    site = site_of(edition, renderer)
    for language in edition.languages:
        say, series = words(language), edition.series.title.said_in(language).text
        page = Page(
            PATH,
            language,
            say("Programme"),
            say("The programme of “{series}”, to be shown on other sites.").format(series=series),
            listed=False,
        )
        yield page_file(site, renderer, "site/embed.html", page, site.context(page, None))
