"""Reminders without a label are chosen by when they come, in the reader's words."""

import html
from pathlib import Path

import pytest
from publishing import HEAD, TALK, edition
from visiting import MAILING, Visited

from pipeline.actions.joining import preferences_token
from pipeline.catalogue.timing import parse_timing
from pipeline.phrases.timings import say_timing
from pipeline.store.subscribers import ALL_KINDS, add

ADA = "ada@reader.example"
UNLABELLED = (
    '[[reminder]]\nid = "r1"\nwhen = "1 day before at 10:00"\n'
    '[[reminder]]\nid = "r2"\nwhen = "2 hours before"\ntags = ["law", "ml"]\n'
)


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("when announced", "when an event is announced"),
        ("when changed", "when something changes"),
        ("on the day at 08:00", "on the day, at 08:00"),
        ("1 day before at 10:00", "the day before, at 10:00"),
        ("1 day before", "the day before"),
        ("2 weeks before at 9:30", "14 days before, at 09:30"),
        ("1 day after at 18:00", "the day after, at 18:00"),
        ("3 days after", "3 days after"),
        ("1 hour before", "an hour before"),
        ("2 hours before", "2 hours before"),
        ("90 minutes before", "90 min before"),
        ("60 minutes after", "an hour after"),
        ("45 minutes after", "45 min after"),
        ("5 hours after", "5 hours after"),
        ("monthly on day 1 at 10:00", "on day 1 of each month, at 10:00"),
        ("weekly on Monday at 10:00", "every Monday, at 10:00"),
    ],
)
def test_every_moment_is_said_in_words(when: str, said: str) -> None:
    timing = parse_timing(when)
    assert timing is not None
    assert say_timing(timing, "en") == said


def test_reminders_without_labels_are_offered_in_words_and_can_be_declined(tmp_path: Path) -> None:
    visit = Visited(edition(TALK + UNLABELLED, head=HEAD + MAILING), tmp_path)
    with visit.database.begin() as connection:
        add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", visit.clock.now())
    who = visit.subscriber(ADA)
    assert who is not None
    path = f"/preferences/{preferences_token(who.public_id, visit.secret)}"
    shown = html.unescape(visit.get(path).text)
    assert "the day before, at 10:00" in shown
    assert "2 hours before (law and ml)" in shown
    visit.post(path, {"kinds": ["reminders"], "shown": ["r1", "r2"], "reminders": ["r1"]})
    who = visit.subscriber(ADA)
    assert who is not None
    assert who.wishes.declined == {"r2"}
    visit.database.close()
