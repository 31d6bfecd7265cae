"""The web site: home, one page for each event and how to subscribe, in each language; and its stylesheet and icon."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.markdown import to_text
from pipeline.outputs.base import Artifact, Bundle
from pipeline.outputs.cards import Cards, cards_of, picture_of
from pipeline.outputs.event_page import DESCRIPTION_LENGTH, EventPages, description, event_path, page_title
from pipeline.outputs.excerpt import excerpt, first_sentence
from pipeline.outputs.keys import keys
from pipeline.outputs.pictures import picture_of_event, picture_of_series
from pipeline.outputs.site import ICON, STYLESHEET, Page, Site, asset, page_file
from pipeline.outputs.structured_data import event_data, series_data
from pipeline.reminders.occasions import Kind
from pipeline.reminders.rules import rules_of
from pipeline.rendering import Renderer

HOME = "index.html"
SUBSCRIBE = "subscribe/index.html"
EVENT = "site/event.html"


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact | Bundle]:
    """Every file of the site; its body raises TemplateError where a template is wrong."""
    own = keys(edition)
    yield Artifact(STYLESHEET, "text/css; charset=utf-8", partial(asset, edition, renderer, STYLESHEET), own.series)
    yield Artifact(ICON, "image/svg+xml", partial(asset, edition, renderer, ICON), own.series)
    site, cards, events = Site(edition, renderer), cards_of(edition), EventPages(edition)
    for language in edition.languages:
        yield page_file(edition, HOME, language, partial(_home, site, cards, language))
        yield page_file(edition, SUBSCRIBE, language, partial(_subscribe, site, cards, language))
    runs = list(_runs_and_keys(site, cards, events))
    for language in edition.languages:
        for run, key in runs:
            files = partial(_event_pages, site, cards, events, run, language)
            yield Bundle(f"pages/{language}/{run[-1].event.id}", key, files)


def _runs_and_keys(site: Site, cards: Cards, events: EventPages) -> Iterator[tuple[Sequence[Listing], str | None]]:
    """Events that follow one another, and the key of their pages, the same in every language."""
    own = keys(site.edition)
    runs = own.runs(site.edition.shown)
    before, after = (None, *(run[-1] for run in runs[:-1])), (*(run[0] for run in runs[1:]), None)
    for run, *beside in zip(runs, before, after, strict=bool(runs)):
        values = (own.of_all(run), *cards.own_cards(run), "over", *events.which_are_over(run))
        yield run, site.key_of(EVENT, *beside, values=values)


def _event_pages(
    site: Site, cards: Cards, events: EventPages, run: Iterable[Listing], language: str
) -> Iterator[Artifact]:
    for listing in run:
        make = partial(_event, site, cards, events, listing, language)
        values = (*_card_paths(cards, listing, language), f"over: {events.over(listing)}")
        key = site.key_of(EVENT, *events.around(listing), values=values)
        yield page_file(site.edition, event_path(listing), language, make, key)


def _card_paths(cards: Cards, listing: Listing, language: str) -> tuple[str, ...]:
    """Which cards there are depends on other events."""
    card = cards.of_event(listing, language)
    return () if card is None else (card.path,)


def _home(site: Site, cards: Cards, language: str) -> Iterator[bytes]:
    series = site.edition.series
    said = series.description.said_in(language) if series.description else None
    opening = series.subtitle.said_in(language) if series.subtitle else None
    if opening is None and said is not None:
        opening = said._replace(text=first_sentence(to_text(said.text)))
    title = series.title.said_in(language).text
    page = Page(
        HOME,
        language,
        title,
        excerpt(opening.text if opening else title, DESCRIPTION_LENGTH),
        picture=picture_of_series(site.edition, language),
        card=picture_of(cards.of_series(language)),
    )
    context = site.context(page, series_data(site.edition, language))
    return site.rendered_in_parts("site/index.html", page, context | {"opening": opening, "joining": site.joining})


def _subscribe(site: Site, cards: Cards, language: str) -> bytes:
    say, series = words(language), site.edition.series.title.said_in(language).text
    told = say("Calendar and feeds: how to hear of every new date and every change of “{series}”.")
    if site.edition.catalogue.mail.sender is not None:
        told = say("Calendar, feeds and mails: how to hear of every new date and every change of “{series}”.")
    page = Page(
        SUBSCRIBE,
        language,
        say("Stay informed"),
        told.format(series=series),
        picture=picture_of_series(site.edition, language),
        card=picture_of(cards.of_series(language)),
    )
    context = site.context(page, None) | {"joining": site.joining, "reminding": _reminding(site.edition)}
    return site.rendered("site/subscribe.html", page, context)


def _reminding(edition: Edition) -> bool:
    """Whether all who get mails hear of every event when it is announced, and again before it."""
    for_all = [
        read.kind
        for read in rules_of(edition.catalogue)
        if read.rule.default and not (read.rule.tags or read.rule.events or read.rule.needs)
    ]
    return {Kind.ANNOUNCEMENTS, Kind.REMINDERS} <= set(for_all)


def _event(site: Site, cards: Cards, events: EventPages, listing: Listing, language: str) -> bytes:
    first = site.edition.at_first_time(listing)
    page = Page(
        event_path(listing),
        language,
        page_title(listing, language),
        description(first, language, site.edition.series.timezone),
        picture=picture_of_event(listing, language) or picture_of_series(site.edition, language),
        card=picture_of(cards.of_event(listing, language)),
    )
    context = site.context(page, event_data(site.edition, listing, language))
    context |= {"about": events.of(first, language), "listing": first, "joining": site.joining}
    return site.rendered(EVENT, page, context)
