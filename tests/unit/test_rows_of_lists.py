"""What a row in a list of events says besides its date and title: where, and how many dates follow."""

from html_reader import Reader, site
from publishing import HEAD, TALK, edition

from pipeline.rendering import Renderer

ELSEWHERE = TALK.replace('"talk"', '"other"').replace("10-20", "10-27").replace('"hall"', '"library"')
SAME_PLACE = TALK.replace('"talk"', '"other"').replace("10-20", "10-27")
THIRD = TALK.replace('"talk"', '"third"').replace("10-20", "10-28")
AT_HOME = '[series]\nvenue = "hall"\n'


def upcoming(events: str, renderer: Renderer) -> str:
    """The rows below `Upcoming`; the hall is the place of the series."""
    from_here = edition(events, head=HEAD.replace("[series]\n", AT_HOME))
    text = Reader(site(from_here, renderer)["index.html"]).text
    return text[text.index("Upcoming") :]


def test_each_row_names_its_place_in_a_few_words_where_there_is_more_than_one(renderer: Renderer) -> None:
    rows = upcoming(TALK + ELSEWHERE + THIRD, renderer)
    assert "Library, Lyon" in rows
    assert "Town hall, Paris" in rows
    assert "High Street" not in rows


def test_no_row_repeats_the_place_of_the_series_where_all_are_there(renderer: Renderer) -> None:
    assert "Town hall" not in upcoming(TALK + SAME_PLACE, renderer)


def test_a_row_of_what_recurs_says_how_many_dates_follow(renderer: Renderer) -> None:
    weekly = SAME_PLACE + 'repeats = "FREQ=WEEKLY;COUNT=4"\nexcept = [2026-11-03]\n'
    assert "and 2 more dates, until Tue 17 Nov 2026" in upcoming(TALK + weekly, renderer)


def test_one_date_that_follows_is_named_and_many_are_not_counted(renderer: Renderer) -> None:
    assert "and 1 more date, Tue 3 Nov 2026" in upcoming(
        TALK + SAME_PLACE + 'repeats = "FREQ=WEEKLY;COUNT=2"\n', renderer
    )
    assert "and many more dates" in upcoming(TALK + SAME_PLACE + 'repeats = "FREQ=WEEKLY"\n', renderer)
