"""How things are said in a reader's language: interface words by gettext, dates and lists by Babel."""

import gettext
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, get_timezone_name
from babel.lists import format_list

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "tocsin"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The interface words of a language; English (the words as they stand in the code) where there is no catalogue."""
    names = [language.replace("-", "_"), language.partition("-")[0]]
    return gettext.translation(DOMAIN, LOCALES, names, fallback=True)


def words(language: str) -> Callable[[str], str]:
    """The function that says an English interface word or pattern in that language."""
    return translations(language).gettext


@cache
def locale(language: str) -> Locale:
    """The conventions for dates, numbers and lists. English is that of Europe: 25 October, 19:00."""
    try:
        return Locale.parse("en_GB" if language == "en" else language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale.parse("en_GB")


_DAY = {
    "long": {"en": "EEEE d MMMM y", "fr": "EEEE d MMMM y"},
    "short": {"en": "EEE d MMM y", "fr": "EEE d MMM y"},
    "brief": {"en": "EEE d MMM", "fr": "EEE d MMM"},
}  # the weekday stands first in each, since it is what people plan by


def say_day(day: date, language: str, form: str = "long") -> str:
    """A calendar day: `long` Tuesday 25 October 2022, `short` Tue 25 Oct 2022, `brief` Tue 25 Oct (no year)."""
    where = locale(language)
    pattern = _DAY[form].get(language, "full" if form == "long" else "medium")
    said = format_date(day, pattern, locale=where)
    return first_of_month(said, day, language)


def first_of_month(said: str, day: date, language: str) -> str:
    """In French the first of a month is an ordinal: `1er mars`."""
    return said.replace(" 1 ", " 1er ", 1) if language == "fr" and day.day == 1 else said


def say_time(moment: datetime, language: str) -> str:
    """The hour of an aware instant in its own zone: `19:00`."""
    return format_datetime(moment, "HH:mm", tzinfo=moment.tzinfo, locale=locale(language))


def say_zone(moment: datetime, language: str) -> str:
    """The name of the zone for people: `Central European Summer Time`."""
    return get_timezone_name(moment, width="long", locale=locale(language))


def say_list(items: Iterable[str], language: str) -> str:
    """`a, b and c`."""
    return format_list(list(items), locale=locale(language))


def say_language(code: str, language: str) -> str:
    """The name of a language in another: `français`, `French`."""
    name = locale(code).get_display_name(language.replace("-", "_")) if code != "en" else None
    if code == "en":
        name = Locale.parse("en").get_display_name(language.replace("-", "_"))
    return name or code


def direction(language: str) -> str:
    """In which direction a language is written: `ltr` or `rtl`."""
    return "rtl" if locale(language).character_order == "right-to-left" else "ltr"


@cache
def weekday_names(language: str) -> dict[str, int]:
    """Every way to write a weekday in that language, lower case without a full stop, with its number (Monday is 0)."""
    days = locale(language).days
    return {
        name.casefold().rstrip("."): number
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in days[context][width].items()
    }


def say_weekday(day: date, language: str) -> str:
    """The name of a day's weekday: `Thursday`."""
    return str(locale(language).days["format"]["wide"][day.weekday()])
