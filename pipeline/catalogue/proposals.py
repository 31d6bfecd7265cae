"""What was probably meant by a day, an hour or a language that is written as people do, not as the catalogue does."""

import importlib
import re
import unicodedata
from datetime import date

_HOUR = re.compile(r"(?P<hour>\d{1,2})(?:\s*[h:.]\s*(?P<minute>\d{2}))?\s*(?:h|heures?|(?P<half>am|pm))?")
_HOUR_WITHIN = re.compile(r"(?<!\d)\d{1,2}\s*[h:](?:\s*\d{2})?(?!\d)")
_NAMED_HOURS = {"midi": "12:00", "noon": "12:00", "minuit": "00:00", "midnight": "00:00"}
_UNTIL = re.compile(r"[–—-]|\b(?:à|to|et|and|until|till)\b|jusqu['’]à")
_LENGTH = re.compile(
    r"(?P<hours>\d{1,2})(?:\s*(?:h|hours?|heures?)?\s*(?:(?P<half>et demie?|and a half)|[:h]\s*(?P<minutes>\d\d))"
    r"|[.,](?P<tenths>\d)\s*(?:h|hours?|heures?))?"
)
_GAP = r"\s*[/.\-–—\s]\s*"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}}){_GAP}(?P<month>\d{{1,2}}){_GAP}(?P<day>\d{{1,2}})")
_DAY_FIRST = re.compile(rf"(?P<day>\d{{1,2}}){_GAP}(?P<month>\d{{1,2}}){_GAP}(?P<year>\d{{4}}|\d{{2}})")
_IN_WORDS = re.compile(
    r"(?:le )?(?:[a-z]+,? )?(?P<day>\d{1,2})(?:er|st|nd|rd|th)? (?P<name>[a-z]{3,})\.?,? (?P<year>\d{4})"
)
_MONTH_FIRST = re.compile(r"(?P<name>[a-z]{3,})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})")
_MONTHS = {
    "jan": 1, "fev": 2, "feb": 2, "mar": 3, "avr": 4, "apr": 4, "mai": 5, "may": 5, "juin": 6, "june": 6, "juil": 7,
    "july": 7, "aou": 8, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
"""How the names of the months begin, in French and English."""
_HYPHENS = str.maketrans(dict.fromkeys("‐‑‒–—−", "-"))
_UNKNOWN = frozenset(
    {"", "-", "tba", "tbc", "tbd", "n/a", "none", "unknown", "inconnu", "inconnue"}
    | {f"{opening} {word}" for opening in ("à", "a") for word in ("définir", "confirmer", "préciser", "venir", "fixer")}
    | {f"to be {word}" for word in ("announced", "confirmed", "defined", "decided")}
)
LANGUAGES = ("en", "fr", "de", "es", "it", "pt", "nl")
"""In which the names of languages are recognised."""


def is_unknown(written: str) -> bool:
    """Whether people say with it that they don't know yet."""
    return unicodedata.normalize("NFKC", written[:60]).translate(_HYPHENS).strip(" ?.!").casefold() in _UNKNOWN


def proposed_language(written: str) -> str | None:
    """The code of a language by its name: `français`, `German`, `Español`; or by a code written otherwise: `FR`."""
    names, locale = written[:60].strip().casefold(), importlib.import_module("babel").Locale
    if (code := names.partition("_")[0]) in locale("en").languages:
        return code
    found = (code for of in LANGUAGES for code, name in locale(of).languages.items() if name.casefold() == names)
    return next((code for code in found if len(code) in {2, 3}), None)


def proposed_length(written: object) -> str | None:
    """`2 heures et demie`, `1.5h`, `2:30`, 90 as a catalogue has them; a number up to 12 means hours."""
    match = _LENGTH.fullmatch(str(written)[:60].strip().casefold())
    if match is None:
        number = str(written)[:60].strip()
        return f"{int(number)} min" if re.fullmatch(r"\d{3}", number, re.ASCII) else None
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    if match["half"] or match["tenths"]:
        minutes = 30 if match["half"] else int(match["tenths"]) * 6
    if hours > 12 and match[0].isdigit():
        return f"{hours} min"
    return (f"{hours}h{minutes:02}" if minutes else f"{hours}h") if hours or minutes else None


def proposed_time(written: str) -> str | None:
    """`18h30`, `7 pm`, `19.30`, `1930`, `from 18:30 on` as the catalogue has them: "18:30"."""
    text = written[:60].strip().casefold().replace("a.m.", "am").replace("p.m.", "pm")
    if re.fullmatch(r"\d{3,4}", text, re.ASCII):
        text = f"{text[:-2]}:{text[-2:]}"
    match = _HOUR.fullmatch(text)
    if match is None:
        within = _HOUR_WITHIN.findall(text)
        return proposed_time(within[0]) if len(within) == 1 and within[0] != text else _NAMED_HOURS.get(text)
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"] and hour <= 12:
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def proposed_times(written: str) -> tuple[str, str] | None:
    """`18h30-20h`, `19:00 to 21:00` as the catalogue has them: when it starts, and when it ends."""
    text = re.sub(r"^\s*(?:de|from|entre|between)\b", "", unicodedata.normalize("NFC", written[:60]).casefold())
    start, end = [*_UNTIL.split(text, maxsplit=1), ""][:2]
    first, last = proposed_time(start), proposed_time(end)
    return (first, last) if first and last else None


def proposed_day(written: str) -> str | None:
    """`04/03/2027`, `4 mars 2027`, `2027-3-4` as a catalogue has them: 2027-03-04; the day stands before the month."""
    letters = unicodedata.normalize("NFKD", written[:60].strip().casefold().translate(_HYPHENS))
    text = " ".join(letters.encode("ascii", "ignore").decode().split())
    forms = (_YEAR_FIRST, _DAY_FIRST, _IN_WORDS, _MONTH_FIRST)
    match = next((found for form in forms if (found := form.fullmatch(text))), None)
    if match is None:
        return None
    parts = match.groupdict()
    year, day = int(parts["year"]) + (2000 if len(parts["year"]) == 2 else 0), int(parts["day"])
    name = parts.get("name")
    by_name = (number for start, number in _MONTHS.items() if name and name.startswith(start))
    month = int(parts["month"]) if name is None else next(by_name, 0)
    if month > 12 >= day:
        day, month = month, day
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None
