"""What a calendar program shows when an event is opened: its facts as plain text, most urgent first."""

from collections.abc import Iterable, Iterator

from pipeline.catalogue.models import Link, Registration, Status
from pipeline.catalogue.recurrence import first_time
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled
from pipeline.edition import Listing
from pipeline.language import words
from pipeline.markdown import to_text
from pipeline.phrases import capitalised, say_estimate, say_when, say_zone_of, speaker_line
from pipeline.phrases.details import details


def description(listing: Listing, page: str, language: str) -> str:
    """The DESCRIPTION of an event: notice, local time with its zone, speakers, abstract, practicalities, the page."""
    event = listing.event
    parts = (
        to_text(event.notice.said_in(language).text, page) if event.notice else "",
        _time(listing, language),
        words(language)("Postponed: the new date is to be announced.") if event.status is Status.POSTPONED else "",
        "\n".join(speaker_line(speaker, language) for speaker in event.speakers),
        to_text(event.abstract.said_in(language).text, page) if event.abstract else "",
        "\n".join(_practical(listing, language)),
        words(language)("All details: {address}").format(address=page),
    )
    return "\n\n".join(part for part in parts if part)


def _time(listing: Listing, language: str) -> str:
    event = listing.event
    if event.repeats is not None:
        # The description is that of every date, so no single one may stand here.
        return _every_time(listing, language)
    match event.when:
        case AtTime():
            start = capitalised(f"{say_when(event.when, language)} ({say_zone_of(event.when, language)})")
            return "\n".join(filter(None, (start, say_estimate(event.when, language))))
        case OnDay():
            return capitalised(say_when(event.when, language))
        case Unscheduled():
            return ""


def _every_time(listing: Listing, language: str) -> str:
    when, say = first_time(listing.event), words(language)
    lines = [say("One of several dates; the first: {when}").format(when=say_when(when, language))]
    if isinstance(when, AtTime):
        lines.append(say("Time zone: {zone}").format(zone=when.zone.key))
    return "\n".join(filter(None, (*lines, say_estimate(when, language))))


def _practical(listing: Listing, language: str) -> Iterator[str]:
    event, say = listing.event, words(language)
    if event.registration is not None:
        yield from _registration(event.registration, language)
    yield from _online(listing, language)
    for detail in details(event, language):
        yield say("{name}: {value}").format(name=detail.name, value=detail.value.text)
    yield from _links(event.resources, say("Resource: {link}"), language)
    yield from _links(event.recordings, say("Recording: {link}"), language)


def _registration(registration: Registration, language: str) -> Iterator[str]:
    said = [registration.url] if registration.url else []
    if registration.note is not None:
        said.append(registration.note.said_in(language).text)
    if said:
        yield words(language)("Registration: {how}").format(how=" – ".join(said))


def _online(listing: Listing, language: str) -> Iterator[str]:
    online, say = listing.event.online, words(language)
    if online is None:
        return
    label = online.label.said_in(language).text if online.label else ""
    # A secret link is for letters alone: a calendar says only where it will come from.
    where = online.url or say("the link comes by mail")
    yield say("Online: {how}").format(how=f"{label} – {where}" if label else where)
    if online.phone:
        yield say("By phone: {number}").format(number=online.phone)


def _links(links: Iterable[Link], pattern: str, language: str) -> Iterator[str]:
    for link in links:
        title = link.title.said_in(language).text if link.title else ""
        yield pattern.format(link=f"{title} – {link.url}" if title else link.url)
