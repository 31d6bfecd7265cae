"""Who would get each mailing to come is what giving it out would ask, and many mailings cost few statements."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product

from sqlalchemy import Connection, select, update
from stored import statements
from test_mailings import HEAD, LIST, TALK, House

from pipeline.actions.build import Draft
from pipeline.actions.forecast import forecast, known_of
from pipeline.clock import FrozenClock
from pipeline.letters import Letter
from pipeline.reminders.occasions import Audience, Kind, Occasion, Plan
from pipeline.reminders.wishes import NO_WISHES, Wishes
from pipeline.store.campaigns import CHANGED, Campaign, due_campaigns, reconcile
from pipeline.store.database import Database
from pipeline.store.expansion import audience_lists, audience_size, expand
from pipeline.store.foreseeing import Audiences
from pipeline.store.subscribers import ALL_KINDS, add, set_state
from pipeline.store.tables import Role, Standing, State, deliveries, subscribers

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
SERIES = "seminar"
DAY = timedelta(days=1)
RULES_OF_MAIL = (
    '[[reminder]]\nid = "near"\nwhen = "2 days before at 10:00"\n',
    '[[reminder]]\nid = "announced"\nwhen = "when announced"\n',
)
LETTER = Letter("en", "Soon", b"")
WISHES = (
    NO_WISHES,
    Wishes(events=frozenset({"followed"})),
    Wishes(events=frozenset({"told", "fresh"})),
    Wishes(paused_until=NOW + DAY),
    Wishes(paused_until=NOW + 3 * DAY, groups=frozenset({"readers"})),
    Wishes(declined=frozenset({"near"})),
    Wishes(asked=frozenset({"asked"}), cities=frozenset({"Paris"})),
    Wishes(ways=frozenset({"online"})),
)
TAGS: tuple[frozenset[str], ...] = (frozenset(), frozenset({"law"}), frozenset({"law", "history"}))


def occasion(about: str, rule: str, day: float, kind: Kind = Kind.REMINDERS, **more: object) -> Occasion:
    due = NOW + day * DAY
    return Occasion(about, rule, 0, kind, due, due + DAY, **more)  # type: ignore[arg-type]


def people(connection: Connection) -> list[int]:
    """Readers of each choice, kinds and subjects, and two lists."""
    found = []
    for number, (wishes, tags, kinds) in enumerate(
        product(WISHES, TAGS, (ALL_KINDS, frozenset({Kind.CHANGES}), frozenset({Kind.REMINDERS})))
    ):
        address = f"reader-{number}@example.org"
        found.append(add(connection, SERIES, address, "en", kinds, tags, "by hand", NOW, wishes=wishes)[0])
    for name, kinds in (("all", ALL_KINDS), ("changes", frozenset({Kind.CHANGES}))):
        number = add(connection, SERIES, f"{name}@lists.example", "en", kinds, (), "list", NOW)[0]
        connection.execute(update(subscribers).where(subscribers.c.id == number).values(role=Role.LIST))
        found.append(number)
    return found


def give_out(connection: Connection, *told: Occasion) -> None:
    """Some get each mailing, for some it fails, and for some it is stopped by a change."""
    reconcile(connection, SERIES, Plan(told, ()), NOW)
    for campaign in due_campaigns(connection, SERIES, NOW + DAY / 2):
        expand(connection, campaign, {"en": LETTER}, "en", NOW)
    fates = (
        {"state": State.SENT, "finished": NOW},
        {"state": State.SENT, "finished": NOW - 9 * DAY},
        {"state": State.FAILED, "finished": NOW},
        {"state": State.DROPPED, "reason": CHANGED, "finished": NOW},
    )
    key = (deliveries.c.campaign_id, deliveries.c.subscriber_id)
    for number, (campaign_id, subscriber) in enumerate(connection.execute(select(*key).order_by(*key)).all()):
        this = (deliveries.c.campaign_id == campaign_id, deliveries.c.subscriber_id == subscriber)
        connection.execute(update(deliveries).where(*this).values(**fates[number % len(fates)]))


TOLD = (
    occasion("told", "announced", 0, Kind.ANNOUNCEMENTS, tags=TAGS[1]),
    occasion("told", "near", 0, tags=TAGS[1]),
    occasion("weekly", "far", 0, occurrence="20270301"),
    occasion("retimed", "near", 0, Kind.ANNOUNCEMENTS, occurrence="20270301"),
    occasion("", "newsletter.march", 0, Kind.NEWSLETTERS),
)
"""What was mailed before."""
RULES: tuple[tuple[str, dict[str, object]], ...] = (
    ("far", {}), ("near", {}), ("asked", {"on_request": True}), ("announced", {"kind": Kind.ANNOUNCEMENTS}),
    ("changed", {"kind": Kind.CHANGES, "audience": Audience.INFORMED}), ("after", {"kind": Kind.FOLLOW_UPS}),
)  # fmt: skip
TOPICS = (frozenset[str](), frozenset({"groups:readers"}), frozenset({"cities:Nice", "ways:on-site"}))


def to_come() -> Iterator[Occasion]:
    """Mailings of each kind about events of which readers were told, which they follow, and of which nobody knows."""
    events = ("told", "followed", "fresh", "fresh-too", "weekly", "retimed", "")
    dates = ("", "20270301", "20270308")
    for (rule, more), about, day in product(RULES, events, (-1, 1, 4)):
        for number, (date, tags, topics) in enumerate(zip(dates, TAGS, TOPICS, strict=True)):
            one = occasion(about, rule, day, topics=topics, tags=tags, occurrence=date, **more)  # type: ignore[arg-type]
            yield replace(one, revision=number)
    wrong = {"audience": Audience.CORRECTED, "kind": Kind.NEWSLETTERS}
    for corrected in (TOLD[-1].key, TOLD[0].key, "/newsletter.unknown/0"):
        yield occasion("", "newsletter.fixed", 1, corrects=corrected, **wrong)  # type: ignore[arg-type]


def test_the_answers_are_those_that_giving_each_mailing_out_would_get(database: Database) -> None:
    with database.begin() as connection:
        everybody = people(connection)
        give_out(connection, *TOLD)
        set_state(connection, everybody[0], Standing.BOUNCED, NOW)
        audiences = Audiences(connection, SERIES)
        sizes = set()
        for one in to_come():
            asked = Campaign(0, SERIES, one)
            assert audiences.readers(one) == audience_size(connection, asked, Role.READER), one
            assert audiences.lists(one) == audience_lists(connection, asked), one
            sizes.add(audiences.readers(one))
        assert len(sizes) > 10  # they do differ


def test_a_plan_of_ten_times_as_many_events_takes_no_more_statements(database: Database, clock: FrozenClock) -> None:
    house, numbers = House(database, clock), []
    with database.begin() as connection:
        people(connection)
    for count in (3, 30):
        days = range(1, count + 1)
        talks = [TALK.replace('"talk"', f'"talk-{day}"').replace("04-06", f"04-{day:02}") for day in days]
        edition = house.publish("".join((HEAD, LIST, *talks, *RULES_OF_MAIL)))
        house.send(clock.now() + DAY / 24)
        assert len(house.got("all@lists.example")) == count  # each is announced
        with database.look() as connection, statements(connection) as seen:
            found = forecast(Draft(edition), known_of(connection, SERIES, clock.now()), clock.now())
        numbers.append(len(seen))
        assert [(one.occasion.rule, one.lists) for one in found.mailings] == [("near", ("all@lists.example",))] * count
        assert all(one.readers > 0 for one in found.mailings)
    assert numbers[0] == numbers[1]
