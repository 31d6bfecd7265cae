"""Addresses that lead elsewhere: into calendar programs, maps and mail programs. Plain links, no script, no account."""

from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, urlencode

from pipeline.catalogue.models import Venue
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When
from pipeline.edition import Listing
from pipeline.language import locale, words
from pipeline.phrases import ANYWHERE, place_line, say_when, title_of


class Link(NamedTuple):
    """The name of a program or service, and the address that leads there."""

    name: str
    url: str


def _with_query(address: str, **values: str) -> str:
    """The address with its query; spaces as %20, since some of the programs show a plus sign as it is."""
    return f"{address}?{'&'.join(f'{name}={_quoted(value)}' for name, value in values.items())}"


@lru_cache(maxsize=1024)
def _quoted(value: str) -> str:
    # The same title, text and place stand in the links of several programs.
    return quote(value, safe="")


# --------------------------------------------------------------------------------------------- subscribing


def webcal(address: str) -> str:
    """The same address under the scheme that opens a calendar program and subscribes."""
    return "webcal://" + address.partition("://")[2]


def subscribe_links(calendar: str, name: str) -> tuple[Link, ...]:
    """Where the web calendars offer to subscribe to a calendar, given its https address and a name for it."""
    return (
        Link("Google", _with_query("https://calendar.google.com/calendar/r", cid=webcal(calendar))),
        Link("Outlook.com", _with_query("https://outlook.live.com/calendar/0/addfromweb", url=calendar, name=name)),
        Link("Office 365", _with_query("https://outlook.office.com/calendar/0/addfromweb", url=calendar, name=name)),
    )


def mail_address(mailbox: str) -> str:
    """The bare address of `Name <address>`."""
    return parseaddr(mailbox)[1]


def mail_link(mailbox: str, subject: str, body: str = "") -> str:
    """A `mailto:` address (RFC 6068) with a subject, and a text that the writer may change."""
    values = {"subject": subject, **({"body": body} if body else {})}
    return _with_query(f"mailto:{quote(mail_address(mailbox), safe='@')}", **values)


# --------------------------------------------------------------------------------------------- one event


def add_links(listing: Listing, page: str, language: str) -> tuple[Link, ...]:
    """Where the web calendars offer to note this one event, in UTC or by its dates; `page` is its https address.

    None for an event without a date or that is off, nor for a recurring one: only its .ics says all its dates.
    """
    event = listing.event
    if isinstance(event.when, Unscheduled) or listing.cancelled or event.repeats is not None:
        return ()
    title = _calendar_title(event.when, title_of(event, language).text, language)
    place = place_line(listing.venue, language) if listing.venue else ""
    text = f"{say_when(event.when, language, home=ANYWHERE)}\n{page}"
    return (
        Link("Google", _google(event.when, title, text, place)),
        Link("Outlook.com", _outlook("outlook.live.com", event.when, title, text, place)),
        Link("Office 365", _outlook("outlook.office.com", event.when, title, text, place)),
        Link("Yahoo", _yahoo(event.when, title, text, place)),
    )


def _calendar_title(when: When, title: str, language: str) -> str:
    if isinstance(when, OnDay) and not when.all_day:
        return words(language)("{title} (time to be announced)").format(title=title)
    return title


def _basic(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _google(when: When, title: str, text: str, place: str) -> str:
    match when:
        case AtTime(start, end):
            # Without an end Google refuses the link; the same instant twice says that none is known.
            dates = f"{_basic(start)}/{_basic(end or start)}"
        case OnDay(first, last):
            dates = f"{first:%Y%m%d}/{last + timedelta(days=1):%Y%m%d}"
        case Unscheduled():
            dates = ""
    address = "https://calendar.google.com/calendar/render"
    return _with_query(address, action="TEMPLATE", text=title, dates=dates, details=text, location=place)


def _outlook(host: str, when: When, title: str, text: str, place: str) -> str:
    span: dict[str, str] = {}
    match when:
        case AtTime(start, end):
            span["startdt"] = f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            if end is not None:
                span["enddt"] = f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case OnDay(first, last):
            span = {"startdt": f"{first}", "enddt": f"{last + timedelta(days=1)}", "allday": "true"}
        case Unscheduled():
            pass
    compose = {"path": "/calendar/action/compose", "rru": "addevent"}
    address = f"https://{host}/calendar/0/deeplink/compose"
    return _with_query(address, **compose, subject=title, **span, body=text, location=place)


def _yahoo(when: When, title: str, text: str, place: str) -> str:
    span: dict[str, str] = {}
    match when:
        case AtTime(start, end):
            span["st"] = _basic(start)
            if end is not None:
                span["et"] = _basic(end)
        case OnDay(first, last):
            span = {"st": f"{first:%Y%m%d}", "et": f"{last:%Y%m%d}", "dur": "allday"}
        case Unscheduled():
            pass
    return _with_query("https://calendar.yahoo.com/", v="60", title=title, **span, desc=text, in_loc=place)


# --------------------------------------------------------------------------------------------- places


def country_name(code: str, language: str) -> str:
    """The name of a country in a language: `FR` is France."""
    return str(locale(language).territories.get(code, code))


def map_links(venue: Venue, language: str) -> tuple[Link, ...]:
    """Where the venue is on a map: the map program and OpenStreetMap at its position, or a search by its address."""
    if venue.geo is not None:
        latitude, longitude = (f"{degrees:.6f}".rstrip("0").rstrip(".") for degrees in venue.geo)
        query = urlencode({"mlat": latitude, "mlon": longitude})
        return (
            Link("OpenStreetMap", f"https://www.openstreetmap.org/?{query}#map=18/{latitude}/{longitude}"),
            Link(words(language)("Map program"), f"geo:{latitude},{longitude}"),
        )
    if venue.street is None and venue.city is None:
        return ()
    town = " ".join(part for part in (venue.postal_code, venue.city) if part)
    country = country_name(venue.country, language) if venue.country else ""
    query = ", ".join(part for part in (venue.street, town, country) if part)
    return (Link("OpenStreetMap", _with_query("https://www.openstreetmap.org/search", query=query)),)
