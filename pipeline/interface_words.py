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
    return gettext.translation(DOMAIN, LOCALES, _catalogues(language), fallback=True)


def has_words(language: str) -> bool:
    """Whether our words exist in a language; a reader of any other gets English ones."""
    return language.partition("-")[0] == "en" or gettext.find(DOMAIN, LOCALES, _catalogues(language)) is not None


def spoken() -> tuple[str, ...]:
    """The languages in which our words exist."""
    return ("en", *sorted(folder.name for folder in LOCALES.iterdir() if has_words(folder.name)))


def _catalogues(language: str) -> list[str]:
    return [language.replace("-", "_"), language.partition("-")[0]]


@cache
def words(language: str) -> Callable[[str], str]:
    """The function that says an English interface word or pattern in that language."""
    return translations(language).gettext
