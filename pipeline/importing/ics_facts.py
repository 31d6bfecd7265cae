"""The facts of a VEVENT other than its times: words, place, links, status."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from icalendar.prop import vBinary, vBroken, vGeo

from pipeline.errors import N_
from pipeline.importing.found import Gathering, Manner
from pipeline.importing.markup import as_markdown, as_words
from pipeline.importing.places import place_in_words

_TIMES = frozenset({"DTSTART", "DTEND", "DURATION", "RRULE", "EXDATE", "RDATE", "EXRULE", "RECURRENCE-ID"})
_FACTS = frozenset(
    {
        "UID", "SUMMARY", "DESCRIPTION", "X-ALT-DESC", "LOCATION", "GEO", "X-APPLE-STRUCTURED-LOCATION", "URL",
        "STATUS",
        "CATEGORIES", "CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL", "ATTACH", "CLASS",
    }
)  # fmt: skip
_STAMPS = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED", "SEQUENCE", "TRANSP", "PRIORITY"})
_OWN_BUSINESS = ("X-MICROSOFT-", "X-MS-", "X-MOZ-", "X-APPLE-", "X-LIC-", "X-EVOLUTION-", "X-NC-", "X-GOOGLE-")
"""What programs note for themselves; no reader of a programme ever saw it."""
_MEETING_PART = re.compile(r"^-[:~]{20,}-$(.*?)^-[:~]{20,}-$", re.MULTILINE | re.DOTALL)
_TEAMS = "https://teams.microsoft.com/"
_MEETINGS = ("CONFERENCE", "X-GOOGLE-CONFERENCE", "X-MICROSOFT-SKYPETEAMSMEETINGURL")


def every(component: Mapping[str, Any], name: str) -> list[Any]:
    """All values of a property that can be read."""
    value = component.get(name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [item for item in values if not isinstance(item, vBroken)]


def text_of(value: Any) -> str:
    """A property as text; the first where there are several; empty where there is none."""
    if isinstance(value, list):
        value = value[0] if value else None
    if value is None or isinstance(value, vBroken):
        return ""
    if hasattr(value, "dt"):
        return str(value.dt)
    return str(value).strip()


def put_facts(gathering: Gathering, component: Any, manner: Manner) -> None:
    """All facts of a VEVENT but its times; what has no place in a catalogue is lost, by name."""
    _put_links(gathering, component, manner)
    _put_words(gathering, component)
    _put_place(gathering, component)
    _put_status(gathering, component)
    tags = [str(tag).strip() for value in every(component, "CATEGORIES") for tag in getattr(value, "cats", [value])]
    gathering.put("tags", [tag for tag in tags if tag])
    _lose_the_rest(gathering, component)


def _put_words(gathering: Gathering, component: Mapping[str, Any]) -> None:
    for value in every(component, "SUMMARY")[:1]:
        gathering.put_text("title", as_words(str(value)), language_of(value))
    texts = [*every(component, "DESCRIPTION"), *every(component, "X-ALT-DESC")]
    for value in [value for value in texts if str(value).strip()][:1]:
        gathering.put_text("abstract", as_markdown(_without_meeting(gathering, str(value))), language_of(value))
    for name in ("SUMMARY", "DESCRIPTION"):
        for value in every(component, name)[1:]:
            gathering.lose(name, value, N_("it is there twice"))


def _without_meeting(gathering: Gathering, text: str) -> str:
    """A description without what Google or Teams adds to it; where to follow the event is taken from there."""
    kept, added = _parts(text)
    for part in added:
        if (address := re.search(r"https?://[^\s<>\"]+", part)) is not None and "online" not in gathering.facts:
            gathering.put("online", {"url": address[0]})
        gathering.lose("DESCRIPTION", part, N_("a calendar added it for its own meeting"))
    return "\n".join(kept)


def _parts(text: str) -> tuple[list[str], list[str]]:
    """What was written of an event, and what a calendar added."""
    parts = _MEETING_PART.split(text)
    kept, added = parts[::2], parts[1::2]
    rules = [*re.finditer(r"^_{20,}\s*$", text, re.MULTILINE)]
    above = [rule for rule in rules if rule.end() <= text.find(_TEAMS)]
    if not added and above:
        # With its code for guests, and in as many paragraphs as it likes, a rule between them.
        below = [rule for rule in rules if rule.start() > text.rfind(_TEAMS)]
        end, next_start = (below[-1].start(), below[-1].end()) if below else (len(text), len(text))
        kept, added = [text[: above[-1].start()], text[next_start:]], [text[above[-1].end() : end]]
    return kept, added


def language_of(value: Any) -> str:
    """The language that a text is marked with; empty where it is not."""
    parameters = getattr(value, "params", None) or {}
    return str(parameters.get("LANGUAGE", ""))


def _put_place(gathering: Gathering, component: Mapping[str, Any]) -> None:
    place = place_in_words(gathering, text_of(component.get("LOCATION")))
    geo = next(iter(_positions(component)), None)
    if place and geo:
        place["geo"] = geo
    elif geo:
        gathering.lose("GEO", f"{geo[0]}, {geo[1]}", N_("the place has no name"))
    gathering.put("venue", place)


def _positions(component: Mapping[str, Any]) -> Iterator[list[float]]:
    for value in every(component, "GEO"):
        if isinstance(value, vGeo):
            yield [float(value.latitude), float(value.longitude)]
    for value in every(component, "X-APPLE-STRUCTURED-LOCATION"):
        if (match := re.search(r"geo:(-?\d{1,2}\.?\d*),(-?\d{1,3}\.?\d*)", str(value))) is not None:
            yield [float(match[1]), float(match[2])]


def _put_status(gathering: Gathering, component: Mapping[str, Any]) -> None:
    status = text_of(component.get("STATUS")).upper()
    if status in {"CANCELLED", "TENTATIVE", "POSTPONED"}:
        gathering.put("status", status.lower())
    elif status not in {"", "CONFIRMED"}:
        gathering.lose("STATUS", status)
    if (kept := text_of(component.get("CLASS")).upper()) in {"PRIVATE", "CONFIDENTIAL"}:
        gathering.ask(N_("The source keeps this event to itself ({kept}): may it be published?"), kept=kept)


def _put_links(gathering: Gathering, component: Mapping[str, Any], manner: Manner) -> None:
    meetings = [str(value).strip() for name in _MEETINGS for value in every(component, name)]
    for meeting in dict.fromkeys(filter(None, meetings)):
        if meeting.startswith(("http://", "https://")) and "online" not in gathering.facts:
            gathering.put("online", {"url": meeting})
        else:
            gathering.lose("CONFERENCE", meeting)
    links = [str(value).strip() for value in every(component, "URL")]
    for value in every(component, "ATTACH"):
        if isinstance(value, vBinary) or not str(value).startswith(("http://", "https://")):
            gathering.lose("ATTACH", "a file inside the calendar" if isinstance(value, vBinary) else value)
        else:
            links.append(str(value).strip())
    ours = [link for link in links if link and not (manner.site and link.startswith(manner.site))]
    gathering.put("resources", [{"url": link} for link in dict.fromkeys(ours)])


def _lose_the_rest(gathering: Gathering, component: Any) -> None:
    known = _TIMES | _FACTS | _STAMPS
    for name in component:
        if name.upper() in known or name.upper().startswith(_OWN_BUSINESS):
            continue
        values = every(component, name)
        if name.upper() == "ATTENDEE":
            gathering.lose("ATTENDEE", len(values), N_("people are not public facts"))
        else:
            for value in values:
                gathering.lose(name.upper(), _said(value))
    alarms = [part.name for part in component.subcomponents if part.name == "VALARM"]
    if alarms:
        gathering.lose("VALARM", len(alarms), N_("reminders are rules of the catalogue"))
    for part in component.subcomponents:
        if part.name != "VALARM":
            gathering.lose(str(part.name), text_of(part.get("SUMMARY")) or "–")


def _said(value: Any) -> str:
    name = (getattr(value, "params", None) or {}).get("CN")
    return f"{name} ({value})" if name else text_of(value)
