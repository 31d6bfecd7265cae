"""How things are said in a reader's language: interface words by gettext, dates and lists by Babel."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache
from typing import Literal

from babel.core import Locale
from babel.dates import format_date, format_time, get_day_names, get_month_names, get_timezone_name
from babel.lists import format_list

from pipeline.interface_words import DOMAIN, LOCALES, translations, words
from pipeline.weekdays import locale, say_weekday, weekday_names

__all__ = [
    "DOMAIN", "LOCALES", "direction", "first_of_month", "locale", "say_apart", "say_day", "say_days", "say_hour",
    "say_language", "say_list", "say_month", "say_time", "say_weekday", "say_zone", "translations",
    "weekday_names", "words",
]  # fmt: skip

_OURS = frozenset({"en", "fr"})
"""The languages in which we say a day our own way: the weekday first, since it is what people plan by."""
_WIDTHS: Mapping[str, Literal["wide", "abbreviated"]] = {
    "long": "wide",
    "short": "abbreviated",
    "brief": "abbreviated",
}


@lru_cache(maxsize=8192)
def say_day(day: date, language: str, form: str = "long") -> str:
    """A calendar day: `long` Tuesday 25 October 2022, `short` Tue 25 Oct 2022, `brief` Tue 25 Oct (no year)."""
    if language in _OURS:
        said = _parts_of(day, language, form, 3 if form == "brief" else 4)
    else:
        said = format_date(day, "full" if form == "long" else "medium", locale=locale(language))
    return first_of_month(said, day, language)


def _parts_of(day: date, language: str, form: str, count: int) -> str:
    """The first so many of weekday, day, month and year."""
    weekdays, months = _names(language, _WIDTHS[form])
    return " ".join((weekdays[day.weekday()], str(day.day), months[day.month], str(day.year))[:count])


@cache
def _names(language: str, width: Literal["wide", "abbreviated"]) -> tuple[Mapping[int, str], Mapping[int, str]]:
    """The weekdays and months as they stand in a date: Babel looks for each through several tables."""
    where = locale(language)
    weekdays, months = get_day_names(width, locale=where), get_month_names(width, locale=where)
    return {number: weekdays[number] for number in range(7)}, {number: months[number] for number in range(1, 13)}


def say_month(day: date, language: str) -> str:
    """The month of a day and its year: `Oct 2022`."""
    return f"{_names(language, 'abbreviated')[1][day.month]} {day.year}"


def say_days(first: date, last: date, language: str, form: str = "long") -> str:
    """Several days, the month and the year once where they are the same: `Friday 5 – Sunday 7 February 2027`."""
    opening = say_day(first, language, form)
    if language in _OURS and first.year == last.year:
        said = _parts_of(first, language, form, 2 if first.month == last.month else 3)
        opening = first_of_month(f"{said} ", first, language).rstrip()
    return f"{opening} – {say_day(last, language, form)}"


def first_of_month(said: str, day: date, language: str) -> str:
    """In French the first of a month is an ordinal: `1er mars`."""
    return said.replace(" 1 ", " 1er ", 1) if language == "fr" and day.day == 1 else said


def say_time(moment: datetime, language: str) -> str:
    """The hour of an aware instant in its own zone: `19:00`."""
    return say_hour(time(moment.hour, moment.minute), language)


@cache
def say_hour(hour: time, language: str) -> str:
    """An hour of the day: `19:00`."""
    return format_time(hour, "HH:mm", locale=locale(language))


def say_zone(moment: datetime, language: str) -> str:
    """The name of the zone for people: `Central European Summer Time`."""
    key = moment.tzinfo, moment.utcoffset(), bool(moment.dst()), language
    if key not in _zones:
        _zones[key] = get_timezone_name(moment, width="long", locale=locale(language))
    return _zones[key]


# Babel looks long, and the instant itself doesn't count: only a few zones and offsets ever occur.
_zones: dict[tuple[tzinfo | None, timedelta | None, bool, str], str] = {}


def say_list(items: Iterable[str], language: str) -> str:
    """`a, b and c`."""
    return format_list(list(items), locale=locale(language))


def say_apart(items: Iterable[str], language: str) -> str:
    """Things that hold commas themselves: `a, b; c`. In French a narrow space stands before the mark."""
    return ("\u202f; " if language == "fr" else "; ").join(items)


def say_language(code: str, language: str) -> str:
    """The name of a language in another: `français`, `French`."""
    # `locale` takes English for British, whose name is longer.
    where = Locale.parse("en") if code == "en" else locale(code)
    return where.get_display_name(language.replace("-", "_")) or code


def direction(language: str) -> str:
    """In which direction a language is written: `ltr` or `rtl`."""
    return "rtl" if locale(language).character_order == "right-to-left" else "ltr"
