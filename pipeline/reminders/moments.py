"""When a reminder falls due, in wall time and instants: leads, clock changes, quiet hours, lateness."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pipeline.catalogue.timing import InDays, InHours, Side
from pipeline.catalogue.when import AtTime, OnDay, Unscheduled, When, first_day, last_day, local
from pipeline.edition import Edition

MORNING = time(9)
"""The hour of a reminder without one, for an event whose own hour isn't known."""


def due_instant(timing: InDays | InHours, when: When) -> datetime | None:
    """The instant (UTC) at which such a reminder of such an event falls due; None where the event's time must be known.

    Days are counted on the wall clock of the event's zone, hours and minutes as elapsed time.
    """
    match when:
        case Unscheduled():
            return None
        case AtTime() | OnDay():
            return _by_days(timing, when) if isinstance(timing, InDays) else _by_hours(timing, when)


def _by_days(timing: InDays, when: AtTime | OnDay) -> datetime | None:
    day = first_day(when) if timing.side is Side.BEFORE else last_day(when)
    if day is None:
        return None
    lead = timedelta(days=timing.days)
    at = timing.at or (when.start.time() if isinstance(when, AtTime) else MORNING)
    return in_utc(day - lead if timing.side is Side.BEFORE else day + lead, at, when.zone)


def _by_hours(timing: InHours, when: AtTime | OnDay) -> datetime | None:
    if not isinstance(when, AtTime):
        return None
    if timing.side is Side.BEFORE:
        return when.start.astimezone(UTC) - timing.lead
    return (when.end or when.start).astimezone(UTC) + timing.lead


def proof_lead(edition: Edition) -> timedelta:
    """How long a mailing that would leave at once waits so that the organiser sees it first."""
    proof = edition.catalogue.mail.proof
    return timedelta(0) if proof is None else proof.before


def in_utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant of a wall time; one that a clock change skips counts from before it, and so comes out later."""
    return local(day, at, zone).astimezone(UTC)


def last_chance(when: When) -> datetime | None:
    """The instant (UTC) after which a mail before the event is of no use: its start, or the end of its first day."""
    match when:
        case AtTime(start):
            return start.astimezone(UTC)
        case OnDay(first, _, zone):
            return in_utc(first + timedelta(days=1), time(), zone)
        case Unscheduled():
            return None


def outside_quiet_hours(
    due: datetime, not_after: datetime, quiet: tuple[time, time] | None, zone: ZoneInfo
) -> datetime | None:
    """The instant at which it may leave: after the quiet hours, else before them, else None."""
    if quiet is None or quiet[0] == quiet[1]:
        return due
    night = _night_around(due.astimezone(zone), quiet, zone)
    if night is None:
        return due
    begins, ends = night
    if ends <= not_after:
        return ends
    return None if begins >= not_after else max(begins - timedelta(minutes=1), due - timedelta(days=1))


def _night_around(moment: datetime, quiet: tuple[time, time], zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The quiet hours in which a local moment lies, as UTC instants, or None."""
    for evening in (moment.date() - timedelta(days=1), moment.date()):
        morning = evening if quiet[0] < quiet[1] else evening + timedelta(days=1)
        begins, ends = in_utc(evening, quiet[0], zone), in_utc(morning, quiet[1], zone)
        if begins <= moment.astimezone(UTC) < ends:
            return begins, ends
    return None
