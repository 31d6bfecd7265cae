"""One suite, three databases: SQLite in a file, SQLite in memory, PostgreSQL."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, inspect, select, text, update

from pipeline.clock import FrozenClock
from pipeline.errors import SettingsError, StoreError
from pipeline.letters import Letter
from pipeline.reminders.occasions import Audience, Kind, Occasion, Plan, Priority
from pipeline.reminders.wishes import Wishes
from pipeline.store import campaigns as campaigning
from pipeline.store.addresses import AddressError
from pipeline.store.campaigns import due_campaigns, next_due, reconcile
from pipeline.store.claims import claim, reap, release, renew
from pipeline.store.database import Database, open_database
from pipeline.store.deliveries import Bounce, InDoubt, Settlement, letters_of, set_aside, settle, start
from pipeline.store.editions import head_of, publish_edition, published_edition
from pipeline.store.expansion import enqueue_confirmation, expand
from pipeline.store.outbox import (
    close_finished,
    counts,
    doubtful,
    drop_delivery,
    entries,
    expire,
    history,
    resend,
    sent_since,
    waiting,
)
from pipeline.store.schema import MIGRATIONS, migrate
from pipeline.store.subscribers import (
    ALL_KINDS,
    add,
    by_id,
    by_public_id,
    change,
    confirm,
    count_bounce,
    find,
    forget,
    languages,
    listed,
    set_state,
    unsubscribe,
)
from pipeline.store.switch import arm, hold, installation, is_armed, last_tick, secret, set_last_tick, why_held
from pipeline.store.tables import EPOCH, METADATA, Progress, Standing, State, campaigns, deliveries, meta

NOW = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
LEASE = timedelta(seconds=60)
OVER = timedelta(0)  # a lease that has run out, by whichever clock
SERIES = "seminar"
TEXTS = {"en": Letter("en", "Soon", b"en\r\n"), "fr": Letter("fr", "Bientôt", b"fr\r\n")}


def occasion(event: str = "talk", rule: str = "day-before", revision: int = 0, **changes: object) -> Occasion:
    values: dict[str, object] = {"kind": Kind.REMINDERS, "due": NOW, "not_after": NOW + DAY} | changes
    return Occasion(event, rule, revision, **values)  # type: ignore[arg-type]


def plan(*occasions: Occasion) -> Plan:
    return Plan(occasions, ())


def subscribe(
    database: Database,
    address: str,
    language: str = "en",
    kinds: Iterable[Kind] = ALL_KINDS,
    tags: Iterable[str] = (),
    state: Standing = Standing.ACTIVE,
) -> int:
    with database.begin() as connection:
        return add(connection, SERIES, address, language, kinds, tags, "by hand", NOW, state)[0]


def armed(database: Database) -> Mapping[str, str]:
    here = installation(database)
    with database.begin() as connection:
        arm(connection, here, NOW)
    return here


def tell(database: Database, wanted: Occasion, now: datetime = NOW) -> int:
    """Plans one occasion and expands what is due; the number of deliveries."""
    with database.begin() as connection:
        reconcile(connection, SERIES, plan(wanted), now)
        return sum(expand(connection, it, TEXTS, "fr", now) for it in due_campaigns(connection, SERIES, now))


def states(database: Database) -> dict[str, tuple[str, str]]:
    with database.look() as connection:
        rows = connection.execute(select(campaigns.c.key, campaigns.c.state, campaigns.c.reason))
        return {row.key: (row.state, row.reason) for row in rows}


def recipients(database: Database, key: str) -> set[int]:
    with database.look() as connection:
        joined = deliveries.join(campaigns)
        query = select(deliveries.c.subscriber_id).select_from(joined).where(campaigns.c.key == key)
        return set(connection.execute(query).scalars())


class TestSchema:
    def test_opening_again_keeps_everything(self, shared: Database, lasting_url: str, clock: FrozenClock) -> None:
        subscribe(shared, "ada@example.org")
        with open_database(lasting_url, clock) as again, again.look() as connection:
            assert [each.address for each in listed(connection, SERIES)] == ["ada@example.org"]

    def test_an_older_database_is_migrated_and_a_newer_one_refused(self, database: Database) -> None:
        def step(connection):
            connection.execute(text("CREATE TABLE added_later (n INTEGER)"))

        database.run(lambda connection: migrate(connection, [*MIGRATIONS, step]))
        database.run(lambda connection: migrate(connection, [*MIGRATIONS, step]))
        with database.look() as connection:
            assert connection.execute(select(meta.c.value).where(meta.c.name == "schema_version")).scalar() == str(
                len(MIGRATIONS) + 2
            )
            assert connection.execute(text("SELECT count(*) FROM added_later")).scalar() == 0
        with pytest.raises(StoreError, match="newer tocsin"):
            database.run(migrate)

    def test_a_database_of_the_first_schema_becomes_one_of_today(self, database: Database) -> None:
        first = (Path(__file__).parent / f"schema_1_{database.engine.dialect.name}.sql").read_text()

        def turn_back(connection: Connection) -> None:
            METADATA.drop_all(connection)
            for statement in first.split(";\n"):
                if statement.strip():
                    connection.execute(text(statement))
            connection.execute(text("INSERT INTO meta (name, value) VALUES ('schema_version', '1')"))
            connection.execute(
                text(
                    "INSERT INTO subscribers (series, address, mailbox, folded, public_id, language, kinds, state, "
                    "bounces, consent, added, changed) "
                    "VALUES ('seminar', 'a@b.c', 'a@b.c', 'a@b.c', 'x', 'en', 31, 'active', 0, '', 0, 0)"
                )
            )

        database.run(turn_back)
        database.run(migrate)
        with database.look() as connection:
            assert [each.address for each in listed(connection, SERIES)] == ["a@b.c"]
            for table in METADATA.sorted_tables:
                made = {column["name"]: column["nullable"] for column in inspect(connection).get_columns(table.name)}
                assert made == {column.name: column.nullable for column in table.columns}
            checked = {key["referred_table"] for key in inspect(connection).get_foreign_keys("deliveries")}
            assert checked == (set() if connection.dialect.name == "postgresql" else {"campaigns", "subscribers"})
        assert tell(database, occasion(starts=NOW + DAY)) == 1
        with pytest.raises(StoreError), database.begin() as connection:
            connection.execute(text("UPDATE subscribers SET role = 'nobody'"))
        with database.begin() as connection:
            assert forget(connection, SERIES, "a@b.c")
            assert not counts(connection, SERIES)

    def test_a_failing_migration_leaves_no_trace(self, database: Database) -> None:
        def step(connection):
            connection.execute(text("CREATE TABLE half_done (n INTEGER)"))
            raise RuntimeError

        with pytest.raises(RuntimeError):
            database.run(lambda connection: migrate(connection, [*MIGRATIONS, step]))
        with pytest.raises(StoreError), database.look() as connection:
            connection.execute(text("SELECT * FROM half_done"))

    def test_an_error_of_the_driver_is_told_and_undone(self, database: Database) -> None:
        def twice(connection: Connection) -> None:
            connection.execute(meta.insert().values(name="a", value="1"))
            connection.execute(meta.insert().values(name="a", value="2"))

        with pytest.raises(StoreError, match="refused"):
            database.run(twice)
        with database.look() as connection:
            assert connection.execute(select(meta.c.value).where(meta.c.name == "a")).all() == []


class TestSwitch:
    def test_nothing_may_leave_before_arm_nor_after_hold(self, database: Database) -> None:
        here = installation(database)
        with database.begin() as connection:
            assert "tocsin arm" in why_held(connection, here)
            arm(connection, here, NOW)
            assert is_armed(connection, here)
            hold(connection)
            assert "tocsin hold" in why_held(connection, here)

    def test_a_copy_elsewhere_is_held_and_says_why(self, database: Database) -> None:
        here = armed(database)
        with database.look() as connection:
            fact = "inode" if "inode" in here else next(iter(here))
            assert "armed elsewhere" in why_held(connection, {**here, fact: "another"})

    def test_the_installations_name_vouches(self, database: Database) -> None:
        facts = installation(database)
        with database.begin() as connection:
            arm(connection, installation(database, "prod"), NOW)
            moved = dict.fromkeys(facts, "changed")
            assert is_armed(connection, {**moved, "name": "prod"})
            assert not is_armed(connection, moved)
            assert "TOCSIN_INSTALLATION" in why_held(connection, {**facts, "name": "rehearsal"})
            assert is_armed(connection, facts)

    def test_the_secret_is_made_once(self, database: Database) -> None:
        with database.begin() as connection:
            assert secret(connection, lambda: "first") == "first"
            assert secret(connection, lambda: "second") == "first"

    def test_the_last_tick_is_kept(self, database: Database) -> None:
        with database.begin() as connection:
            assert last_tick(connection) is None
            set_last_tick(connection, NOW)
            set_last_tick(connection, NOW + HOUR)
            assert last_tick(connection) == NOW + HOUR


class TestEditions:
    def test_a_newer_edition_takes_the_place_of_an_older(self, database: Database) -> None:
        with database.begin() as connection:
            assert published_edition(connection, SERIES) is None
            assert publish_edition(connection, SERIES, "{1}", "a\n", NOW)
            assert not publish_edition(connection, SERIES, "{1}", "a\n", NOW + HOUR)
            assert publish_edition(connection, SERIES, "{2}", "b\na\n", NOW + HOUR)
            stored = published_edition(connection, SERIES)
        assert stored is not None
        assert (stored.catalogue, stored.ledger, stored.at) == ("{2}", "b\na\n", NOW + HOUR)
        assert stored.head == head_of("a\nb\n") != head_of("a\n")

    def test_a_ledger_that_lacks_a_line_is_refused(self, database: Database) -> None:
        with database.begin() as connection:
            publish_edition(connection, SERIES, "{}", "a\nb\n", NOW)
            publish_edition(connection, "other", "{}", "z\n", NOW)
        with pytest.raises(StoreError, match=r"lacks 1 of the lines"), database.begin() as connection:
            publish_edition(connection, SERIES, "{}", "a\nc\n", NOW)


class TestSubscribers:
    def test_one_row_an_address_however_it_is_written(self, database: Database) -> None:
        with database.begin() as connection:
            first, made = add(connection, SERIES, "Ada@Example.ORG", "en", ALL_KINDS, ["ml"], "form", NOW)
            again, made_again = add(connection, SERIES, "ada@example.org", "fr", (), (), "form", NOW)
            other, _ = add(connection, "other", "ada@example.org", "fr", (), (), "form", NOW)
            kept = find(connection, SERIES, " ADA@example.org ")
        assert (made, made_again, again, other != first) == (True, False, first, True)
        assert kept is not None
        assert (kept.address, kept.language, kept.tags, kept.kinds) == ("Ada@example.org", "en", {"ml"}, ALL_KINDS)

    def test_internationalised_addresses(self, database: Database) -> None:
        with database.begin() as connection:
            add(connection, SERIES, "jo@bücher.example", "de", ALL_KINDS, (), "form", NOW)
            add(connection, SERIES, "pelé@exemple.fr", "fr", ALL_KINDS, (), "form", NOW)
            assert add(connection, SERIES, "JO@xn--bcher-kva.example", "de", (), (), "form", NOW)[1] is False
            kept = {each.address: each.mailbox for each in listed(connection, SERIES)}
        assert kept == {"jo@bücher.example": "jo@xn--bcher-kva.example", "pelé@exemple.fr": "pelé@exemple.fr"}

    @pytest.mark.parametrize("wrong", ["ada", "a b@example.org", "ada@", "ada@example.org\r\nBcc: x@example.org", ""])
    def test_what_is_no_address_is_refused_by_name(self, database: Database, wrong: str) -> None:
        with pytest.raises(SettingsError, match="can't be an address"), database.begin() as connection:
            add(connection, SERIES, wrong, "en", ALL_KINDS, (), "form", NOW)

    def test_coming_and_going(self, database: Database) -> None:
        ada = subscribe(database, "ada@example.org", state=Standing.PENDING)
        with database.begin() as connection:
            assert languages(connection, SERIES) == frozenset()
            assert confirm(connection, ada, "form, text 1", NOW)
            assert not confirm(connection, ada, "form, text 1", NOW)
            assert languages(connection, SERIES) == {"en"}
            assert unsubscribe(connection, ada, NOW)
            assert not unsubscribe(connection, ada, NOW)
            kept = by_id(connection, ada)
            assert kept is not None
            assert kept.state is Standing.UNSUBSCRIBED
            assert by_public_id(connection, kept.public_id) == kept

    def test_preferences(self, database: Database) -> None:
        ada = subscribe(database, "ada@example.org", tags=["ml", "law"])
        with database.begin() as connection:
            change(connection, ada, NOW, language="fr", kinds=[Kind.CHANGES, Kind.NEWSLETTERS],
                   tags=["law", "bio"], wishes=Wishes(cities=frozenset({"Paris"}), text_only=True))  # fmt: skip
            kept = by_id(connection, ada)
        assert kept is not None
        assert (kept.language, kept.kinds, kept.tags) == ("fr", {Kind.CHANGES, Kind.NEWSLETTERS}, {"law", "bio"})
        assert kept.wishes == Wishes(cities=frozenset({"Paris"}), text_only=True)

    def test_who_is_forgotten_comes_back_only_by_asking(self, database: Database) -> None:
        subscribe(database, "ada@example.org", tags=["ml"])
        subscribe(database, "bob@example.org")
        tell(database, occasion())
        with database.begin() as connection:
            assert forget(connection, SERIES, "Ada@Example.org")
            assert not forget(connection, SERIES, "ada@example.org")
            assert [each.address for each in listed(connection, SERIES)] == ["bob@example.org"]
            assert [entry.address for entry in entries(connection, SERIES)] == ["bob@example.org"]
            with pytest.raises(AddressError, match="asked to be forgotten"):
                add(connection, SERIES, "ADA@example.org", "en", ALL_KINDS, (), "import", NOW)
            back, _ = add(connection, SERIES, "ada@example.org", "en", (), (), "form", NOW, Standing.PENDING)
            assert confirm(connection, back, "form", NOW)
            unsubscribe(connection, back, NOW)
            connection.execute(text("DELETE FROM subscribers"))
            add(connection, SERIES, "ada@example.org", "en", ALL_KINDS, (), "import", NOW)

    def test_bounces_suspend(self, database: Database) -> None:
        ada, bob = subscribe(database, "ada@example.org"), subscribe(database, "bob@example.org")
        with database.begin() as connection:
            for expected in (Standing.ACTIVE, Standing.ACTIVE, Standing.BOUNCED):
                count_bounce(connection, ada, NOW, suspend=False)
                kept = by_id(connection, ada)
                assert kept is not None
                assert kept.state is expected
            count_bounce(connection, bob, NOW, suspend=True)
            kept = by_id(connection, bob)
            assert kept is not None
            assert kept.state is Standing.BOUNCED


class TestReconcile:
    def test_twice_is_once(self, database: Database) -> None:
        wanted = plan(occasion(), occasion("other", due=NOW + DAY, not_after=NOW + 2 * DAY, tags=frozenset({"b", "a"})))
        with database.begin() as connection:
            assert reconcile(connection, SERIES, wanted, NOW).added == 2
            assert reconcile(connection, SERIES, wanted, NOW) == campaigning.Reconciled()
            assert next_due(connection, SERIES) == NOW
            assert next_due(connection, "other") is None

    def test_a_new_due_instant_is_taken_over_until_it_is_expanded(self, database: Database) -> None:
        subscribe(database, "ada@example.org")
        later = occasion(due=NOW + HOUR, not_after=NOW + DAY)
        with database.begin() as connection:
            reconcile(connection, SERIES, plan(occasion()), NOW)
            assert reconcile(connection, SERIES, plan(later), NOW).changed == 1
            assert due_campaigns(connection, SERIES, NOW) == ()
        assert tell(database, later, NOW + HOUR) == 1
        with database.begin() as connection:
            assert reconcile(connection, SERIES, plan(occasion()), NOW + HOUR) == campaigning.Reconciled()

    def test_what_is_no_longer_planned_is_dropped_and_comes_back_when_that_is_undone(self, database: Database) -> None:
        with database.begin() as connection:
            reconcile(connection, SERIES, plan(occasion()), NOW)
            assert reconcile(connection, SERIES, plan(), NOW).dropped == 1
        assert states(database) == {"talk/day-before/0": (Progress.DROPPED, campaigning.UNPLANNED)}
        with database.begin() as connection:
            assert reconcile(connection, SERIES, plan(occasion()), NOW).changed == 1
        assert states(database) == {"talk/day-before/0": (Progress.PLANNED, "")}

    def test_series_do_not_meet(self, database: Database) -> None:
        with database.begin() as connection:
            reconcile(connection, SERIES, plan(occasion()), NOW)
            reconcile(connection, "other", plan(occasion()), NOW)
            assert reconcile(connection, "other", plan(), NOW).dropped == 1
            assert len(due_campaigns(connection, SERIES, NOW)) == 1

    def test_too_late_is_dropped_for_good(self, database: Database) -> None:
        after = NOW + DAY
        assert tell(database, occasion(), after) == 0
        assert states(database) == {"talk/day-before/0": (Progress.DROPPED, campaigning.LATE)}
        assert tell(database, occasion(), after) == 0
        subscribe(database, "ada@example.org")
        assert tell(database, occasion(not_after=after + HOUR), after) == 1

    def test_of_several_overdue_reminders_only_the_last_leaves(self, database: Database) -> None:
        subscribe(database, "ada@example.org")
        week = occasion(rule="week-before", due=NOW - 2 * HOUR)
        day = occasion(due=NOW - HOUR)
        other = occasion("other", rule="week-before", due=NOW - 2 * HOUR)
        notice = occasion(rule="told", kind=Kind.ANNOUNCEMENTS, due=NOW - 3 * HOUR)
        second = occasion(occurrence="2027-03-09", rule="week-before", due=NOW - 2 * HOUR)
        with database.begin() as connection:
            reconcile(connection, SERIES, plan(week, day, other, notice, second), NOW)
            left = [campaign.occasion for campaign in due_campaigns(connection, SERIES, NOW)]
            assert set(left) == {day, other, notice, second}
            reconcile(connection, SERIES, plan(week, day, other, notice, second), NOW)
            assert len(due_campaigns(connection, SERIES, NOW)) == 4
        assert states(database)["talk/week-before/0"] == (Progress.DROPPED, campaigning.SUPERSEDED)

    def test_the_most_urgent_comes_first(self, database: Database) -> None:
        news = occasion("", "news", kind=Kind.NEWSLETTERS, due=NOW - DAY, priority=Priority.NEWSLETTER)
        late, soon = occasion("b", due=NOW - HOUR), occasion("a")
        urgent = occasion("c", "moved", kind=Kind.CHANGES, priority=Priority.URGENT)
        with database.begin() as connection:
            reconcile(connection, SERIES, plan(news, soon, late, urgent), NOW)
            order = [campaign.occasion for campaign in due_campaigns(connection, SERIES, NOW)]
        assert order == [urgent, late, soon, news]


class TestChanges:
    def test_a_newer_revision_stops_what_still_waits(self, database: Database) -> None:
        subscribe(database, "ada@example.org")
        tell(database, occasion())
        moved = occasion(rule="moved", revision=1, kind=Kind.CHANGES)
        with database.begin() as connection:
            assert reconcile(connection, SERIES, plan(occasion(), moved), NOW).stopped == 1
            assert reconcile(connection, SERIES, plan(occasion(), moved), NOW).stopped == 0
            assert counts(connection, SERIES) == {State.DROPPED: 1}
        assert states(database)["talk/day-before/0"] == (Progress.DONE, campaigning.CHANGED)

    def test_a_notice_that_still_waits_is_overtaken_by_the_next_one_which_its_reader_hears(
        self, database: Database
    ) -> None:
        subscribe(database, "ada@example.org")
        tell(database, occasion(rule="moved", revision=1, kind=Kind.CHANGES))
        newer = occasion(rule="moved", revision=2, kind=Kind.CHANGES, audience=Audience.INFORMED)
        with database.begin() as connection:
            assert reconcile(connection, SERIES, plan(newer), NOW).stopped == 1
        assert tell(database, newer) == 1

    def test_who_was_told_just_before_is_spared_the_same_reminder(self, database: Database) -> None:
        send_all(database, occasion())
        again = occasion(revision=1, due=NOW + 47 * HOUR, not_after=NOW + 5 * DAY)
        assert tell(database, again, NOW + 47 * HOUR) == 0
        assert states(database)["talk/day-before/1"] == (Progress.DROPPED, campaigning.RECENTLY_TOLD)

    def test_after_two_days_it_is_said_again(self, database: Database) -> None:
        send_all(database, occasion())
        again = occasion(revision=1, due=NOW + 49 * HOUR, not_after=NOW + 5 * DAY)
        assert tell(database, again, NOW + 49 * HOUR) == 1

    def test_who_was_not_reached_before_a_change_still_hears(self, database: Database) -> None:
        here = armed(database)
        ada, bob = subscribe(database, "ada@example.org"), subscribe(database, "bob@example.org")
        tell(database, occasion())
        with database.begin() as connection:
            (first,) = claim(connection, SERIES, 1, "me", LEASE, NOW)
            assert is_armed(connection, here)
            assert start(connection, first, "me", NOW + LEASE, NOW, NOW)
            settle(connection, first, "me", Settlement(State.SENT, 250), InDoubt.RESEND, NOW)
        assert first.recipient.subscriber == ada
        assert tell(database, occasion(revision=1, due=NOW + HOUR), NOW + HOUR) == 1
        assert recipients(database, "talk/day-before/1") == {bob}


def send_all(database: Database, wanted: Occasion, address: str = "ada@example.org") -> None:
    """One subscriber gets one mail."""
    armed(database)
    subscribe(database, address)
    tell(database, wanted)
    with database.begin() as connection:
        for item in claim(connection, SERIES, 9, "me", LEASE, NOW):
            assert start(connection, item, "me", NOW + LEASE, NOW, NOW)
            settle(connection, item, "me", Settlement(State.SENT, 250), InDoubt.RESEND, NOW)
        close_finished(connection, SERIES)


class TestExpansion:
    def test_those_who_chose_it_and_whose_tags_fit(self, database: Database) -> None:
        hears = {
            subscribe(database, "all@example.org"),
            subscribe(database, "reminders@example.org", kinds=[Kind.REMINDERS]),
            subscribe(database, "ml@example.org", tags=["ml", "bio"]),
        }
        subscribe(database, "news@example.org", kinds=[Kind.NEWSLETTERS, Kind.CHANGES])
        subscribe(database, "law@example.org", tags=["law"])
        for state in (Standing.PENDING, Standing.UNSUBSCRIBED, Standing.BOUNCED, Standing.COMPLAINED):
            subscribe(database, f"{state}@example.org", state=state)
        with database.begin() as connection:
            add(connection, "other", "other@example.org", "en", ALL_KINDS, (), "form", NOW)
        assert tell(database, occasion(tags=frozenset({"ml", "physics"}))) == 3
        assert recipients(database, "talk/day-before/0") == hears

    def test_each_reads_its_language_or_the_default_one(self, database: Database) -> None:
        for address, language in (("a", "en"), ("b", "fr"), ("c", "de")):
            subscribe(database, f"{address}@example.org", language)
        tell(database, occasion())
        with database.begin() as connection:
            claimed = claim(connection, SERIES, 9, "me", LEASE, NOW)
            assert [item.language for item in claimed] == ["en", "fr", "fr"]
            key = (claimed[1].campaign, "fr")
            assert letters_of(connection, {key}) == {key: TEXTS["fr"]}

    def test_twice_is_once(self, database: Database) -> None:
        subscribe(database, "ada@example.org")
        with database.begin() as connection:
            reconcile(connection, SERIES, plan(occasion()), NOW)
            (campaign,) = due_campaigns(connection, SERIES, NOW)
            assert expand(connection, campaign, TEXTS, "fr", NOW) == 1
            assert expand(connection, campaign, TEXTS, "fr", NOW) == 0
            assert waiting(connection, SERIES) == 1

    def test_nobody_to_tell_ends_it(self, database: Database) -> None:
        assert tell(database, occasion()) == 0
        assert states(database)["talk/day-before/0"][0] == Progress.DONE

    def test_a_change_is_told_to_who_was_mailed_or_is_due_a_reminder(self, database: Database) -> None:
        mailed = subscribe(database, "mailed@example.org", kinds=[Kind.ANNOUNCEMENTS])
        left = subscribe(database, "left@example.org", kinds=[Kind.ANNOUNCEMENTS])
        tell(database, occasion(rule="told", kind=Kind.ANNOUNCEMENTS))
        due = subscribe(database, "due@example.org", kinds=[Kind.REMINDERS])
        chose = subscribe(database, "chose@example.org", kinds=[Kind.CHANGES])
        subscribe(database, "none@example.org", kinds=[Kind.NEWSLETTERS])
        armed(database)
        with database.begin() as connection:
            unsubscribe(connection, left, NOW)
            for item in claim(connection, SERIES, 9, "me", LEASE, NOW):
                if start(connection, item, "me", NOW + LEASE, NOW, NOW):
                    settle(connection, item, "me", Settlement(State.SENT, 250), InDoubt.RESEND, NOW)
        moved = occasion(rule="moved", revision=1, kind=Kind.CHANGES, audience=Audience.INFORMED)
        assert tell(database, moved) == 3
        assert recipients(database, "talk/moved/1") == {mailed, due, chose}

    def test_a_confirmation_goes_to_who_is_pending_and_waits_only_once(self, database: Database) -> None:
        armed(database)
        ada = subscribe(database, "ada@example.org", state=Standing.PENDING)
        subscribe(database, "bob@example.org")
        tell(database, occasion())
        with database.begin() as connection:
            assert enqueue_confirmation(connection, SERIES, ada, TEXTS["en"], NOW, NOW + DAY)
            assert not enqueue_confirmation(connection, SERIES, ada, TEXTS["en"], NOW + HOUR, NOW + DAY)
            first, second = claim(connection, SERIES, 9, "me", LEASE, NOW)
            assert first.recipient.subscriber == ada  # before all other mail
            assert start(connection, first, "me", NOW + LEASE, NOW, NOW)
            assert start(connection, second, "me", NOW + LEASE, NOW, NOW)
            assert reconcile(connection, SERIES, plan(), NOW).dropped == 0


class TestDeliveries:
    @pytest.fixture(autouse=True)
    def three(self, database: Database) -> None:
        armed(database)
        for name in "abc":
            subscribe(database, f"{name}@example.org")
        tell(database, occasion())

    def test_what_is_claimed_is_nobody_elses(self, database: Database) -> None:
        with database.begin() as connection:
            mine = claim(connection, SERIES, 2, "me", LEASE, NOW)
            theirs = claim(connection, SERIES, 2, "them", LEASE, NOW)
            assert [len(mine), len(theirs)] == [2, 1]
            assert claim(connection, SERIES, 2, "me", LEASE, NOW) == ()
            assert not start(connection, mine[0], "them", NOW + LEASE, NOW, NOW)
            release(connection, "me")
            assert len(claim(connection, SERIES, 9, "them", LEASE, NOW)) == 2

    def test_the_way_of_a_message(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            assert item.recipient.address == "a@example.org"
            assert start(connection, item, "me", NOW + LEASE, NOW, NOW)
            settle(connection, item, "me", Settlement(State.SENT, 250, "kept"), InDoubt.RESEND, NOW + HOUR)
            assert counts(connection, SERIES) == {State.SENT: 1, State.PENDING: 2}
            assert history(connection, item.campaign, item.recipient.subscriber) == []
            assert sent_since(connection, SERIES, NOW) == 1
            assert sent_since(connection, SERIES, NOW + HOUR) == 0

    @pytest.mark.parametrize("what", ["lease", "hold", "late"])
    def test_nothing_leaves_after(self, database: Database, what: str) -> None:
        now = NOW
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", OVER if what == "lease" else 9 * DAY, NOW)
            if what == "hold":
                hold(connection)
            if what == "late":
                now = NOW + DAY
            assert not start(connection, item, "me", now + LEASE, now, now)
            assert set_aside(connection, item, "me", now) == ("late" if what == "late" else "")
            assert counts(connection, SERIES).get(State.DROPPED, 0) == (what == "late")

    def test_who_leaves_between_claim_and_start_gets_nothing(self, database: Database) -> None:
        with database.begin() as connection:
            first, second, _ = claim(connection, SERIES, 3, "me", LEASE, NOW)
            unsubscribe(connection, first.recipient.subscriber, NOW)
            set_state(connection, second.recipient.subscriber, Standing.COMPLAINED, NOW)
            for item, reason in ((first, "unsubscribed"), (second, "complained")):
                assert not start(connection, item, "me", NOW + LEASE, NOW, NOW)
                assert set_aside(connection, item, "me", NOW) == reason

    def test_a_change_between_claim_and_start_stops_it(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            moved = occasion(rule="moved", revision=1, kind=Kind.CHANGES)
            assert reconcile(connection, SERIES, plan(moved), NOW).stopped == 2
            assert not start(connection, item, "me", NOW + LEASE, NOW, NOW)
            assert set_aside(connection, item, "me", NOW) == campaigning.CHANGED

    def test_a_renewed_lease_lasts_and_one_that_ran_out_stays_out(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            renew(connection, "me", NOW + 2 * LEASE, NOW + LEASE / 2)
            assert start(connection, item, "me", NOW + 3 * LEASE, NOW, NOW + LEASE)
            other, *_ = claim(connection, SERIES, 1, "me", OVER, NOW)
            renew(connection, "me", NOW + 9 * LEASE, NOW)
            assert not start(connection, other, "me", NOW + 9 * LEASE, NOW, NOW)

    def test_a_deferred_message_comes_back_at_its_time_with_a_date_of_its_own(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            start(connection, item, "me", NOW + LEASE, NOW, NOW)
            settle(
                connection,
                item,
                "me",
                Settlement(State.RETRY, 451, "later", NOW + HOUR),
                InDoubt.RESEND,
                NOW,
            )
            assert len(claim(connection, SERIES, 9, "them", LEASE, NOW)) == 2
            (again,) = claim(connection, SERIES, 9, "me", LEASE, NOW + HOUR)
            assert (again.attempts, again.dated) == (1, None)
            (noted,) = history(connection, item.campaign, item.recipient.subscriber)
            assert (noted.outcome, noted.code, noted.text) == ("retry", 451, "later")

    def test_connection_trouble_is_nobodys_attempt(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            start(connection, item, "me", NOW + LEASE, NOW, NOW)
            settle(connection, item, "me", Settlement(State.PENDING, 421, "bye", NOW), InDoubt.RESEND, NOW)
            again = {each.recipient: each.attempts for each in claim(connection, SERIES, 9, "me", LEASE, NOW)}
        assert again[item.recipient] == 0

    def test_a_refused_address_counts_or_is_suspended(self, database: Database) -> None:
        with database.begin() as connection:
            for item, bounce in zip(claim(connection, SERIES, 3, "me", LEASE, NOW), Bounce, strict=True):
                start(connection, item, "me", NOW + LEASE, NOW, NOW)
                refusal = Settlement(State.FAILED, 550, "no", bounce=bounce)
                settle(connection, item, "me", refusal, InDoubt.RESEND, NOW)
            kept = [(each.bounces, each.state) for each in listed(connection, SERIES)]
            assert kept == [(0, Standing.ACTIVE), (1, Standing.ACTIVE), (1, Standing.BOUNCED)]
            close_finished(connection, SERIES)
        assert states(database)["talk/day-before/0"][0] == Progress.DONE

    def test_what_is_in_doubt_goes_again_once_and_then_waits_for_the_operator(self, database: Database) -> None:
        doubt = Settlement(State.DOUBT, None, "gone")
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            start(connection, item, "me", NOW + LEASE, NOW, NOW)
            assert settle(connection, item, "me", doubt, InDoubt.RESEND, NOW) is State.PENDING
            again = next(
                each
                for each in claim(connection, SERIES, 9, "me", LEASE, NOW + HOUR)
                if each.recipient == item.recipient
            )
            assert (again.dated, again.doubts) == (NOW, 1)
            # A second try that fails before the final dot changes nothing of the first copy: same Date.
            start(connection, again, "me", NOW + 9 * HOUR, NOW, NOW + HOUR)
            settle(connection, again, "me", Settlement(State.PENDING, None, "broken"), InDoubt.RESEND, NOW + HOUR)
            (third,) = claim(connection, SERIES, 9, "me", LEASE, NOW + HOUR)
            assert third.dated == NOW
            start(connection, third, "me", NOW + 9 * HOUR, NOW, NOW + HOUR)
            assert settle(connection, third, "me", doubt, InDoubt.RESEND, NOW + HOUR) is State.DOUBT
            assert [entry.address for entry in doubtful(connection, SERIES)] == ["a@example.org"]
            assert [entry.state for entry in doubtful(connection, SERIES)] == [State.DOUBT]
            assert resend(connection, third.campaign, third.recipient.subscriber, NOW + HOUR)
            assert not resend(connection, third.campaign, third.recipient.subscriber, NOW + HOUR)
            (fourth,) = claim(connection, SERIES, 9, "me", LEASE, NOW + HOUR)
            assert fourth.dated == NOW

    def test_hold_keeps_the_first_doubt_and_drop_ends_it(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            start(connection, item, "me", NOW + LEASE, NOW, NOW)
            assert settle(connection, item, "me", Settlement(State.DOUBT), InDoubt.HOLD, NOW) is State.DOUBT
            assert [entry.address for entry in doubtful(connection, SERIES)] == ["a@example.org"]
            assert drop_delivery(connection, item.campaign, item.recipient.subscriber, NOW)
            assert doubtful(connection, SERIES) == []
            assert not drop_delivery(connection, item.campaign, item.recipient.subscriber, NOW)

    def test_resending_reopens_what_was_over(self, database: Database) -> None:
        with database.begin() as connection:
            for item in claim(connection, SERIES, 3, "me", LEASE, NOW):
                start(connection, item, "me", NOW + LEASE, NOW, NOW)
                settle(connection, item, "me", Settlement(State.DOUBT), InDoubt.HOLD, NOW)
            close_finished(connection, SERIES)
            assert claim(connection, SERIES, 9, "me", LEASE, NOW) == ()
            assert resend(connection, item.campaign, item.recipient.subscriber, NOW)
            assert len(claim(connection, SERIES, 9, "me", LEASE, NOW)) == 1

    @pytest.mark.parametrize("policy", InDoubt)
    @pytest.mark.parametrize("dead", [("them",), ()], ids=["dead", "lease over"])
    def test_the_reaper_frees_what_was_claimed_and_doubts_what_was_sending(
        self, database: Database, policy: InDoubt, dead: tuple[str, ...]
    ) -> None:
        now = NOW + HOUR
        with database.begin() as connection:
            first, _ = claim(connection, SERIES, 2, "them", 9 * DAY, NOW)
            start(connection, first, "them", NOW + 9 * DAY, NOW, NOW)
            if not dead:
                connection.execute(update(deliveries).values(lease_until=EPOCH))
            assert reap(connection, "me", dead, policy, now) == (2, 1)
            assert reap(connection, "me", dead, policy, now) == (0, 0)
            claimed = claim(connection, SERIES, 9, "me", LEASE, now)
            assert len(claimed) == (3 if policy is InDoubt.RESEND else 2)
            assert [entry.doubts for entry in doubtful(connection, SERIES)] == [1]

    def test_the_reaper_leaves_the_living_alone(self, database: Database) -> None:
        with database.begin() as connection:
            claim(connection, SERIES, 2, "them", LEASE, NOW)
            assert reap(connection, "me", (), InDoubt.RESEND, NOW) == (0, 0)

    def test_a_late_acceptance_still_counts(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "slow", LEASE, NOW)
            start(connection, item, "slow", NOW, NOW, NOW)
            reap(connection, "me", (), InDoubt.RESEND, NOW + HOUR)
            settle(connection, item, "slow", Settlement(State.SENT, 250), InDoubt.RESEND, NOW + HOUR)
            assert counts(connection, SERIES) == {State.SENT: 1, State.PENDING: 2}
            settle(connection, item, "slow", Settlement(State.FAILED, 550), InDoubt.RESEND, NOW + HOUR)
            assert counts(connection, SERIES) == {State.SENT: 1, State.PENDING: 2}

    def test_what_waits_too_long_or_for_an_ended_campaign_is_dropped(self, database: Database) -> None:
        with database.begin() as connection:
            item, *_ = claim(connection, SERIES, 1, "me", LEASE, NOW)
            campaigning.stop(connection, item.campaign, campaigning.CHANGED, NOW)
            release(connection, "me")
            assert expire(connection, SERIES, NOW) == 1
        with database.begin() as connection:
            reconcile(connection, SERIES, plan(occasion("next")), NOW)
            for campaign in due_campaigns(connection, SERIES, NOW):
                expand(connection, campaign, TEXTS, "en", NOW)
            assert expire(connection, SERIES, NOW + DAY - timedelta(microseconds=1)) == 0
            assert expire(connection, SERIES, NOW + DAY) == 3
