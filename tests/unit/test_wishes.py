"""What readers choose: the statement that lists recipients goes by it, and nothing urgent is hidden."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from publishing import HEAD, TALK, edition
from sqlalchemy import select

from pipeline.actions.subscribers import entry_of
from pipeline.clock import FrozenClock
from pipeline.errors import SettingsError
from pipeline.letters import Letter
from pipeline.reminders.occasions import Audience, Kind, Occasion, Plan, Priority
from pipeline.reminders.plan import plan
from pipeline.reminders.wishes import NO_WISHES, Wishes
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.choices import keep_wishes
from pipeline.store.database import Database, open_database
from pipeline.store.expansion import audience_size, expand
from pipeline.store.subscribers import ALL_KINDS, add, by_id, languages
from pipeline.store.tables import deliveries, subscribers

NOW = datetime(2026, 2, 1, 9, tzinfo=UTC)
SERIES = "talks"
LETTER = Letter("en", "Soon", b"")
some = st.frozensets
names = st.sampled_from(["a", "b"])
wishes = st.builds(
    Wishes,
    asked=some(names), declined=some(names), groups=some(names), cities=some(st.sampled_from(["Paris", "Saint-Denis"])),
    ways=some(st.sampled_from(["online", "on-site"])), events=some(names),
    paused_until=st.sampled_from([None, NOW, NOW + timedelta(microseconds=1), NOW - timedelta(days=1)]),
)  # fmt: skip
topics = some(st.sampled_from(["groups:a", "groups:b", "cities:Paris", "cities:Nice", "ways:online", "ways:on-site"]))


def occasion(event: str = "a", rule: str = "a", kind: Kind = Kind.REMINDERS, **more: object) -> Occasion:
    return Occasion(event, rule, 0, kind, NOW, NOW + timedelta(days=1), **more)  # type: ignore[arg-type]


def allowed(wanted: Wishes, about: Occasion) -> bool:
    """The rule in Python: each choice is open, or fits, or the occasion says nothing about it."""
    said: dict[str, set[str]] = {}
    for each in about.topics:
        said.setdefault(each.split(":")[0], set()).add(each.split(":")[1])
    topics = (("groups", wanted.groups), ("cities", wanted.cities), ("ways", wanted.ways))
    return (
        (wanted.paused_until is None or wanted.paused_until <= about.due)
        and (not wanted.events or about.event in wanted.events)
        and (about.rule in wanted.asked if about.on_request else about.rule not in wanted.declined)
        and all(not mine or name not in said or bool(mine & said[name]) for name, mine in topics)
    )


def tell(database: Database, *occasions: Occasion, texts: dict[str, Letter] | None = None) -> int:
    with database.begin() as connection:
        reconcile(connection, SERIES, Plan(occasions, ()), NOW)
        letters = texts or {"en": LETTER}
        return sum(expand(connection, one, letters, "en", NOW) for one in due_campaigns(connection, SERIES, NOW))


def reader(
    database: Database, wanted: Wishes = NO_WISHES, address: str = "ada@reader.example", lang: str = "en"
) -> int:
    with database.begin() as connection:
        return add(connection, SERIES, address, lang, ALL_KINDS, (), "form", NOW, wishes=wanted)[0]


@pytest.fixture
def database() -> Iterator[Database]:
    with open_database("sqlite://", FrozenClock(NOW)) as opened:
        yield opened


@given(wishes, topics, st.sampled_from(["a", "b", ""]), names, st.booleans())
def test_the_statement_says_what_the_rule_says(
    shared: Database, wanted: Wishes, said: frozenset[str], event: str, rule: str, on_request: bool
) -> None:
    about = occasion(event, rule, topics=said, on_request=on_request)
    with shared.begin() as connection:
        keep_wishes(connection, 1, wanted)
        found = by_id(connection, 1)
        assert found is not None
        assert found.wishes == wanted
        reconcile(connection, SERIES, Plan((about,), ()), NOW)
        (campaign,) = [one for one in due_campaigns(connection, SERIES, NOW) if one.occasion == about]
        assert audience_size(connection, campaign) == int(allowed(wanted, about))


@pytest.fixture(scope="module")
def shared() -> Iterator[Database]:
    with open_database("sqlite://", FrozenClock(NOW)) as opened:
        reader(opened)
        yield opened


def test_no_choice_hides_the_change_of_an_event_that_somebody_was_mailed_about(database: Database) -> None:
    told, stranger = reader(database), reader(database, address="bob@reader.example")
    first = occasion(kind=Kind.ANNOUNCEMENTS, topics=frozenset({"cities:Paris"}))
    assert tell(database, first) == 2
    nothing = Wishes(
        frozenset(), frozenset({"changed"}), frozenset({"x"}), frozenset({"Nice"}), frozenset({"online"}),
        frozenset({"other"}), paused_until=NOW + timedelta(days=300),
    )  # fmt: skip
    with database.begin() as connection:
        keep_wishes(connection, told, nothing)
        keep_wishes(connection, stranger, nothing)
        connection.execute(deliveries.delete().where(deliveries.c.subscriber_id == stranger))
    moved = replace(first, rule="changed", kind=Kind.CHANGES, audience=Audience.INFORMED, priority=Priority.URGENT,
                    topics=frozenset({"cities:Paris", "ways:on-site"}))  # fmt: skip
    assert tell(database, first, moved) == 1
    with database.look() as connection:
        assert connection.execute(select(deliveries.c.subscriber_id)).scalars().all().count(told) == 2


def test_who_reads_text_alone_gets_the_letter_without_html_in_their_language(database: Database) -> None:
    bare = Wishes(text_only=True)
    people = {
        reader(database, bare, "fr@reader.example", "fr"): "text:fr",
        reader(database, bare, "de@reader.example", "de"): "text:en",
        reader(database, address="en@reader.example"): "en",
        reader(database, address="f2@reader.example", lang="fr"): "fr",
    }  # fmt: skip
    with database.look() as connection:
        assert languages(connection, SERIES) == {"text:fr", "text:de", "en", "fr"}
    names = ("en", "fr", "text:en", "text:fr")
    tell(database, occasion(), texts={name: Letter(name, "Soon", b"") for name in names})
    with database.look() as connection:
        rows = connection.execute(select(deliveries.c.subscriber_id, deliveries.c.language)).all()
    assert {row.subscriber_id: row.language for row in rows} == people


def test_a_reminder_on_request_takes_no_other_reminder_from_anybody(database: Database) -> None:
    reader(database)
    asked = reader(database, Wishes(asked=frozenset({"late"})), "bob@reader.example")
    everybody = replace(occasion(rule="early"), due=NOW - timedelta(hours=2))
    assert tell(database, everybody, occasion(rule="late", on_request=True)) == 3
    with database.look() as connection:
        rows = connection.execute(select(deliveries.c.subscriber_id)).scalars().all()
    assert rows.count(asked) == 2


def test_a_plan_says_what_an_event_can_be_chosen_by_and_which_rules_are_on_request() -> None:
    rules = (
        '[[reminder]]\nid = "early"\nwhen = "2 days before at 10:00"\n'
        '[[reminder]]\nid = "late"\nwhen = "2 hours before"\nlabel = "two hours before"\ndefault = false\n'
    )
    talk = TALK + 'online = "https://live.example/"\n'
    found = plan(edition(talk + rules, head=HEAD), NOW).occasions
    reminders = {one.rule: one for one in found if one.kind is Kind.REMINDERS}
    assert {rule: one.on_request for rule, one in reminders.items()} == {"early": False, "late": True}
    assert reminders["late"].topics == {"cities:Paris", "ways:online", "ways:on-site"}


def test_one_address_in_two_series_has_two_sets_of_choices(database: Database) -> None:
    reader(database, Wishes(cities=frozenset({"Nice"})))
    with database.begin() as connection:
        other, is_new = add(connection, "films", "Ada@reader.example", "fr", ALL_KINDS, (), "form", NOW)
        assert is_new
        keep_wishes(connection, other, Wishes(text_only=True))
        first = by_id(connection, 1)
        assert first is not None
        assert (first.wishes, first.language) == (Wishes(cities=frozenset({"Nice"})), "en")
        connection.execute(subscribers.delete().where(subscribers.c.id == other))
        assert by_id(connection, 1) == first


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        ({"reminders": "late"}, r"\+late"), ({"ways": "by train"}, "on-site"), ({"text_only": "perhaps"}, "yes or no"),
        ({"paused_until": "2027-03-01"}, "offset"), ({"paused_until": "soon"}, "offset"),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_a_choice_is_refused_with_what_to_write(cells: dict[str, str | None], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        entry_of({"address": "ada@reader.example", **cells}, ["en"])
