"""Addresses that lead elsewhere: into calendar programs, maps and mail programs. Plain links, no script, no account."""

import re
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
    return f"{address}?{'&'.join([f'{name}={_quoted(value)}' for name, value in values.items()])}"


@lru_cache(maxsize=256)
def _quoted(value: str) -> str:
    # The same title, text and place stand in the links of several programs. Most of what has to be quoted is one of
    # these, and the library looks at each letter of a text that isn't plain.
    for mark, code in _MARKS:
        value = value.replace(mark, code)
    return value if _QUOTED.fullmatch(value) else quote(value, safe="%")


_QUOTED = re.compile("[A-Za-z0-9_.~%-]*")
_MARKS = tuple((mark, quote(mark, safe="")) for mark in "% ,:/()\néèàêç–’")


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
    title = _quoted(_calendar_title(event.when, title_of(event, language).text, language))
    place = _quoted(_place(listing, language))
    text = _quoted(f"{say_when(event.when, language, home=ANYWHERE)}\n{page}")
    google, outlook, yahoo = _spans(event.when)
    compose = "calendar/0/deeplink/compose?path=%2Fcalendar%2Faction%2Fcompose&rru=addevent"
    outlook = f"{compose}&subject={title}{outlook}&body={text}&location={place}"
    return (
        Link(
            "Google",
            "https://calendar.google.com/calendar/render?action=TEMPLATE"
            f"&text={title}&dates={google}&details={text}&location={place}",
        ),
        Link("Outlook.com", f"https://outlook.live.com/{outlook}"),
        Link("Office 365", f"https://outlook.office.com/{outlook}"),
        Link("Yahoo", f"https://calendar.yahoo.com/?v=60&title={title}{yahoo}&desc={text}&in_loc={place}"),
    )


def _place(listing: Listing, language: str) -> str:
    if listing.venue is not None:
        return place_line(listing.venue, language)
    return words(language)("Online") if listing.event.online is not None else ""


def _calendar_title(when: When, title: str, language: str) -> str:
    if isinstance(when, OnDay) and not when.all_day:
        return words(language)("{title} (time to be announced)").format(title=title)
    return title


def _spans(when: When) -> tuple[str, str, str]:
    """When it is, as Google, Outlook and Yahoo want it in their addresses."""
    match when:
        case AtTime(start, end):
            since, until = _extended(start), _extended(end) if end else ""
            begins, ends = _compact(since), _compact(until)
            # Without an end Google refuses the link; the same instant twice says that none is known.
            google = f"{begins}%2F{ends or begins}"
            outlook = (f"&startdt={since}" + (f"&enddt={until}" if until else "")).replace(":", "%3A")
            return google, outlook, f"&st={begins}" + (f"&et={ends}" if ends else "")
        case OnDay(first, last):
            after = last + timedelta(days=1)
            begins, ends = _compact(f"{first}"), _compact(f"{last}")
            yahoo = f"&st={begins}&et={ends}&dur=allday"
            return f"{begins}%2F{_compact(f'{after}')}", f"&startdt={first}&enddt={after}&allday=true", yahoo
        case Unscheduled():
            return "", "", ""


def _extended(moment: datetime) -> str:
    """`2026-10-20T17:00:00Z`"""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _compact(written: str) -> str:
    """The same without the marks between its numbers: `20261020T170000Z`, `20261020`"""
    return written.replace("-", "").replace(":", "")


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
