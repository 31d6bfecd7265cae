"""Days and hours as people write them in tables: 07/05/2026, 7 mai 2026, 19h30, 7 pm, 19:00–21:00."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache
from zoneinfo import ZoneInfo

from pipeline.catalogue.texts import FORBIDDEN
from pipeline.errors import N_
from pipeline.language import locale, weekday_names

LANGUAGES = ("en", "fr")
UNKNOWN = frozenset(
    {"", "?", "-", "–", "tba", "tbc", "tbd", "n/a", "à préciser", "à venir", "à définir", "à confirmer"}
)
"""What people write where they don't know yet."""

LONGEST_DATED = 200
"""How many characters a cell has that says a day, or that nothing is known yet."""

_ISO = re.compile(r"(\d{4})[-/.]?(\d\d)[-/.]?(\d\d)")
_NUMBERS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)")
_WORDS = re.compile(
    r"(?:(\d{1,2})(?:er|st|nd|rd|th)?\.?\s+([^\W\d]+)\.?|([^\W\d]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?),?\s+(\d{4})"
)
_TIME = re.compile(
    r"(\d{1,2})(?:\s*[:h.]\s*(\d\d)?)?(?::(\d\d)(?:[.,]\d+)?)?\s*(?:(a|p)\.?m\.?|min|heures?|hrs?|uhr)?", re.IGNORECASE
)
_NAMED = {"midi": time(12), "noon": time(12), "midday": time(12), "minuit": time(0), "midnight": time(0)}
_SPLIT = re.compile(r"\s*(?:–|—|-|\bto\b|\bà\b|\bbis\b|→)\s*", re.IGNORECASE)
_FROM = r"(?:de|dès|à partir de|from|starting at|à|at)\s+"
"""What people write before an hour, or before the first of two."""
_DAY_AND_TIME = re.compile(
    r"(?P<day>.*?\d{4}|\d{8}|\d{1,2}[-/.]\d{1,2}[-/.]\d\d|\d{4}[-/.]\d\d[-/.]\d\d)(?:\s*(?:,|à|at|T|\s)\s*)"
    rf"(?P<time>(?:{_FROM})?\d{{1,2}}\s*[:hap.].*)",
    re.IGNORECASE,
)


class UnreadableError(ValueError):
    """A cell that says no day or hour; the text is why, as an English pattern."""


@dataclass(frozen=True, slots=True)
class Days:
    """How the days of one file are meant."""

    order: str
    """Those with slashes: `dmy`, `mdy`, or empty where nothing tells."""
    zone: str = "UTC"
    """The IANA zone in which an instant with an offset of its own is told."""

    def read(self, text: str) -> date:
        """The day of a cell; UnreadableError says why there is none."""
        text, weekday = _without_weekday(" ".join(text.split()))
        try:
            day = self._day(text)
        except ValueError as error:
            if isinstance(error, UnreadableError):
                raise
            raise UnreadableError(N_("there is no such day")) from None
        if weekday is not None and day.weekday() != weekday:
            raise UnreadableError(N_("it is not on that day of the week"))
        return day

    def _day(self, text: str) -> date:
        if (match := _ISO.fullmatch(text)) is not None:
            return date(int(match[1]), int(match[2]), int(match[3]))
        if (match := _NUMBERS.fullmatch(text)) is not None:
            return self._numbers(match)
        if (match := _WORDS.fullmatch(text)) is not None:
            month = _months().get((match[2] or match[3]).casefold())
            if month is not None:
                return date(int(match[5]), month, int(match[1] or match[4]))
        raise UnreadableError(N_("write 2026-05-07"))

    def _numbers(self, match: re.Match[str]) -> date:
        first, second, year = int(match[1]), int(match[3]), match[4]
        # With full stops the day always stands first.
        order = self.order or ("dmy" if match[2] == "." and len(year) == 4 else "")
        if not order:
            raise UnreadableError(N_("which is the month? say --dates dmy or --dates mdy"))
        day, month = (first, second) if order == "dmy" else (second, first)
        return date(int(year) if len(year) == 4 else 2000 + int(year), month, day)


def order_of(cells: Iterable[str]) -> str:
    """How the dates of a file are meant, if one of them can only be read in one way; else empty."""
    orders = set()
    for cell in cells:
        if len(cell) <= LONGEST_DATED and (match := re.search(r"(?<!\d)(\d{1,2})/(\d{1,2})/\d{4}", cell)) is not None:
            first, second = int(match[1]), int(match[2])
            if first > 12 >= second:
                orders.add("dmy")
            elif second > 12 >= first:
                orders.add("mdy")
    return orders.pop() if len(orders) == 1 else ""


def read_times(text: str) -> tuple[time, time | None]:
    """The hour of a cell, and the end where it says one: `19h`, `7 pm`, `19:00–21:00`."""
    hours = re.sub(rf"^{_FROM}", "", text.strip(), flags=re.IGNORECASE)
    parts = [part for part in _SPLIT.split(hours) if part]
    if not 1 <= len(parts) <= 2:
        raise UnreadableError(N_("write 19:00"))
    times = [_time(part) for part in parts]
    return times[0], times[1] if len(times) == 2 else None


def _time(text: str) -> time:
    if (known := _NAMED.get(text.strip().casefold())) is not None:
        return known
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise UnreadableError(N_("write 19:00"))
    hour, half = int(match[1]), (match[4] or "").lower()
    if half and not 1 <= hour <= 12:
        raise UnreadableError(N_("write 19:00"))
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        return time(hour, int(match[2] or 0), int(match[3] or 0))
    except ValueError:
        raise UnreadableError(N_("there is no such hour")) from None


def read_day_and_times(text: str, days: Days) -> tuple[date, time | None, time | None]:
    """The day of a cell, with the hours where it says them: `2026-05-07T19:00`, `7 mai 2026 à 19h`."""
    text = " ".join(text.split())
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        if moment.tzinfo is not None:
            moment = _in_zone(moment, days.zone)
        return moment.date(), moment.time() if len(text) > len("2026-05-07") else None, None
    if (match := _DAY_AND_TIME.fullmatch(text)) is not None:
        start, end = read_times(match["time"])
        return days.read(match["day"]), start, end
    return days.read(text), None, None


def _in_zone(moment: datetime, zone: str) -> datetime:
    try:
        return moment.astimezone(ZoneInfo(zone))
    except OverflowError:
        raise UnreadableError(N_("there is no such day")) from None


def is_unknown(text: str) -> bool:
    """Whether a cell says that it isn't known yet."""
    return len(text) <= LONGEST_DATED and re.sub(FORBIDDEN, " ", text).strip().casefold() in UNKNOWN


def _without_weekday(text: str) -> tuple[str, int | None]:
    first, _, rest = text.partition(" ")
    name = first.casefold().rstrip(".,")
    for language in LANGUAGES:
        if rest and name in weekday_names(language):
            return rest.removeprefix("le ").strip(), weekday_names(language)[name]
    return text, None


@cache
def _months() -> dict[str, int]:
    return {
        name.casefold().rstrip("."): number
        for language in LANGUAGES
        for context in ("format", "stand-alone")
        for width in ("wide", "abbreviated")
        for number, name in locale(language).months[context][width].items()
    }
