"""How things are said in a reader's language: interface words by gettext, dates and lists by Babel."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache, lru_cache

from babel.core import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.lists import format_list

from pipeline.interface_words import DOMAIN, LOCALES, translations, words
from pipeline.weekdays import locale, say_weekday, weekday_names

__all__ = [
    "DOMAIN", "LOCALES", "direction", "first_of_month", "locale", "say_apart", "say_day", "say_days", "say_hour",
    "say_language", "say_list", "say_time", "say_weekday", "say_zone", "translations", "weekday_names", "words",
]  # fmt: skip

_DAY = {
    "long": {"en": "EEEE d MMMM y", "fr": "EEEE d MMMM y"},
    "short": {"en": "EEE d MMM y", "fr": "EEE d MMM y"},
    "brief": {"en": "EEE d MMM", "fr": "EEE d MMM"},
}  # the weekday stands first in each, since it is what people plan by


@lru_cache(maxsize=8192)
def say_day(day: date, language: str, form: str = "long") -> str:
    """A calendar day: `long` Tuesday 25 October 2022, `short` Tue 25 Oct 2022, `brief` Tue 25 Oct (no year)."""
    where = locale(language)
    pattern = _DAY[form].get(language, "full" if form == "long" else "medium")
    said = format_date(day, pattern, locale=where)
    return first_of_month(said, day, language)


def say_days(first: date, last: date, language: str, form: str = "long") -> str:
    """Several days, the month and the year once where they are the same: `Friday 5 – Sunday 7 February 2027`."""
    opening, pattern = say_day(first, language, form), _DAY[form].get(language, "")
    if pattern and first.year == last.year:
        shorter = pattern.removesuffix(" y")
        if first.month == last.month:
            shorter = shorter.rpartition(" ")[0]
        said = format_date(first, shorter, locale=locale(language))
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
