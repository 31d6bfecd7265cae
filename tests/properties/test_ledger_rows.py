"""Whatever stands in `ledger.jsonl`, it is read or refused with its lines, and mending makes it readable or refuses."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from smallest import SMALLEST

from pipeline import ledger as journal
from pipeline import ledger_lines
from pipeline.catalogue.descriptions import DESCRIPTIONS
from pipeline.catalogue.load import Source, load
from pipeline.errors import LedgerError
from pipeline.ledger import Ledger, Line, pending_lines
from pipeline.ledger_lines import digest_of_facts, write_line
from pipeline.mending import mend, verify

EXAMPLES = int(os.environ.get("TOCSIN_FUZZ", "150"))
NOW = datetime(2026, 9, 1, tzinfo=UTC)
CATALOGUE = f"""{SMALLEST}[[event]]
id = "e"
title = "T"
date = 2026-10-20
time = "19:00"
"""

days = st.dates().map(lambda day: day.isoformat())
moments = st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds"))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), days, moments),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(sorted({*DESCRIPTIONS["Event"], "venue_about", "en", "name"})), inner, max_size=4
        ),
    ),
    max_leaves=8,
)
KEYS = ("at", "changed", "event", "facts", "kind", "news", "uid")


@st.composite
def rows(draw: st.DrawFn, sound: str) -> str:
    """A row of a ledger with something wrong in it, or nothing."""
    record: dict[str, Any] = json.loads(sound)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        record[key] = draw(json_values)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=1)):
        record.pop(key)
    facts = record.get("facts")
    if isinstance(facts, dict):
        facts.update(draw(st.dictionaries(st.sampled_from(sorted(DESCRIPTIONS["Event"])), json_values, max_size=2)))
    text = json.dumps(record)
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


SOUND = journal.write(Ledger(pending_lines(load(Source("x", CATALOGUE)).catalogue, Ledger(), NOW)))


ledgers = st.lists(
    st.one_of(rows(SOUND), st.text(max_size=30), st.sampled_from(["=======", "<<<<<<< x", SOUND.strip()])),
    max_size=4,
)


@settings(max_examples=EXAMPLES)
@given(ledgers)
def test_any_ledger_is_read_or_refused_and_mending_makes_it_readable_or_refuses(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        whole, lines_named = journal.read(text).lines, {1}
    except LedgerError as error:
        whole, lines_named = None, {problem.line for problem in error.problems}
    assert lines_named <= set(range(1, text.count("\n") + 2))
    found = verify(text, "ledger.jsonl")
    assert (whole is None) <= bool(found)
    try:
        mended = b"".join(mend(text, "ledger.jsonl").rows).decode()
    except LedgerError:
        assert whole is None
        return
    again = journal.read(mended)
    assert whole is None or again.lines == whole
    assert mend(mended, "ledger.jsonl").done == ()


def held(line: Line) -> object:
    """A line with what is made of its facts."""
    return line, write_line(line), digest_of_facts(line.facts), journal.digest_of(line.facts, line.at)


def told(text: str) -> object:
    """All that is read, verified and mended of a ledger, or said of why it isn't."""
    found: list[object] = [verify(text, "ledger.jsonl")]
    for read in (
        lambda: [held(line) for line in journal.read(text).all_lines],
        lambda: [*mend(text, "ledger.jsonl").rows],
    ):
        try:
            found.append(read())
        except LedgerError as error:
            found.append(error.problems)
    return found


@settings(max_examples=EXAMPLES)
@given(ledgers)
@example([SOUND.strip(), SOUND.replace('"T"', '"U"').strip(), SOUND.strip(), ""])
def test_a_long_ledger_whose_facts_stay_in_its_text_is_as_any_other(lines: list[str]) -> None:
    text = "\n".join(lines)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_lines, "LONG", 0)
        long = told(text)
    assert told(text) == long
