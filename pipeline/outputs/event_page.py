"""What the page of one event tells: all its facts, and nothing that depends on the day on which it is read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from pipeline.catalogue.models import Access, Event, EventAccess, Organisation, Status, Venue
from pipeline.catalogue.recurrence import EVER, LONGEST, is_endless, occurrences
from pipeline.catalogue.when import Unscheduled, When, is_over, starts
from pipeline.edition import FAR_AHEAD, Edition, Listing
from pipeline.language import say_apart, words
from pipeline.markdown import to_text
from pipeline.news import News, news_of
from pipeline.outputs.excerpt import excerpt
from pipeline.outputs.links import Link, add_links, map_links
from pipeline.outputs.pictures import Picture, picture_of_event
from pipeline.phrases import capitalised, place_line, say_when, speaker_line, status_word, title_of
from pipeline.phrases.access import known_access

DESCRIPTION_LENGTH = 300
LISTED_DATES = 60


class EventPage(NamedTuple):
    """One event with what stands around it; `news` newest first, neighbours in the order of the programme."""

    listing: Listing
    previous: Listing | None
    next: Listing | None
    news: Sequence[News]
    organisations: Sequence[Organisation]
    access: Mapping[str, bool | None]
    notes_on_access: Sequence[object]
    add_links: Sequence[Link]
    map_links: Sequence[Link]
    has_calendar: bool
    dates: Sequence[When]
    picture: Picture | None
    place: int | None
    """The same on the pages of all events at one venue that say the same of it; None where the event itself does."""
    over: bool
    """Whether it was over at the last publication: nobody is asked to come to it, or to wait for it, any more."""


class EventPages:
    """What the pages of an edition's events tell, each when it is asked for."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition
        self._over: dict[str, bool] = {}

    def of(self, listing: Listing, language: str) -> EventPage:
        """One event of the pages; what recurs may stand at another of its times than the first."""
        previous, first, following = self.around(listing)
        event, venue = first.event, first.venue
        return EventPage(
            listing=listing,
            previous=self._edition.at_first_time(previous) if previous else None,
            next=self._edition.at_first_time(following) if following else None,
            news=self._news(event.id),
            organisations=_organisations(self._edition, event),
            access=self._access(event, venue, language),
            notes_on_access=_notes(event, venue),
            add_links=add_links(first, self._edition.address(f"events/{event.id}/", language), language),
            map_links=self._edition.of_venue(map_links, venue, language) if venue else (),
            has_calendar=not isinstance(event.when, Unscheduled),
            dates=_dates(event),
            picture=picture_of_event(first, language),
            place=id(venue) if venue and event.access is None else None,
            over=self.over(first),
        )

    def _access(self, event: Event, venue: Venue | None, language: str) -> Mapping[str, bool | None]:
        if venue is None or event.access is not None:
            return _access(event.access, venue, language)
        return self._edition.of_venue(_access_of_venue, venue, language)

    def around(self, listing: Listing) -> tuple[Listing | None, Listing, Listing | None]:
        """An event between its neighbours in the programme: all events of which its page tells.

        What recurs stands at its first time.
        """
        shown, number = self._edition.shown, self._edition.places[listing.event.id]
        following = shown[number + 1] if number + 1 < len(shown) else None
        return shown[number - 1] if number else None, shown[number], following

    def which_are_over(self, run: Sequence[Listing]) -> list[str]:
        """The ids of those events that are over, as `over` says it; they stand in the order of the programme."""
        if not self._edition.recurring and run[0].event.order > self._last_order:
            return []  # they all begin later
        return [listing.event.id for listing in run if self.over(listing)]

    @cached_property
    def _last_order(self) -> tuple[bool, float, bool]:
        """The place in the order behind what begins until then; a whole day isn't over when it begins."""
        return False, self._edition.updated.timestamp(), True

    def over(self, listing: Listing) -> bool:
        """Whether an event was over when anything was last published: so a page knows of it without a clock."""
        name = listing.event.id
        if name not in self._over:
            self._over[name] = _is_over(listing.event, self._edition.updated)
        return self._over[name]

    def _news(self, event: str) -> Sequence[News]:
        edition = self._edition
        return news_of(edition.ledger.of(event), edition.catalogue.mail.settle, edition.told)[::-1]


def _is_over(event: Event, instant: datetime) -> bool:
    if event.repeats is None:
        return is_over(event.when, instant)
    since = instant - LONGEST
    return all(is_over(when, instant) for _, when in occurrences(event, since, since + FAR_AHEAD))


def event_path(listing: Listing) -> str:
    """Where the page of an event stands below its language's tree."""
    return f"events/{listing.event.id}/index.html"


def description(listing: Listing, language: str, home: str | None = None) -> str:
    """One line for search results and link previews: when, where, who, then how the abstract begins.

    `home` as for `say_when`.
    """
    event, say = listing.event, words(language)
    status = status_word(event, language)
    when = _when(event, language, home)
    if event.status is Status.POSTPONED:
        # Its old date behind the word for its status would read as the new one.
        status, when = "", say("Postponed: the new date is to be announced.").removesuffix(".")
    online = say("Online") if event.online else ""
    facts = [
        when,
        place_line(listing.venue, language) if listing.venue else online,
        say_apart((speaker_line(speaker, language) for speaker in event.speakers), language),
    ]
    line = ". ".join(fact for fact in facts if fact) + "."
    line = say("{status}: {text}").format(status=status, text=line) if status else capitalised(line)
    if event.abstract is not None:
        line = f"{line} {to_text(event.abstract.said_in(language).text)}"
    return excerpt(line, DESCRIPTION_LENGTH)


def when_line(event: Event, language: str, home: str | None = None) -> str:
    """When it takes place; of a recurring event that the date is its first. `home` as for `say_when`."""
    return capitalised(_when(event, language, home))


def _when(event: Event, language: str, home: str | None) -> str:
    when = say_when(event.when, language, home=home)
    if event.repeats is None or isinstance(event.when, Unscheduled):
        return when
    return words(language)("One of several dates; the first: {when}").format(when=when)


def page_title(listing: Listing, language: str) -> str:
    """The event's title, after the word for its status where it isn't confirmed."""
    title, status = title_of(listing.event, language).text, status_word(listing.event, language)
    return words(language)("{status}: {text}").format(status=status, text=title) if status else title


def _dates(event: Event) -> list[When]:
    """All dates of a recurring event; none where it has only one, no end, or more than a page should list."""
    start = starts(event.when)
    if event.repeats is None or start is None or is_endless(event):
        return []
    found = islice(occurrences(event, start, EVER), LISTED_DATES + 1)
    dates = [when for _, when in found]
    return dates if len(dates) <= LISTED_DATES else []


def _organisations(edition: Edition, event: Event) -> list[Organisation]:
    """The organisations its speakers belong to of which more is known than the name, each once."""
    names = [
        name
        for speaker in event.speakers
        for name in (speaker.group, speaker.affiliation, speaker.member_of)
        if name is not None
    ]
    known = edition.catalogue.organisation_by_name
    return [known[name] for name in dict.fromkeys(names) if name in known]


def _access(own: EventAccess | None, venue: Venue | None, language: str) -> dict[str, bool | None]:
    """Each question that visitors ask, and its answer: yes, no or, about a venue, not known."""
    say = words(language)
    known = known_access(own, venue)
    questions = {
        "step_free": say("Step-free access"),
        "toilets": say("Accessible toilets"),
        "hearing_loop": say("Hearing loop"),
        "sign_language": say("Sign language"),
        "captions": say("Captions"),
    }
    asked = Access.model_fields if venue is not None else ()
    return {said: known.get(name) for name, said in questions.items() if name in known or name in asked}


def _access_of_venue(venue: Venue, language: str) -> dict[str, bool | None]:
    return _access(None, venue, language)


def _notes(event: Event, venue: Venue | None) -> list[object]:
    """What is written about access in words, the venue's first."""
    tables = (venue.access if venue else None, event.access)
    return [access.note for access in tables if access is not None and access.note is not None]
