"""A newsletter of which the ledger learns late: it bears the day on which it left, if it did."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedparser
import pytest
from html_reader import Reader
from publishing import HEAD, TALK, catalogue
from sqlalchemy import update
from test_sent_newsletters import APRIL, LATER, MARCH, SENT, WINTER, files, published

from pipeline import ledger as journal
from pipeline.actions.mailing import replan, sending_edition
from pipeline.actions.project import project_at
from pipeline.actions.publish import publish
from pipeline.clock import FrozenClock
from pipeline.edition import Edition
from pipeline.mending import verify
from pipeline.sent_newsletters import edited_since
from pipeline.store.database import Database, open_database
from pipeline.store.switch import set_last_tick
from pipeline.store.tables import Progress, campaigns

NOVEMBER = datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_what_the_ledger_learns_of_late_bears_the_day_on_which_it_left() -> None:
    """The first publication after an upgrade tells of all newsletters of the past."""
    text = LATER + APRIL + MARCH
    late = published((WINTER, TALK), (datetime(2026, 11, 9, 10, tzinfo=UTC), LATER), (NOVEMBER, text))
    assert [sent.published for sent in late.newsletters] == [SENT + timedelta(days=31, hours=-1), SENT]
    assert all(sent.at.month == 11 for sent in late.newsletters)
    kept = Edition(late.catalogue, journal.read(journal.write(late.ledger)), late.day)
    assert kept.newsletters == late.newsletters
    assert verify(journal.write(late.ledger), "ledger.jsonl") == ()
    assert list(edited_since(late.catalogue, late.ledger.newsletters)) == []
    found = files(late)
    items = {item["title"]: item for item in json.loads(found["feed.json"])["items"]}
    assert items["News of March"]["date_published"] == "2026-03-01T08:00:00Z"
    assert items["News of March"]["date_modified"] > items["News of March"]["date_published"]
    entries = {entry.title: entry for entry in feedparser.parse(found["rss.xml"]).entries}
    assert tuple(entries["News of March"].published_parsed)[:3] == (2026, 3, 1)
    assert "Nov" not in Reader(found["newsletters/march/index.html"]).text.replace("20 Oct 2026", "")


def test_its_day_is_that_of_the_zone_of_the_series() -> None:
    """As an archive bears it, it is the same instant whichever zone the series has later."""
    text = TALK + MARCH.replace("2026-03-01T09:00:00", "2026-03-01T23:30:00-05:00")
    one = published((WINTER, text), (SENT + timedelta(days=1), text))
    assert 'datetime="2026-03-02"' in files(one)["newsletters/march/index.html"]
    assert "2 Mar 2026" in Reader(files(one)["index.html"]).text
    elsewhere = catalogue(text, HEAD.replace("Europe/Paris", "America/New_York"))
    assert Edition(elsewhere, one.ledger, one.day).newsletters[0].published == one.newsletters[0].published


# ------------------------------------------------------------------------------------------- publishing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "events.toml").write_text(HEAD + '[mail]\nfrom = "post@talks.example"\n' + TALK + MARCH)
    return tmp_path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(f"sqlite:///{tmp_path / 'mail.db'}", FrozenClock(WINTER)) as database:
        yield database


@pytest.mark.parametrize(
    ("looked_after", "wait", "out"),
    [
        (True, timedelta(hours=11), True),
        (True, timedelta(hours=12), False),
        (False, timedelta(days=3), True),
    ],
)
def test_what_was_written_too_late_to_leave_does_not_become_a_page(
    folder: Path, database: Database, looked_after: bool, wait: timedelta, out: bool
) -> None:
    """A database that only publishing uses doesn't know what left from another machine."""
    project, events = project_at(folder / "events.toml"), folder / "events.toml"
    text = events.read_text()
    events.write_text(text.replace(MARCH, ""))
    publish(project, database, WINTER)
    if looked_after:
        database.run(lambda connection: set_last_tick(connection, SENT - timedelta(hours=1)))
    events.write_text(text)
    publish(project, database, SENT + wait)
    assert (folder / "out/newsletters/march/index.html").exists() == out


def test_what_was_given_out_becomes_a_page_however_late_it_is_published(folder: Path, database: Database) -> None:
    project = project_at(folder / "events.toml")
    publish(project, database, WINTER)
    database.run(lambda connection: replan(connection, sending_edition(connection, "talks", WINTER), WINTER))
    march = update(campaigns).where(campaigns.c.key == "/newsletter.march/0")
    given_out = march.values(state=Progress.EXPANDED, expanded=SENT)
    assert database.run(lambda connection: connection.execute(given_out).rowcount) == 1
    database.run(lambda connection: set_last_tick(connection, SENT))
    publish(project, database, SENT + timedelta(days=30))
    assert (folder / "out/newsletters/march/index.html").exists()
