"""Names of countries as people and programs write them, and the code of ISO 3166-1 that is meant."""

import unicodedata
from collections.abc import Mapping
from functools import cache

from babel import Locale

from pipeline.catalogue.texts import countries, meant_country

_LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl")


def country_code(said: str) -> str | None:
    """The code of a country by itself or by its name in one of the languages above; None where none is meant."""
    return meant_country(said.strip()) or _by_name().get(_folded(said))


@cache
def _by_name() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in countries():
                found.setdefault(_folded(name), code)
    return found


def _folded(name: str) -> str:
    """Without accents, capitals and hyphens, as a name is compared."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("-", " "))
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
