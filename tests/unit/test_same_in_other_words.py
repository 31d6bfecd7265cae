"""What says the same place, link or notice in other words is no news, unless it was published as news before."""

from datetime import timedelta

import pytest
from publishing import FIRST, HEAD, TALK, catalogue
from test_feeds import titles

from pipeline.edition import Edition
from pipeline.ledger import Ledger, LineKind, pending_lines

HALL = 'id = "hall"\nname = "Town hall"\n'
LINK = 'online = { url = "https://live.example/", label = "Watch" }\n'
NOTICE = 'notice = "Bring a coat."\n'


def published(*versions: tuple[str, str], minutes: tuple[int, ...] = (0, 60, 120)) -> Edition:
    """The edition after publishing each pair of a head and events, so many minutes after the beginning."""
    ledger = Ledger()
    for (head, events), after in zip(versions, minutes, strict=False):
        latest = catalogue(events, head)
        ledger = ledger.extended(pending_lines(latest, ledger, FIRST + timedelta(minutes=after)))
    return Edition(latest, ledger, FIRST.date())


def head(hall: str) -> str:
    assert HALL in HEAD
    return HEAD.replace(HALL, hall)


@pytest.mark.parametrize(
    ("hall", "more"),
    [
        ('id = "hall"\nname.en = "Town hall"\nname.fr = "Mairie"\n', ""),
        (f'{HALL}country = "FR"\n', ""),
        (HALL, LINK.replace('label = "Watch"', 'label.en = "Watch", label.fr = "Regarder"')),
        (HALL, LINK.replace("Watch", "The stream")),
        (HALL, 'notice.en = "Bring a coat."\nnotice.fr = "Prenez un manteau."\n'),
    ],
)
def test_other_words_for_the_same_are_no_news_but_reach_calendars(hall: str, more: str) -> None:
    before = LINK if "online" in more else NOTICE if "notice" in more else ""
    of = published((HEAD, TALK + before), (head(hall), TALK + more))
    _, line = of.ledger.of("talk")
    assert line.kind is LineKind.EDITED
    assert titles(of) == ["Tue 20 Oct 2026, 19:00 · A talk"]
    assert of.ledger.revision("talk").updated == line.at


def test_another_default_language_is_no_news() -> None:
    french = HEAD.replace(
        'default_language = "en"\nlanguages = ["en", "fr"]', 'default_language = "fr"\nlanguages = ["fr", "en"]'
    )
    assert len(published((HEAD, TALK + NOTICE), (french, TALK + NOTICE)).news) == 1


@pytest.mark.parametrize(
    ("hall", "more", "title"),
    [
        (HALL.replace("Town", "Village"), NOTICE + LINK, "Changed: "),
        (HALL.replace("hall", "theatre", 1), NOTICE + LINK.replace("live", "stream"), "New place: "),
        (HALL, NOTICE + LINK.replace("live", "stream"), "New link: "),
        (HALL, NOTICE.replace("coat", "hat") + LINK, "Please note: "),
        ('id = "hall"\nname.en = "Village hall"\nname.fr = "Mairie"\n', NOTICE + LINK, "Changed: "),
    ],
)
def test_another_place_link_or_notice_is_news(hall: str, more: str, title: str) -> None:
    other = head(hall)
    of = published(
        (HEAD, TALK + NOTICE + LINK), (other, (TALK + more).replace('"hall"', f'"{hall.split(chr(34))[1]}"'))
    )
    newest, _ = titles(of)
    assert newest.startswith(title)


def test_what_was_published_as_news_stays_news() -> None:
    """Archives are never rewritten: what an earlier version told is told for ever, a later line for itself."""
    of = published((HEAD, TALK), (head(f'{HALL}country = "FR"\n'), TALK))
    announced, edit = of.ledger.lines
    told = Ledger.holding([announced, edit._replace(kind=LineKind.CHANGED)])
    assert [item.kind for item in Edition(of.catalogue, told, of.day).news] == [LineKind.CHANGED, LineKind.ANNOUNCED]
    assert [item.kind for item in of.news] == [LineKind.ANNOUNCED]


def test_words_that_come_with_a_move_within_a_few_minutes_leave_the_move_as_it_is() -> None:
    begun, later, other = (HEAD, TALK), (HEAD, TALK.replace("19:00", "20:00")), head(f'{HALL}country = "FR"\n')
    kept = published(begun, later, (other, later[1]), minutes=(0, 60, 65))
    assert [item.kind for item in kept.news] == [LineKind.CHANGED, LineKind.ANNOUNCED]
    taken_back = published(begun, later, (other, TALK), minutes=(0, 60, 65))
    assert [item.kind for item in taken_back.news] == [LineKind.ANNOUNCED]
