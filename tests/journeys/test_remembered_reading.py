"""Events that are as they were are not read again; whatever is wrong is told as if nothing had been remembered."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import twelve_talks
from twelve_talks import LATER, NOW, talk

from pipeline.actions.build import Draft, draft
from pipeline.actions.project import project_at
from pipeline.actions.remembered_reading import KEPT_IN, Reading
from pipeline.catalogue import drafting
from pipeline.cli import main
from pipeline.errors import CatalogueError, InputError, LedgerError
from pipeline.ledger_lines import KnownFacts

INSTANT = datetime(2027, 1, 10, 11, tzinfo=UTC)


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A published series of twelve talks."""
    monkeypatch.chdir(tmp_path)
    twelve_talks.publish(tmp_path)
    assert main(["build", *NOW]) == 0
    capsys.readouterr()
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the events whose tables are looked at from now on."""
    found, inherit = list[str](), drafting.inherit

    def noted(row: Mapping[str, Any], *others: Any) -> dict[str, Any]:
        found.append(row["id"])
        return inherit(row, *others)

    monkeypatch.setattr(drafting, "inherit", noted)
    return found


def edit(folder: Path, before: str, after: str) -> None:
    file = folder / "events.toml"
    assert before in file.read_text()
    file.write_text(file.read_text().replace(before, after, 1))


def drawn(folder: Path, *, recalls: bool = True) -> Draft:
    return draft(project_at(folder / "events.toml"), INSTANT, reading=Reading(folder, recalls=recalls))


def as_if_nothing_were_known(folder: Path) -> Draft:
    return draft(project_at(folder / "events.toml"), INSTANT)


def test_an_empty_row_of_the_ledger_moves_the_others_and_is_no_line(built: Path) -> None:
    ledger = built / "ledger.jsonl"
    rows = ledger.read_text().splitlines(keepends=True)
    ledger.write_text("".join((rows[0], "\n", " \n", *rows[1:])))
    assert main(["build", *NOW]) == 0
    lines = drawn(built).edition.ledger.lines
    assert all(isinstance(line.facts, KnownFacts) for line in lines)
    assert lines == as_if_nothing_were_known(built).edition.ledger.lines


def test_only_an_edited_event_is_read(built: Path, read: list[str]) -> None:
    edit(built, 'title = "Talk 5"', 'title = "Another talk"')
    found = drawn(built)
    assert read == ["talk-5"]
    assert [line.event for line in found.pending] == ["talk-5"]
    assert [(event.order, event.when) for event in found.edition.catalogue.events] == [
        (event.order, event.when) for event in as_if_nothing_were_known(built).edition.catalogue.events
    ]


def test_an_event_that_is_asked_for_more_is_read_and_says_all(built: Path, read: list[str]) -> None:
    known = drawn(built).edition
    assert read == []
    title = known.listings[3].event.title
    assert title is not None
    assert title.said_in("en").text == "Talk 3"
    assert read == ["talk-3"]
    whole = as_if_nothing_were_known(built).edition
    assert known.catalogue.events == whole.catalogue.events
    assert whole.catalogue.events == drawn(built).edition.catalogue.events
    assert drawn(built).edition.catalogue.events[1].model_dump() == whole.catalogue.events[1].model_dump()
    assert repr(drawn(built).edition.catalogue.events[1]) == repr(whole.catalogue.events[1])
    assert known.news == whole.news
    assert known.ledger.lines == whole.ledger.lines


@pytest.mark.parametrize(
    ("before", "after"),
    [('name = "The hall"', 'name = "The great hall"'), ('title = "Talks"', 'title = "Talks"\ndefault_duration = "2h"')],
)
def test_below_another_head_everything_is_judged(built: Path, read: list[str], before: str, after: str) -> None:
    edit(built, before, after)
    assert drawn(built).edition.catalogue == as_if_nothing_were_known(built).edition.catalogue
    assert len(read) == 24


def test_another_order_is_the_order_of_the_file(built: Path, read: list[str]) -> None:
    text = (built / "events.toml").read_text()
    (built / "events.toml").write_text(text.replace(talk(2), "").replace(talk(9), talk(9) + talk(2)))
    ids = [event.id for event in drawn(built).edition.catalogue.events]
    assert ids.index("talk-2") == ids.index("talk-9") + 1
    assert read == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('id = "talk-5"', 'id = "talk-4"'),  # used twice
        ('title = "Talk 5"', 'titel = "Talk 5"'),
        ('title = "Talk 5"', 'title = "Talk 5'),
        ('title = "Talk 5"', 'title = "Talk 5"\nvenue = "hall"'),
        ('id = "hall"', 'id = "room"'),  # of which all events tell
        ("[[event]]", "event = []\n[[event]]"),
    ],
)
def test_what_is_wrong_is_told_as_if_nothing_were_known(built: Path, before: str, after: str) -> None:
    edit(built, before, after)
    with pytest.raises(InputError) as told:
        drawn(built)
    with pytest.raises(InputError) as known:
        as_if_nothing_were_known(built)
    assert told.value.problems == known.value.problems


def test_a_picture_that_is_gone_is_missed(built: Path) -> None:
    (built / "door.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    edit(built, 'title = "Talk 5"', 'title = "Talk 5"\nimage = "door.png"\nimage_alt = "A door"')
    assert main(["build", *NOW]) == 0
    drawn(built)
    (built / "door.png").unlink()
    with pytest.raises(CatalogueError):
        drawn(built)


@pytest.mark.parametrize("how", ["cut", "other", "gone", "written over"])
def test_a_memory_that_is_damaged_counts_for_nothing(built: Path, read: list[str], how: str) -> None:
    kept = built / KEPT_IN
    data = kept.read_bytes()
    changed = {
        "cut": data[:-40],
        "other": b"{}\n",
        "gone": b"",
        "written over": data.replace(b"2027-03-04", b"2027-03-05"),
    }
    kept.write_bytes(changed[how])
    assert drawn(built).edition.catalogue.event_by_id["talk-3"].date == date(2027, 3, 4)
    assert len(read) == 12


def test_publishing_reads_everything_and_lets_the_next_build_read_nothing(built: Path, read: list[str]) -> None:
    edit(built, 'title = "Talk 5"', 'title = "Another talk"')
    assert main(["publish", *LATER]) == 0
    assert len(set(read)) == 12
    read.clear()
    assert drawn(built).pending == ()
    assert read == []


def test_a_ledger_that_was_changed_is_read(built: Path) -> None:
    ledger = built / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace('"title":{"en":"Talk 3"}', '"title":{"en":"Talk 33"}', 1))
    assert ledger.read_text().count("Talk 33") == 1
    assert [line.event for line in drawn(built).pending] == ["talk-3"]
    ledger.write_text(ledger.read_text()[:-20])
    with pytest.raises(LedgerError):
        drawn(built)


def test_a_line_in_a_long_text_begins_no_event(built: Path, read: list[str]) -> None:
    quoted = 'title = "Talk 5"\nabstract = """\nWrite\n[[event]]\nid = "talk-99"\nand so on.\n"""'
    edit(built, 'title = "Talk 5"', quoted)
    for _ in range(2):
        found = drawn(built).edition.catalogue
        assert len(found.events) == 12
        abstract = found.event_by_id["talk-5"].abstract
        assert abstract is not None
        assert "[[event]]" in abstract.said_in("en").text
        assert main(["build", *LATER]) == 0
    assert len(read) > 12


def test_events_of_a_group_keep_their_group_and_their_defaults(built: Path, read: list[str]) -> None:
    edit(built, "format = 1\n", 'format = 1\ninclude = ["north.toml"]\n')
    north = '[group]\nid = "north"\nname = "North"\n[defaults]\ntags = ["far"]\nduration = "45m"\n'
    guest = talk(20).replace('tags = ["tea"]\n', "")  # it has those of the group
    (built / "north.toml").write_text(north + guest)
    assert main(["publish", *LATER]) == 0
    read.clear()
    event = drawn(built).edition.catalogue.event_by_id["talk-20"]
    assert (event.group, event.tags, event.duration) == ("north", ("far",), timedelta(minutes=45))
    assert read == []
    assert event == as_if_nothing_were_known(built).edition.catalogue.event_by_id["talk-20"]
    # A mistake in the group's file refuses that file alone.
    (built / "north.toml").write_text(north + guest.replace("title", "titel"))
    assert [one.group for one in drawn(built).refused] == ["north"]
