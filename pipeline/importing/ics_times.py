"""Days, hours and zones of iCalendar properties, whichever way a program names its zones."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast
from warnings import catch_warnings, simplefilter
from zoneinfo import ZoneInfo

from icalendar import Timezone
from icalendar.prop import vBroken

from pipeline.errors import N_
from pipeline.importing.found import Gathering
from pipeline.importing.ics_blocks import Block
from pipeline.importing.moments import Moment, in_zone
from pipeline.importing.zones import iana


class Zones:
    """The zones of one calendar."""

    def __init__(self, defined: Mapping[str, Block], floating: str | None, ours: str) -> None:
        self._defined = defined
        self.floating = floating
        """The zone of the whole calendar (X-WR-TIMEZONE), in which its UTC and floating times are shown."""
        self.ours = ours
        self._made: dict[str, Any] = {}

    @property
    def shown(self) -> str:
        """The zone into which instants are put that name none."""
        return self.floating or self.ours

    def named(self, name: str) -> str | None:
        """The IANA zone of a TZID, by its name or by where its definition says that it lies."""
        if (zone := iana(name)) is not None:
            return zone
        block = self._defined.get(name)
        place = re.search(r"^X-LIC-LOCATION:(.*?)\r$", block.text, re.MULTILINE) if block else None
        return iana(place[1]) if place else None

    def defined(self, name: str, wall: datetime) -> datetime | None:
        """A wall time in a zone that only the file itself defines, as an instant."""
        if name not in self._made:
            self._made[name] = self._make(name)
        zone = self._made[name]
        try:
            moment = None if zone is None else wall.replace(tzinfo=zone)
            return None if moment is None or moment.utcoffset() is None else moment.astimezone(UTC)
        except (ValueError, OverflowError, AttributeError, TypeError, IndexError):
            return None

    def _make(self, name: str) -> Any:
        block = self._defined.get(name)
        try:
            with catch_warnings():
                simplefilter("ignore")
                return (
                    None if block is None else cast("Timezone", Timezone.from_ical(block.text)).to_tz(lookup_tzid=False)
                )
        # A definition of a zone can be wrong in as many ways as there are programs.
        except Exception:  # noqa: BLE001
            return None


def moment_of(value: Any, zones: Zones, gathering: Gathering, *, recurs: bool = False) -> Moment | None:
    """The day or the time of a DTSTART, DTEND, RECURRENCE-ID or a part of EXDATE; None where it can't be read."""
    moment = None if isinstance(value, vBroken) else getattr(value, "dt", value)
    if not isinstance(moment, date):
        return None
    if not isinstance(moment, datetime):
        return moment
    try:
        return _timed(moment, _tzid(value), zones, gathering, recurs=recurs)
    except (OverflowError, ValueError):
        return moment.replace(tzinfo=None)


def _tzid(value: Any) -> str:
    parameters = getattr(value, "params", None)
    return str(parameters.get("TZID", "")) if parameters is not None else ""


def _timed(moment: datetime, tzid: str, zones: Zones, gathering: Gathering, *, recurs: bool) -> datetime:
    if tzid:
        return _in_named_zone(moment.replace(tzinfo=None), tzid, zones, gathering)
    if moment.tzinfo is not None:
        # What recurs in UTC follows no clock change: its zone stays.
        return in_zone(moment, "UTC" if recurs else zones.shown)
    if zones.floating is not None:
        return moment.replace(tzinfo=ZoneInfo(zones.floating))
    return moment


def _in_named_zone(wall: datetime, tzid: str, zones: Zones, gathering: Gathering) -> datetime:
    if (zone := zones.named(tzid)) is not None:
        return wall.replace(tzinfo=ZoneInfo(zone))
    if (instant := zones.defined(tzid, wall)) is not None:
        there = in_zone(instant, zones.shown)
        if there.replace(tzinfo=None) != wall:
            gathering.ask(
                N_("The source names a time zone of its own, {zone}: are the hours right?"),
                zone=tzid,
)  # fmt: skip
        return there
    gathering.ask(
        N_("The source names a time zone that nobody knows, {zone}: are the hours those of the series?"),
        zone=tzid,
)  # fmt: skip
    return wall


def length_of(value: Any) -> timedelta | None:
    """The length of a DURATION; None where it can't be read."""
    length = None if isinstance(value, vBroken) else getattr(value, "dt", None)
    return length if isinstance(length, timedelta) else None
