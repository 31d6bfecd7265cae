"""The measurements: what counts as worse, what stands on the page, and that the page is the recorded one."""

import json
import sys

import pytest
from checkout import ROOT
from lxml import etree

sys.path.insert(0, str(ROOT / "bench"))

from page import performance_page, plot
from timing import Ratio, paired

RECORDED = json.loads((ROOT / "bench/recorded.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("value", "more_is_better", "worse"),
    [(1.3, False, False), (1.4, False, True), (0.2, False, False), (0.8, True, False), (0.7, True, True)],
)
def test_a_third_worse_is_worse_in_the_direction_that_matters(value: float, more_is_better: bool, worse: bool) -> None:
    assert Ratio("one", value, more_is_better=more_is_better).worse_than(1.0) is worse


def test_pairs_are_compared_with_each_other_and_the_median_counts() -> None:
    assert paired([2, 9, 4], [1, 3, 4]) == 2


def test_a_missed_goal_is_said() -> None:
    results = {
        "slow": {"value": 3.0, "goal": 2.0, "more_is_better": False, "note": "a peer"},
        "fast": {"value": 3.0, "goal": 2.0, "more_is_better": True, "note": "a peer"},
        "free": {"value": 3.0, "goal": 0.0, "more_is_better": True, "note": "a peer"},
    }
    rows = {
        line.split(" | ")[0].strip("| "): line for line in performance_page(results).splitlines() if "a peer" in line
    }
    assert "missed" in rows["slow"]
    assert "missed" not in rows["fast"] + rows["free"]
    texts = etree.fromstring(plot(results).encode()).xpath("//*[local-name()='text']/text()")
    assert "slow" in texts
    assert "free" not in texts


def test_the_page_and_its_picture_show_what_was_recorded() -> None:
    assert (ROOT / "docs/performance.md").read_text(encoding="utf-8") == performance_page(RECORDED)
    assert (ROOT / "docs/images/performance.svg").read_text(encoding="utf-8") == plot(RECORDED)
