"""The zone of an hour in a word or two, for the places where an hour of elsewhere stands among others."""

from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import get_timezone_location

from pipeline.language import locale, words

ANYWHERE: Final = ""
"""As the zone in which readers are thought to be: every hour is said with its own."""

_ELIDED = frozenset("aeiouyàâéèêëîïôûù")


@cache
def say_zone_city(zone: str, language: str) -> str:
    """The time of an IANA zone by the city it is named after: `New York time`; `UTC` where there is no city."""
    area, slash, _ = zone.partition("/")
    if not slash or area == "Etc":
        return zone.removeprefix("Etc/")
    city = get_timezone_location(ZoneInfo(zone), locale=locale(language), return_city=True).rpartition("/")[2]
    said = words(language)("{city} time").format(city=city)
    return _contracted(said, city) if language == "fr" else said


def _contracted(said: str, city: str) -> str:
    """In French “de” merges with an article or loses its vowel: `heure du Caire`, `heure d’Athènes`."""
    if city.startswith("Le "):
        return said.replace(f"de {city}", f"du {city.removeprefix('Le ')}")
    if city[:1].casefold() in _ELIDED:
        return said.replace(f"de {city}", f"d’{city}")
    return said
