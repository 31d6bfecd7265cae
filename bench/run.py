"""Every measurement, one table: fails where a ratio got worse than the recorded one by more than a third."""

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from inspect import signature
from multiprocessing import get_context
from pathlib import Path

from page import performance_page, plot
from timing import Ratio

HERE = Path(__file__).parent
RECORDED = HERE / "recorded.json"
DOCS = HERE.parent / "docs"
MODULES = ("check", "build", "makers", "letters", "delivery", "expansion", "ticks", "service", "preview", "importing")
"""Each has `measure() -> list[Ratio]`; one that isn't there, or misses its peer, is said and passed over."""


def measured(names: Sequence[str]) -> tuple[dict[str, list[Ratio]], dict[str, str]]:
    """The results of each module, and why others have none."""
    found, missing = {}, {}
    for name in names:
        # A process counts its parent's memory as its own until it has begun: each module starts from a small one.
        with get_context("spawn").Pool(1) as process:
            result = process.apply(_of_module, (name,))
        if isinstance(result, str):
            missing[name] = result
            continue
        found[name] = result
        for one in result:
            print(f"{one.name:32}  {one.value:10.2f}  {_goal(one):>10}  {one.note}", flush=True)
    return found, missing


def _of_module(name: str) -> list[Ratio] | str:
    """What one module measures; a string says why it does not."""
    try:
        measure = getattr(importlib.import_module(name), "measure", None)
        if measure is None or any(one.default is one.empty for one in signature(measure).parameters.values()):
            return f"run it by itself: python bench/{name}.py"
        return list(measure())
    except (ImportError, FileNotFoundError) as error:
        return str(error)


def _goal(ratio: Ratio) -> str:
    if not ratio.goal:
        return ""
    sign = "at least" if ratio.more_is_better else "at most"
    return f"{sign} {ratio.goal:g}" + ("" if ratio.reached else " (missed)")


def worse(found: Mapping[str, Sequence[Ratio]], recorded: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What got worse than recorded, in words."""
    return [
        f"{one.name}: {one.value:.2f}, recorded {recorded[one.name]['value']:.2f}"
        for results in found.values()
        for one in results
        if one.name in recorded and one.worse_than(recorded[one.name]["value"])
    ]


def record(found: Mapping[str, Sequence[Ratio]], recorded: Mapping[str, Mapping[str, object]]) -> None:
    """Writes the results beside those of modules that were not run, the page and its picture."""
    results = {
        one.name: {
            "value": round(one.value, 3), "goal": one.goal, "more_is_better": one.more_is_better,
            "note": one.note, "module": module,
        }
        for module, several in found.items()
        for one in several
    }  # fmt: skip
    kept = {name: one for name, one in recorded.items() if one["module"] not in found}
    whole = dict(sorted({**kept, **results}.items()))
    RECORDED.write_text(json.dumps(whole, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (DOCS / "performance.md").write_text(performance_page(whole), encoding="utf-8")
    (DOCS / "images" / "performance.svg").write_text(plot(whole), encoding="utf-8")


def main() -> int:
    """Measures, prints, compares or records; 1 where something got worse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"only these of: {', '.join(MODULES)}")
    parser.add_argument("--record", action="store_true", help="keep the results as those to be compared with")
    options = parser.parse_args()
    found, missing = measured(options.modules or MODULES)
    for name, why in missing.items():
        print(f"{name}: not measured ({why})")
    recorded = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    if options.record:
        record(found, recorded)
        return 0
    slower = worse(found, recorded)
    print("\n".join(["", "worse by more than a third:", *slower] if slower else ["", "nothing got worse by a third"]))
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main())
