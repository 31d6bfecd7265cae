"""`tocsin ledger`: history in words, what is wrong with the file, what publishing would add, and mending."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from checkout import ROOT

from pipeline import ledger as journal
from pipeline.catalogue.load import Source, load
from pipeline.cli import main
from pipeline.errors import LedgerError, Severity
from pipeline.ledger import Ledger, pending_lines
from pipeline.mending import Mended, mend, verify
from pipeline.phrases.history import fact_changes

NOON = datetime(2022, 9, 1, 12, tzinfo=UTC)
MOVE = ('date = 2022-10-25\nweekday = "Tuesday"', 'date = 2022-10-27\nweekday = "Thursday"')
CANCEL = ("number = 2", 'number = 2\nstatus = "cancelled"\nnotice = "Flooded."')


def publish(texts: list[str], since: Ledger | None = None, start: datetime = NOON) -> Ledger:
    ledger = since or Ledger()
    for number, text in enumerate(texts):
        catalogue = load(Source("events.toml", text)).catalogue
        ledger = ledger.extended(pending_lines(catalogue, ledger, start + number * timedelta(hours=1)))
    return ledger


@pytest.fixture
def base(seed_text: str) -> Ledger:
    return publish([seed_text])


@pytest.fixture
def sides(seed_text: str, base: Ledger) -> tuple[str, str]:
    """Two branches that both went on from the same ledger."""
    ours = publish([seed_text.replace(*MOVE)], base, NOON + timedelta(hours=1))
    theirs = publish([seed_text.replace(*CANCEL)], base, NOON + timedelta(hours=2))
    return journal.write(ours), journal.write(theirs)


# ------------------------------------------------------------------------------------------- mending


def conflict(ours: str, theirs: str, ancestor: str = "") -> str:
    """What git leaves where both sides added lines."""
    common = [line for line in ours.splitlines() if line in theirs.splitlines()]
    mine, yours = ([row for row in side.splitlines() if row not in common] for side in (ours, theirs))
    middle = ["||||||| base", *ancestor.splitlines()] if ancestor else []
    return "\n".join([*common, "<<<<<<< HEAD", *mine, *middle, "=======", *yours, ">>>>>>> other", ""])


def text_of(found: Mended) -> str:
    return b"".join(found.rows).decode()


def test_a_merge_conflict_is_mended_and_both_sides_stay(sides: tuple[str, str]) -> None:
    found = mend(conflict(*sides), "ledger.jsonl")
    assert sorted(text_of(found).splitlines()) == sorted({row for side in sides for row in side.splitlines()})
    assert sum("merge conflict" in str(note) for note in found.done) == 3
    assert mend(text_of(found), "ledger.jsonl").done == ()
    ancestor = sides[0].splitlines()[0]
    assert text_of(mend(conflict(*sides, ancestor), "ledger.jsonl")) == text_of(found)


def test_a_last_line_that_is_cut_off_is_dropped_with_notice_and_a_whole_one_stays(base: Ledger) -> None:
    text = journal.write(base)
    cut = mend(text[:-30], "ledger.jsonl")
    assert [note.line for note in cut.done] == [5]
    assert "cut off and is dropped" in str(cut.done[0])
    assert journal.read(text_of(cut)).lines == base.lines[:-1]
    whole = mend(text[:-1], "ledger.jsonl")
    assert text_of(whole) == text
    assert "gets its line break" in str(whole.done[0])


def test_lines_are_sorted_and_each_is_kept_once(sides: tuple[str, str]) -> None:
    lines = sides[0].splitlines(keepends=True)
    found = mend("".join([*reversed(lines), lines[2]]), "ledger.jsonl")
    assert text_of(found) == sides[0]
    said = "\n".join(map(str, found.done))
    assert "kept once: 1" in said
    assert "order of their instants" in said


def test_a_spoilt_line_in_the_middle_is_never_dropped(base: Ledger) -> None:
    text = journal.write(base).replace('"at":', '"at";', 1)
    with pytest.raises(LedgerError) as caught:
        mend(text, "ledger.jsonl")
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (1, 6)


def test_a_file_with_carriage_returns_is_written_in_the_usual_form(base: Ledger) -> None:
    found = mend(journal.write(base).replace("\n", "\r\n"), "ledger.jsonl")
    assert text_of(found) == journal.write(base)
    assert found.done


# ------------------------------------------------------------------------------------------- verifying


def test_a_ledger_as_publishing_writes_it_is_whole(sides: tuple[str, str]) -> None:
    assert verify(sides[0], "ledger.jsonl") == ()
    assert verify((ROOT / "ledger.jsonl").read_text(encoding="utf-8"), "ledger.jsonl") == ()
    assert verify("", "ledger.jsonl") == ()


def other_uid(text: str) -> str:
    *head, last = text.splitlines(keepends=True)
    return "".join([*head, last.replace('"uid":"', '"uid":"other-')])


@pytest.mark.parametrize(
    ("spoil", "line", "said", "severity"),
    [
        (lambda text: text.replace("2022-10-25", "2022-10-26", 1), 2, "changed by hand", Severity.ERROR),
        (lambda text: text.replace("T12:00:00Z", "T12:00:01Z", 1), 1, "changed by hand", Severity.ERROR),
        (lambda text: text.replace('"number":1', '"number":"one"', 1), 2, "not those of an event", Severity.ERROR),
        (other_uid, 6, "calendars would show two events", Severity.ERROR),
        (lambda text: text + text.splitlines()[1] + "\n", 7, "stands in line 2 already", Severity.WARNING),
        (lambda text: "".join(reversed(text.splitlines(keepends=True))), 2, "older than", Severity.WARNING),
        (lambda text: text[:-9], 6, "cut off", Severity.ERROR),
        (lambda text: "=======\n" + text, 1, "merge conflict", Severity.ERROR),
        (lambda text: text.replace('"kind":', '"kin":', 1), 1, "has no `kind`", Severity.ERROR),
        (lambda text: "[" * 100_000 + "\n" + text, 1, "nested too deep", Severity.ERROR),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_line(
    sides: tuple[str, str], spoil: Callable[[str], str], line: int, said: str, severity: Severity
) -> None:
    found = verify(spoil(sides[0]), "ledger.jsonl")
    assert any((problem.line, problem.severity) == (line, severity) and said in problem.what() for problem in found), (
        found
    )


def test_two_events_with_one_uid_are_found(base: Ledger) -> None:
    text = journal.write(base).replace("conference-5@", "non-take-up@", 1)
    assert any("its UID is that of event" in problem.what() for problem in verify(text, "ledger.jsonl"))


# ------------------------------------------------------------------------------------------- in words


@pytest.mark.parametrize(
    ("change", "event", "fact", "before", "after"),
    [
        (MOVE, "non-take-up", "Date", "Tuesday 25 October 2022, 19:00", "Thursday 27 October 2022, 19:00"),
        (('time = "19:00"\n', 'tba = ["time", "resources"]\n'), "non-take-up", "Date", "Tuesday 25 October 2022, 19:00",
         "Tuesday 25 October 2022, time to be announced"),
        (CANCEL, "social-work", "Status", "Confirmed", "Cancelled"),
        (CANCEL, "social-work", "Notice", "", "Flooded."),
        (("number = 2", "number = 2\nvenue = false"), "social-work", "Place",
         "Centre Social le Picoulet, 59, rue de la Fontaine au Roi, 75011 Paris", ""),
        (('role.en = "sociologist"', 'role.en = "historian"'), "non-take-up", "Speakers",
         "Clara Deville, sociologist, Gabriel Amieux, Secours Catholique 93, Bou…",
         "Clara Deville, historian, Gabriel Amieux, Secours Catholique 93, Bouge…"),
        (("number = 2", "number = 7"), "social-work", "Number", "2", "7"),
    ],
)  # fmt: skip
def test_each_fact_is_told_as_it_was_and_as_it_is(
    seed_text: str, base: Ledger, change: tuple[str, str], event: str, fact: str, before: str, after: str
) -> None:
    text = seed_text.replace(*change, 1)
    if fact == "Date" and "tba" in change[1]:
        text = text.replace('tba = ["resources"]\n', "", 1)
    lines = publish([text], base, NOON + timedelta(hours=1)).of(event)
    found = {change.fact.casefold(): change for change in fact_changes(lines[0].facts, lines[1].facts, "en")}
    told = found[fact.casefold()]
    assert (told.before, told.after) == (before, after)


def test_facts_that_a_hand_has_spoilt_are_told_all_the_same() -> None:
    for facts in ({}, {"date": 3}, {"venue": {"id": 4}, "title": []}, {"title": {"en": 5}}):
        assert isinstance(fact_changes({}, facts, "en"), tuple)
        assert isinstance(fact_changes(facts, {}, "fr"), tuple)


# ------------------------------------------------------------------------------------------- at the terminal


@pytest.fixture
def project(tmp_path: Path, seed_text: str, sides: tuple[str, str]) -> Path:
    (tmp_path / "events.toml").write_text(seed_text.replace(*MOVE).replace(*CANCEL), encoding="utf-8")
    (tmp_path / "ledger.jsonl").write_text(sides[0], encoding="utf-8")
    return tmp_path


def tocsin(project: Path, *arguments: str) -> int:
    return main([*arguments, "--catalogue", str(project / "events.toml"), "--now", "2022-10-01T10:00:00Z"])


def test_log_tells_the_history_of_an_event(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tocsin(project, "ledger", "log", "non-take-up") == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].startswith("non-take-up · The consequences of digitization")
    assert [row.split("  ")[-1] for row in rows if row.startswith("  Thu 1")] == ["announced", "changed"]
    assert "      Date: Tuesday 25 October 2022, 19:00 → Thursday 27 October 2022, 19:00" in rows
    assert "social-work" not in "\n".join(rows)
    assert tocsin(project, "ledger", "log", "--json") == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["kind"] for entry in entries] == ["announced"] * 2 + ["changed"] + ["announced"] * 3
    assert tocsin(project, "ledger", "log", "nobody") == 1
    assert "it was never published" in capsys.readouterr().err


def test_diff_tells_what_publishing_would_add_and_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "ledger.jsonl").read_bytes()
    assert tocsin(project, "ledger", "diff") == 0
    out = capsys.readouterr().out
    assert out.startswith("social-work · The consequences of digitization for social work: cancelled\n")
    assert "      Notice: Flooded.\n" in out
    assert tocsin(project, "ledger", "diff", "--json") == 0
    [entry] = json.loads(capsys.readouterr().out)
    assert (entry["event"], entry["kind"], entry["changed"]) == ("social-work", "cancelled", ["notice", "status"])
    assert (project / "ledger.jsonl").read_bytes() == before
    text = (project / "events.toml").read_text()
    cut = text[: text.index('[[event]]\nid = "toolkit')] + text[text.index('[[event]]\nid = "conference-5"') :]
    (project / "events.toml").write_text(cut)
    assert tocsin(project, "ledger", "diff") == 1
    assert "tocsin retire toolkit-for-struggle" in capsys.readouterr().err


def test_a_conflict_stops_publishing_until_it_is_mended(
    project: Path, sides: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "ledger.jsonl").write_text(conflict(*sides), encoding="utf-8")
    assert tocsin(project, "check") == 1
    assert (
        "ledger.jsonl:6: git left a mark of a merge conflict here (type: tocsin ledger mend)" in capsys.readouterr().err
    )
    assert tocsin(project, "ledger", "verify") == 1
    capsys.readouterr()
    assert tocsin(project, "ledger", "mend") == 0
    assert "both sides stay" in capsys.readouterr().out
    assert tocsin(project, "ledger", "verify") == 0
    assert tocsin(project, "ledger", "mend") == 0
    assert capsys.readouterr().out.endswith("ledger.jsonl is whole\n")
    assert tocsin(project, "check") == 0
    assert not list(project.glob("*unfinished*"))


def test_what_can_not_be_mended_stays_as_it_was(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spoilt = "{}\n" + (project / "ledger.jsonl").read_text()
    (project / "ledger.jsonl").write_text(spoilt)
    assert tocsin(project, "ledger", "mend") == 1
    assert "ledger.jsonl:1: this line has no" in capsys.readouterr().err
    assert (project / "ledger.jsonl").read_text() == spoilt


def test_before_the_first_publication_there_is_nothing_to_tell(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "ledger.jsonl").unlink()
    for verb, said in (("log", "nothing was published yet"), ("verify", "is whole"), ("mend", "is whole")):
        assert tocsin(project, "ledger", verb) == 0
        assert said in capsys.readouterr().out
    assert not (project / "ledger.jsonl").exists()


def test_a_series_keeps_the_id_under_which_it_was_published(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = project / "events.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('id = "digitize-and-conquer"', 'id = "digitize"', 1), encoding="utf-8")
    for command in ("check", "publish"):
        assert tocsin(project, command) == 1
        told = capsys.readouterr()
        assert 'series.id: the series was published as "digitize-and-conquer"' in told.out + told.err
        assert 'write id = "digitize-and-conquer" again' in told.out + told.err
    file.write_text(text, encoding="utf-8")
    assert tocsin(project, "check") == 0
