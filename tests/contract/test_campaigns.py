"""What is planned, changed and expanded, on each of the three databases."""

from stored import (
    DAY,
    HOUR,
    LEASE,
    NOW,
    SERIES,
    TEXTS,
    armed,
    occasion,
    plan,
    recipients,
    send_all,
    statements,
    states,
    subscribe,
    tell,
)

from pipeline.reminders.occasions import Audience, Kind, Priority
from pipeline.store import campaigns as campaigning
from pipeline.store.campaigns import due_campaigns, next_due, reconcile
from pipeline.store.claims import claim
from pipeline.store.database import Database
from pipeline.store.deliveries import InDoubt, Settlement, letters_of, settle, start
from pipeline.store.expansion import enqueue_confirmation, expand
from pipeline.store.outbox import (
    counts,
    waiting,
)
from pipeline.store.subscribers import (
    ALL_KINDS,
    add,
    unsubscribe,
)
from pipeline.store.switch import is_armed
from pipeline.store.tables import Progress, Standing, State


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

    def test_an_edition_that_changes_everything_takes_no_more_statements_for_more_mailings(
        self, database: Database
    ) -> None:
        numbers = []
        for count in (3, 30):
            first = [occasion(f"talk-{number}") for number in range(count)]
            later = [occasion(f"talk-{number}", due=NOW + HOUR, not_after=NOW + DAY) for number in range(count)]
            with database.begin() as connection, statements(connection) as seen:
                assert reconcile(connection, f"of {count}", plan(*first), NOW).added == count
                assert reconcile(connection, f"of {count}", plan(*later), NOW).changed == count
                assert reconcile(connection, f"of {count}", plan(), NOW).dropped == count
            numbers.append(len(seen))
        assert numbers[0] == numbers[1]

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
