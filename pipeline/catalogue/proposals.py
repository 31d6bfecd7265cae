"""What was probably meant by a day or an hour that is written as people write them, and not as the catalogue does."""

import re
import unicodedata
from datetime import date

_HOUR = re.compile(r"(?P<hour>\d{1,2})(?:\s*[h:.]\s*(?P<minute>\d{2}))?\s*(?:h|heures?|(?P<half>am|pm))?")
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


def proposed_time(written: str) -> str | None:
    """`18h30`, `7 pm`, `19.30` as the catalogue has them: "18:30"."""
    match = _HOUR.fullmatch(written.strip().casefold().replace("a.m.", "am").replace("p.m.", "pm"))
    if match is None:
        return None
    hour, minute = int(match["hour"]), int(match["minute"] or 0)
    if match["half"] and hour <= 12:
        hour = hour % 12 + (12 if match["half"] == "pm" else 0)
    return f"{hour:02}:{minute:02}" if hour < 24 and minute < 60 else None


def proposed_times(written: str) -> tuple[str, str] | None:
    """`18h30-20h`, `19:00 to 21:00` as the catalogue has them: when it starts, and when it ends."""
    start, _, end = re.sub("[–—]|à|to", "-", written).partition("-")
    first, last = proposed_time(start), proposed_time(end)
    return (first, last) if first and last else None


def proposed_day(written: str) -> str | None:
    """`04/03/2027`, `4 mars 2027`, `2027-3-4` as a catalogue has them: 2027-03-04; the day stands before the month."""
    letters = unicodedata.normalize("NFKD", written[:60].strip().casefold().replace("–", "-").replace("—", "-"))
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
