"""The ledger in rare cases: what counts as moved, what is told again, what a hand or a merge has left in it."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from publishing import FIRST, HEAD, TALK, catalogue, edition

from pipeline import ledger as journal
from pipeline.cli import main
from pipeline.errors import LedgerError
from pipeline.ledger import Ledger, Line, LineKind, digest_of, pending_lines, retirement
from pipeline.ledger_lines import write_line
from pipeline.mending import mend, verify

DAY = timedelta(days=1)
NOTICE = TALK + 'notice = "Bring a friend."\n'
OFF = 'status = "{}"\nnotice = "Ill."\n'
UNTIMED = TALK.replace('time = "19:00"', 'tba = ["time"]')


def kinds(*versions: str) -> list[LineKind]:
    """What each publication of the talk told."""
    return [line.kind for line in edition(*versions).ledger.of("talk")]


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_what_takes_place_after_all_is_reinstated(status: str) -> None:
    assert kinds(TALK, TALK + OFF.format(status), TALK)[1:] == [LineKind(status), LineKind.REINSTATED]


def test_only_a_further_recording_is_told_as_one() -> None:
    one, two = (f"recordings = {[f'https://v.example/{number}' for number in range(count)]}\n" for count in (1, 2))
    other = one.replace("/0", "/9")
    assert kinds(TALK, TALK + one, TALK + two, TALK + other, TALK) == [
        LineKind.ANNOUNCED, LineKind.RECORDING, LineKind.RECORDING, LineKind.EDITED, LineKind.EDITED,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("after", "moved"),
    [
        (TALK, False),
        (UNTIMED.replace("2026-10-20", "2026-10-21"), True),
        (UNTIMED + 'status = "tentative"\n', True),
        (UNTIMED + 'online = "https://live.example/"\n', False),
        (UNTIMED.replace('venue = "hall"', 'venue = "library"'), True),
        (UNTIMED + 'price = "5 €"\n', False),
    ],
    ids=["an hour becomes known", "another day", "another status", "a link", "another place", "a price"],
)
def test_what_becomes_known_moves_nothing(after: str, moved: bool) -> None:
    revision = edition(UNTIMED, after).ledger.revision("talk")
    assert revision.rescheduled == (FIRST + DAY if moved else FIRST)


def test_where_a_place_lies_is_no_reason_for_a_notice() -> None:
    ledger = edition(TALK).ledger
    moved = catalogue(TALK, HEAD.replace("48.8606", "48.8607"))
    [line] = pending_lines(moved, ledger, FIRST + DAY)
    assert (line.kind, line.reschedules) == (LineKind.EDITED, False)


def test_a_retired_event_that_comes_back_as_it_was_is_told_again() -> None:
    off = catalogue(NOTICE + 'status = "cancelled"\n')
    ledger = edition(NOTICE).ledger
    gone = retirement(catalogue(""), ledger, "talk", FIRST + DAY)
    retired = ledger.extended([gone])
    [line] = pending_lines(off, retired, FIRST + 2 * DAY)
    assert line.facts == gone.facts
    assert retired.extended([line]).of("talk")[-1].kind is not LineKind.RETIRED


def test_instants_are_whole_seconds() -> None:
    ledger = Ledger().extended(pending_lines(catalogue(TALK), Ledger(), FIRST.replace(microsecond=654_321)))
    assert {line.at for line in ledger.lines} == {FIRST}
    assert journal.read(journal.write(ledger)) == ledger


def test_the_order_of_facts_is_no_change() -> None:
    facts = edition(TALK).ledger.of("talk")[0].facts
    assert digest_of(dict(reversed(facts.items())), FIRST) == digest_of(facts, FIRST)


# ------------------------------------------------------------------------------------------- spoilt by a hand


def spoilt(**facts: object) -> Line:
    """The line of the talk with other facts, as if it had been published so."""
    line = edition(TALK).ledger.of("talk")[0]
    changed = {**line.facts, **facts}
    return replace_facts(line, changed)


def replace_facts(line: Line, facts: dict[str, object]) -> Line:
    stem = line.news.rpartition("-")[0]
    return line._replace(facts=facts, news=f"{stem}-{digest_of(facts, line.at)}")


@pytest.mark.parametrize(
    "facts",
    [
        {"id": "another"},
        {"date": "9999-12-31", "time": "23:00", "duration": "2h"},
        {"group": "north", "group_about": {"name": 5}},
    ],
    ids=["of another event", "at no instant", "of a group without a name"],
)
def test_facts_that_no_event_could_have_are_found(facts: dict[str, object]) -> None:
    assert verify(write_line(spoilt()), "ledger.jsonl") == ()
    [problem] = verify(write_line(spoilt(**facts)), "ledger.jsonl")
    assert "not those of an event" in problem.what()


@pytest.mark.parametrize(
    ("there", "typed"),
    [('T10:00:00Z"', 'T10:00:00"'), ('"changed":[]', '"changed":[1]'), ('"uid":"', '"uid":7,"x":"')],
    ids=["an instant without zone", "a number among the names", "a number as the identity"],
)
def test_a_line_of_another_shape_is_none(there: str, typed: str) -> None:
    text = write_line(spoilt())
    assert there in text
    with pytest.raises(LedgerError) as caught:
        journal.read(text.replace(there, typed))
    assert "not one of a ledger" in str(caught.value)


def test_a_spoilt_last_line_that_is_whole_is_never_dropped() -> None:
    text = journal.write(edition(TALK, NOTICE).ledger)
    head, last = text[: text.index("\n") + 1], text[text.index("\n") + 1 :]
    with pytest.raises(LedgerError):
        mend(head + last.replace('"at":', '"at";'), "ledger.jsonl")
    mended = mend(head + last.replace('"at":', '"at";').rstrip("\n"), "ledger.jsonl")
    assert b"".join(mended.rows).decode() == head


def test_what_is_mended_is_noted_of_its_line_or_of_the_whole_file() -> None:
    text = journal.write(edition(TALK, NOTICE).ledger)
    first, last = text.splitlines(keepends=True)
    for spoilt, line, said in (
        (first + last + last + last, 0, "lines that stood there more than once are kept once: 2"),
        (last + first, 0, "the lines are put in the order of their instants"),
        (first + last.replace("{", "{ ", 1), 0, "the lines are written in the usual form"),
        (text.rstrip("\n"), 2, "the last line gets its line break"),
        (first + "<<<<<<< ours\n" + last, 2, "the mark of a merge conflict is taken out, both sides stay"),
    ):
        mended = mend(spoilt, "ledger.jsonl")
        assert [(note.line, note.what()) for note in mended.done] == [(line, said)]
        assert b"".join(mended.rows).decode() == text


# ------------------------------------------------------------------------------------------- newsletters

LETTERS = """
[[newsletter]]
id = "january"
send = 2026-01-06T12:00:00
subject = "News"
[[newsletter]]
id = "february"
send = 2026-01-07T12:00:00
subject = "More news"
"""


def test_newsletters_are_no_events_whose_identities_must_differ() -> None:
    ledger = edition(TALK + LETTERS, TALK + LETTERS, TALK + LETTERS, TALK + LETTERS).ledger
    assert [line.event for line in ledger.newsletters] == ["january", "february"]
    assert verify(journal.write(ledger), "ledger.jsonl") == ()
    first = ledger.newsletters[0]
    other = replace_facts(first, {**first.facts, "id": "march"})
    [problem] = verify(write_line(other), "ledger.jsonl")
    assert "not those of a newsletter" in problem.what()


def test_a_newsletter_that_comes_after_other_lines_says_when_it_left() -> None:
    late = edition(TALK, NOTICE, NOTICE + LETTERS).ledger.newsletters
    assert [line.facts.get("left") for line in late] == [None]
    ledger = edition(TALK).ledger
    facts = dict(late[0].facts)
    line = journal.newsletter_line(catalogue(TALK + LETTERS), ledger, "january", facts, FIRST - DAY)
    assert line.at == FIRST + timedelta(seconds=1)
    assert line.facts["left"] == "2026-01-04T10:00:00Z"


# ------------------------------------------------------------------------------------------- at the terminal


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A talk and a tea, of which the first version was published and both have changed."""
    tea = TALK.replace('"talk"', '"tea"')
    (tmp_path / "events.toml").write_text(HEAD + NOTICE + tea.replace("19:00", "17:00"))
    (tmp_path / "ledger.jsonl").write_text(journal.write(edition(TALK + tea).ledger))
    return tmp_path


def tocsin(project: Path, *arguments: str) -> int:
    return main([*arguments, "--catalogue", str(project / "events.toml"), "--now", "2026-02-01T10:00:00Z"])


def test_diff_tells_of_the_events_that_are_named(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tocsin(project, "ledger", "diff", "tea", "--json") == 0
    assert [entry["event"] for entry in json.loads(capsys.readouterr().out)] == ["tea"]
    assert tocsin(project, "ledger", "diff", "--json") == 0
    assert [entry["event"] for entry in json.loads(capsys.readouterr().out)] == ["talk", "tea"]


def test_what_is_only_untidy_is_told_and_no_error(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "ledger.jsonl"
    first, second = file.read_text().splitlines(keepends=True)
    file.write_text(first + second + second)
    assert tocsin(project, "ledger", "verify") == 0
    assert "stands in line 2 already" in capsys.readouterr().err
    assert tocsin(project, "ledger", "verify", "--json") == 0
    assert json.loads(capsys.readouterr().out)["valid"] is True
