"""Events of calendars that tocsin made: what it wrote into their texts besides what organisers did is taken out."""

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from icalendar.prop import vText

from pipeline.importing.found import Gathering
from pipeline.interface_words import spoken, words

_ZONE_BEHIND = re.compile(r"\((?:[^()]*, )?(?:[A-Z]\w+(?:/[\w+-]+)+|UTC)\)$")
"""What follows an hour: `Thursday 4 March 2027, 19:00 (Central European Standard Time, Europe/Paris)`."""
_OFF = {"Cancelled": "CANCELLED", "Postponed": "POSTPONED"}


class Ours(NamedTuple):
    """What else a text of ours says: what is new about the event, and which facts of its times aren't known."""

    notice: str = ""
    unknown: tuple[str, ...] = ()


def without_ours(component: Any) -> Ours | None:
    """Takes our own words out of an event and gives what else they say; None, and nothing done, where it isn't ours.

    Ours ends with the line that leads to its page, whose address is that of the event.
    """
    text, page = str(component.get("DESCRIPTION", "")), str(component.get("URL", ""))
    if not page or not text.endswith(page):
        return None
    paragraphs = text.split("\n\n")
    lines = [line for paragraph in paragraphs for line in paragraph.split("\n")]
    for language in spoken():
        say = words(language)
        if paragraphs[-1] == say("All details: {address}").format(address=page):
            unknown = (*_title(component, say), *_estimate(lines, say))
            notice, rest = _parted(paragraphs[:-1], component, say)
            _reword(component, "DESCRIPTION", "\n\n".join(_said_nowhere_else(rest, component, say)))
            _without_label(component, lines, say)
            return Ours(notice, unknown)
    return None


def put_ours(gathering: Gathering, ours: Ours, language: str) -> None:
    """What our words say besides the facts of the calendar."""
    gathering.put_text("notice", ours.notice, language)
    for key in ours.unknown:
        gathering.facts.pop(key, None)


def _reword(component: Any, name: str, text: str) -> None:
    component[name] = vText(text, params=dict(getattr(component.get(name), "params", {})))


def _title(component: Any, say: Callable[[str], str]) -> Iterator[str]:
    """Takes from the title that it is off, or that its hour is to come: then the day isn't a whole one."""
    title = str(component.get("SUMMARY", ""))
    for word, status in _OFF.items():
        before = say("{status}: {title}").format(status=say(word), title="")
        if title.startswith(before):
            component["STATUS"] = status
            title = title.removeprefix(before)
    if title.endswith(behind := say("{title} (time to be announced)").format(title="")):
        title = title.removesuffix(behind)
        yield "all_day"
    _reword(component, "SUMMARY", title)


def _estimate(lines: Iterable[str], say: Callable[[str], str]) -> Iterator[str]:
    """The keys of an end that nobody announced."""
    before, _, behind = say("Until about {hour} (an estimate)").partition("{hour}")
    if any(line.startswith(before) and line.endswith(behind) for line in lines):
        yield from ("end_time", "end_date")


def _parted(paragraphs: list[str], component: Any, say: Callable[[str], str]) -> tuple[str, list[str]]:
    """What stands above the paragraph that says when it is, which is the notice, and what stands below."""
    when = next((place for place, text in enumerate(paragraphs) if _says_when(text, component, say)), None)
    if when is None:
        return "", paragraphs
    to_come = say("Postponed: the new date is to be announced.")
    return "\n\n".join(paragraphs[:when]), [text for text in paragraphs[when + 1 :] if text != to_come]


def _says_when(text: str, component: Any, say: Callable[[str], str]) -> bool:
    first = text.partition("\n")[0]
    if first.startswith(say("One of several dates; the first: {when}").partition("{when}")[0]):
        return True
    start = getattr(component.get("DTSTART"), "dt", None)
    if start is None or isinstance(start, datetime):
        return _ZONE_BEHIND.search(first) is not None
    return "\n" not in text and re.search(rf"\b{start.day}\b", text) is not None and str(start.year) in text


def _said_nowhere_else(paragraphs: list[str], component: Any, say: Callable[[str], str]) -> Iterator[str]:
    """Without the lines of addresses that stand in fields of their own."""
    known = [value for name in ("CONFERENCE", "ATTACH") for value in _all(component.get(name))]
    patterns = [say("Online: {how}"), say("Resource: {link}")]
    for paragraph in paragraphs:
        lines = [
            line
            for line in paragraph.split("\n")
            if not (
                any(line.startswith(pattern.partition("{")[0]) for pattern in patterns)
                and any(line.replace(",", "%2C").endswith(address) for address in known)
            )
        ]
        if lines:
            yield "\n".join(lines)


def _all(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value] if value is not None else [])]


def _without_label(component: Any, lines: Iterable[str], say: Callable[[str], str]) -> None:
    """What only takes place online has what its link is called as its place."""
    place = str(component.get("LOCATION", ""))
    labelled = say("Online: {how}").format(how=f"{place} – ")
    if "GEO" not in component and (place == say("Online") or any(line.startswith(labelled) for line in lines)):
        component.pop("LOCATION", None)
