"""A season in simulated time: planned and stored no more often than anything changed, with the same letters."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from smallest import SMALLEST

from pipeline.actions import season
from pipeline.actions.mailing import Office
from pipeline.actions.remembering import Memory
from pipeline.actions.simulate import made_up, simulate
from pipeline.catalogue.load import Source, load
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.rendering import Renderer

PUBLISHED = datetime(2027, 1, 4, 9, tzinfo=UTC)
HEAD = SMALLEST + '[mail]\nfrom = "Talks <talks@talks.example>"\nproof = { to = "ada@talks.example", before = "3h" }\n'
RULES = "".join(
    f'[[reminder]]\nid = "rule-{number}"\nwhen = "{when}"\n'
    for number, when in enumerate(
        ["when announced", "7 days before at 10:00", "2 hours before", "when changed", "weekly on Monday at 10:00"]
    )
)
NEWS = '[[newsletter]]\nid = "spring"\nsend = 2027-03-01T10:00:00\nsubject = "Spring"\n'
TALK = '[[event]]\nid = "talk"\ntitle = "A talk"\ndate = 2027-02-18\ntime = "19:00"\n'
WEEKLY = """[[event]]
id = "weekly"
title = "Each week"
date = 2027-01-20
time = "18:00"
repeats = "FREQ=WEEKLY;COUNT=9"
"""
FAR = '[[event]]\nid = "far"\ntitle = "Far off"\ndate = 2028-11-02\ntime = "19:00"\n'
WHOLE = HEAD + RULES + NEWS + WEEKLY + FAR
REVISIONS = (WHOLE + TALK, WHOLE + TALK.replace("19:00", "20:00"), WHOLE + TALK.replace("02-18", "03-25"))


def edition_of(*revisions: str) -> Edition:
    """What was published in one revision after the other, each twenty days after the one before."""
    ledger = Ledger()
    for number, text in enumerate(revisions):
        catalogue = load(Source("events.toml", text)).catalogue
        at = PUBLISHED + number * timedelta(days=20)
        ledger = ledger.extended(pending_lines(catalogue, ledger, at))
    return Edition(catalogue, ledger, date(2027, 6, 1))


def letters(edition: Edition, folder: Path) -> list[tuple[str, str, str]]:
    """Each letter of the season by its file, with its date and subject, in the order of sending."""
    done = simulate(edition, Office(Renderer(), b"a key of twenty octets", {}), made_up(edition), folder)
    assert done.troubles == ()
    found = [(path, message_from_bytes(path.read_bytes(), policy=policy.default)) for path in done.paths]
    return [(path.relative_to(folder).as_posix(), message["Date"], message["Subject"]) for path, message in found]


def test_what_is_foreseen_for_a_month_gives_the_letters_that_each_moment_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edition = edition_of(*REVISIONS)
    foreseen = letters(edition, tmp_path / "foreseen")
    kinds = Counter(path.partition("/")[2].partition("-")[2].removesuffix(".eml") for path, _, _ in foreseen)
    assert kinds.keys() >= {"rule-0", "rule-1", "rule-2", "rule-3", "rule-4", "newsletter.spring"}
    assert [when for path, when, _ in foreseen if "rule-1" in path][-1] == "Thu, 26 Oct 2028 08:00:00 +0000"
    monkeypatch.setattr(season, "Foresight", Memory)
    assert letters(edition, tmp_path / "each") == foreseen


def test_an_edition_is_stored_once_for_each_publication_and_outlined_once_a_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Counter[str]()

    def counted(name: str) -> Callable[..., object]:
        whole = getattr(season, name)

        def one(*arguments: object) -> object:
            done[name] += 1
            return whole(*arguments)

        return one

    for name in ("store_edition", "outline", "plan"):
        monkeypatch.setattr(season, name, counted(name))
    sent = letters(edition_of(*REVISIONS), tmp_path)
    assert done["store_edition"] == len(REVISIONS)
    assert done["outline"] + done["plan"] < len(sent) / 2


def test_a_plan_completed_later_is_the_plan_of_that_instant() -> None:
    edition = edition_of(HEAD + TALK + FAR, HEAD + TALK.replace("19:00", "20:00") + FAR)
    first, told = edition.ledger.of("talk")
    memory = season.Foresight()
    for days in range(0, 90, 7):
        now = PUBLISHED + timedelta(days=days)
        for known in ({}, {"talk": {first.name}}, {"talk": {first.name, told.name}}):
            assert memory.plan(edition, now, known) == Memory().plan(edition, now, known)
