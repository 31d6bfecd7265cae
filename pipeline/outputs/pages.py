"""The web site: home, one page for each event and how to subscribe, in each language; and its stylesheet and icon."""

from collections.abc import Iterator

from pipeline.edition import Edition
from pipeline.language import words
from pipeline.markdown import to_text
from pipeline.outputs.base import Artifact
from pipeline.outputs.cards import Cards, picture_of
from pipeline.outputs.event_page import DESCRIPTION_LENGTH, EventPage, description, event_pages, page_title
from pipeline.outputs.excerpt import excerpt, first_sentence
from pipeline.outputs.joining import joining
from pipeline.outputs.pictures import Picture, picture_of_event, picture_of_series
from pipeline.outputs.site import ICON, STYLESHEET, Page, Site, asset, digest, page_file
from pipeline.outputs.structured_data import event_data, series_data
from pipeline.rendering import Renderer


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """Every file of the site; TemplateError where a template is wrong."""
    style = asset(edition, renderer, STYLESHEET)
    site, cards = Site(edition, digest(style)), Cards(edition)
    yield Artifact(STYLESHEET, "text/css; charset=utf-8", style)
    yield Artifact(ICON, "image/svg+xml", asset(edition, renderer, ICON))
    for language in edition.languages:
        card = picture_of(cards.of_series(language))
        yield _home(site, renderer, language, card)
        yield _subscribe(site, renderer, language, card)
        for event in event_pages(edition, language):
            yield _event(site, renderer, language, event, picture_of(cards.of_event(event.listing, language)))


def _home(site: Site, renderer: Renderer, language: str, card: Picture | None) -> Artifact:
    series = site.edition.series
    said = series.description.said_in(language) if series.description else None
    opening = series.subtitle.said_in(language) if series.subtitle else None
    if opening is None and said is not None:
        opening = said._replace(text=first_sentence(to_text(said.text)))
    title = series.title.said_in(language).text
    page = Page(
        "index.html",
        language,
        title,
        excerpt(opening.text if opening else title, DESCRIPTION_LENGTH),
        picture=picture_of_series(site.edition, language),
        card=card,
    )
    context = site.context(page, series_data(site.edition, language))
    return page_file(site, renderer, "site/index.html", page, context | {"opening": opening})


def _subscribe(site: Site, renderer: Renderer, language: str, card: Picture | None) -> Artifact:
    say, series = words(language), site.edition.series.title.said_in(language).text
    page = Page(
        "subscribe/index.html",
        language,
        say("Stay informed"),
        say("Calendar, feeds and mails: how to hear of every new date and every change of “{series}”.").format(
            series=series
        ),
        picture=picture_of_series(site.edition, language),
        card=card,
    )
    context = site.context(page, None) | {"joining": joining(site.edition.catalogue)}
    return page_file(site, renderer, "site/subscribe.html", page, context)


def _event(site: Site, renderer: Renderer, language: str, event: EventPage, card: Picture | None) -> Artifact:
    listing = event.listing
    page = Page(
        f"events/{listing.event.id}/index.html",
        language,
        page_title(listing, language),
        description(listing, language, site.edition.series.timezone),
        picture=picture_of_event(listing, language) or picture_of_series(site.edition, language),
        card=card,
    )
    context = site.context(page, event_data(site.edition, listing, language))
    return page_file(site, renderer, "site/event.html", page, context | {
        "about": event, "listing": listing, "joining": joining(site.edition.catalogue),
    })  # fmt: skip
