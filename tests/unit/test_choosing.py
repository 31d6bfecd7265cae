"""The page of one's choices, single events, and what is erased when its time is over."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from publishing import HEAD, TALK, edition
from sqlalchemy import func, select, update
from visiting import MAILING, Visited

from pipeline.actions.joining import preferences_token
from pipeline.actions.retention import MAILS_KEPT, tidy
from pipeline.letters import Letter, unsubscribe_token
from pipeline.reminders.occasions import Audience, Kind, Occasion, Plan
from pipeline.reminders.wishes import Wishes
from pipeline.store.addresses import AddressError
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.expansion import expand
from pipeline.store.subscribers import ALL_KINDS, Subscriber, add
from pipeline.store.tables import Progress, Standing, State, campaigns, deliveries, letters, subscribers

ADA = "ada@reader.example"
RULES = (
    '[[reminder]]\nid = "early"\nwhen = "2 days before at 10:00"\nlabel.en = "two days before"\n'
    'label.fr = "l’avant-veille"\n'
    '[[reminder]]\nid = "late"\nwhen = "2 hours before"\nlabel = "two hours before"\ndefault = false\n'
    '[[reminder]]\nid = "after"\nwhen = "3 days after at 10:00"\n'
)
TALKS = TALK + '[[event]]\nid = "film"\ntitle = "A film"\ndate = 2026-03-10\ntime = "20:00"\nvenue = "library"\n'
TALKS = TALKS.replace('venue = "hall"', 'venue = "hall"\nonline = "https://live.example/"')
ALL = [kind.value for kind in Kind]


@pytest.fixture
def visit(tmp_path: Path) -> Iterator[Visited]:
    visited = Visited(edition(TALKS + RULES, head=HEAD + MAILING), tmp_path)
    yield visited
    visited.database.close()


def known(visit: Visited, address: str = ADA) -> Subscriber:
    who = visit.subscriber(address)
    assert who is not None
    return who


def page(visit: Visited, address: str = ADA) -> str:
    """The path of somebody's choices, who is subscribed by it."""
    with visit.database.begin() as connection:
        add(connection, "talks", address, "en", ALL_KINDS, (), "on paper", visit.clock.now())
    return f"/preferences/{preferences_token(known(visit, address).public_id, visit.secret)}"


def forget_mails(visit: Visited) -> None:
    """All that waits has left."""
    with visit.database.begin() as connection:
        connection.execute(update(campaigns).values(state=Progress.DONE))
        connection.execute(update(deliveries).values(state=State.SENT, finished=visit.clock.now()))


class TestThePage:
    def test_each_choice_is_offered_stored_and_shown_again(self, visit: Visited) -> None:
        path = page(visit)
        shown = visit.get(path).text
        for said in ("two days before", "two hours before", "Paris", "Lyon", "on site", "A film", 'name="pause"'):
            assert said in shown
        stored = visit.post(path, {
            "kinds": ALL, "shown": ["early", "late"], "reminders": ["late"], "cities": ["Lyon", "Atlantis"],
            "ways": "online", "scope": "some", "events": ["film", "nothing"], "form": "text", "pause": "2026-02-20",
        })  # fmt: skip
        assert known(visit).wishes == Wishes(
            asked=frozenset({"late"}), declined=frozenset({"early"}), cities=frozenset({"Lyon"}),
            ways=frozenset({"online"}), events=frozenset({"film"}), text_only=True,
            paused_until=datetime(2026, 2, 19, 23, tzinfo=UTC),
        )  # fmt: skip
        assert 'value="2026-02-20"' in stored.text
        ticked = set(re.findall(r'value="([\w-]+)" checked', stored.text))
        assert {"late", "Lyon", "online", "some", "film", "text"} <= ticked
        assert not ticked & {"early", "Paris", "on-site", "all", "talk"}

    def test_what_a_form_did_not_show_stays_as_it_was_chosen(self, visit: Visited) -> None:
        path = page(visit)
        visit.post(path, {"kinds": ALL, "shown": ["early", "late"], "reminders": ["late"]})
        visit.post(path, {"kinds": ALL})
        assert (known(visit).wishes.asked, known(visit).wishes.declined) == ({"late"}, {"early"})

    @pytest.mark.parametrize("day", ["", "2026-02-01", "1999-01-01", "tomorrow", "2026-02-30", "9999-12-31T00"])
    def test_a_day_that_is_none_or_past_is_no_pause(self, visit: Visited, day: str) -> None:
        visit.post(page(visit), {"kinds": ALL, "pause": day})
        assert known(visit).wishes.paused_until is None

    def test_a_pause_ends_within_a_year(self, visit: Visited) -> None:
        visit.post(page(visit), {"kinds": ALL, "pause": "9999-12-31"})
        ends = known(visit).wishes.paused_until
        assert ends is not None
        assert ends - visit.clock.now() < timedelta(days=367)

    def test_single_events_without_one_are_no_choice_and_nothing_changes(self, visit: Visited) -> None:
        path = page(visit)
        before = known(visit)
        assert visit.post(path, {"kinds": ALL, "scope": "some"}).status_code == 400
        assert known(visit) == before

    def test_a_language_that_the_series_does_not_speak_is_not_the_page_s(self, visit: Visited) -> None:
        path = page(visit)
        with visit.database.begin() as connection:
            connection.execute(update(subscribers).values(language="zz"))
        leaving = f"/unsubscribe/{unsubscribe_token(known(visit).public_id, visit.secret)}"
        for each in (path, leaving, f"{path}/erase", "/subscribe", "/privacy"):
            assert '<html lang="en"' in visit.get(each, headers={"Accept-Language": "zz"}).text

    def test_a_page_of_choices_is_nobody_s_but_the_holder_s_also_with_two_series_in_one_database(
        self, visit: Visited
    ) -> None:
        films = HEAD.replace('id = "talks"', 'id = "films"').replace("Evening talks; tea, cake", "Films")
        visit.publish(edition(TALK, head=films + MAILING))
        path = page(visit)
        with visit.database.begin() as connection:
            add(connection, "films", ADA, "fr", ALL_KINDS, (), "on paper", visit.clock.now())
        visit.post(path, {"kinds": ["changes"], "language": "fr", "cities": "Lyon"})
        visit.post(f"{path}/erase")
        with visit.database.look() as connection:
            [left] = connection.execute(select(subscribers.c.series, subscribers.c.kinds)).all()
        assert (left.series, left.kinds) == ("films", 31)


class TestWhatWaits:
    def test_what_is_declined_before_it_left_does_not_leave_and_the_rest_and_the_news_do(self, visit: Visited) -> None:
        path = page(visit)
        due = visit.clock.now()
        about = [
            Occasion("film", "early", 0, Kind.REMINDERS, due, due + timedelta(hours=12)),
            Occasion("talk", "after", 0, Kind.FOLLOW_UPS, due, due + timedelta(hours=12)),
            Occasion(
                "film", "changed", 0, Kind.CHANGES, due, due + timedelta(hours=12), audience=Audience.INFORMED
            ),
        ]  # fmt: skip
        with visit.database.begin() as connection:
            reconcile(connection, "talks", Plan(tuple(about), ()), due)
            for campaign in due_campaigns(connection, "talks", due):
                assert expand(connection, campaign, {"en": Letter("en", "Soon", b"")}, "en", due) == 1
        visit.post(path, {"kinds": ["follow-ups", "reminders"], "shown": ["early", "late"], "reminders": []})
        with visit.database.look() as connection:
            joined = select(campaigns.c.rule, deliveries.c.state).select_from(deliveries.join(campaigns))
            found = dict(map(tuple, connection.execute(joined)))
        assert found == {"early": State.DROPPED, "after": State.PENDING, "changed": State.PENDING}


class TestSingleEvents:
    def joined(self, visit: Visited, event: str, address: str = ADA) -> None:
        assert visit.post("/subscribe", {"address": address, "event": event}).status_code == 200

    def link(self, visit: Visited) -> str:
        return re.findall(r"https://talks\.example/cycle(/confirm/[\w-]+(?:\?event=[\w-]+)?)", visit.queued()[-1])[0]

    def test_one_joins_for_an_event_and_gets_nothing_else(self, visit: Visited) -> None:
        assert "A film" in visit.get("/subscribe?event=film").text
        self.joined(visit, "film")
        mail = visit.queued()[-1]
        assert "Subject: Please confirm: A film" in mail
        assert "erase my address" in visit.get(self.link(visit)).text
        visit.post(self.link(visit))
        who = known(visit)
        assert (who.state, who.wishes) == (Standing.ACTIVE, Wishes(events=frozenset({"film"})))
        assert "text event-1 (en)" in who.consent

    def test_a_link_for_one_event_confirms_no_other_and_not_the_series(self, visit: Visited) -> None:
        self.joined(visit, "film")
        link = self.link(visit)
        for altered in (link.partition("?")[0], link.replace("film", "talk"), link + "x"):
            assert visit.post(altered).status_code == 404
        assert known(visit).state is Standing.PENDING

    def test_more_is_asked_for_by_mail_and_who_has_all_keeps_all(self, visit: Visited) -> None:
        self.joined(visit, "film")
        visit.post(self.link(visit))
        forget_mails(visit)
        visit.clock.sleep(60)
        self.joined(visit, "talk")
        assert known(visit).wishes.events == {"film"}
        visit.post(self.link(visit))
        assert known(visit).wishes.events == {"film", "talk"}
        forget_mails(visit)
        visit.clock.sleep(60)
        visit.post("/subscribe", {"address": ADA})
        visit.post(self.link(visit))
        assert known(visit).wishes.events == frozenset()
        assert "text 1 (en)" in known(visit).consent
        everything = page(visit, "bob@reader.example")
        self.joined(visit, "film", "bob@reader.example")
        assert "You are subscribed" in visit.queued()[-1]
        assert visit.get(everything).status_code == 200
        assert known(visit, "bob@reader.example").wishes == Wishes()

    @pytest.mark.parametrize("event", ["nothing", "../x", "<b>", "talk\r\nBcc: x@y.example"])
    def test_an_event_that_is_not_to_come_takes_nobody(self, visit: Visited, event: str) -> None:
        assert visit.post("/subscribe", {"address": ADA, "event": event}).status_code == 404
        assert visit.queued() == []

    def test_who_came_for_one_event_is_erased_after_its_follow_up_and_others_stay(self, visit: Visited) -> None:
        self.joined(visit, "film")
        visit.post(self.link(visit))
        forget_mails(visit)
        page(visit, "bob@reader.example")
        for days, is_there in ((36, True), (38, True), (40, True), (42, False)):
            visit.clock.move_to(datetime(2026, 2, 1, 9, tzinfo=UTC) + timedelta(days=days))
            tidy(visit.database, visit.clock.now())
            assert (visit.subscriber(ADA) is not None) is is_there, days
        assert visit.subscriber("bob@reader.example") is not None
        assert visit.post("/subscribe", {"address": ADA, "event": "film"}).status_code == 404

    def test_who_came_for_an_event_that_is_taken_out_is_kept_until_they_can_have_heard_of_it(
        self, visit: Visited
    ) -> None:
        self.joined(visit, "film")
        visit.post(self.link(visit))
        forget_mails(visit)
        visit.publish(edition(TALKS + RULES, TALK + RULES, head=HEAD + MAILING))
        for days, is_there in ((0, True), (6, True), (8, False)):
            tidy(visit.database, datetime(2026, 2, 1, 9, tzinfo=UTC) + timedelta(days=days))
            assert (visit.subscriber(ADA) is not None) is is_there, days

    def test_who_came_for_an_event_that_is_put_off_is_kept_beyond_its_old_date(self, visit: Visited) -> None:
        self.joined(visit, "film")
        visit.post(self.link(visit))
        forget_mails(visit)
        off = TALKS.replace('"A film"', '"A film"\nstatus = "postponed"\nnotice = "The projector burnt."')
        visit.publish(edition(TALKS + RULES, off + RULES, head=HEAD + MAILING))
        for days in (8, 42, 100):
            tidy(visit.database, datetime(2026, 2, 1, 9, tzinfo=UTC) + timedelta(days=days))
        assert visit.subscriber(ADA) is not None

    def test_who_came_for_one_event_is_kept_for_its_recording_but_not_for_ever(self, visit: Visited) -> None:
        recorded = RULES + '[[reminder]]\nid = "seen"\nwhen = "1 day after"\nneeds = ["recordings"]\n'
        visit.publish(edition(TALKS + recorded, head=HEAD + MAILING))
        self.joined(visit, "film")
        visit.post(self.link(visit))
        forget_mails(visit)
        over = datetime(2026, 3, 10, 21, tzinfo=UTC)
        for days, is_there in ((20, True), (29, True), (33, False)):
            tidy(visit.database, over + timedelta(days=days))
            assert (visit.subscriber(ADA) is not None) is is_there, days

    def test_no_import_brings_back_who_had_left_before_being_erased(self, visit: Visited) -> None:
        for address, event in ((ADA, "film"), ("bob@reader.example", "film")):
            self.joined(visit, event, address)
            visit.post(self.link(visit))
            forget_mails(visit)
        visit.post(f"/unsubscribe/{unsubscribe_token(known(visit).public_id, visit.secret)}")
        over = datetime(2026, 3, 20, tzinfo=UTC)
        tidy(visit.database, over)
        with visit.database.begin() as connection:
            assert add(connection, "talks", "bob@reader.example", "en", ALL_KINDS, (), "on paper", over)[1]
            with pytest.raises(AddressError):
                add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", over)


class TestRetention:
    def test_records_of_old_mails_go_and_nothing_is_sent_twice(self, visit: Visited) -> None:
        page(visit)
        due = datetime(2026, 3, 8, 9, tzinfo=UTC)
        about = [
            Occasion(event, "early", 0, Kind.REMINDERS, due, due + timedelta(hours=12)) for event in ("film", "talk")
        ]
        with visit.database.begin() as connection:
            reconcile(connection, "talks", Plan(tuple(about), ()), due)
            for campaign in due_campaigns(connection, "talks", due):
                assert expand(connection, campaign, {"en": Letter("en", "Soon", b"")}, "en", due) == 1
        forget_mails(visit)

        def records(now: datetime) -> int:
            tidy(visit.database, now)
            with visit.database.look() as connection:
                counted = select(func.count()).select_from(deliveries.join(letters, isouter=True, onclause=(
                    letters.c.campaign_id == deliveries.c.campaign_id)))  # fmt: skip
                return int(connection.execute(counted).scalar_one())

        over = datetime(2026, 3, 11, tzinfo=UTC)
        assert records(over + MAILS_KEPT - timedelta(days=1)) == 2
        late = over + MAILS_KEPT + timedelta(days=1)
        assert records(late) == 1  # that of the talk, which is still to come
        with visit.database.begin() as connection:
            reconcile(connection, "talks", Plan(tuple(about), ()), late)
            assert due_campaigns(connection, "talks", late) == ()
