"""Long files are kept in runs of events: an edit makes its own run again, and all others are taken as they were."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publishing import edition

from pipeline.edition import Edition, Listing
from pipeline.ledger import Ledger, Line
from pipeline.outputs import render_all
from pipeline.outputs.keys import LONGEST_RUN, MOST_REUSED, Pieces, Reused, keys, last_of_runs, runs
from pipeline.rendering import Renderer

LONG = (
    "calendar.ics", "alarms/calendar.ics", "fr/calendar.ics", "events.json", "schedule.xml", "sitemap.xml",
    "index.html", "fr/embed/index.html",
)  # fmt: skip


def listed(*names: str) -> list[Listing]:
    return [cast("Listing", SimpleNamespace(event=SimpleNamespace(id=name))) for name in names]


def cut(names: list[str]) -> list[tuple[str, ...]]:
    return [tuple(listing.event.id for listing in run) for run in runs(listed(*names), last_of_runs(names))]


@given(st.lists(st.from_regex("[a-z]{1,9}", fullmatch=True), unique=True, max_size=300), st.data())
def test_one_event_more_changes_hardly_a_run_but_its_own(names: list[str], data: st.DataObject) -> None:
    before = cut(names)
    assert [name for run in before for name in run] == names
    at = data.draw(st.integers(0, len(names)))
    after = cut([*names[:at], "new-one", *names[at:]])
    assert len(set(after) - set(before)) <= 2


def test_no_run_is_endless() -> None:
    assert [len(run) for run in cut(["talk"] * 600)] == [LONGEST_RUN, LONGEST_RUN, 600 - 2 * LONGEST_RUN]


class Kept(Pieces):
    """Pieces in memory, and which of them had to be made."""

    def __init__(self) -> None:
        self.known: dict[str, bytes] = {}
        self.made: list[bytes] = []

    def find(self, key: str) -> bytes | None:
        return self.known.get(key)

    def put(self, key: str, piece: bytes) -> None:
        self.known[key] = piece
        self.made.append(piece)


def talks(of: Callable[[int], str]) -> str:
    return "".join(
        f'[[event]]\nid = "talk-{number}"\ntitle = "{of(number)}"\ndate = {date(2027, 1, 1) + timedelta(number)}\n'
        'time = "19:00"\nvenue = "hall"\n'
        for number in range(400)
    )


@pytest.fixture(scope="module")
def before_and_after() -> tuple[Edition, Edition]:
    first = talks(lambda number: f"Talk {number}")
    return edition(first), edition(first, talks(lambda number: f"Talk {number}{' anew' * (number == 200)}"))


@pytest.mark.parametrize("path", LONG)
def test_of_a_long_file_only_the_run_of_the_edited_event_is_made(
    before_and_after: tuple[Edition, Edition], path: str
) -> None:
    kept = Kept()
    for each in before_and_after:
        kept.made.clear()
        found = next(one for one in render_all(each, Renderer()) if one.path == path)
        with keys(each).with_pieces(kept):
            made = found.make()
            body = made if isinstance(made, bytes) else b"".join(made)
        assert body == next(one for one in render_all(each, Renderer()) if one.path == path).body
        assert body.count(b"talk-200") >= 1
    # The home page tells of each event twice: to people, and to search engines.
    assert len(kept.made) == (2 if path == "index.html" else 1)
    assert all(0 < len(piece) < len(body) / 4 for piece in kept.made)


def test_of_a_long_programme_no_more_than_some_pieces_of_pages_are_held() -> None:
    held = Reused(keys(edition()))
    for number in range(3 * MOST_REUSED):
        held["template", number] = f"<{number}>"
        assert held.get(("template", number)) == f"<{number}>"
        assert len(held) <= MOST_REUSED


def test_however_many_were_edited_before_they_settled_each_event_is_asked_a_few_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each of the talks was announced in an hour of its own, and its title mended a minute later."""
    of = edition(talks(lambda number: f"Talk {number}"), talks(lambda number: f"A talk {number}"))
    first = of.ledger.lines[0].at
    hours = {event: number for number, event in enumerate(of.ledger.events)}
    lines = [
        line._replace(at=first + timedelta(hours=hours[line.event], minutes=line is not of.ledger.of(line.event)[0]))
        for line in of.ledger.lines
    ]
    apart, asked, ask = replace(of, ledger=Ledger.holding(lines)), list[str](), Ledger.of
    assert all(map(apart.ledger.is_edit, apart.ledger.lines[1::2]))

    def counted(ledger: Ledger, event: str) -> tuple[Line, ...]:
        asked.append(event)
        return ask(ledger, event)

    monkeypatch.setattr(Ledger, "of", counted)
    keys(apart).told(3)
    assert len(asked) < 10 * len(hours)
