"""How many dates follow the one at which a recurring event stands in a list, in words."""

from itertools import islice
from typing import Final

from pipeline.catalogue.models import Event
from pipeline.catalogue.recurrence import EVER, is_endless, occurrences
from pipeline.catalogue.when import When, first_day, starts
from pipeline.language import say_day, translations, words

MOST: Final = 60
"""Of more dates than these, nobody wants the number."""


def say_later_dates(event: Event, when: When, language: str) -> str:
    """`and 6 more dates, until Wed 28 Apr 2027`: of a recurring event as the catalogue has it, those after `when`.

    Empty where none follows.
    """
    start = starts(when)
    if event.repeats is None or start is None:
        return ""
    if is_endless(event):
        return words(language)("and many more dates")
    times = (later for _, later in occurrences(event, start, EVER))
    coming = [later for later in islice(times, MOST + 2) if (at := starts(later)) is not None and at > start]
    if not coming:
        return ""
    if len(coming) > MOST:
        return words(language)("and many more dates")
    pattern = translations(language).ngettext(
        "and {count} more date, {day}", "and {count} more dates, until {day}", len(coming)
    )
    last = first_day(coming[-1])
    return pattern.format(count=len(coming), day=say_day(last, language, "short") if last else "")
