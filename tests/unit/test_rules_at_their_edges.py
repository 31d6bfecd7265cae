"""The rules of the catalogue at their edges: what is only just taken, and only just refused."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from test_catalogue_rules import LETTER, NIGHT, OPEN, WHOLE, read

from pipeline.catalogue.hours import show_duration
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Event
from pipeline.catalogue.proposals import proposed_day, proposed_length
from pipeline.catalogue.recurrence import is_endless, local_until, occurrences
from pipeline.catalogue.timing import InDays, InHours, Monthly, Side, Timing, Weekly, parse_timing
from pipeline.catalogue.when import AtTime, OnDay, in_overlap, is_over, last_day, local
from pipeline.errors import CatalogueError

SERIES_OF_DAYS = OPEN + 'title = "L"\ndate = 2027-03-04\nall_day = true\n'
CORRECTION = (
    f"{LETTER}send = 2027-01-01T10:00:00\n{LETTER.replace(chr(34) + 'n' + chr(34), chr(34) + 'm' + chr(34), 1)}"
    'send = 2027-01-02T10:00:00\ncorrects = "{corrected}"'
)

TAKEN = [
    ("event", 'repeats = "FREQ=DAILY;COUNT=1000"'),
    ("event", "registration = { closes = 2027-02-01 }"),
    ("event", "registration = { opens = 2027-02-01, closes = 2027-02-01 }"),
    ("event", "registration = { opens = 2027-02-01T10:00:00+01:00, closes = 2027-02-01T09:30:00Z }"),
    ("event", SERIES_OF_DAYS + 'repeats = "FREQ=WEEKLY;COUNT=4"\nexcept = [2027-03-18]'),
    ("event", 'repeats = "FREQ=WEEKLY;UNTIL=20270318"\nexcept = [2027-03-18]'),
    ("top", CORRECTION.format(corrected="n")),
    ("event", "registration = { opens = 2027-03-28T02:30:00+01:00 }"),  # an instant, whatever the clocks do
    ("event", NIGHT.format(day="2199-12-31", time="19:00")),
    ("event", NIGHT.format(day="1900-01-01", time="19:00")),
]
REFUSED = [
    ("event", 'repeats = "FREQ=DAILY;COUNT=10000"', "not a recurrence rule"),
    ("event", 'repeats = "FREQ=DAILY;COUNT=0"', "not a recurrence rule"),
    ("event", "registration = { opens = 2027-02-01T10:00:00, closes = 2027-02-01T10:00:00 }", "before it opens"),
    ("event", "registration = { opens = 2027-02-01T10:00:00+01:00, closes = 2027-02-01T08:30:00Z }", "before it opens"),
    ("event", OPEN + 'title = "L"\nweekday = "Tag"\ntba = ["date", "time"]', 'write "Thursday", or delete the line'),
    ("event", 'repeats = "FREQ=WEEKLY;COUNT=2"\nexcept = [2027-03-18]', "is not one of the days"),
    ("event", NIGHT.format(day="2200-01-01", time="19:00"), "the year 2200 can't be meant"),
    ("event", NIGHT.format(day="1899-12-31", time="19:00"), "the year 1899 can't be meant"),
    ("top", CORRECTION.format(corrected="m"), "there is no other [[newsletter]] 'm'"),
    ("top", CORRECTION.format(corrected="o"), "there is no other [[newsletter]] 'o'"),
    ("event", 'access = { contact = "us", note = "" }', "the text is empty"),
]
SAME_EVENING = NIGHT.format(day="2027-03-04", time="19:00")


@pytest.mark.parametrize(("place", "typed"), TAKEN)
def test_what_a_rule_only_just_allows_is_taken(place: str, typed: str) -> None:
    assert read(place, typed).catalogue.events


@pytest.mark.parametrize(("place", "typed", "said"), REFUSED)
def test_what_a_rule_only_just_forbids_is_refused(place: str, typed: str, said: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read(place, typed)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("", ""),  # nobody said where
        ("venue = false\n", "venue = false"),
        ('venue = "hall"\n', 'venue = "hall"\nstatus = "cancelled"\nnotice = "Off."'),
    ],
)
def test_events_that_meet_in_no_place_are_not_warned_of(first: str, second: str) -> None:
    remarks = read("event", f"{first}{SAME_EVENING}{second}").remarks
    assert not [remark for remark in remarks if "same time and place" in remark.what()]


@pytest.mark.parametrize(
    ("place", "length", "collides"), [("series", 'default_duration = "3h"', False), ("event", 'duration = "3h"', True)]
)
def test_only_an_end_that_somebody_said_makes_events_overlap(place: str, length: str, collides: bool) -> None:
    later = NIGHT.format(day="2027-03-04", time="20:00")
    meeting = f'venue = "hall"\n{later}venue = "hall"'
    text = WHOLE.replace(f"#{place}\n", f"{length}\n#{place}\n", 1).replace("#event\n", f"{meeting}\n")
    remarks = load(Source("events.toml", text)).remarks
    assert bool([one for one in remarks if "same time and place" in one.what()]) is collides


@pytest.mark.parametrize(("announced", "warned"), [(0, True), (1, False), (2, True)])
def test_a_public_text_that_announces_as_many_events_as_there_are_is_right(announced: int, warned: bool) -> None:
    remarks = read("series", f"announced_events = {announced}").remarks
    assert bool([remark for remark in remarks if "the public text announces" in remark.what()]) is warned


@pytest.mark.parametrize(("number", "gaps"), [(22, "19, 20, 21"), (23, "20, 21, …")])
def test_a_long_gap_between_numbers_is_cut_short(number: int, gaps: str) -> None:
    typed = f"number = 1\n{OPEN}number = {number}\n" + 'tba = ["title", "date", "time"]'
    [said] = [remark.what() for remark in read("event", typed).remarks if "no event has the number" in remark.what()]
    assert said.endswith(gaps)


@pytest.mark.parametrize(("last", "warned"), [("2026-08-31", True), ("2026-09-01", False)])
def test_an_event_is_past_when_its_last_day_is(last: str, warned: bool) -> None:
    typed = OPEN + f'title = "L"\ndate = 2026-08-20\nend_date = {last}\ntime = "19:00"\nend_time = "21:00"\n'
    remarks = read("event", f'{typed}tba = ["speakers"]').remarks
    assert bool([remark for remark in remarks if "it is past and still says" in remark.what()]) is warned


def test_days_and_moments_between_quotes_are_read_too() -> None:
    typed = (
        OPEN + 'title = "L"\ndate = "2027-03-04"\ntime = "19:00:30"\nregistration = { opens = "2027-02-01T10:00:00" }'
    )
    *_, event = read("event", typed).catalogue.events
    assert (event.date, event.time) == (date(2027, 3, 4), time(19, 0, 30))
    assert event.registration is not None
    assert event.registration.opens == datetime(2027, 2, 1, 10)


def test_what_mail_does_where_nothing_is_said() -> None:
    mail = read("top", '[mail]\nfrom = "A <a@x.org>"').catalogue.mail
    assert (mail.max_late, mail.settle) == (timedelta(hours=12), timedelta(minutes=10))
    assert mail.quiet == (time(22), time(8))


@pytest.mark.parametrize(
    ("text", "timing"),
    [
        ("14 days before at 10:00", InDays(Side.BEFORE, 14, time(10))),
        ("2 weeks before", InDays(Side.BEFORE, 14, None)),
        ("1 day after at 18:30", InDays(Side.AFTER, 1, time(18, 30))),
        ("on the day at 08:00", InDays(Side.BEFORE, 0, time(8))),
        ("2 hours before", InHours(Side.BEFORE, timedelta(hours=2))),
        ("90 minutes after", InHours(Side.AFTER, timedelta(minutes=90))),
        ("monthly on day 31 at 10:00", Monthly(31, time(10))),
        ("Weekly on Sunday at 9:05", Weekly(6, time(9, 5))),
        ("monthly on day 1", None),
        ("weekly on Monday", None),
        ("monthly on day 0 at 10:00", None),
        ("1 day before at 24:00", None),
    ],
)
def test_each_form_of_a_moment_means_what_it_says(text: str, timing: Timing | None) -> None:
    assert parse_timing(text) == timing


@pytest.mark.parametrize(
    ("written", "meant"),
    [("12", "12h"), ("13", "13 min"), ("90", "90 min"), ("120", "120 min"), ("0", None), ("1.5h", "1h30")],
)
def test_a_bare_number_up_to_twelve_means_hours(written: str, meant: str | None) -> None:
    assert proposed_length(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [("3/12/2027", "2027-12-03"), ("12/12/2027", "2027-12-12"), ("12/13/2027", "2027-12-13"), ("13/13/2027", None)],
)
def test_the_day_stands_before_the_month_unless_it_can_be_none(written: str, meant: str | None) -> None:
    assert proposed_day(written) == meant


def test_an_address_within_what_was_pasted_is_proposed_and_never_itself() -> None:
    for typed, meant in (("mailto:ada@x.org", "ada@x.org"), ("ada@x.invalid", "name@example.org")):
        with pytest.raises(CatalogueError, match="is not a mail address") as caught:
            read("top", f'[mail]\nfrom = "{typed}"')
        assert f'write "{meant}"' in str(caught.value)


def recurring(rule: str, **more: object) -> Event:
    typed = {"id": "x", "title": "X", "timezone": "Europe/Paris", "date": date(2027, 3, 4), "repeats": rule, **more}
    context = {"default_language": "en", "languages": ("en",)}
    return Event.model_validate(typed, context=context)


def test_a_rule_has_an_end_where_it_counts_or_names_one() -> None:
    rules = ("FREQ=WEEKLY", "FREQ=WEEKLY;COUNT=2", "freq=weekly;until=20270401")
    assert [is_endless(recurring(rule, all_day=True)) for rule in rules] == [True, False, False]
    assert not is_endless(recurring("FREQ=WEEKLY", all_day=True).model_copy(update={"repeats": None}))


def test_the_last_day_of_a_rule_counts_to_its_last_second_in_the_zone_of_the_event() -> None:
    event = recurring("FREQ=DAILY;UNTIL=20270306", time=time(23, 59, 59))
    assert local_until(event) == "FREQ=DAILY;UNTIL=20270306T235959"
    since, until = datetime(2027, 3, 1, tzinfo=UTC), datetime(2027, 4, 1, tzinfo=UTC)
    assert [name for name, _ in occurrences(event, since, until)] == ["2027-03-04", "2027-03-05", "2027-03-06"]
    assert local_until(recurring("FREQ=DAILY;UNTIL=20270706T220000Z", all_day=True)).endswith("=20270707T000000")


def test_times_are_found_from_the_hour_at_which_they_begin() -> None:
    event = recurring("FREQ=DAILY;COUNT=3", time=time(19))
    since, until = datetime(2027, 3, 4, 18, 30, tzinfo=UTC), datetime(2027, 3, 6, 17, 30, tzinfo=UTC)
    assert [name for name, _ in occurrences(event, since, until)] == ["2027-03-05"]
    whole_days = recurring("FREQ=DAILY;COUNT=3", all_day=True)
    assert [name for name, _ in occurrences(whole_days, since, until)] == ["2027-03-05", "2027-03-06"]


def test_an_event_is_over_from_the_first_instant_after_it() -> None:
    zone = recurring("FREQ=DAILY", all_day=True).zone
    start, end = local(date(2027, 3, 4), time(19), zone), local(date(2027, 3, 5), time(1), zone)
    second = timedelta(seconds=1)
    evening = AtTime(start, end)
    assert [is_over(evening, end + moved) for moved in (-second, 0 * second)] == [False, True]
    assert last_day(evening) == date(2027, 3, 5)
    unended, day = AtTime(start), OnDay(date(2027, 3, 4), date(2027, 3, 4), zone)
    midnight = local(date(2027, 3, 5), time(), zone)
    for when in (unended, day):
        assert [is_over(when, midnight + moved) for moved in (-second, 0 * second)] == [False, True]
        assert [is_over(when, midnight + years * timedelta(days=365)) for years in (-5, 5)] == [False, True]
    assert last_day(unended) == date(2027, 3, 4)


@pytest.mark.parametrize(("day", "twice"), [("2027-10-31", True), ("2027-03-28", False), ("2027-03-04", False)])
def test_an_hour_happens_twice_only_where_the_clocks_go_back(day: str, twice: bool) -> None:
    zone = recurring("FREQ=DAILY", all_day=True).zone
    assert in_overlap(local(date.fromisoformat(day), time(2, 30), zone)) is twice


def problems_of(place: str, typed: str) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        read(place, typed)
    return [str(problem) for problem in caught.value.problems]


def test_a_table_with_very_many_mistakes_hides_none_of_another() -> None:
    many = f"tags = {['Two words'] * 60}\nspoken = {['klingon!'] * 60}\n".replace("'", '"')
    told = problems_of("event", f"{many}{SAME_EVENING}{many}{SAME_EVENING.replace('later', 'last')}fold = 2")
    assert [said for said in told if "more than 100 mistakes here" in said] == [
        said for said in told if said.endswith("(correct those that are told; the others are told then)")
    ]
    assert sum("more than 100 mistakes here" in said for said in told) == 2
    assert any("fold: 2 is not one of 0, 1" in said for said in told)


@pytest.mark.parametrize(
    "typed",
    [
        '[mail]\nlists = [{ address = "l@x.org", language = "de" }]',
        '[mail]\nproof = { to = "a@x.org", before = "soon" }\n[[reminder]]\nid = "r"\nwhen = "soon"',
        '[mail]\nlists = [{ address = "nobody", language = "fr" }]\n[[reminder]]\nid = "r"\nwhen = "soon"',
        '[[venue]]\nid = "hall"\nname = "H"',
    ],
)
def test_what_is_wrong_as_a_whole_is_told_beside_what_is_malformed(typed: str) -> None:
    alone = set(problems_of("top", typed))
    both = problems_of("top", f'{typed}\n[[event]]\nid = "x"\ntitle = 3\ntba = ["date", "time"]')
    assert len(both) == len(alone) + 1
    assert sum("title: 3 is not a text" in said for said in both) == 1


def test_a_time_that_begins_at_the_last_instant_is_found() -> None:
    event = recurring("FREQ=DAILY;COUNT=3", time=time(19))
    since, last = datetime(2027, 3, 4, 18, tzinfo=UTC), datetime(2027, 3, 5, 18, tzinfo=UTC)
    assert [name for name, _ in occurrences(event, since, last)] == ["2027-03-04", "2027-03-05"]
    assert [name for name, _ in occurrences(event, since, last - timedelta(seconds=1))] == ["2027-03-04"]


@pytest.mark.parametrize(("minutes", "shown"), [(45, "45 min"), (60, "1h"), (90, "1h30"), (605, "10h05")])
def test_a_length_is_shown_as_it_is_typed(minutes: int, shown: str) -> None:
    assert show_duration(timedelta(minutes=minutes)) == shown
