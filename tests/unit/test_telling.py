"""What is told of files that are gone: only addresses that people were given to follow."""

import pytest

from pipeline.commands.telling import _is_followed


@pytest.mark.parametrize(
    "path",
    [
        "calendar.ics", "alarms/calendar.ics", "atom.xml", "soon.atom.xml", "rss.xml", "feed.json", "tags/events.ics",
        "tags/archive.atom.xml", "venues/hall.ics", "fr/calendar.ics", "pt-BR/tags/care.atom.xml",
        "groups/north/calendar.ics", "groups/archive/atom.xml", "groups/events/rss.xml", "fr/groups/archive/feed.json",
    ],
)  # fmt: skip
def test_calendars_and_feeds_are_followed_also_those_of_groups_named_like_a_folder(path: str) -> None:
    assert _is_followed(path)


@pytest.mark.parametrize(
    "path",
    [
        "events/talk.ics", "events/calendar.ics", "fr/events/calendar.ics", "archive/1.atom.xml", "archive/2.rss.xml",
        "fr/archive/1.atom.xml", "groups/north/archive/1.atom.xml", "groups/groups/archive/1.rss.xml", "events.json",
        "index.html", "schedule.xml", "tags/care/index.html",
    ],
)  # fmt: skip
def test_calendars_of_one_event_archives_and_pages_are_not(path: str) -> None:
    assert not _is_followed(path)
