"""What is new, in one line: the headline of a piece of news, as feeds, pages and letters print it."""

from collections.abc import Callable

from pipeline.catalogue.models import Event, Status
from pipeline.catalogue.recurrence import first_time
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, first_day
from pipeline.errors import N_
from pipeline.language import say_day, words
from pipeline.ledger import LineKind
from pipeline.news import News
from pipeline.phrases.dates import date_changes
from pipeline.phrases.facts import capitalised, say_when, title_of


def headline(news: News, language: str, home: str | None = None) -> str:
    """What is new, first; then the event's date as it stands after the news, and its title. `home` as for `say_when`.

    `Tue 25 Oct 2022, 19:00 · Non-take-up`, `Moved to Thu 27 Oct: Non-take-up`, `Cancelled: Tue 25 Oct 2022, 19:00 · …`
    """
    return capitalised(_headline(news, language, home))


def dated_title(event: Event, language: str, home: str | None = None) -> str:
    """Date and title, to be put into a sentence: `Tue 20 Oct 2026, 19:00 · A talk`. `home` as for `say_when`."""
    return _dated(event, title_of(event, language).text, language, home)


def _headline(news: News, language: str, home: str | None) -> str:
    event, title = news.event, title_of(news.event, language).text
    say = words(language)
    if event.status is Status.POSTPONED:
        return _postponed(event, title, language, home)
    if news.kind is LineKind.RETIRED or event.status is Status.CANCELLED:
        return say("Cancelled: {event}").format(event=_whole(event, title, language, home))
    if news.kind is LineKind.ANNOUNCED or news.before is None:
        return _dated(event, title, language, home)
    if news.kind is LineKind.REINSTATED:
        return _reinstated(news, title, language, home)
    if news.kind is LineKind.RECORDING:
        return say("Recording: {event}").format(event=_dated(event, title, language, home))
    return _changed(news, news.before, title, language, home)


def _dated(event: Event, title: str, language: str, home: str | None) -> str:
    return f"{say_when(first_time(event), language, 'short', home)} · {title}"


def _whole(event: Event, title: str, language: str, home: str | None) -> str:
    """As `_dated`; of a recurring event all dates, since its first alone would read as the only one that is meant."""
    if event.repeats is None:
        return _dated(event, title, language, home)
    return words(language)("{title} (all dates)").format(title=title)


def _postponed(event: Event, title: str, language: str, home: str | None) -> str:
    # The date is the old one: it must not read as the new one.
    say = words(language)
    if isinstance(event.when, Unscheduled):
        return say("Postponed: {title}").format(title=title)
    if event.repeats is not None:
        return say("Postponed: {title}").format(title=_whole(event, title, language, home))
    return say("Postponed: {title} (was planned for {when})").format(
        title=title, when=say_when(event.when, language, "short", home)
    )


def _reinstated(news: News, title: str, language: str, home: str | None) -> str:
    say, event = words(language), news.event
    if news.redated and event.repeats is not None:
        return say("New dates: {title}").format(title=title)
    if news.redated:
        return say("New date: {event}").format(event=_dated(event, title, language, home))
    return say("Takes place after all: {event}").format(event=_whole(event, title, language, home))


def _changed(news: News, before: Event, title: str, language: str, home: str | None) -> str:
    say = words(language)
    was, now = first_day(before.when), first_day(news.event.when)
    if was and now and was != now:
        return say("Moved to {when}: {title}").format(
            when=_moved_to(before.when, news.event.when, language, home), title=title
        )
    if was and not now:
        return say("Date to be announced anew: {title} (was planned for {when})").format(
            title=title, when=say_when(before.when, language, "short", home)
        )
    if _hour_withdrawn(news, before) and now:
        # "Time to be announced" is the news: the date need not say it again.
        day = say_day(now, language, "short")
        return say("Time to be announced anew: {event}").format(event=f"{day} · {title}")
    pattern = _what_changed(news, before)
    if pattern == NEW_DATES:
        return _new_dates(news, title, language, home)
    return say(pattern).format(event=_dated(news.event, title, language, home))


def _new_dates(news: News, title: str, language: str, home: str | None) -> str:
    """The one date that changed; of several, the entry tells which."""
    say, found = words(language), date_changes(news)
    if found.count != 1:
        return say("New dates: {title}").format(title=title)
    if found.added:
        when = say_when(found.added[0], language, "short", home)
        return say("Also on {when}: {title}").format(when=when, title=title)
    if found.dropped:
        when = say_when(found.dropped[0], language, "short", home)
        return say("Not on {when}: {title}").format(when=when, title=title)
    was, now = (say_when(when, language, "short", home) for when in found.moved[0])
    return say("Moved from {before} to {when}: {title}").format(before=was, when=now, title=title)


def _moved_to(before: When, after: When, language: str, home: str | None) -> str:
    was, now = first_day(before), first_day(after)
    assert was and now  # noqa: S101, PT018 - the caller looked
    if was.year != now.year or _hour(before) != _hour(after):
        return say_when(after, language, "brief" if was.year == now.year else "short", home)
    return say_day(now, language, "brief")


def _hour(when: When) -> str:
    return f"{when.start:%H:%M} {when.zone.key}" if isinstance(when, AtTime) else ""


def _what_changed(news: News, before: Event) -> str:
    """The pattern for a change within the day; the weightiest of several decides."""
    return next(pattern for holds, pattern in _PATTERNS if holds(news, before))


def _date_announced(news: News, before: Event) -> bool:
    return isinstance(before.when, Unscheduled) and not isinstance(news.event.when, Unscheduled)


def _hour_announced(news: News, before: Event) -> bool:
    return isinstance(before.when, OnDay) and isinstance(news.event.when, AtTime)


def _hour_withdrawn(news: News, before: Event) -> bool:
    return isinstance(before.when, AtTime) and isinstance(news.event.when, OnDay)


def _start_changed(news: News, before: Event) -> bool:
    was, now = before.when, news.event.when
    return isinstance(was, AtTime) and isinstance(now, AtTime) and was.start != now.start


def _end_changed(news: News, before: Event) -> bool:
    now = news.event.when
    return before.when != now and not (isinstance(now, AtTime) and now.end_is_estimated)


def _recurrence_changed(news: News, before: Event) -> bool:
    return (before.repeats, before.excepted, before.moved) != (
        news.event.repeats, news.event.excepted, news.event.moved,
    )  # fmt: skip


def _place_announced(news: News, _before: Event) -> bool:
    return news.venue is not None and news.venue_before is None


def _place_changed(news: News, _before: Event) -> bool:
    was, now = news.venue_before, news.venue
    if was is None or now is None:
        return was is not now
    return was.id != now.id or (was.street, was.city) != (now.street, now.city)


def _link_changed(news: News, before: Event) -> bool:
    return news.event.online is not None and news.event.online != before.online


def _confirmed(news: News, before: Event) -> bool:
    return before.status is Status.TENTATIVE and news.event.status is Status.CONFIRMED


def _made_provisional(news: News, before: Event) -> bool:
    return before.status is not news.event.status and news.event.status is Status.TENTATIVE


def _noticed(news: News, before: Event) -> bool:
    return news.event.notice is not None and news.event.notice != before.notice


NEW_DATES = "new dates"
"""Stands for a headline that names them."""

_PATTERNS: tuple[tuple[Callable[[News, Event], bool], str], ...] = (
    (_date_announced, N_("Date announced: {event}")),
    (_hour_announced, N_("Time announced: {event}")),
    (_start_changed, N_("New time: {event}")),
    (_recurrence_changed, NEW_DATES),
    (_place_announced, N_("Place announced: {event}")),
    (_place_changed, N_("New place: {event}")),
    (_link_changed, N_("New link: {event}")),
    (_end_changed, N_("New end: {event}")),
    (_confirmed, N_("Confirmed: {event}")),
    (_made_provisional, N_("Provisional: {event}")),
    (_noticed, N_("Please note: {event}")),
    (lambda _news, _before: True, N_("Changed: {event}")),
)
