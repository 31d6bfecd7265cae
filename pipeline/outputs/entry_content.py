"""What a feed entry says, as HTML: the facts of the event as they were when the news was published.

It is made here and not by a template, so that an organiser's new template doesn't make old entries look new.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from pipeline.catalogue.models import Event, Link, Status
from pipeline.catalogue.recurrence import first_time
from pipeline.catalogue.when import Unscheduled
from pipeline.language import words
from pipeline.news import News
from pipeline.phrases import capitalised, changes, place_line, say_estimate, say_when, say_zone_of, speaker_line
from pipeline.phrases.details import details
from pipeline.rendering import marked, said, written
from pipeline.template_code import bare

Blocks = Iterator[str]
"""Pieces of HTML. They are texts that bear no mark of it: thousands of entries are made of dozens of them."""


class Content(NamedTuple):
    """What an entry says: safe HTML, and the event in a few words of plain text: when, where, who."""

    html: str
    summary: str


def content(
    news: News, page: str, calendar: str | None, language: str, warning: str = "", home: str | None = None
) -> Content:
    """What an entry says; `page` and `calendar` are the addresses of the event's page and of its .ics file.

    `warning` is a line for the top, about what happened since; `home` is the zone that readers take for granted.
    """
    event = news.event
    when = _first_when(event, language)
    place = place_line(news.venue, language) if news.venue is not None else ""
    speakers = [speaker_line(speaker, language) for speaker in event.speakers]
    blocks = [
        *_warning(warning),
        *_notice(news, page, language),
        *_changes(news, language, home),
        *_when_and_where(event, when, place, language),
        *_speakers(speakers),
        *_abstract(event, page, language),
        *_practical(event, language),
        *_addresses(page, calendar, language),
    ]
    return Content("\n".join(blocks), _summary(event, when, place, speakers, language))


def _summary(event: Event, when: str, place: str, speakers: Iterable[str], language: str) -> str:
    if event.status is Status.POSTPONED:
        when = _new_date_to_come(language).removesuffix(".")
    if not place and event.online is not None:
        place = words(language)("Online")
    return " · ".join(filter(None, (when, place, *speakers)))


def _warning(text: str) -> Blocks:
    if text:
        yield f"<p><strong>{bare(text)}</strong></p>"


def _notice(news: News, page: str, language: str) -> Blocks:
    if news.event.notice is not None:
        yield written(language, news.event.notice, page)


def _changes(news: News, language: str, home: str | None) -> Blocks:
    colon = words(language)(": ")
    told = [
        f"{bare(change.fact)}{colon}{bare(change.before or '–')} → <strong>{bare(change.after or '–')}</strong>"
        for change in changes(news, language, home)
    ]
    if told:
        yield f"<ul>{_items(told)}</ul>"


def _first_when(event: Event, language: str) -> str:
    """When it takes place; of a recurring event that the date is its first."""
    first = first_time(event)
    when, zone = say_when(first, language), say_zone_of(first, language)
    if zone:
        when = f"{when} ({zone})"
    if event.repeats is not None and not isinstance(event.when, Unscheduled):
        when = words(language)("One of several dates; the first: {when}").format(when=when)
    return capitalised(when)


def _new_date_to_come(language: str) -> str:
    return words(language)("Postponed: the new date is to be announced.")


def _when_and_where(event: Event, when: str, place: str, language: str) -> Blocks:
    lines = [when]
    if event.status is Status.POSTPONED:
        # Its old date alone would read as the new one.
        lines.insert(0, _new_date_to_come(language))
    if estimate := say_estimate(first_time(event), language):
        lines.append(estimate)
    if place:
        lines.append(place)
    yield f"<p>{'<br>'.join(map(bare, lines))}</p>"


def _speakers(lines: Sequence[str]) -> Blocks:
    if lines:
        yield f"<ul>{_items(map(bare, lines))}</ul>"


def _abstract(event: Event, page: str, language: str) -> Blocks:
    if event.abstract is not None:
        yield written(language, event.abstract, page)


def _practical(event: Event, language: str) -> Blocks:
    say = words(language)
    if event.online is not None:
        label = said(language, event.online.label) if event.online.label else escape(say("Online"))
        # A secret link is for letters alone.
        link = linked(event.online.url, label) if event.online.url else label
        how = escape(say("Online: {how}")).format(how=link) if event.online.label else link
        yield f"<p>{how}</p>"
    if event.registration is not None and event.registration.url:
        yield f"<p>{linked(event.registration.url, escape(say('Registration')))}</p>"
    for detail in details(event, language):
        told = escape(say("{name}: {value}")).format(name=detail.name, value=marked(language, detail.value))
        yield f"<p>{told}</p>"
    yield from _list(say("Resources"), event.resources, language)
    yield from _list(say("Recordings"), event.recordings, language)


def _list(name: str, links: tuple[Link, ...], language: str) -> Blocks:
    if links:
        shown = [linked(link.url, said(language, link.title) if link.title else escape(link.url)) for link in links]
        yield f"<p>{bare(name)}</p><ul>{_items(shown)}</ul>"


def _items(contents: Iterable[str]) -> str:
    """The items of a list, of what is HTML already."""
    return "".join([f"<li>{content}</li>" for content in contents])


def _addresses(page: str, calendar: str | None, language: str) -> Blocks:
    say = words(language)
    links = [linked(page, escape(say("All details")))]
    if calendar is not None:
        links.append(linked(calendar, escape(say("Add to calendar"))))
    yield f"<p>{' · '.join(links)}</p>"


def linked(address: str, label: Markup) -> Markup:
    """A link; the address is http(s), as the catalogue takes no other."""
    return Markup(f'<a href="{bare(address)}">{label}</a>')  # noqa: S704 - escaped here
