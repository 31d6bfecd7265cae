"""What the templates of letters are told of an event, in the reader's language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

from pipeline.catalogue.models import Event, EventAccess, Online, Registration, Speaker, Venue
from pipeline.catalogue.models import Link as CatalogueLink
from pipeline.catalogue.recurrence import LONGEST, occurrences
from pipeline.catalogue.texts import Phrase, Text
from pipeline.catalogue.when import OnDay, When, is_over
from pipeline.edition import Edition, Listing
from pipeline.errors import PermanentDeliveryError, SettingsError
from pipeline.language import say_day, say_time, words
from pipeline.news import News
from pipeline.phrases import capitalised, place_line, say_when, say_zone_of, speaker_line, title_of
from pipeline.phrases.access import known_access
from pipeline.reminders.notices import change_of
from pipeline.reminders.occasions import Kind, Occasion


@dataclass(frozen=True, slots=True)
class Link:
    """Something to follow: its address, and the words that name it."""

    url: str
    label: Phrase


@dataclass(frozen=True, slots=True)
class EventView:
    """One event as a letter tells it. Dates are absolute and in the event's own zone."""

    event: Event
    """For all that isn't said below, with the filters `said`, `plain`, `prose` and `text`."""
    title: Phrase
    when: When
    date: str
    """`Tuesday 25 October 2022, 19:00`, or that the date or the hour is to be announced; to follow other words."""
    headed: str
    """The same with a capital, to stand by itself."""
    planned: str
    """The same without what is to be announced: how the date of an event that is off or past is said."""
    zone: str
    """The zone of that hour, where readers may be elsewhere; empty otherwise."""
    place: str
    online: Link | None
    phone: str
    online_follows: bool
    """It can be followed from afar, and the link isn't known yet."""
    speakers: tuple[Phrase, ...]
    access: tuple[str, ...]
    access_note: Text | None
    registration: Registration | None
    """How to sign up; None once the event is over or off."""
    closes: str
    recordings: tuple[Link, ...]
    resources: tuple[Link, ...]
    page: str


def when_of(event: Event, occasion: Occasion) -> When:
    """When the event, or that occurrence of it which the occasion is about, takes place.

    Raises PermanentDeliveryError where no such occurrence exists: a letter must never name another date.
    """
    if event.repeats is not None and occasion.kind is Kind.CHANGES:
        return _next_time(event, occasion.due)
    by_date = occasion.kind not in {Kind.CHANGES, Kind.NEWSLETTERS}
    if event.repeats is None or not by_date or not occasion.occurrence:
        return event.when
    day = datetime.combine(date.fromisoformat(occasion.occurrence), datetime.min.time(), tzinfo=event.zone)
    around = timedelta(days=1)
    found = dict(occurrences(event, day - around, day + 2 * around))
    if occasion.occurrence not in found:
        raise PermanentDeliveryError("{occasion}: the event doesn't take place then", occasion=occasion.key)
    return found[occasion.occurrence]


def _next_time(event: Event, instant: datetime) -> When:
    """The first time that isn't over, for what is told of a recurring event as a whole; its first where all are."""
    times = occurrences(event, instant - LONGEST, instant + timedelta(days=3660))
    return next((when for _, when in times if not is_over(when, instant)), event.when)


def event_view(
    edition: Edition, listing: Listing, when: When, language: str, secrets: Mapping[str, str], now: datetime
) -> EventView:
    """The event in the reader's language; `secrets` holds the links that come from the environment."""
    event = listing.event
    off = listing.cancelled or is_over(when, now)
    link = online_link(event.online, language, secrets) if event.online and not off else None
    return EventView(
        event=event,
        title=title_of(event, language),
        when=when,
        date=say_when(when, language),
        headed=capitalised(say_when(when, language)),
        planned=say_when(_without_promise(when), language),
        zone=say_zone_of(when, language) if event.online or event.timezone != edition.series.timezone else "",
        place=place_line(listing.venue, language) if listing.venue else "",
        online=link,
        phone=(event.online.phone or "") if event.online and not off else "",
        online_follows=event.online is not None and link is None and not off,
        speakers=tuple(_speaker(speaker, language) for speaker in event.speakers),
        access=tuple(access_words(event.access, listing.venue, language)) if not off else (),
        access_note=_access_note(event, listing.venue) if not off else None,
        registration=None if off else event.registration,
        closes=_moment(event.registration.closes, event, language) if event.registration else "",
        recordings=tuple(link_to(item, language) for item in event.recordings),
        resources=tuple(link_to(item, language) for item in event.resources),
        page=edition.address(f"events/{event.id}/", language),
    )


def _without_promise(when: When) -> When:
    return when._replace(all_day=True) if isinstance(when, OnDay) else when


def online_link(online: Online, language: str, secrets: Mapping[str, str]) -> Link | None:
    """The link to follow an event from afar; None where it is a secret that isn't set yet.

    Raises SettingsError for a secret that is no web address.
    """
    url = online.url or secrets.get(online.secret or "", "").strip()
    if not url:
        return None
    if online.url is None and (not url.isprintable() or " " in url or not url.startswith(("https://", "http://"))):
        raise SettingsError('{variable} is not a web address: write it whole, "https://…"', variable=online.secret)
    if online.label is not None:
        return Link(url, online.label.said_in(language))
    return Link(url, Phrase(words(language)("Follow online"), language))


def _speaker(speaker: Speaker, language: str) -> Phrase:
    """The line about a speaker, marked with the language of what isn't translated in it."""
    texts = (speaker.unnamed, speaker.role, speaker.work.title if speaker.work else None)
    said = (text.said_in(language).language for text in texts if text is not None)
    return Phrase(speaker_line(speaker, language), next((other for other in said if other != language), language))


def link_to(item: CatalogueLink, language: str) -> Link:
    """A recording or a resource under its title, its kind, or the host it is on."""
    text = item.title or item.kind
    if text is None:
        return Link(item.url, Phrase(urlsplit(item.url).hostname or item.url, language))
    return Link(item.url, text.said_in(language))


def _moment(moment: date | datetime | None, event: Event, language: str) -> str:
    if moment is None:
        return ""
    if not isinstance(moment, datetime):
        return say_day(moment, language)
    moment = moment.replace(tzinfo=event.zone) if moment.tzinfo is None else moment.astimezone(event.zone)
    return f"{say_day(moment.date(), language)}, {say_time(moment, language)}"


def access_words(access: EventAccess | None, venue: Venue | None, language: str) -> list[str]:
    """What is known of the access, as short words."""
    say = words(language)
    known = known_access(access, venue)
    said = {
        "step_free": (say("step-free access"), say("no step-free access")),
        "toilets": (say("accessible toilets"), say("no accessible toilets")),
        "hearing_loop": (say("hearing loop"), say("no hearing loop")),
        "sign_language": (say("sign language"), say("no sign language")),
        "captions": (say("captions"), say("no captions")),
    }
    return [yes if known[name] else no for name, (yes, no) in said.items() if name in known]


def _access_note(event: Event, venue: Venue | None) -> Text | None:
    if event.access and event.access.note:
        return event.access.note
    return venue.access.note if venue and venue.access else None


# --------------------------------------------------------------------------------------------- news


def news_for(edition: Edition, occasion: Occasion) -> News | None:
    """The news which a letter is about: the one that a notice names, else the latest up to the occasion's revision."""
    if (named := change_of(edition, occasion)) is not None:
        return named
    of_event = [item for item in edition.news if item.event.id == occasion.event]
    led = (item for item in of_event if item.sequence == occasion.revision and item.before is not None)
    return next(led, None) or next(iter(of_event), None)


def as_it_stands(item: News, listing: Listing) -> News:
    """The news told with the facts of today, which may have changed again since."""
    return item._replace(event=listing.event, venue=listing.venue)


def dated_title(when: When, title: str, language: str, home: str | None = None) -> str:
    """`Tue 25 Oct 2022, 19:00 · Title`, to follow other words. `home` as for `say_when`."""
    return f"{say_when(when, language, 'short', home)} · {title}"
