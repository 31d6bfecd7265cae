"""The subject of a letter: what it is, the date, the title; or the organiser's own pattern."""

import re

from pipeline.catalogue.models import Event, Newsletter, Rule, Status
from pipeline.catalogue.when import AtTime, When, first_day
from pipeline.edition import Edition
from pipeline.language import say_day, say_time, words
from pipeline.letters.views import dated_title
from pipeline.news import News
from pipeline.phrases import capitalised, headline, say_when, say_zone_beside, title_of
from pipeline.reminders.occasions import Kind, Occasion

_PLACE = re.compile(r"\{(title|date|time|when|series)\}")


def subject_of_event(
    kind: Kind, event: Event, when: When, news: News | None, language: str, home: str | None = None
) -> str:
    """`Reminder: Tue 25 Oct 2022, 19:00 · Title`; of a notice, its headline. An event that is off says so first.

    `home` as for `say_when`.
    """
    say, title = words(language), title_of(event, language).text
    dated = dated_title(when, title, language, home)
    if news is not None and (kind is Kind.CHANGES or event.status in {Status.POSTPONED, Status.CANCELLED}):
        return headline(news, language, home)
    match kind:
        case Kind.CHANGES:
            return say("Changed: {event}").format(event=dated)
        case Kind.ANNOUNCEMENTS:
            return say("Announcement: {event}").format(event=dated)
        case Kind.FOLLOW_UPS if event.recordings:
            return say("Recording: {event}").format(event=dated)
        case Kind.FOLLOW_UPS:
            return say("After the event: {event}").format(event=dated)
        case Kind.REMINDERS | Kind.NEWSLETTERS:
            return say("Reminder: {event}").format(event=dated)


def subject_by_pattern(rule: Rule, edition: Edition, event: Event, when: When, language: str) -> str | None:
    """The rule's own subject with `{title}`, `{date}`, `{time}`, `{when}` and `{series}` filled in, or None."""
    if rule.subject is None:
        return None
    day, home = first_day(when), edition.series.timezone
    values = {
        "title": title_of(event, language).text,
        "date": say_day(day, language, "short") if day else words(language)("date to be announced"),
        "time": _hour(when, language, home),
        "when": say_when(when, language, "short", home),
        "series": edition.series.title.said_in(language).text,
    }
    return capitalised(_PLACE.sub(lambda found: values[found[1]], rule.subject.said_in(language).text))


def _hour(when: When, language: str, home: str) -> str:
    if not isinstance(when, AtTime):
        return words(language)("time to be announced")
    hour, zone = say_time(when.start, language), say_zone_beside(when, language, home)
    return f"{hour} ({zone})" if zone else hour


def subject_of_digest(edition: Edition, occasion: Occasion, rule: Rule | Newsletter, language: str) -> str:
    """The organiser's subject, else the series and what `title_of_digest` says."""
    series = edition.series.title.said_in(language).text
    title = title_of_digest(edition, occasion, language)
    if rule.subject is None:
        return words(language)("{series}: {title}").format(series=series, title=title)
    day = _day_of(edition, occasion, language)
    values = {"series": series, "date": day, "when": day, "title": title, "time": ""}
    return _PLACE.sub(lambda found: values[found[1]], rule.subject.said_in(language).text)


def title_of_digest(edition: Edition, occasion: Occasion, language: str) -> str:
    """`News and dates, Mon 7 Nov 2022`."""
    return words(language)("News and dates, {day}").format(day=_day_of(edition, occasion, language))


def _day_of(edition: Edition, occasion: Occasion, language: str) -> str:
    return say_day(occasion.due.astimezone(edition.series.zone).date(), language, "short")
