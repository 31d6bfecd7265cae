"""The plan: what is due when, what is left out and why."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from smallest import SMALLEST

from pipeline.catalogue.load import Source, load
from pipeline.catalogue.timing import InDays, InHours, Side, parse_timing
from pipeline.catalogue.when import AtTime, OnDay
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.reminders.moments import due_instant, outside_quiet_hours
from pipeline.reminders.occasions import Audience, Kind, Plan, Priority
from pipeline.reminders.plan import HORIZON, plan

PARIS = ZoneInfo("Europe/Paris")
PUBLISHED = datetime(2026, 9, 1, 10, tzinfo=UTC)
TALK = '[[event]]\nid = "talk"\ntitle = "A talk"\ndate = 2026-11-20\ntime = "19:00"\n'


def editions(*texts: str, apart: timedelta = timedelta(hours=3)) -> Edition:
    """The edition after publishing one text after the other."""
    ledger = Ledger()
    for number, text in enumerate(texts):
        current = load(Source("events.toml", SMALLEST + text)).catalogue
        ledger = ledger.extended(pending_lines(current, ledger, PUBLISHED + number * apart))
    return Edition(current, ledger, date(2026, 9, 1))


def planned(*texts: str, apart: timedelta = timedelta(hours=3)) -> Plan:
    return plan(editions(*texts, apart=apart), PUBLISHED - timedelta(days=1))


def keys(found: Plan) -> list[str]:
    return [occasion.key for occasion in found.occasions]


def local(found: Plan, rule: str) -> str:
    [occasion] = [occasion for occasion in found.occasions if occasion.rule == rule]
    return f"{occasion.due.astimezone(PARIS):%Y-%m-%d %H:%M}"


def test_without_rules_the_documented_defaults_apply() -> None:
    found = planned(TALK)
    assert keys(found) == ["talk/announced/0", "talk/two-weeks-before/0", "talk/two-days-before/0", "talk/morning/0"]
    assert local(found, "two-weeks-before") == "2026-11-06 10:00"
    assert local(found, "two-days-before") == "2026-11-18 10:00"
    assert local(found, "morning") == "2026-11-20 08:00"
    assert [omission.rule for omission in found.omissions] == ["recording"]


def test_the_seed_gives_five_announcements_and_twelve_reminders(seed_edition: Edition) -> None:
    found = plan(seed_edition, datetime(2022, 8, 1, tzinfo=UTC))
    kinds = [occasion.kind for occasion in found.occasions]
    assert (kinds.count(Kind.ANNOUNCEMENTS), kinds.count(Kind.REMINDERS), len(kinds)) == (5, 12, 17)
    assert [o.event for o in found.occasions[:5]] == [event.id for event in seed_edition.catalogue.events]


def test_hours_need_a_known_time_and_the_plan_says_so() -> None:
    rule = '[[reminder]]\nid = "soon"\nwhen = "2 hours before"\n'
    assert local(planned(TALK + rule), "soon") == "2026-11-20 17:00"
    untimed = planned(TALK.replace('time = "19:00"', 'tba = ["time"]') + rule)
    assert not untimed.occasions
    assert "time isn't known" in untimed.omissions[0].reason


def test_an_event_without_a_date_is_announced_and_has_no_reminders() -> None:
    found = planned('[[event]]\nid = "talk"\ntitle = "T"\ntba = ["date", "time"]\n')
    assert keys(found) == ["talk/announced/0"]
    assert {omission.reason for omission in found.omissions} == {"its date isn't known yet"}


def test_a_moved_event_is_told_to_all_who_were_informed_and_reminded_anew() -> None:
    found = planned(TALK, TALK.replace("2026-11-20", "2026-12-04"))
    notice = next(occasion for occasion in found.occasions if occasion.kind is Kind.CHANGES)
    assert (notice.revision, notice.audience) == (1, Audience.INFORMED)
    # Published at 15:00 in Paris, it waits ten minutes for second thoughts.
    assert notice.due == PUBLISHED + timedelta(hours=3, minutes=10)
    assert local(found, "two-days-before") == "2026-12-02 10:00"
    assert "talk/two-days-before/1" in keys(found)
    assert "talk/two-days-before/0" not in keys(found)


def test_a_change_undone_within_settle_sends_nothing() -> None:
    found = planned(TALK, TALK.replace("19:00", "20:00"), TALK, apart=timedelta(minutes=8))
    assert not [occasion for occasion in found.occasions if occasion.kind is Kind.CHANGES]


def test_a_change_less_than_a_day_before_leaves_at_once_even_at_night() -> None:
    late = datetime(2026, 11, 19, 23, 30, tzinfo=PARIS).astimezone(UTC)
    first = editions(TALK)
    moved = load(Source("events.toml", SMALLEST + TALK.replace("19:00", "20:00"))).catalogue
    edition = Edition(moved, first.ledger.extended(pending_lines(moved, first.ledger, late)), date(2026, 11, 19))
    [notice] = [occasion for occasion in plan(edition, late).occasions if occasion.kind is Kind.CHANGES]
    assert (notice.due, notice.priority) == (late, Priority.URGENT)


def test_an_edited_text_sends_nothing_and_keeps_the_reminders() -> None:
    found = planned(TALK, TALK.replace("A talk", "A better title"))
    assert keys(found) == keys(planned(TALK))


def test_a_time_that_becomes_known_is_told_only_to_those_who_chose_changes() -> None:
    found = planned(TALK.replace('time = "19:00"', 'tba = ["time"]'), TALK)
    [notice] = [occasion for occasion in found.occasions if occasion.kind is Kind.CHANGES]
    assert notice.audience is Audience.CHOSEN


@pytest.mark.parametrize("status", ["cancelled", "postponed"])
def test_what_does_not_take_place_has_a_notice_and_no_reminders(status: str) -> None:
    found = planned(TALK, TALK + f'status = "{status}"\nnotice = "The room is flooded."\n')
    assert [occasion.kind for occasion in found.occasions] == [Kind.CHANGES]
    assert {omission.rule for omission in found.omissions} >= {"announced", "two-weeks-before", "morning"}


def test_a_reminder_that_was_due_before_the_publication_is_left_out() -> None:
    found = planned(TALK.replace("2026-11-20", "2026-09-10"))
    assert "talk/two-weeks-before/0" not in keys(found)
    assert any("was due before" in omission.reason for omission in found.omissions)


def test_a_follow_up_waits_for_its_recording() -> None:
    with_recording = TALK + 'recordings = ["https://video.example/1"]\n'
    late = datetime(2026, 12, 1, 15, tzinfo=UTC)
    first = editions(TALK)
    current = load(Source("events.toml", SMALLEST + with_recording)).catalogue
    edition = Edition(current, first.ledger.extended(pending_lines(current, first.ledger, late)), date(2026, 12, 1))
    [follow_up] = [o for o in plan(edition, PUBLISHED).occasions if o.kind is Kind.FOLLOW_UPS]
    assert follow_up.due == late


def test_rules_may_be_limited_to_tags_and_events() -> None:
    other = TALK.replace('"talk"', '"walk"') + 'tags = ["outdoors"]\n'
    rules = (
        '[[reminder]]\nid = "boots"\nwhen = "1 day before at 18:00"\ntags = ["outdoors"]\n'
        '[[reminder]]\nid = "chairs"\nwhen = "1 day before at 18:00"\nevents = ["talk"]\n'
    )
    assert keys(planned(TALK + other + rules)) == ["walk/boots/0", "talk/chairs/0"]


def test_a_recurring_event_has_reminders_for_each_of_its_times() -> None:
    rule = '[[reminder]]\nid = "eve"\nwhen = "1 day before at 18:00"\n'
    weekly = (
        TALK
        + 'repeats = "FREQ=WEEKLY;COUNT=3"\nexcept = [2026-11-27]\nmoved = [{from = 2026-12-04, date = 2026-12-05}]\n'
    )
    found = planned(weekly + rule)
    assert keys(found) == ["talk/eve/0/2026-11-20", "talk/eve/0/2026-12-04"]
    assert f"{found.occasions[1].due.astimezone(PARIS):%Y-%m-%d %H:%M}" == "2026-12-04 18:00"


def test_what_recurs_without_an_end_is_planned_up_to_the_horizon() -> None:
    found = planned(TALK + 'repeats = "FREQ=WEEKLY"\n')
    last = PUBLISHED - timedelta(days=1) + HORIZON
    assert last - timedelta(days=7) < max(occasion.due for occasion in found.occasions) <= last
    far = TALK.replace("2026", "2029")
    assert "talk/morning/0" in keys(planned(far))


def test_a_monthly_digest_leaves_only_when_it_has_something_to_say() -> None:
    rule = '[[reminder]]\nid = "monthly"\nwhen = "monthly on day 1 at 10:00"\ntemplate = "digest"\n'
    found = planned(TALK + rule)
    assert keys(found) == ["/monthly/0/2026-10-01", "/monthly/0/2026-11-01"]
    assert {occasion.kind for occasion in found.occasions} == {Kind.NEWSLETTERS}
    assert any("nothing to say" in omission.reason for omission in found.omissions)


# -------------------------------------------------------------------------------------------- moments


def test_days_are_counted_on_the_wall_and_hours_on_the_clock() -> None:
    after_the_change = AtTime(datetime(2027, 3, 28, 19, tzinfo=PARIS))
    a_day = due_instant(InDays(Side.BEFORE, 1, None), after_the_change)
    hours = due_instant(InHours(Side.BEFORE, timedelta(hours=24)), after_the_change)
    assert a_day is not None
    assert hours is not None
    assert f"{a_day.astimezone(PARIS):%H:%M}" == "19:00"
    assert f"{hours.astimezone(PARIS):%H:%M}" == "18:00"


def test_a_wall_time_that_a_clock_change_skips_comes_an_hour_later() -> None:
    due = due_instant(InDays(Side.BEFORE, 1, time(2, 30)), OnDay(date(2027, 3, 29), date(2027, 3, 29), PARIS))
    assert due is not None
    assert f"{due.astimezone(PARIS):%Y-%m-%d %H:%M}" == "2027-03-28 03:30"


NIGHT = (time(22), time(8))


@pytest.mark.parametrize(
    ("due", "latest", "leaves"),
    [
        ((20, 12, 0), (21, 12, 0), (20, 12, 0)),
        ((20, 23, 0), (21, 12, 0), (21, 8, 0)),
        ((20, 6, 0), (20, 12, 0), (20, 8, 0)),
        ((20, 6, 0), (20, 7, 0), (19, 21, 59)),
        ((20, 8, 0), (20, 12, 0), (20, 8, 0)),
        ((20, 22, 0), (21, 12, 0), (21, 8, 0)),
    ],
)
def test_quiet_hours_shift_later_else_before(
    due: tuple[int, int, int], latest: tuple[int, int, int], leaves: tuple[int, int, int]
) -> None:
    def at(moment: tuple[int, int, int]) -> datetime:
        return datetime(2026, 11, *moment, tzinfo=PARIS).astimezone(UTC)

    assert outside_quiet_hours(at(due), at(latest), NIGHT, PARIS) == at(leaves)


def test_moments_are_read_in_every_documented_form_and_nothing_else() -> None:
    forms = (
        "14 days before at 10:00", "1 day after at 18:00", "2 hours before", "90 minutes before", "on the day at 08:00",
        "2 weeks before at 9:30", "when announced", "when changed", "monthly on day 1 at 10:00",
        "Weekly on Monday at 10:00",
    )  # fmt: skip
    assert all(parse_timing(form) for form in forms)
    others = (
        "",
        "soon",
        "14 days",
        "before",
        "25 hours before at 10:00",
        "weekly on Funday at 10:00",
        "1 day before at 24:00",
    )
    assert not any(parse_timing(other) for other in others)
