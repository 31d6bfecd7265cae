"""What slows a round down stays sane when the wall clock is set back in the middle of it."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.actions.pace import Pace
from pipeline.actions.terms import Terms
from pipeline.clock import FrozenClock

NOW = datetime(2026, 2, 1, 9, 0, tzinfo=UTC)


def terms(per_second: float) -> Terms:
    given: dict[str, Any] = {field.name: None for field in fields(Terms)}
    return Terms(**{**given, "per_second": per_second})


@pytest.mark.parametrize("per_second", [50.0, 0.1, 0.002])
def test_a_slot_is_waited_for_unless_the_clock_was_set_back_since(per_second: float) -> None:
    gap = timedelta(seconds=1 / per_second)
    pace = Pace("talks", FrozenClock(NOW), terms(per_second))
    assert pace.ahead == 0
    pace.slot = NOW + gap
    assert pace.ahead == pytest.approx(gap.total_seconds())
    pace.slot = NOW + timedelta(days=1) + gap  # reserved before a day was taken back
    assert pace.ahead == 0
