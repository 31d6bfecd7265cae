"""The frame that all pages of the site share: their heads, the ways between them, and their files."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from pipeline.edition import Edition, Listing
from pipeline.language import locale, say_language, words
from pipeline.outputs import links
from pipeline.outputs.base import Artifact, Made
from pipeline.outputs.colours import CSS_COLOURS
from pipeline.outputs.date_tile import date_tile, machine_readable
from pipeline.outputs.joining import Joining, joining
from pipeline.outputs.keys import Lasting, Reused, keys
from pipeline.outputs.later_dates import say_later_dates
from pipeline.outputs.pictures import Picture, picture_address
from pipeline.outputs.structured_data import embedded
from pipeline.phrases import capitalised, changes, place_line, short_place, status_word, title_of
from pipeline.rendering import Renderer

STYLESHEET = "assets/style.css"
ICON = "assets/icon.svg"
PARTS = "site/parts.html"
"""Holds the pieces of pages that outlast an edition."""

SHARED_FACTS = (
    "series", "languages", "address", "path", "catalogue.series", "catalogue.site", "catalogue.mail",
    "catalogue.venues", "catalogue.venue_by_id", "catalogue.venue_of", "catalogue.organisations",
    "catalogue.organisation_by_name", "catalogue.groups", "catalogue.group_by_id", "catalogue.group_of",
    "catalogue.languages", "catalogue.rules", "catalogue.newsletters",
)  # fmt: skip
"""What a template may read of `edition` on a page that depends on its own events: `Keys.series` holds all of it."""

_SPARE = re.compile(
    r"""/\*.*?\*/|(?P<quoted>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\s*(?P<sign>[{};,])\s*|\s*\n\s*""", re.DOTALL
)
"""What of a stylesheet only people need, and what stays of it."""
_VENUE = attrgetter("event.venue")
_HEXADECIMAL = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})")


class Version(NamedTuple):
    """A page in one language: its code, its name in that language, its absolute address and the way to it."""

    language: str
    name: str
    address: str
    href: str


class Page(NamedTuple):
    """One page: where it stands below its language's tree, and what its head says of it."""

    path: str
    language: str
    title: str
    description: str
    stands_for: str | None = None
    """The public path of the page that it repeats and that search engines shall name; None where that is itself."""
    listed: bool = True
    """Whether search engines shall list it."""
    picture: Picture | None = None
    card: Picture | None = None
    """What a shared link shows where the page has no picture of the organisers' own."""

    @property
    def folder(self) -> str:
        """The path by which it is known in public: without `index.html`."""
        return self.path.removesuffix("index.html")


class Site:
    """What all pages of an edition share, and the ways between them."""

    def __init__(self, edition: Edition, renderer: Renderer) -> None:
        self.edition = edition
        self._renderer = renderer
        self._shared: dict[str, dict[str, Any]] = {}
        self._sharp: dict[str, bool] = {}
        self._trees = [
            (language, say_language(language, language), edition.address("", language), edition.path("", language))
            for language in edition.languages
        ]

    @cached_property
    def joining(self) -> Joining | None:
        """Where to subscribe by mail; None where that can't be done."""
        return joining(self.edition.catalogue)

    @cached_property
    def _stylesheet(self) -> str:
        return digest(asset(self.edition, self._renderer, STYLESHEET))

    def rendered(self, template: str, page: Page, context: Mapping[str, Any]) -> bytes:
        """A page in its template; TemplateError where that is wrong."""
        return self._renderer.render_encoded(template, page.language, context)

    def rendered_in_parts(self, template: str, page: Page, context: Mapping[str, Any]) -> Iterator[bytes]:
        """A long page, as it is made."""
        return map(str.encode, self._renderer.render_in_parts(template, page.language, context))

    def key_of(self, template: str, *listings: Listing | None, values: Iterable[str] = ()) -> str | None:
        """The key of a page that shows these events and values; of everything, where its template may read more."""
        return keys(self.edition).of(*listings, values=values) if self._is_sharp(template) else None

    def _is_sharp(self, template: str) -> bool:
        """Whether a template reads of no event but those it is given."""
        if template not in self._sharp:
            language = self.edition.languages[0]
            self._sharp[template] = self._renderer.reads_only(template, language, "edition", SHARED_FACTS)
        return self._sharp[template]

    def way(self, page: Page, path: str, language: str | None = None) -> str:
        """The relative address from a page to another path of `out/`, so that the site also works from a folder."""
        return self._up(page) + self.edition.path(path, language or page.language)

    def _up(self, page: Page) -> str:
        """The way from a page to the root of `out/`."""
        return "../" * self.edition.path(page.path, page.language).count("/")

    def shared_file(self, page: Page, path: str) -> str:
        """The relative address of a file that all languages share."""
        return self.way(page, path, self.edition.languages[0])

    def versions(self, page: Page) -> list[Version]:
        """The page in every language, the default one first."""
        folder, up = page.folder, self._up(page)
        return [
            Version(language, name, f"{address}{folder}", f"{up}{tree}{page.path}")
            for language, name, address, tree in self._trees
        ]

    def context(self, page: Page, structured: Mapping[str, Any] | None) -> dict[str, Any]:
        """The variables that every template of the site may use; they are described at the top of `base.html`."""
        if page.language not in self._shared:
            self._shared[page.language] = self._shared_context(page.language)
        up, language, way = self._up(page), page.language, self.edition.path
        tree = up + way("", language)
        data = embedded(structured) if structured is not None else None
        return self._shared[language] | {
            "page": page,
            "versions": self.versions(page),
            "canonical": self.edition.address(page.stands_for or page.folder, language),
            "up": up,
            "to": lambda path, other=None: (up + way("", other) if other else tree) + path,
            "shared": lambda path: up + path,
            "lasting": lambda *told: self._lasting(page, *told),
            "stylesheet": f"{up}{STYLESHEET}?v={self._stylesheet}",
            "icon": up + ICON,
            "structured": data.script if data is not None else None,
            "structured_source": data.source if data is not None else None,
        }

    def _lasting(self, page: Page, *told: Any) -> Lasting | None:
        """A key for what a page tells of events at the dates that are shown there; None where it may tell of others.

        These are given one by one, or as a run.
        """
        if not self._is_sharp(PARTS):
            return None
        own, is_run = keys(self.edition), isinstance(told[0], tuple)
        listings: Sequence[Listing] = told[0] if is_run else told
        # What recurs may be shown at another of its dates than its facts say.
        recurring = (listing.event for listing in (listings if self.edition.recurring else ()) if listing.event.repeats)
        values = (page.language, page.path, *(f"{event.date} {event.time}" for event in recurring))
        return Lasting(own.of_all(listings, values) if is_run else own.of(*listings, values=values))

    def _shared_context(self, language: str) -> dict[str, Any]:
        """What is the same on all pages of a language."""
        edition = self.edition

        def address(path: str) -> str:
            return edition.address(path, language)

        recurring = edition.recurring
        return {
            "edition": edition,
            "series": edition.series,
            "runs": keys(edition).runs,
            "made_pieces": Reused(keys(edition)),
            "direction": locale(language).text_direction,
            "address": address,
            "webcal": links.webcal,
            "subscribe_links": links.subscribe_links(
                address("calendar.ics"), edition.series.title.said_in(language).text
            ),
            "mail_subscription": self._mail_subscription(language),
            "tile": lambda when: date_tile(when, language, edition.series.timezone),
            "machine_readable": machine_readable,
            "title_of": lambda event: title_of(event, language),
            "status_word": lambda event: status_word(event, language),
            "place_line": lambda venue: place_line(venue, language),
            "short_place": lambda venue: short_place(venue, language),
            "later_dates": lambda listing: say_later_dates(
                recurring.get(listing.event.id, listing.event), listing.event.when, language
            ),
            "country_name": lambda code: links.country_name(code, language),
            "changes": lambda news: changes(news, language, edition.series.timezone),
            "picture_address": lambda picture: picture_address(edition, picture),
            "capitalised": capitalised,
            "host": lambda url: urlsplit(url).hostname,
            "at_several_places": lambda listings: edition.has_several_venues and at_several_places(listings),
        }

    def _mail_subscription(self, language: str) -> links.Link | None:
        """The address to write to, and the link that begins the letter; None where no mail is sent."""
        sender = self.edition.catalogue.mail.sender
        if sender is None:
            return None
        say, series = words(language), self.edition.series.title.said_in(language).text
        body = say("Hello, please send me the mails about “{series}”.").format(series=series)
        link = links.mail_link(sender, say("Subscribe me: {series}").format(series=series), body)
        return links.Link(links.mail_address(sender), link)


# --------------------------------------------------------------------------------------------- the files


def at_several_places(listings: Iterable[Listing]) -> bool:
    """Whether events are held at more than one venue."""
    venues = filter(None, map(_VENUE, listings))
    first = next(venues, None)
    return any(venue != first for venue in venues)


def digest(style: bytes) -> str:
    """What stands behind a stylesheet's address: browsers keep one for long, and fetch one that has changed."""
    return hashlib.blake2b(style, digest_size=5).hexdigest()


def asset(edition: Edition, renderer: Renderer, path: str) -> bytes:
    """A file of `assets/` in the series' colour."""
    context = {"color": colour(edition.catalogue.site.color)}
    text = renderer.render(f"site/{path}", edition.languages[0], context)
    return (compact(text) if path.endswith(".css") else text).encode()


def compact(style: str) -> str:
    """A stylesheet without comments and without the white space that only people need; what is quoted stays."""
    return _SPARE.sub(lambda found: found[found.lastgroup] if found.lastgroup else " ", style).strip() + "\n"


def page_file(edition: Edition, path: str, language: str, make: Callable[[], Made], key: str | None = None) -> Artifact:
    """A page as a file of its language's tree; `key` as for an artifact."""
    return Artifact(edition.path(path, language), "text/html; charset=utf-8", make, key)


def colour(text: str | None) -> str | None:
    """The series' colour as CSS takes it: `#a31`, `#aa3311` or a colour's name; None for anything else."""
    said = (text or "").strip().lower()
    return said if said in CSS_COLOURS or _HEXADECIMAL.fullmatch(said) else None
