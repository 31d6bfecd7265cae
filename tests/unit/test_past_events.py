"""The page of an event that is over invites nobody any more, and knows so from the ledger alone, not from a clock."""

from datetime import date, timedelta

import pytest
from html_reader import Reader
from publishing import HEAD, TALK, edition

from pipeline.edition import Edition
from pipeline.outputs import each, pages
from pipeline.outputs.base import Artifact
from pipeline.rendering import Renderer

HEAD_WITH_MAIL = HEAD + '[mail]\nfrom = "post@talks.example"\n'
SOON = TALK.replace("2026-10-20", "2026-01-06") + 'registration = "https://sign-up.example/talk"\n'
OTHER = TALK.replace('"talk"', '"other"')


def page(of: Edition, path: str = "events/talk/index.html") -> Artifact:
    return next(one for one in each(pages.render(of, Renderer())) if one.path == path)


def invites(of: Edition) -> tuple[bool, bool]:
    """Whether the page offers a reminder, and whether it offers to register."""
    read = Reader(page(of).body.decode())
    return bool(read.all("form")), bool([a for a in read.all("a") if "sign-up.example" in a["href"]])


def published(*versions: str, day: date = date(2026, 2, 1)) -> Edition:
    return edition(*versions, head=HEAD_WITH_MAIL, day=day, step=timedelta(days=3))


def test_nobody_is_invited_to_what_was_over_at_the_last_publication() -> None:
    assert invites(published(SOON)) == (True, True)
    assert invites(published(SOON, SOON + OTHER)) == (False, False)


def test_the_day_alone_changes_nothing_since_static_pages_are_read_on_any_day() -> None:
    for versions in ((SOON,), (SOON, SOON + OTHER)):
        early, late = (page(published(*versions, day=day)).body for day in (date(2026, 1, 1), date(2030, 1, 1)))
        assert early == late


@pytest.mark.parametrize(("end", "invited"), [("FREQ=DAILY;COUNT=2", False), ("FREQ=DAILY;COUNT=9", True)])
def test_what_recurs_is_over_after_its_last_time(end: str, invited: bool) -> None:
    again = SOON + f'repeats = "{end}"\n'
    assert invites(published(again, again + OTHER)) == (invited, invited)


def test_an_event_without_a_date_is_never_over() -> None:
    undated = SOON.replace('date = 2026-01-06\ntime = "19:00"', 'tba = ["date", "time"]')
    assert invites(published(undated, undated + OTHER)) == (True, True)


def test_a_build_that_remembers_pages_makes_this_one_anew_and_no_other() -> None:
    later = TALK.replace('"talk"', '"later"').replace("10-20", "11-20")
    before, after = published(SOON + OTHER + later), published(SOON + OTHER + later, SOON + OTHER + later + TALKS_LAST)
    for event, same in (("talk", False), ("other", True)):
        keys = {page(of, f"events/{event}/index.html").key for of in (before, after)}
        assert (len(keys) == 1) is same, event


TALKS_LAST = TALK.replace('"talk"', '"last"').replace("10-20", "12-20")
