"""What a digest or a newsletter tells: news, events to come and recordings, as lines in the reader's language."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.catalogue.models import Event, Newsletter, Rule
from pipeline.catalogue.recurrence import LONGEST, at_one_time, occurrences
from pipeline.catalogue.timing import Monthly, Weekly, parse_timing
from pipeline.catalogue.when import When, is_over
from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.ledger import LineKind
from pipeline.letters.views import Link, as_it_stands, dated_title, link_to
from pipeline.news import News
from pipeline.phrases import capitalised, headline, place_line, title_of
from pipeline.reminders.newsletters import HORIZON, SINCE, newsletter_digest
from pipeline.reminders.occasions import Occasion
from pipeline.reminders.periods import Digest, around, digest


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One line of a digest: the event's id, what it says in which language, and the page that tells more."""

    event: str
    text: str
    language: str
    page: str
    place: str = ""
    recordings: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class DigestView:
    """The sections of a digest; an empty one isn't shown."""

    news: tuple[DigestLine, ...]
    upcoming: tuple[DigestLine, ...]
    recordings: tuple[DigestLine, ...]


def digest_view(
    edition: Edition, occasion: Occasion, rule: Rule | Newsletter, language: str, now: datetime
) -> DigestView:
    """What the digest that falls due with this occasion tells; `now` keeps out what is over."""
    found = _found(edition, occasion, rule)
    return DigestView(
        news=news_lines(edition, found.news, language, now),
        upcoming=upcoming_lines(edition, found.upcoming, language, found.more),
        recordings=recording_lines(edition, found.recordings, language),
    )


def _found(edition: Edition, occasion: Occasion, rule: Rule | Newsletter) -> Digest:
    if isinstance(rule, Newsletter):
        return newsletter_digest(edition, rule)
    timing = parse_timing(rule.when)
    if isinstance(timing, Monthly | Weekly):
        previous, following = around(edition, timing, occasion.due)
        return digest(edition, rule, previous, occasion.due, following)
    return digest(edition, rule, occasion.due - SINCE, occasion.due, occasion.due + HORIZON)


def news_lines(edition: Edition, found: Iterable[News], language: str, now: datetime) -> tuple[DigestLine, ...]:
    """The newest news of each event as a headline that is true today; nothing about what is over."""
    listings = {listing.event.id: listing for listing in edition.shown}
    lines: dict[str, DigestLine] = {}
    for item in found:
        listing = listings.get(item.event.id)
        coming = _next_time(listing.event, now) if listing is not None else None
        if listing is None or listing.event.id in lines or coming is None:
            continue
        if item.kind is LineKind.ANNOUNCED:
            # What recurs was announced with its first time, which may be over.
            listing = replace(listing, event=at_one_time(listing.event, coming))
        said = headline(as_it_stands(item, listing), language, edition.series.timezone)
        lines[listing.event.id] = _line(edition, listing, said, language)
    return tuple(lines.values())


def _next_time(event: Event, now: datetime) -> When | None:
    """The first time that isn't over; of what doesn't recur its only one."""
    times = occurrences(event, now - LONGEST, now + HORIZON)
    return next((when for _, when in times if not is_over(when, now)), None)


def upcoming_lines(
    edition: Edition, found: Iterable[Listing], language: str, more: frozenset[str] = frozenset()
) -> tuple[DigestLine, ...]:
    """The events to come that take place, with date, title and place; `more` are those with further dates."""
    takes_place = [listing for listing in found if not listing.cancelled]
    last = {listing.event.id: listing for listing in takes_place if listing.event.id in more}
    return tuple(
        _line(
            edition,
            listing,
            _upcoming(edition, listing, language, goes_on=last.get(listing.event.id) is listing),
            language,
            place=place_line(listing.venue, language) if listing.venue else "",
        )
        for listing in takes_place
    )


def _upcoming(edition: Edition, listing: Listing, language: str, *, goes_on: bool) -> str:
    title, home = title_of(listing.event, language).text, edition.series.timezone
    text = capitalised(dated_title(listing.event.when, title, language, home))
    return words(language)("{event} (further dates on its page)").format(event=text) if goes_on else text


def recording_lines(edition: Edition, found: Iterable[News], language: str) -> tuple[DigestLine, ...]:
    """The events of which recordings appeared, each once, with the recordings they have today."""
    listings = {listing.event.id: listing for listing in edition.shown}
    lines: dict[str, DigestLine] = {}
    for item in found:
        if (listing := listings.get(item.event.id)) is None or not listing.event.recordings:
            continue
        title = title_of(listing.event, language)
        recordings = tuple(link_to(link, language) for link in listing.event.recordings)
        lines[listing.event.id] = _line(edition, listing, title.text, title.language, recordings=recordings)
    return tuple(lines.values())


def _line(
    edition: Edition, listing: Listing, text: str, language: str, place: str = "", recordings: tuple[Link, ...] = ()
) -> DigestLine:
    event = listing.event.id
    return DigestLine(event, text, language, edition.address(f"events/{event}/", language), place, recordings)
