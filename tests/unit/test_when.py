"""Whether something is over: reckoned by its zone, and by nothing but the date where that is far enough away."""

import zoneinfo
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from pipeline.catalogue.when import ZONES, AtTime, OnDay, is_over, local, neighbours_of_gap, written

DAY = date(2027, 3, 10)
FARTHEST_EAST, FARTHEST_WEST = ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Etc/GMT+12")
A_DAY, A_SECOND = timedelta(days=1), timedelta(seconds=1)


def test_zones_are_those_of_the_package_whatever_the_system_has() -> None:
    assert (str(ZONES),) == zoneinfo.TZPATH
    assert (ZONES / "Europe" / "Paris").is_file()


@pytest.mark.parametrize("zone", [FARTHEST_EAST, FARTHEST_WEST, ZoneInfo("Europe/Paris")])
@pytest.mark.parametrize("seen_from", [FARTHEST_EAST, FARTHEST_WEST, UTC])
def test_what_has_no_end_is_over_with_its_day_wherever_one_looks_from(zone: ZoneInfo, seen_from: ZoneInfo) -> None:
    midnight = local(DAY + A_DAY, time(), zone)
    evening, ending = local(DAY, time(19), zone), local(DAY, time(21), zone)
    for when, end in (
        (AtTime(evening), midnight),
        (OnDay(DAY - A_DAY, DAY, zone), midnight),
        (AtTime(evening, ending), ending),
    ):
        for days in range(6):
            assert is_over(when, (end + days * A_DAY).astimezone(seen_from))
            assert not is_over(when, (end - days * A_DAY - A_SECOND).astimezone(seen_from))


def test_what_lasts_for_days_is_over_with_the_last() -> None:
    zone = ZoneInfo("Europe/Paris")
    long = AtTime(datetime(2027, 3, 1, 9, tzinfo=zone), datetime(2027, 3, 31, 17, tzinfo=zone))
    assert not is_over(long, datetime(2027, 3, 31, 14, tzinfo=UTC))
    assert is_over(long, datetime(2027, 3, 31, 15, tzinfo=UTC))


@pytest.mark.parametrize(
    ("day", "zone", "shown"),
    [
        (date(2026, 10, 20), "Europe/Paris", "2026-10-20T19:00:00+02:00"),
        (date(1900, 10, 20), "Europe/Paris", "1900-10-20T18:50:39+00:00"),
        (date(1900, 10, 20), "America/Montreal", "1900-10-20T19:00:00-05:00"),
    ],
)
def test_an_instant_is_written_with_an_offset_of_whole_minutes(day: date, zone: str, shown: str) -> None:
    assert written(local(day, time(19), ZoneInfo(zone))) == shown


@pytest.mark.parametrize(
    ("day", "at", "zone", "before", "after"),
    [
        (date(2027, 3, 28), time(2), "Europe/Paris", time(1, 59), time(3)),
        (date(2027, 3, 28), time(2, 59, 59), "Europe/Paris", time(1, 59), time(3)),
        (date(2027, 10, 3), time(2, 10), "Australia/Lord_Howe", time(1, 59), time(2, 30)),
    ],
)
def test_a_gap_has_the_last_hour_before_it_and_the_first_after(
    day: date, at: time, zone: str, before: time, after: time
) -> None:
    assert neighbours_of_gap(local(day, at, ZoneInfo(zone))) == (before, after)
