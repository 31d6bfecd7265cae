"""The way of a message through the outbox, on each of the three databases."""

from datetime import timedelta

import pytest
from sqlalchemy import update
from stored import DAY, HOUR, LEASE, NOW, OVER, SERIES, TEXTS, armed, occasion, plan, states, subscribe, tell

from pipeline.reminders.occasions import Kind
from pipeline.store import campaigns as campaigning
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.claims import claim, reap, release, renew
from pipeline.store.database import Database
from pipeline.store.deliveries import Bounce, InDoubt, Settlement, set_aside, settle, start
from pipeline.store.expansion import expand
from pipeline.store.outbox import (
    close_finished,
    counts,
    doubtful,
    drop_delivery,
    expire,
    history,
    resend,
    sent_since,
)
from pipeline.store.subscribers import (
    listed,
    set_state,
    unsubscribe,
)
from pipeline.store.switch import hold
from pipeline.store.tables import EPOCH, Progress, Standing, State, deliveries


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
