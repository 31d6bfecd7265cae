"""Joining, choosing and leaving by web pages: what each request changes, and what it tells."""

import hashlib
import re
from datetime import timedelta
from pathlib import Path

import pytest
from publishing import HEAD, TALK, edition
from sqlalchemy import select, update
from visiting import ADA, MAILING, Visited, joined, subscribed, visit

from pipeline.actions.joining import (
    CONSENT_TEXT,
    CONSENT_VERSION,
    EVENT_CONSENT_TEXT,
    EVENT_CONSENT_VERSION,
    VALID_FOR,
    network_of,
    preferences_token,
)
from pipeline.actions.retention import tidy
from pipeline.letters import unsubscribe_token
from pipeline.store.limits import limits
from pipeline.store.subscribers import forget, set_state
from pipeline.store.tables import Progress, Role, Standing, campaigns, subscribers

__all__ = ["visit"]


class TestAsking:
    def test_the_form_asks_for_an_address_a_language_and_nothing_that_people_must_fill_in(self, visit: Visited) -> None:
        shown = visit.get("/subscribe", headers={"Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8"})
        assert shown.status_code == 200
        assert '<html lang="fr"' in shown.text
        assert set(re.findall(r'name="(\w+)"', shown.text)) == {"viewport", "robots"} | {
            "series", "address", "language", "website"
        }  # fmt: skip
        assert visit.subscriber(ADA) is None

    def test_asking_writes_one_mail_and_makes_nobody_a_reader(self, visit: Visited) -> None:
        assert joined(visit, language="fr").status_code == 200
        who = visit.subscriber(ADA)
        assert who is not None
        assert (who.state, who.language) == (Standing.PENDING, "fr")
        [mail] = visit.queued()
        assert "Content-Language: fr" in mail
        assert "List-Unsubscribe" not in mail
        assert visit.woken == 1

    @pytest.mark.parametrize("state", list(Standing))
    def test_the_answer_is_the_same_whatever_the_state_of_the_address(self, visit: Visited, state: Standing) -> None:
        answer = joined(visit, "new@reader.example")
        subscribed(visit, state=state)
        again = joined(visit)
        assert (again.status_code, again.text) == (answer.status_code, answer.text)
        assert dict(again.headers) == dict(answer.headers)
        for _often in range(5):
            assert joined(visit).text == answer.text

    def test_who_is_subscribed_already_is_sent_the_link_to_their_choices_and_stays_as_they_are(
        self, visit: Visited
    ) -> None:
        subscribed(visit)
        before = visit.subscriber(ADA)
        joined(visit, language="fr")
        assert visit.subscriber(ADA) == before
        assert "You are subscribed: Evening talks; tea, cake" in visit.queued()[-1]
        assert visit.get(visit.link("preferences")).status_code == 200

    @pytest.mark.parametrize(
        "typed", ["", "ada", "ada@", "a b@reader.example", "ada@reader.example\r\nBcc: x@y.example"]
    )
    def test_what_is_no_address_is_said_at_the_form_which_keeps_it(self, visit: Visited, typed: str) -> None:
        answer = joined(visit, typed)
        assert answer.status_code == 400
        assert 'aria-invalid="true"' in answer.text
        assert visit.queued() == []

    def test_markup_in_an_address_is_shown_and_not_run(self, visit: Visited) -> None:
        assert "<script>" not in joined(visit, '"><script>alert(1)</script>').text

    def test_a_program_that_fills_in_every_field_is_answered_and_ignored(self, visit: Visited) -> None:
        honest = joined(visit, "new@reader.example")
        assert joined(visit, website="https://spam.example").text == honest.text
        assert visit.subscriber(ADA) is None

    def test_a_mailing_list_or_the_organiser_gets_no_link(self, visit: Visited) -> None:
        subscribed(visit)
        with visit.database.begin() as connection:
            connection.execute(update(subscribers).values(role=Role.LIST))
        assert joined(visit).status_code == 200
        assert visit.queued() == []

    def test_who_asked_to_be_forgotten_comes_back_by_asking(self, visit: Visited) -> None:
        subscribed(visit)
        with visit.database.begin() as connection:
            forget(connection, "talks", ADA)
        joined(visit)
        assert visit.post(visit.link("confirm")).status_code == 200
        who = visit.subscriber(ADA)
        assert who is not None
        assert who.state is Standing.ACTIVE


class TestLimits:
    def test_one_address_gets_three_mails_a_day_from_however_many_machines(self, visit: Visited) -> None:
        for _ in range(6):
            joined(visit)
            visit.clock.sleep(60)
            mark_sent(visit)
            visit.restart()
        assert len(visit.queued()) == 3
        visit.clock.sleep(24 * 3600)
        joined(visit)
        assert len(visit.queued()) == 4

    def test_one_network_can_ask_thirty_times_an_hour(self, visit: Visited) -> None:
        statuses = [
            visit.post("/subscribe", {"address": f"reader{n}@reader.example"}, machine=f"203.0.113.{n}").status_code
            for n in range(1, 33)
        ]
        assert statuses == [200] * 30 + [429] * 2
        assert visit.subscriber("reader31@reader.example") is None
        assert joined(visit).status_code == 200
        visit.restart()
        late = visit.post("/subscribe", {"address": "late@reader.example"}, machine="203.0.113.200")
        assert (late.status_code, late.headers["Retry-After"]) == (429, "3600")
        visit.clock.sleep(3600)
        assert visit.post("/subscribe", {"address": ADA}, machine="203.0.113.7").status_code == 200

    def test_no_address_of_a_machine_is_stored_and_what_is_counted_is_forgotten(self, visit: Visited) -> None:
        visit.post("/subscribe", {"address": ADA}, machine="203.0.113.9")
        with visit.database.look() as connection:
            kept = connection.execute(select(limits)).all()
        assert len(kept) == 2
        assert not any("203.0" in row.digest or "ada" in row.digest for row in kept)
        tidy(visit.database, visit.clock.now() + timedelta(hours=1))
        with visit.database.look() as connection:
            assert len(connection.execute(select(limits)).all()) == 1

    @pytest.mark.parametrize(
        ("machine", "network"),
        [
            ("203.0.113.9", "203.0.113.0/24"), ("2001:db8:1:2ff:3::4", "2001:db8:1:200::/56"),
            ("::ffff:203.0.113.9", "203.0.113.0/24"), ("testclient", "unknown"), ("", "unknown"),
        ],
    )  # fmt: skip
    def test_a_machine_counts_as_its_network(self, machine: str, network: str) -> None:
        assert network_of(machine) == network


def mark_sent(visit: Visited) -> None:
    """All that waits has left, so that another mail may be queued."""
    with visit.database.begin() as connection:
        connection.execute(update(campaigns).values(state=Progress.DONE))


class TestConfirming:
    def test_a_scanner_that_opens_the_link_confirms_nobody(self, visit: Visited) -> None:
        joined(visit)
        for method in ("GET", "HEAD"):
            assert visit.request(method, visit.link("confirm")).status_code == 200
        who = visit.subscriber(ADA)
        assert who is not None
        assert who.state is Standing.PENDING

    def test_the_button_confirms_and_keeps_the_proof(self, visit: Visited) -> None:
        joined(visit, language="fr")
        visit.clock.sleep(90)
        assert "<button" in visit.get(visit.link("confirm")).text
        done = visit.post(visit.link("confirm"))
        who = visit.subscriber(ADA)
        assert who is not None
        assert who.state is Standing.ACTIVE
        assert who.consent == "form, text 1 (fr), asked 2026-02-01T09:00:00Z, confirmed 2026-02-01T09:01:30Z"
        [path] = re.findall(r'href="\.\./(preferences/[\w-]+)"', done.text)
        assert visit.get(f"/{path}").status_code == 200

    def test_pressing_twice_is_pressing_once(self, visit: Visited) -> None:
        joined(visit)
        visit.post(visit.link("confirm"))
        first = visit.subscriber(ADA)
        visit.clock.sleep(60)
        assert visit.post(visit.link("confirm")).status_code == 200
        assert visit.subscriber(ADA) == first

    def test_after_seven_days_the_link_is_too_old_and_the_address_is_erased(self, visit: Visited) -> None:
        joined(visit)
        link = visit.link("confirm")
        visit.clock.sleep(VALID_FOR.total_seconds() + 1)
        assert visit.post(link).status_code == 410
        assert tidy(visit.database, visit.clock.now()).unconfirmed == 1
        assert visit.subscriber(ADA) is None
        assert visit.queued() == []
        assert visit.post(link).status_code == 404

    def test_who_has_left_is_not_brought_back_by_an_old_link_but_by_a_new_one(self, visit: Visited) -> None:
        joined(visit)
        old = visit.link("confirm")
        visit.post(old)
        visit.clock.sleep(60)
        who = visit.subscriber(ADA)
        assert who is not None
        visit.post(f"/unsubscribe/{unsubscribe_token(who.public_id, visit.secret)}")
        assert visit.post(old).status_code == 410
        mark_sent(visit)
        visit.clock.sleep(60)
        joined(visit)
        assert visit.post(visit.link("confirm")).status_code == 200
        who = visit.subscriber(ADA)
        assert who is not None
        assert who.state is Standing.ACTIVE

    def test_who_complained_is_not_subscribed_by_any_link(self, visit: Visited) -> None:
        joined(visit)
        with visit.database.begin() as connection:
            set_state(connection, 1, Standing.COMPLAINED, visit.clock.now())
        assert visit.post(visit.link("confirm")).status_code == 410

    def test_a_changed_consent_text_needs_a_new_number(self) -> None:
        texts = {"1": "ee86d6ae6b2c05dd", "event-1": "4b815d7befe61bb4"}
        for version, text in ((CONSENT_VERSION, CONSENT_TEXT), (EVENT_CONSENT_VERSION, EVENT_CONSENT_TEXT)):
            assert hashlib.sha256(text.encode()).hexdigest()[:16] == texts[version]


class TestTokens:
    @pytest.mark.parametrize("kind", ["confirm", "preferences", "unsubscribe"])
    def test_a_link_that_is_not_whole_or_made_for_something_else_changes_nothing(
        self, visit: Visited, kind: str
    ) -> None:
        joined(visit)
        confirm = visit.link("confirm").rpartition("/")[2]
        public_id = subscribed(visit, "other@reader.example")
        right = {
            "confirm": confirm,
            "preferences": preferences_token(public_id, visit.secret),
            "unsubscribe": unsubscribe_token(public_id, visit.secret),
        }
        own = right.pop(kind)
        later = f"{int(own[:8], 16) + 9999:08x}{own[8:]}" if kind == "confirm" else own[1:]
        wrong = [*right.values(), own[:-1], own + "A", own[:-1] + ("A" if own[-1] != "A" else "B"), later, "%00", "é"]
        before = visit.subscriber(ADA), visit.subscriber("other@reader.example")
        for token in wrong:
            answer = visit.post(f"/{kind}/{token}", {"kinds": "changes"})
            assert answer.status_code == 404
            assert "doesn’t work" in answer.text
        assert (visit.subscriber(ADA), visit.subscriber("other@reader.example")) == before

    def test_a_secret_of_another_installation_opens_nothing(self, visit: Visited) -> None:
        public_id = subscribed(visit)
        assert visit.get(f"/preferences/{preferences_token(public_id, b'another')}").status_code == 404


class TestSeveralSeries:
    def test_where_there_are_several_one_chooses(self, visit: Visited) -> None:
        other = HEAD.replace('id = "talks"', 'id = "films"').replace("Evening talks; tea, cake", "Films")
        visit.publish(edition(TALK, head=other + MAILING))
        shown = visit.get("/subscribe")
        assert "series=films" in shown.text
        assert "series=talks" in shown.text
        joined(visit, series="films")
        assert visit.subscriber(ADA) is None
        assert "Films" in visit.queued()[0]
        assert joined(visit, series="nothing").status_code == 200
        assert len(visit.queued()) == 1

    def test_a_series_without_a_service_or_a_sender_takes_nobody(self, tmp_path: Path) -> None:
        for number, head in enumerate((HEAD, HEAD.replace("[site]\n", "[site]\nservice = false\n") + MAILING)):
            folder = tmp_path / str(number)
            folder.mkdir()
            visit = Visited(edition(TALK, head=head), folder)
            here = {"Host": "localhost"}
            assert visit.get("/subscribe", headers=here).status_code == 404
            assert visit.post("/subscribe", {"address": ADA}, headers=here).status_code == 404
            assert visit.subscriber(ADA) is None
            visit.database.close()
