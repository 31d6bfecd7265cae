"""Interface words in a reader's language, by gettext. Light: whoever only tells words loads no library for dates."""

import gettext
from collections.abc import Callable
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "tocsin"


@cache
def translations(language: str) -> gettext.NullTranslations:
    """The interface words of a language; English (the words as they stand in the code) where there is no catalogue."""
    if language == "en":
        return gettext.NullTranslations()
    names = [language.replace("-", "_"), language.partition("-")[0]]
    return gettext.translation(DOMAIN, LOCALES, names, fallback=True)


def words(language: str) -> Callable[[str], str]:
    """The function that says an English interface word or pattern in that language."""
    return translations(language).gettext
