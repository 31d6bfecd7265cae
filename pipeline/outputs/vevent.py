"""One event as VEVENT: the component of a date, of a recurring series of dates, and of each date moved out of it."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from mimetypes import guess_type
from urllib.parse import quote

from icalendar import Event as VEvent
from icalendar.prop import vCalAddress, vCategory, vDDDTypes, vGeo, vRecur, vUri

from pipeline.catalogue.models import Event, Status, schedule
from pipeline.catalogue.recurrence import local_until
from pipeline.catalogue.texts import Phrase
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, local
from pipeline.edition import Edition, Listing
from pipeline.language import words
from pipeline.outputs.contentlines import Instant, Properties, Text, Uri
from pipeline.outputs.description import description
from pipeline.phrases import place_line, status_word, title_of

STATUS = {
    Status.CONFIRMED: "CONFIRMED",
    Status.TENTATIVE: "TENTATIVE",
    Status.POSTPONED: "CANCELLED",
    Status.CANCELLED: "CANCELLED",
}
"""A calendar knows no "postponed": until the new date is known it won't take place."""


def vevents(edition: Edition, listing: Listing, language: str) -> tuple[Properties, ...]:
    """The components of one dated event in a language: one, and one more for each moved date of a recurring event."""
    event = listing.event
    master = _vevent(edition, listing, language, event.when)
    if event.repeats is None or event.date is None:
        return (master,)
    master.add("RRULE", _rule(event))
    for day in sorted(event.excepted):
        _add_date(master, "EXDATE", event, day)
    return master, *_moved(edition, listing, language)


def page_address(edition: Edition, listing: Listing, language: str) -> str:
    """The event's page; a retired event keeps one, which says so."""
    return edition.address(f"events/{listing.event.id}/", language)


# --------------------------------------------------------------------------------------------- one component


def _vevent(edition: Edition, listing: Listing, language: str, when: When) -> Properties:
    component = Properties(VEvent)
    _add_revision(component, listing)
    _add_times(component, when, tzid_of(listing.event))
    _add_text(component, "SUMMARY", _summary(listing, when, language), language)
    _add_description(component, edition, listing, language)
    _add_place(component, listing, language)
    component["STATUS"] = Text(STATUS[listing.event.status])
    component["TRANSP"] = Text(_transparency(listing, when))
    component["URL"] = Uri(page_address(edition, listing, language))
    _add_categories(component, listing.event, language)
    _add_online(component, listing.event, language)
    _add_files(component, edition, listing.event)
    if (organiser := _organiser(edition, listing.event)) is not None:
        component["ORGANIZER"] = organiser
    return component


def _add_revision(component: Properties, listing: Listing) -> None:
    revision = listing.revision
    component["UID"] = Text(revision.uid)
    component["SEQUENCE"] = revision.sequence
    component["DTSTAMP"] = component["LAST-MODIFIED"] = Instant(revision.updated)
    component["CREATED"] = Instant(revision.created)


def _add_text(component: Properties, name: str, phrase: Phrase, language: str) -> None:
    """A text, marked with the language it is really written in."""
    spoken = language if phrase.language == "und" else phrase.language
    component[name] = Text(phrase.text, params={"LANGUAGE": spoken})


def tzid_of(event: Event) -> str | None:
    """The zone by whose wall clock an event recurs; None for what is in UTC, which every program reads alike."""
    if event.repeats is None or event.time is None or event.timezone in UTC_NAMES:
        return None
    return event.timezone


def recurs_in_utc(event: Event) -> bool:
    """Whether times that end in `Z` recur, which some programs let follow the clock of the calendar's X-WR-TIMEZONE."""
    return event.repeats is not None and event.time is not None and event.timezone in UTC_NAMES


UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "UCT", "Etc/Universal", "Universal", "Etc/Zulu", "Zulu"})


def _add_times(component: Properties, when: When, tzid: str | None) -> None:
    match when:
        case AtTime(start, end):
            for name, moment in (("DTSTART", start), ("DTEND", end)):
                if moment is not None and tzid is None:
                    component[name] = Instant(moment)
                elif moment is not None:
                    _add_moment(component, name, moment, tzid)
        case OnDay(first, last):
            component["DTSTART"] = vDDDTypes(first)
            component["DTEND"] = vDDDTypes(last + timedelta(days=1))
        case Unscheduled():
            raise ValueError("an event without a date is in no calendar")


def _add_moment(component: Properties, name: str, moment: datetime, tzid: str | None) -> None:
    if tzid is None:
        component.add(name, moment.astimezone(UTC))
    else:
        component.add(name, moment.replace(tzinfo=None), parameters={"TZID": tzid})


def _summary(listing: Listing, when: When, language: str) -> Phrase:
    """The title, with the word for what it isn't before it, or that the hour isn't known behind it.

    That word is the reader's, since it must be understood; the whole is marked with the language of the title, since
    a value has but one and most of it is the title.
    """
    say = words(language)
    title = title_of(listing.event, language)
    if listing.cancelled:
        word = status_word(listing.event, language)
        return Phrase(say("{status}: {title}").format(status=word, title=title.text), title.language)
    if isinstance(when, OnDay) and not when.all_day:
        return Phrase(say("{title} (time to be announced)").format(title=title.text), title.language)
    return title


def _add_description(component: Properties, edition: Edition, listing: Listing, language: str) -> None:
    text = description(listing, page_address(edition, listing, language), language)
    # Its labels are in the calendar's language; a voice shall read the long texts right.
    prose = [part.said_in(language) for part in (listing.event.abstract, listing.event.notice) if part is not None]
    longest = max(prose, key=lambda phrase: len(phrase.text), default=Phrase(text, language))
    _add_text(component, "DESCRIPTION", Phrase(text, longest.language), language)


def _add_place(component: Properties, listing: Listing, language: str) -> None:
    venue, online = listing.venue, listing.event.online
    if venue is not None:
        place = Phrase(place_line(venue, language), venue.name.said_in(language).language)
        _add_text(component, "LOCATION", place, language)
        if venue.geo is not None:
            component["GEO"] = _Position(venue.geo)
    elif online is not None:
        label = online.label.said_in(language) if online.label else Phrase(words(language)("Online"), language)
        _add_text(component, "LOCATION", label, language)


def _transparency(listing: Listing, when: When) -> str:
    """Whether it blocks the reader's time: not what is off, nor a day of which the hour isn't known."""
    free = listing.cancelled or (isinstance(when, OnDay) and not when.all_day)
    return "TRANSPARENT" if free else "OPAQUE"


def _add_categories(component: Properties, event: Event, language: str) -> None:
    found = [event.kind.said_in(language).text] if event.kind else []
    found.extend(tag for tag in event.tags if tag not in found)
    if found:
        categories = vCategory([], params=foreign(event.kind.said_in(language), language) if event.kind else {})
        categories.cats.extend(map(Text, found))
        component["CATEGORIES"] = categories


def _add_online(component: Properties, event: Event, language: str) -> None:
    if event.online is None or event.online.url is None:
        return
    parameters = {"VALUE": "URI"}
    if event.online.label is not None:
        label = event.online.label.said_in(language)
        parameters |= {"LABEL": label.text, "LANGUAGE": language if label.language == "und" else label.language}
    component.add("CONFERENCE", vUri(_uri(event.online.url), params=parameters))


def _add_files(component: Properties, edition: Edition, event: Event) -> None:
    if event.image is not None:
        parameters = {"VALUE": "URI", "DISPLAY": "BADGE"}
        if (media_type := guess_type(event.image)[0]) is not None:
            parameters["FMTTYPE"] = media_type
        component.add("IMAGE", vUri(edition.address(quote(f"assets/{event.image}")), params=parameters))
    for resource in event.resources:
        component.add("ATTACH", vUri(_uri(resource.url)))


def _organiser(edition: Edition, event: Event) -> vCalAddress | None:
    """The first organiser with an address: the field has no place for a name alone."""
    known = next((organiser for organiser in edition.organisers_of(event) if organiser.email), None)
    return None if known is None or known.email is None else calendar_user(known.email, known.name)


def calendar_user(address: str, name: str = "") -> vCalAddress:
    """Somebody with a bare mail address, as a `mailto:` URI (RFC 6068)."""
    return vCalAddress(f"mailto:{quote(address, safe='@!$*+')}", params={"CN": name} if name else {})


def foreign(phrase: Phrase, language: str) -> dict[str, str]:
    """The parameter that marks a text of which the translation into the calendar's language is missing; else none."""
    return {} if phrase.language in {language, "und"} else {"LANGUAGE": phrase.language}


def _uri(address: str) -> str:
    """A comma ends an address for programs that take every value for a list of texts (vobject, so Radicale)."""
    return address.replace(",", "%2C")


class _Position(vGeo):
    """A position with six decimals (RFC 5545, 3.8.1.6): the library writes small numbers as `1e-05`."""

    def to_ical(self) -> str:
        return ";".join(
            f"{round(degrees, 6) + 0.0:.6f}".rstrip("0").rstrip(".") for degrees in (self.latitude, self.longitude)
        )


# --------------------------------------------------------------------------------------------- recurrence


_DAYS = frozenset({"BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"})


def _rule(event: Event) -> vRecur:
    rule: vRecur = vRecur.from_ical(local_until(event))
    if "UNTIL" in rule:
        rule["UNTIL"] = [_until(event, moment) for moment in rule["UNTIL"]]
    if rule["FREQ"] == ["YEARLY"] and event.date is not None and event.date.day > 28 and not _DAYS & rule.keys():
        # What the rule leaves to the first date is said: ical.js, so Thunderbird, takes 1 March for a 29 February.
        rule.setdefault("BYMONTH", [event.date.month])
        rule["BYMONTHDAY"] = [event.date.day]
    return rule


def _until(event: Event, moment: datetime) -> date | datetime:
    """UNTIL is in UTC where the dates have an hour, and a date where they have none."""
    return moment.date() if event.time is None else moment.replace(tzinfo=event.zone).astimezone(UTC)


def _add_date(component: Properties, name: str, event: Event, day: date) -> None:
    """A property that names the date of a recurring event which the rule puts on that day."""
    if event.time is None:
        component.add(name, day)
    else:
        _add_moment(component, name, local(day, event.time, event.zone), tzid_of(event))


def _moved(edition: Edition, listing: Listing, language: str) -> Iterator[Properties]:
    event = listing.event
    moved = (moment for moment in event.moved if moment.original not in event.excepted)
    for moment in sorted(moved, key=lambda moment: moment.original):
        when = schedule(event, moment.date, moment.time or event.time)
        component = _vevent(edition, listing, language, when)
        _add_date(component, "RECURRENCE-ID", event, moment.original)
        yield component
