"""The facts of an event in words: when, where, who, and where it stands."""

from datetime import datetime, timedelta
from functools import lru_cache

from pipeline.catalogue.models import Event, Speaker, Status, Venue, Work
from pipeline.catalogue.texts import Phrase
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When
from pipeline.language import say_day, say_days, say_time, say_zone, words
from pipeline.phrases.zones import say_zone_city

# --------------------------------------------------------------------------------------------- when


def say_when(when: When, language: str, form: str = "long", home: str | None = None) -> str:
    """Date and hour in the event's own zone, as precisely as they are known: `Tuesday 25 October 2022, 19:00–21:00`.

    `long` gives the end where the organiser said it; `short` (`Tue 25 Oct 2022, 19:00`) and `brief` (no year) only
    the last day of what lasts longer than a night. What isn't known is said: `Thu 19 Jan 2023, time to be announced`.
    `home` is the IANA zone that readers take for granted: the hour of any other is said with it, `19:00 (New York
    time)`. None is for where the zone stands beside.
    """
    # The same instant elsewhere is another hour, though the two are equal.
    return _say_when(when, "" if isinstance(when, Unscheduled) else when.zone.key, language, form, home)


@lru_cache(maxsize=4096)
def _say_when(when: When, _zone: str, language: str, form: str, home: str | None) -> str:
    say = words(language)
    match when:
        case AtTime(start, end, estimated):
            said = _say_hours(start, None if estimated else end, language, form)
            zone = say_zone_beside(when, language, home)
            return f"{said} ({zone})" if zone else said
        case OnDay(first, last, _, all_day):
            day = say_day(first, language, form) if last == first else say_days(first, last, language, form)
            return day if all_day else say("{day}, time to be announced").format(day=day)
        case Unscheduled():
            return say("date to be announced")


def say_zone_beside(when: When, language: str, home: str | None) -> str:
    """The zone of a known hour where it isn't `home`: `New York time`; empty otherwise."""
    if home is None or not isinstance(when, AtTime) or when.zone.key == home:
        return ""
    return say_zone_city(when.zone.key, language)


def _say_hours(start: datetime, end: datetime | None, language: str, form: str) -> str:
    said = _day_and_hour(start, language, form)
    if end is None or (form != "long" and end - start < timedelta(hours=18)):
        return said
    if end.date() == start.date():
        return f"{said}–{say_time(end, language)}"
    return f"{said} – {_day_and_hour(end, language, form)}"


def _day_and_hour(moment: datetime, language: str, form: str) -> str:
    return f"{say_day(moment.date(), language, form)}, {say_time(moment, language)}"


def say_estimate(when: When, language: str) -> str:
    """The end where nobody said it and the series' usual length gives it; empty for all others."""
    match when:
        case AtTime(_, end, True) if end is not None:
            return words(language)("Until about {hour} (an estimate)").format(hour=say_time(end, language))
        case _:
            return ""


def say_zone_of(when: When, language: str) -> str:
    """The zone in which `say_when` speaks, in words and as IANA name; empty where no hour is known.

    `Central European Summer Time, Europe/Paris`; where the clocks change before the end that was said, both names.
    """
    match when:
        case AtTime(start, end, estimated):
            names = [say_zone(start, language)]
            if end is not None and not estimated and (other := say_zone(end, language)) not in names:
                names.append(other)
            return f"{' – '.join(names)}, {when.zone.key}"
        case _:
            return ""


def capitalised(text: str) -> str:
    """The text with a capital at its beginning, the rest as it is: for what opens a line or a title."""
    return text[:1].upper() + text[1:]


# ---------------------------------------------------------------------------------------- what and where


def title_of(event: Event, language: str) -> Phrase:
    """The title with the language it is really written in, or that it is to be announced."""
    if event.title is None:
        return Phrase(words(language)("Title to be announced"), language)
    return event.title.said_in(language)


def status_word(event: Event, language: str) -> str:
    """`Cancelled`, `Postponed` or `Provisional`; empty for an event that is confirmed."""
    if event.status is Status.CONFIRMED:
        return ""
    say = words(language)
    match event.status:
        case Status.CANCELLED:
            return say("Cancelled")
        case Status.POSTPONED:
            return say("Postponed")
        case Status.TENTATIVE:
            return say("Provisional")


def place_line(venue: Venue, language: str) -> str:
    """The place on one line: name, street, postal code and city."""
    return _place_line(venue.name.said_in(language).text, venue.street, venue.postal_code, venue.city)


@lru_cache(maxsize=256)
def _place_line(name: str, street: str | None, postal_code: str | None, city: str | None) -> str:
    town = f"{postal_code or ''} {city or ''}".strip()
    return ", ".join(filter(None, (name, street, town)))


def short_place(venue: Venue, language: str) -> str:
    """The place in a few words, for lists: its name, and the city where the name doesn't say it."""
    name = venue.name.said_in(language).text
    return f"{name}, {venue.city}" if venue.city and not _mentions(name, venue.city) else name


# --------------------------------------------------------------------------------------------- who


def speaker_line(speaker: Speaker, language: str) -> str:
    """A speaker on one line: `Clara Deville, sociologist`; affiliation, membership and work follow."""
    say = words(language)
    parts = [_who(speaker, language)]
    if speaker.role is not None:
        parts.append(speaker.role.said_in(language).text)
    if speaker.affiliation and not _mentions(parts[0], speaker.affiliation):
        parts.append(speaker.affiliation)
    if speaker.member_of:
        parts.append(say("member of {group}").format(group=speaker.member_of))
    line = ", ".join(parts)
    return line if speaker.work is None else _with_work(line, speaker.work, language)


def _who(speaker: Speaker, language: str) -> str:
    if speaker.unnamed is not None:
        return speaker.unnamed.said_in(language).text
    return speaker.name or speaker.group or ""


def _mentions(text: str, name: str) -> bool:
    return name.casefold() in text.casefold()


def _with_work(line: str, work: Work, language: str) -> str:
    title = work.title.said_in(language).text
    if not _mentions(line, title):
        line = f"{line}, " + words(language)("“{title}”").format(title=title)
    imprint = ", ".join(str(part) for part in (work.publisher, work.year) if part)
    return f"{line} ({imprint})" if imprint else line
