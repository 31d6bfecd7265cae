"""The pictures that a shared link shows: which pages have one, what stands on it, and where it is published.

A card's name is a digest of all that is drawn on it: who has a file of that name need not draw it again. Here nothing
is drawn; `card_drawing` does that, and the shell asks it only for what isn't there yet.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from functools import cached_property

from pipeline.catalogue.texts import Phrase
from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.outputs.pictures import Picture
from pipeline.phrases import capitalised, place_line, say_when, status_word, title_of

DRAWN_AS = 1
"""Counts the ways in which cards have been drawn: a new one gives every card a new name."""
LATEST = 100
"""So many events have cards, the last ones of the programme; which they are must not depend on the day."""
WIDTH, HEIGHT = 1200, 630
TITLE_LENGTH = 300

_DRAWABLE = re.compile(
    r"[ -~\u00a0-\u017e\u0218-\u021b\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0401-\u045f"
    r"\u2012-\u2016\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u2039\u203a\u20ac]*"
)
"""Latin, Greek and Cyrillic letters and the marks between them: what the font has, left to right."""
_ENDED = re.compile(r"(?<=[!?…])\. ")
_PLAIN = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0", "\u2010": "-", "\u2011": "-", "\u2007": "\u00a0"})


@dataclass(frozen=True)
class Card:
    """What stands on one card, in one language. `status` is empty for what takes place as announced."""

    language: str
    series: str
    title: str
    status: str
    when: str
    place: str
    color: str

    @cached_property
    def path(self) -> str:
        """Where it is published below `assets/`."""
        facts = "\n".join((str(DRAWN_AS), *astuple(self)))
        return f"cards/{hashlib.blake2b(facts.encode(), digest_size=12).hexdigest()}.png"

    @cached_property
    def picture(self) -> Picture:
        """The card as a picture of the site, with its words for those who don't see it."""
        say, title = words(self.language), self.title
        if self.status:
            title = say("{status}: {text}").format(status=self.status, text=title)
        said = ". ".join(part.rstrip(".") for part in (title, self.when, self.place) if part)
        return Picture(self.path, Phrase(_ENDED.sub(" ", said), self.language), (WIDTH, HEIGHT))


class Cards:
    """The cards of an edition. A series with a picture of its own, or an event with one, needs none."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._own = edition.series.image is not None
        self.latest = edition.shown[-LATEST:]
        """The events that have cards of their own."""
        self._latest = frozenset(listing.event.id for listing in self.latest)
        self._places = frozenset(map(id, self.latest))
        self._of_series: dict[str, Card | None] = {}
        self._known: dict[tuple[int, str], tuple[Listing, Card | None]] = {}
        """The card of each event at its place, by its identity and the language; the event is held on to for it."""

    def of_series(self, language: str) -> Card | None:
        """The card of the series; None where the organisers have a picture, or the font lacks a letter."""
        if language not in self._of_series:
            self._of_series[language] = None if self._own else self._card_of_series(language)
        return self._of_series[language]

    def _card_of_series(self, language: str) -> Card | None:
        series = self._edition.series
        who = ", ".join(organiser.name for organiser in series.organiser)
        opening = series.subtitle.said_in(language).text if series.subtitle else ""
        return _drawable(self._card(language, who, series.title.said_in(language).text, "", opening, ""))

    def of_event(self, listing: Listing, language: str) -> Card | None:
        """The card of an event, or that of the series for an older one and for letters that the font lacks."""
        event = listing.event
        if self._own or event.image is not None:
            return None
        if event.id not in self._latest:
            return self.of_series(language)
        name = id(listing), language
        if name not in self._known:
            self._known[name] = listing, _drawable(self._of_event(listing, language)) or self.of_series(language)
        return self._known[name][1]

    def own_cards(self, listings: Iterable[Listing]) -> tuple[str, ...]:
        """Which of these events of the programme have cards of their own, by their ids: it depends on other events."""
        return tuple([listing.event.id for listing in listings if id(listing) in self._places])

    def __iter__(self) -> Iterator[Card]:
        """Every card that a page names, in every language; one may come twice."""
        for language in self._edition.languages:
            found = [self.of_series(language)]
            found += [self.of_event(listing, language) for listing in self.latest]
            yield from (card for card in found if card is not None)

    def _of_event(self, listing: Listing, language: str) -> Card:
        series, event = self._edition.series, self._edition.at_first_time(listing).event
        return self._card(
            language,
            series.title.said_in(language).text,
            title_of(event, language).text,
            status_word(event, language) or "",
            capitalised(say_when(event.when, language, "long", series.timezone)),
            place_line(listing.venue, language) if listing.venue else "",
        )

    def _card(self, language: str, series: str, title: str, status: str, when: str, place: str) -> Card:
        color = (self._edition.catalogue.site.color or "").strip().lower()
        return Card(language, _plain(series), _plain(title[:TITLE_LENGTH]), status, _plain(when), _plain(place), color)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", " ".join(text.split(" "))).translate(_PLAIN)


def _drawable(card: Card) -> Card | None:
    texts = (card.series, card.title, card.status, card.when, card.place)
    return card if all(_DRAWABLE.fullmatch(text) for text in texts) else None


def cards_of(edition: Edition) -> Cards:
    """The cards of an edition, made once for all that name them."""
    found: Cards | None = edition.__dict__.get("_cards")
    return found or edition.__dict__.setdefault("_cards", Cards(edition))


def picture_of(card: Card | None) -> Picture | None:
    """The picture of a card, where there is one."""
    return None if card is None else card.picture
