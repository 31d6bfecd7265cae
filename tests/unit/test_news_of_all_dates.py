"""News about every date of a recurring event doesn't name the first one, as if only that were meant."""

import pytest
from publishing import TALK, edition

from pipeline.phrases import headline

WEEKLY = TALK + 'repeats = "FREQ=WEEKLY;COUNT=4"\n'
OFF = WEEKLY + 'status = "{}"\nnotice = "The hall is closed."\n'


def newest(*versions: str, language: str = "en") -> str:
    return headline(edition(*versions).news[0], language)


@pytest.mark.parametrize(("status", "word"), [("cancelled", "Cancelled"), ("postponed", "Postponed")])
def test_what_is_off_is_off_on_all_dates(status: str, word: str) -> None:
    assert newest(WEEKLY, OFF.format(status)) == f"{word}: A talk (all dates)"


def test_what_takes_place_after_all_does_so_on_all_dates() -> None:
    assert newest(WEEKLY, OFF.format("cancelled"), WEEKLY) == "Takes place after all: A talk (all dates)"


def test_what_is_retired_is_off_on_all_dates() -> None:
    assert newest(WEEKLY, "") == "Cancelled: A talk (all dates)"


def test_an_event_with_one_date_names_it() -> None:
    off = TALK + 'status = "cancelled"\nnotice = "The hall is closed."\n'
    assert newest(TALK, off) == "Cancelled: Tue 20 Oct 2026, 19:00 · A talk"
