"""A place written in one piece, as calendars and tables do, taken apart only where the text itself does so."""

import re
from typing import Any

from pipeline.errors import N_
from pipeline.importing.found import Gathering

_SERVICE = "microsoft teams|google meet|zoom|webex|jitsi(?: meet)?|bigbluebutton"
_MEETING = "réunion|meeting|besprechung|reunión|riunione|reunião|vergadering"
_NOWHERE = re.compile(
    rf"(?:(?:{_MEETING}) )?(?:{_SERVICE})(?:[- ](?:{_MEETING}))?|online(?: (?:event|meeting))?|(?:événement )?en ligne",
    re.IGNORECASE,
)
"""What programs write as the place of a meeting that has none."""


def place_in_words(gathering: Gathering, text: str) -> dict[str, Any]:
    """The place of a text: a name, and what stands below it as its street; an address on the web is `online`."""
    lines = [line.strip() for line in text.replace("\r", "\n").split("\n") if line.strip()]
    if not lines:
        return {}
    rooms, meetings = _parted(lines[0])
    if meetings and len(lines) == 1:
        if "online" not in gathering.facts:
            gathering.ask(
                N_("The source names no place but {place}: write where to follow it, in `online`.")
                if not rooms
                else N_("The source names {place} beside the place: write where to follow it, in `online`."),
                place=meetings,
            )
        if not rooms:
            return {}
        text, lines = rooms, [rooms]
    if lines[0].startswith(("http://", "https://")) and " " not in lines[0]:
        gathering.put("online", {"url": lines[0]})
        if len(lines) > 1:
            gathering.lose("LOCATION", ", ".join(lines[1:]))
        return {}
    place: dict[str, Any] = {"name": {"": lines[0]}}
    if len(lines) > 1:
        place["street"] = ", ".join(lines[1:])
    if "," in text or len(lines) > 1:
        gathering.ask(
            N_("The place is taken as the source writes it, {place}: put street, postal_code and city apart."),
            place=", ".join(lines)[:200],
        )
    return place


def _parted(line: str) -> tuple[str, str]:
    """Rooms, and services for meetings, which Outlook writes side by side."""
    parts = [part.strip() for part in line.split(";")]
    meetings = [part for part in parts if _NOWHERE.fullmatch(part)]
    rooms = [part for part in parts if part and part not in meetings]
    return ("; ".join(rooms) if meetings else line), "; ".join(meetings)
