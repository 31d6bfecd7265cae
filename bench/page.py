"""The recorded measurements as a page of the documentation, and as a picture."""

from collections.abc import Mapping
from html import escape
from math import log10
from typing import Any

Recorded = Mapping[str, Mapping[str, Any]]

HEAD = """# How fast it is

*Made by `make bench` with `--record`.*

Each number compares tocsin with a peer or a floor in the same run, alternated, by CPU and not by the clock, and is the
median of several pairs: machines differ, and so does one machine from hour to hour; the ratio holds. `make bench`
measures again and fails where one got worse by more than a third. A goal that is missed is said to be.

![Each ratio as a share of its goal](images/performance.svg)

| what | ratio | goal | compared with |
| --- | --- | --- | --- |
"""
FOOT = """
Hugo's output here is neither checked nor sanitised, and its calendars aren't folded at 75 octets; it uses several
cores, and the CPU of all is counted. Sending is bound by the mail server long before it is bound by us.
"""
WIDTH, ROW, LEFT = 760, 26, 260


def performance_page(recorded: Recorded) -> str:
    """The page as Markdown."""
    return (
        HEAD
        + "".join(f"| {name} | {one['value']:.2f} | {_goal(one)} | {one['note']} |\n" for name, one in recorded.items())
        + FOOT
    )


def _goal(one: Mapping[str, Any]) -> str:
    if not one["goal"]:
        return "none set"
    sign = "at least" if one["more_is_better"] else "at most"
    return f"{sign} {one['goal']:g}" + ("" if _share(one) <= 1 else ", **missed**")


def _share(one: Mapping[str, Any]) -> float:
    """How much of what the goal allows is used: below 1 it is met."""
    return float(one["goal"] / one["value"] if one["more_is_better"] else one["value"] / one["goal"])


def plot(recorded: Recorded) -> str:
    """A bar for each ratio with a goal, on a logarithmic scale; the line is the goal, shorter is better."""
    rows = [(name, _share(one)) for name, one in recorded.items() if one["goal"] and one["value"]]
    height = ROW * (len(rows) + 1) + 20
    goal = LEFT + (WIDTH - LEFT) / 2
    bars = []
    for place, (name, share) in enumerate(rows):
        y = 10 + place * ROW
        end = min(max(goal + log10(share) * (WIDTH - LEFT) / 4, LEFT + 4), WIDTH - 60)
        colour = "#2b6cb0" if share <= 1 else "#b7410e"
        bars.append(
            f'<text x="{LEFT - 10}" y="{y + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LEFT}" y="{y + 3}" width="{end - LEFT:.0f}" height="16" fill="{colour}"/>'
            f'<text x="{end + 6:.0f}" y="{y + 15}">{share:.2f}</text>'
        )
    foot = height - 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">'
        f"<title>Each ratio as a share of its goal, shorter is better</title>"
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{"".join(bars)}'
        f'<line x1="{goal:.0f}" y1="4" x2="{goal:.0f}" y2="{foot - 14}" stroke="#333" stroke-dasharray="4 3"/>'
        f'<text x="{goal:.0f}" y="{foot}" text-anchor="middle">the goal</text></svg>\n'
    )
