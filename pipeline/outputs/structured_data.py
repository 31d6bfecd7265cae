"""What search engines read: schema.org Event and EventSeries, as JSON-LD."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import partial
from hashlib import sha256
from itertools import islice
from typing import Any, NamedTuple

from markupsafe import Markup
from pydantic_core import to_json

from pipeline.catalogue.models import Event, Group, Organiser, Speaker, Status, Venue
from pipeline.catalogue.recurrence import EVER, first_time, is_endless, local_until, occurrences
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, first_day, last_day, starts, written
from pipeline.edition import Edition, Listing
from pipeline.ledger import event_of
from pipeline.markdown import to_text
from pipeline.outputs.instances import Instance, coming, instances
from pipeline.outputs.keys import keys
from pipeline.outputs.pictures import Picture, picture_address, picture_of_event, picture_of_series
from pipeline.phrases import title_of
from pipeline.template_code import marked_safe

CONTEXT = "https://schema.org"

COMING = 10
"""How many coming times of one recurring event the home page tells."""
MOST_TIMES = 400
"""After how many times of a recurring event its last one isn't looked for."""
SHARED = ("name", "url", "eventStatus", "eventAttendanceMode", "location")
"""What each time of a recurring event has in common with the others, as far as search engines ask for it."""
UNITS = {"DAILY": "D", "WEEKLY": "W", "MONTHLY": "M", "YEARLY": "Y"}
WEEKDAYS = {
    "MO": "Monday", "TU": "Tuesday", "WE": "Wednesday", "TH": "Thursday", "FR": "Friday", "SA": "Saturday",
    "SU": "Sunday",
}  # fmt: skip

Data = dict[str, Any]

_ESCAPED = tuple((character.encode(), b"\\u%04x" % ord(character)) for character in "<>&")


LISTED = "subEvent"
"""What may be long; it stands last."""


class Listed(NamedTuple):
    """A list of many things whose parts are written already."""

    parts: Iterable[bytes]


class Embedded(NamedTuple):
    """The data of a page as JSON that may stand in a `<script>`: no text in it can end the element or open another."""

    script: Markup
    source: str
    """What lets it stand there in a Content-Security-Policy: validators ask for it of data, too."""


def embedded(data: Mapping[str, Any]) -> Embedded:
    """The data as a page holds them."""
    listed = data.get(LISTED)
    if isinstance(listed, Listed):
        text = _written({name: value for name, value in data.items() if name != LISTED})
        # Together they are long: joined once.
        parts = [part for one in listed.parts for part in (b",", one)]
        text = b"".join((text[:-1], b',"%b":[' % LISTED.encode(), *parts[1:], b"]}")) if parts else text
    else:
        text = _written(data)
    # Nothing that HTML knows is left.
    return Embedded(marked_safe(text.decode()), f"sha256-{b64encode(sha256(text).digest()).decode()}")


def _written(data: Any) -> bytes:
    """As JSON without a character that HTML knows."""
    text = to_json(data)
    for character, code in _ESCAPED:
        text = text.replace(character, code)
    return text


def event_data(edition: Edition, listing: Listing, language: str) -> Data | None:
    """One event with all its facts, to stand on its page; None while its date isn't known.

    One that recurs is a series of events: its rule, and each of its times as an event of its own.
    """
    data = _event(edition, listing, language)
    if data is None:
        return None
    event = listing.event
    data |= _given(
        eventSchedule=_schedule(event),
        subEvent=[_at_one_time(data, instance, listing) for instance in instances(listing)],
    )
    data |= _given(
        description=to_text(event.abstract.said_in(language).text) if event.abstract else None,
        image=_images(edition, picture_of_event(listing, language) or picture_of_series(edition, language)),
        performer=[_performer(speaker) for speaker in event.speakers if speaker.unnamed is None],
        organizer=[_organiser(organiser) for organiser in edition.organisers_of(event)],
        inLanguage=list(event.spoken),
        keywords=list(event.tags),
        offers=_offer(listing),
        superEvent={
            "@type": "EventSeries",
            "@id": edition.address("", language),
            "name": edition.series.title.said_in(language).text,
        },
    )
    return {"@context": CONTEXT} | data


def series_data(edition: Edition, language: str) -> Data:
    """The series with the dates and places of its events, to stand on the home page."""
    series, (first, last) = edition.series, _first_and_last_day(edition)
    return {
        "@context": CONTEXT,
        "@type": "EventSeries",
        "@id": edition.address("", language),
        "name": series.title.said_in(language).text,
        "url": edition.address("", language),
    } | _given(
        description=to_text(series.description.said_in(language).text) if series.description else None,
        image=_images(edition, picture_of_series(edition, language)),
        startDate=first.isoformat() if first else None,
        endDate=last.isoformat() if last else None,
        organizer=[_organiser(organiser) for organiser in series.organiser],
        subEvent=Listed(filter(None, _of_runs(edition, language))),
    )


def _first_and_last_day(edition: Edition) -> tuple[date | None, date | None]:
    """From when to when its events take place, the same in every language; no end where one of them has none."""
    found: tuple[date | None, date | None] | None = edition.__dict__.get("_first_and_last_day")
    if found is None:
        again = [time for event in edition.recurring.values() for time in _first_and_last_time(event)]
        once = [event.when for listing in edition.shown if not (event := listing.event).repeats]
        times = [when for when in again if when is not None] + once
        last = None if None in again else max(filter(None, map(last_day, times)), default=None)
        first = min(filter(None, map(first_day, times)), default=None)
        found = edition.__dict__["_first_and_last_day"] = first, last
    return found


def _first_and_last_time(event: Event) -> tuple[When | None, ...]:
    """Of an event that recurs; None instead of the last time where there is none, or too many come before it."""
    start = starts(event.when)
    if start is None:
        return (event.when,)
    if is_endless(event):
        return first_time(event), None
    times = [when for _, when in islice(occurrences(event, start, EVER), MOST_TIMES + 1)]
    return (times[0], times[-1] if len(times) <= MOST_TIMES else None) if times else (event.when,)


def _of_runs(edition: Edition, language: str) -> Iterator[bytes]:
    """The events of a series, run by run."""
    own, today = keys(edition), edition.day.isoformat()
    for run in own.runs(edition.shown):
        days = (today,) if edition.recurring and any(listing.event.repeats for listing in run) else ()
        key = own.of_all(run, ("subEvent", language, *days))
        yield own.pieces.of(key, partial(_of_run, edition, run, language))


def _of_run(edition: Edition, run: Iterable[Listing], language: str) -> bytes:
    found = (data for listing in run for data in _with_coming_times(edition, listing, language))
    return b",".join(_written(data) for data in found if data is not None)


def _in_turn(found: Iterator[Data | None]) -> Iterator[Data] | None:
    """What is known of these, each to be told as soon as it is made: together they are large. None where nothing is."""
    known = (data for data in found if data is not None)
    first = next(known, None)
    return None if first is None else (data for some in ((first,), known) for data in some)


def _with_coming_times(edition: Edition, listing: Listing, language: str) -> Iterator[Data | None]:
    """The event; of one that recurs each time that is to come, so far as people plan."""
    data = _event(edition, listing, language)
    if data is None or listing.event.repeats is None:
        yield data
        return
    for instance in coming(listing.event, edition.morning, COMING):
        yield _at_one_time(data, instance, listing)


def group_data(edition: Edition, group: Group, language: str) -> Data:
    """A group with the dates and places of its events, to stand on its page; these can be asked for once."""
    series, listings = edition.series, [listing for listing in edition.of_group(group.id) if not listing.retired]
    page = edition.address(f"groups/{group.id}/", language)
    return {
        "@context": CONTEXT,
        "@type": "EventSeries",
        "@id": page,
        "name": group.name.said_in(language).text,
        "url": page,
        "superEvent": {
            "@type": "EventSeries",
            "@id": edition.address("", language),
            "name": series.title.said_in(language).text,
        },
    } | _given(
        organizer=[_organiser(organiser) for organiser in group.organiser or series.organiser],
        subEvent=_in_turn(_event(edition, listing, language) for listing in listings),
    )


def _images(edition: Edition, picture: Picture | None) -> list[str]:
    return [picture_address(edition, picture)] if picture else []


def _given(**values: Any) -> Data:
    """What is known: neither None nor empty."""
    return {name: value for name, value in values.items() if value}


def _event(edition: Edition, listing: Listing, language: str) -> Data | None:
    event = listing.event
    if isinstance(event.when, Unscheduled):
        return None
    page = edition.address(f"events/{event.id}/", language)
    previous = _start_before(edition, listing)
    span = _span(edition.at_first_time(listing).event.when)
    if event.repeats is not None:
        # The end of the first time is not that of the series.
        span.pop("endDate", None)
    return {
        "@type": "Event" if event.repeats is None else "EventSeries",
        "@id": page,
        "name": title_of(event, language).text,
        "url": page,
        **span,
        "eventStatus": f"{CONTEXT}/{_status(event, rescheduled=previous is not None)}",
    } | _given(previousStartDate=previous, **_attendance(edition, listing, page, language))


def _at_one_time(data: Data, instance: Instance, listing: Listing) -> Data:
    """One time of a recurring event; its identity is the date that its rule gives it."""
    shared = {key: data[key] for key in SHARED if key in data}
    value = {"@type": "Event", "@id": f"{data['@id']}#{instance.name}", **shared, **_span(instance.when)}
    if instance.moved_from is not None and not listing.cancelled:
        value["eventStatus"] = f"{CONTEXT}/EventRescheduled"
        value["previousStartDate"] = _span(instance.moved_from)["startDate"]
    return value


def _schedule(event: Event) -> Data | None:
    """The rule by which an event recurs, in the words of schema.org; None where they can't say the rule whole."""
    if event.repeats is None or event.date is None:
        return None
    parts = dict(part.split("=", 1) for part in local_until(event).upper().split(";"))
    interval = int(parts.pop("INTERVAL", "1"))
    unit, days = UNITS[parts.pop("FREQ")], [day for day in parts.pop("BYDAY", "").split(",") if day]
    parts.pop("WKST", None)
    count, until = parts.pop("COUNT", None), parts.pop("UNTIL", None)
    if parts or not all(day in WEEKDAYS for day in days):
        return None
    return {"@type": "Schedule", "repeatFrequency": f"P{interval}{unit}"} | _given(
        byDay=[f"{CONTEXT}/{WEEKDAYS[day]}" for day in days],
        repeatCount=int(count) if count else None,
        startDate=event.date.isoformat(),
        endDate=f"{until[:4]}-{until[4:6]}-{until[6:8]}" if until else None,
        startTime=f"{event.time:%H:%M:%S}" if event.time else None,
        scheduleTimezone=event.timezone,
        exceptDate=[day.isoformat() for day in sorted(event.excepted)],
    )


def _span(when: When) -> Data:
    """Start and end as known: an hour with its offset, or the bare day; an estimated end isn't told."""
    match when:
        case AtTime(start, end, estimated):
            return {"startDate": written(start)} | _given(endDate=written(end) if end and not estimated else None)
        case OnDay(first, last):
            return {"startDate": first.isoformat()} | _given(endDate=last.isoformat() if last != first else None)
        case Unscheduled():
            return {}


def _status(event: Event, *, rescheduled: bool) -> str:
    match event.status:
        case Status.CANCELLED:
            return "EventCancelled"
        case Status.POSTPONED:
            return "EventPostponed"
        case Status.CONFIRMED | Status.TENTATIVE:
            return "EventRescheduled" if rescheduled else "EventScheduled"


def _start_before(edition: Edition, listing: Listing) -> str | None:
    """The start from which it was last moved; None where its date never changed, or it is off and keeps its date.

    An hour that becomes known is no move. The history is the ledger's, read from its newest line back.
    """
    event = listing.event
    if listing.cancelled:
        return None
    for line in reversed(edition.ledger.of(event.id)):
        if line.facts.get("date") == _plain(event.date) and line.facts.get("time") in (None, _plain_time(event)):
            continue
        before, _ = event_of(line.facts)
        if _moved(before.when, event.when):
            return str(_span(before.when)["startDate"])
    return None


def _plain(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _plain_time(event: Event) -> str | None:
    return event.time.isoformat("minutes") if event.time else None


def _moved(before: When, after: When) -> bool:
    match before, after:
        case AtTime(), AtTime():
            return starts(before) != starts(after)
        case (Unscheduled(), _) | (_, Unscheduled()):
            return False
        case _:
            return first_day(before) != first_day(after)


# --------------------------------------------------------------------------------------------- where and who


def _attendance(edition: Edition, listing: Listing, page: str, language: str) -> Data:
    """The places: the venue, the address to follow from afar (the event's page where the link is secret), or both."""
    online = listing.event.online
    places: list[Data] = []
    if listing.venue is not None:
        places.append(edition.of_venue(_place, listing.venue, language))
    if online is not None:
        places.append({"@type": "VirtualLocation", "url": online.url or page})
    if not places:
        return {}
    mode = ("Mixed" if online else "Offline") if listing.venue else "Online"
    return {
        "eventAttendanceMode": f"{CONTEXT}/{mode}EventAttendanceMode",
        "location": places[0] if len(places) == 1 else places,
    }


def _place(venue: Venue, language: str) -> Data:
    address = _given(
        streetAddress=venue.street,
        postalCode=venue.postal_code,
        addressLocality=venue.city,
        addressCountry=venue.country,
    )
    geo = {"@type": "GeoCoordinates", "latitude": venue.geo[0], "longitude": venue.geo[1]} if venue.geo else None
    return {"@type": "Place", "name": venue.name.said_in(language).text} | _given(
        address={"@type": "PostalAddress", **address} if address else None, geo=geo, url=venue.url
    )


def _performer(speaker: Speaker) -> Data:
    if speaker.group is not None:
        return {"@type": "Organization", "name": speaker.group} | _given(url=speaker.url)
    groups = [{"@type": "Organization", "name": name} for name in (speaker.affiliation, speaker.member_of) if name]
    affiliation: Any = groups[0] if len(groups) == 1 else groups
    return {"@type": "Person", "name": speaker.name} | _given(url=speaker.url, affiliation=affiliation)


def _organiser(organiser: Organiser) -> Data:
    return {"@type": "Organization", "name": organiser.name} | _given(url=organiser.url)


def _offer(listing: Listing) -> Data | None:
    registration = listing.event.registration
    if registration is None or registration.url is None or listing.cancelled:
        return None
    opens = registration.opens.isoformat() if registration.opens else None
    closes = registration.closes.isoformat() if registration.closes else None
    return {"@type": "Offer", "url": registration.url} | _given(validFrom=opens, validThrough=closes)
