"""A VTIMEZONE says the same as the zone database, also to readers that did not write it."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from icalendar import Timezone

from pipeline.outputs.contentlines import lines_of
from pipeline.outputs.zones import LAST_YEAR, changes, vtimezone

ZONES = (
    "Europe/Paris",
    "Europe/Dublin",
    "Europe/Lisbon",
    "Europe/Moscow",
    "Europe/Istanbul",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Africa/Windhoek",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Santiago",
    "America/Caracas",
    "America/Boa_Vista",
    "America/St_Johns",
    "America/Scoresbysund",
    "Asia/Gaza",
    "Asia/Amman",
    "Asia/Tehran",
    "Asia/Kolkata",
    "Asia/Pyongyang",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Antarctica/Troll",
    "Etc/GMT+5",
    "UTC",
)


def instants(name: str, first_year: int = 1990) -> list[datetime]:
    """The seconds around every change of the zone, and some hundred instants all over the years, in UTC."""
    start, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, 23, tzinfo=UTC)
    found = [start + number * timedelta(days=57, hours=5, minutes=13) for number in range(310)]
    for change in changes(name, first_year)[1:]:
        onset = (change.onset - change.before).replace(tzinfo=UTC)
        found += [onset - timedelta(days=1), onset - timedelta(seconds=1), onset, onset + timedelta(days=1)]
    return [moment for moment in found if start <= moment <= end]


@pytest.mark.parametrize("first_year", [1985, 1990, 2026, 2037])
@pytest.mark.parametrize("name", ZONES)
def test_every_instant_has_the_offset_of_the_zone_database(name: str, first_year: int) -> None:
    """Observances are read here by hand: the offset is that of the latest onset that has come."""
    onsets = sorted(onsets_of(vtimezone(name, first_year)))
    for moment in instants(name, first_year):
        offset = [after for onset, after in onsets if onset <= moment.replace(tzinfo=None)][-1]
        assert offset == moment.astimezone(ZoneInfo(name)).utcoffset(), moment


def onsets_of(zone: Timezone) -> list[tuple[datetime, timedelta]]:
    """All onsets in UTC as RFC 5545 defines them: DTSTART and the dates of the rule, in the offset before."""
    found = []
    for observance in zone.subcomponents:
        before, after = observance["tzoffsetfrom"].td, observance["tzoffsetto"].td
        start = observance["dtstart"].dt
        local = [start]
        if "rrule" in observance:
            rule = observance["rrule"].to_ical().decode()
            # UNTIL is in UTC; DTSTART therefore has to be read as an instant too.
            dates = rrulestr(rule, dtstart=start.replace(tzinfo=UTC))
            local = [moment.replace(tzinfo=None) for moment in dates.between(FLOOR, CEILING, inc=True)]
            assert start in local
        found += [(moment - before, after) for moment in local]
    return found


FLOOR, CEILING = datetime(1950, 1, 1, tzinfo=UTC), datetime(2038, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("name", [name for name in ZONES if name != "UTC"])
def test_dateutil_reads_every_wall_time_alike(name: str) -> None:
    """The reader inside vobject and Radicale; wall times that a clock change skips or repeats are left out."""
    text = "BEGIN:VCALENDAR\r\n" + lines_of(vtimezone(name, 1990)).decode() + "END:VCALENDAR\r\n"
    read, zone = tzical(StringIO(text)).get(name), ZoneInfo(name)
    assert read is not None
    for moment in instants(name)[::3]:
        local = moment.astimezone(zone)
        wall = local.replace(tzinfo=None)
        unique = wall.replace(tzinfo=zone, fold=0).utcoffset() == wall.replace(tzinfo=zone, fold=1).utcoffset()
        if unique:
            assert wall.replace(tzinfo=read).utcoffset() == local.utcoffset(), wall


@pytest.mark.parametrize("name", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
def test_a_regular_zone_is_short(name: str) -> None:
    assert len(lines_of(vtimezone(name, 2026))) < 500


@pytest.mark.parametrize("name", ["Asia/Gaza", "Africa/Casablanca", "America/Sao_Paulo"])
def test_an_irregular_zone_holds_nothing_that_ended_before_the_first_year(name: str) -> None:
    whole, later = (lines_of(vtimezone(name, year)) for year in (1990, 2026))
    assert len(later) < len(whole) * 3 / 4


@pytest.mark.parametrize("name", ["Europe/Paris", "America/New_York", "Asia/Gaza"])
@pytest.mark.parametrize("first_year", [1990, 2026])
def test_summer_and_winter_have_come_before_the_first_year(name: str, first_year: int) -> None:
    """Ruby's icalendar fails where either hasn't."""
    first = datetime(first_year, 1, 1)
    parts = vtimezone(name, first_year).subcomponents
    begun = {part.name for part in parts if part["dtstart"].dt < first}
    assert begun == {"STANDARD", "DAYLIGHT"}


def test_no_rule_of_paris_has_ended() -> None:
    """The coming ics.py fails at an UNTIL."""
    assert b"UNTIL" not in lines_of(vtimezone("Europe/Paris", 2026))


def test_there_is_neither_rdate_nor_comment() -> None:
    for name in ZONES:
        text = lines_of(vtimezone(name, 1990))
        assert b"RDATE" not in text
        assert b"COMMENT" not in text


def test_paris_goes_on_for_ever_and_says_its_last_sundays() -> None:
    text = lines_of(vtimezone("Europe/Paris", 1991)).decode()
    assert "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\r\n" in text
    assert "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\r\n" in text
    assert "DTSTART:19900325T020000\r\n" in text


def test_irish_winter_is_no_daylight_time() -> None:
    """The zone database counts it as negative summer time, which readers don't."""
    for part in vtimezone("Europe/Dublin", 2026).subcomponents:
        assert (part.name == "DAYLIGHT") == (part["tzname"] == "IST")
