"""`newsletters/<id>/`: each newsletter that is out, as it was sent."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from pipeline.catalogue.models import Newsletter
from pipeline.edition import Edition
from pipeline.outputs.base import Artifact
from pipeline.outputs.cards import Cards, picture_of
from pipeline.outputs.newsletter_content import summary
from pipeline.outputs.pictures import picture_of_series
from pipeline.outputs.site import Page, Site, page_file
from pipeline.rendering import Renderer
from pipeline.sent_newsletters import Sent, SentNewsletter, Told

NEWSLETTER = "site/newsletter.html"


@dataclass(frozen=True, slots=True)
class NewsletterPage:
    """A newsletter with what stands around it: neighbours by when they left, and what it corrects."""

    newsletter: SentNewsletter
    told: Told
    previous: Newsletter | None
    next: Newsletter | None
    corrects: Newsletter | None
    corrected_by: Newsletter | None


def render(edition: Edition, renderer: Renderer) -> Iterator[Artifact]:
    """The page of each newsletter in every language; nothing before the first one is out."""
    if not edition.newsletters:
        return
    site, cards = Site(edition, renderer), Cards(edition)
    for language in edition.languages:
        for number, sent in enumerate(edition.newsletters):
            make = partial(_page, site, cards, language, number)
            key = site.key_of(NEWSLETTER, values=_shown_of(edition.newsletters, number))
            yield page_file(edition, newsletter_path(sent.newsletter), language, make, key)


def _shown_of(out: tuple[Sent, ...], number: int) -> list[str]:
    """Which newsletters a page tells of, in their order; their ids hold a digest of all that they say."""
    here = out[number]
    related = {here.newsletter.corrects, here.corrected_by.newsletter.id if here.corrected_by else None}
    return [
        f"{place - number} {one.id}"
        for place, one in enumerate(out)
        if abs(place - number) <= 1 or one.newsletter.id in related
    ]


def newsletter_path(newsletter: Newsletter) -> str:
    """Where the page of a newsletter stands below its language's tree."""
    return f"newsletters/{newsletter.id}/index.html"


def _page(site: Site, cards: Cards, language: str, number: int) -> bytes:
    edition = site.edition
    about = _newsletter_page(edition.newsletters, number, language)
    newsletter = about.newsletter
    page = Page(
        newsletter_path(newsletter),
        language,
        newsletter.subject.said_in(language).text,
        summary(newsletter, language),
        picture=picture_of_series(edition, language),
        card=picture_of(cards.of_series(language)),
    )
    context = site.context(page, None) | {"about": about, "newsletter": newsletter}
    return site.rendered(NEWSLETTER, page, context)


def _newsletter_page(out: tuple[Sent, ...], number: int, language: str) -> NewsletterPage:
    sent = out[number]
    by_id = {one.newsletter.id: one.newsletter for one in out}
    return NewsletterPage(
        newsletter=sent.newsletter,
        told=sent.newsletter.told_in(language),
        previous=out[number + 1].newsletter if number + 1 < len(out) else None,
        next=out[number - 1].newsletter if number else None,
        corrects=by_id.get(sent.newsletter.corrects or ""),
        corrected_by=sent.corrected_by.newsletter if sent.corrected_by else None,
    )
