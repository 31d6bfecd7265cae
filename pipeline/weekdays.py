"""The days of the week in a language, and its conventions by Babel, which is loaded only with the first that needs it.

The names in our two interface languages stand here too, so that a catalogue in them is checked without Babel's data,
for which half of Babel and every zone are read; a test compares them with Babel's.
"""

import importlib
from datetime import date
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel.core import Locale

_NAMES = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    "fr": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
}
_SHORT = 3
"""In both languages the first letters of a name, with or without a full stop, are its short form."""


@cache
def locale(language: str) -> "Locale":
    """The conventions for dates, numbers and lists. English is that of Europe: 25 October, 19:00."""
    core = importlib.import_module("babel.core")
    british: Locale = core.Locale.parse("en_GB")
    if language == "en":
        return british
    try:
        found: Locale = core.Locale.parse(language.replace("-", "_"))
    except (core.UnknownLocaleError, ValueError):
        return british
    return found


@cache
def weekday_names(language: str) -> dict[str, int]:
    """Every way to write a weekday in that language, lower case without a full stop, with its number (Monday is 0)."""
    if (names := _NAMES.get(language)) is not None:
        forms = [(form.casefold(), number) for number, name in enumerate(names) for form in (name, name[:_SHORT])]
        return dict(forms)
    days = locale(language).days
    return {
        name.casefold().rstrip("."): number
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in days[context][width].items()
    }


def say_weekday(day: date, language: str) -> str:
    """The name of a day's weekday: `Thursday`."""
    if (names := _NAMES.get(language)) is not None:
        return names[day.weekday()]
    return str(locale(language).days["format"]["wide"][day.weekday()])
