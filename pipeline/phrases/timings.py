"""When a reminder leaves, in words: what readers choose by where its organiser gave it no label."""

from datetime import date, time, timedelta

from pipeline.catalogue.timing import InDays, InHours, Monthly, Side, Timing, Weekly, WhenAnnounced, WhenChanged
from pipeline.interface_words import words
from pipeline.language import say_hour, say_weekday

_HOUR = timedelta(hours=1)
_MINUTE = timedelta(minutes=1)
_A_MONDAY = date(2024, 1, 1)


def say_timing(timing: Timing, language: str) -> str:
    """A reminder's moment as a reader says it: `the day before, at 10:00`."""
    say = words(language)
    match timing:
        case WhenAnnounced():
            return say("when an event is announced")
        case WhenChanged():
            return say("when something changes")
        case InDays(side, days, hour):
            return _with_hour(_days(side, days, language), hour, language)
        case InHours(side, lead):
            return _hours(side, lead, language)
        case Monthly(day, hour):
            return _with_hour(say("on day {day} of each month").format(day=day), hour, language)
        case Weekly(weekday, hour):
            name = say_weekday(_A_MONDAY + timedelta(days=weekday), language)
            return _with_hour(say("every {weekday}").format(weekday=name), hour, language)


def _with_hour(said: str, hour: time | None, language: str) -> str:
    if hour is None:
        return said
    return words(language)("{day}, at {hour}").format(day=said, hour=say_hour(hour, language))


def _days(side: Side, days: int, language: str) -> str:
    say = words(language)
    if days == 0:
        return say("on the day")
    if side is Side.BEFORE:
        return say("the day before") if days == 1 else say("{number} days before").format(number=days)
    return say("the day after") if days == 1 else say("{number} days after").format(number=days)


def _hours(side: Side, lead: timedelta, language: str) -> str:
    say, before = words(language), side is Side.BEFORE
    number, rest = divmod(lead, _HOUR)
    if rest:
        said = say("{number} min before") if before else say("{number} min after")
        return said.format(number=lead // _MINUTE)
    if number == 1:
        return say("an hour before") if before else say("an hour after")
    return (say("{number} hours before") if before else say("{number} hours after")).format(number=number)
