"""From a catalogue to what arrives where: newsletters, corrections, mailing lists, proofs, holding one back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import partial

import pytest
from letter_writing import parsed, text_of
from sqlalchemy import Connection, select

from pipeline.actions.build import Draft
from pipeline.actions.deliver import Delivered
from pipeline.actions.forecast import forecast, known_of
from pipeline.actions.holding import hold_one, release_one
from pipeline.actions.mailing import Office
from pipeline.actions.preferences import Choices, choose
from pipeline.actions.publish import store_edition
from pipeline.actions.send import Sender, Sent, held, send_due
from pipeline.catalogue.load import Source, load
from pipeline.clock import FrozenClock
from pipeline.delivery import Outcome
from pipeline.edition import Edition
from pipeline.errors import SettingsError
from pipeline.ledger import Ledger, pending_lines
from pipeline.letters import Message
from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import Wishes
from pipeline.rendering import Renderer
from pipeline.store.choices import keep_wishes
from pipeline.store.database import Database
from pipeline.store.editions import publish_edition
from pipeline.store.senders import sender_name
from pipeline.store.subscribers import ALL_KINDS, add, find, listed
from pipeline.store.switch import arm, hold, installation
from pipeline.store.tables import Progress, campaigns
from pipeline.testing import CapturingTransport

START = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
HEAD = """
format = 1
[series]
id = "seminar"
title = "Seminar"
timezone = "Europe/Paris"
default_language = "en"
languages = ["en", "fr"]
organiser = "The Society"
[site]
url = "https://seminar.example/"
[mail]
from = "The Society <post@seminar.example>"
"""
TALK = '[[event]]\nid = "talk"\ntitle = { en = "A talk", fr = "Un exposé" }\ndate = 2027-04-06\ntime = "19:00"\n'
MARCH = '[[newsletter]]\nid = "march"\nsend = 2027-03-02T10:00:00\nsubject = "News of March"\n'
FIXED = (
    '[[newsletter]]\nid = "fixed"\nsend = 2027-03-03T10:00:00\nsubject = "What we meant"\n'
    'text = "Room 2, not 3."\ncorrects = "march"\n'
)
LIST = 'lists = [{ address = "all@lists.example", language = ["fr", "en"] }]\n'
PROOF = 'proof = { to = "ana@seminar.example", before = "3h" }\n'


class House:
    """A published series with readers, a clock and a mail server."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database, self.clock = database, clock
        self.server = CapturingTransport()
        self.ledger = Ledger()
        here = installation(database)
        self.sender = Sender(sender_name(), here, Office(Renderer(), b"key", {}), self.server)
        database.run(lambda connection: arm(connection, here, START))

    def publish(self, text: str) -> Edition:
        catalogue = load(Source("events.toml", text)).catalogue
        self.ledger = self.ledger.extended(pending_lines(catalogue, self.ledger, self.clock.now()))
        edition = Edition(catalogue, self.ledger, self.clock.now().date())
        store_edition(self.database, edition, self.clock.now())
        return edition

    def subscribe(self, address: str, language: str = "en", kinds: frozenset[Kind] = ALL_KINDS) -> None:
        self.database.run(partial(_add, address, language, kinds))

    def send(self, at: datetime | None = None) -> Sent:
        if at is not None:
            self.clock.move_to(at)
        return send_due(self.database, self.sender, self.clock)

    def got(self, address: str) -> list[EmailMessage]:
        return [parsed(body) for _, recipient, body in self.server.sent if recipient == address]

    def subjects(self, address: str) -> list[str]:
        return [str(message["Subject"]) for message in self.got(address)]


def _add(address: str, language: str, kinds: frozenset[Kind], connection: object) -> None:
    add(connection, "seminar", address, language, kinds, (), "by hand", START)  # type: ignore[arg-type]


@pytest.fixture
def house(database: Database, clock: FrozenClock) -> House:
    return House(database, clock)


def paris(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2027, month, day, hour - 1, minute, tzinfo=UTC)


def test_a_newsletter_leaves_at_its_hour_to_those_who_chose_newsletters_once(house: House) -> None:
    house.subscribe("ada@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    house.subscribe("bob@example.org", kinds=frozenset({Kind.REMINDERS}))
    house.publish(HEAD + TALK + MARCH + 'text = "Dear *all*."\n')
    house.send(paris(2, 9, 59))
    assert house.subjects("ada@example.org") == []
    for _twice in range(2):
        house.send(paris(2, 10))
    assert house.subjects("ada@example.org") == ["News of March"]
    assert house.got("bob@example.org") == []
    text = text_of(house.got("ada@example.org")[0])
    assert "Dear all." in text
    assert "Tue 6 Apr 2027, 19:00 · A talk" in text
    assert house.got("ada@example.org")[0]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_a_newsletter_that_is_put_off_before_it_left_leaves_once_at_the_new_hour(house: House) -> None:
    house.subscribe("ada@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    house.publish(HEAD + TALK + MARCH)
    house.send(paris(2, 8))
    house.publish(HEAD + TALK + MARCH.replace("03-02T10", "03-04T10"))
    house.send(paris(2, 11))
    assert house.subjects("ada@example.org") == []
    house.send(paris(4, 11))
    house.publish(HEAD + TALK + MARCH.replace("03-02T10", "03-05T10"))
    house.send(paris(5, 11))
    assert house.subjects("ada@example.org") == ["News of March"]


def test_a_correction_goes_to_exactly_those_who_got_the_wrong_newsletter(house: House) -> None:
    house.subscribe("ada@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    house.publish(HEAD + TALK + MARCH)
    house.send(paris(2, 10))
    house.subscribe("late@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    edition = house.publish(HEAD + TALK + MARCH + FIXED)
    with house.database.look() as connection:
        known = known_of(connection, "seminar", house.clock.now())
        coming = {e.occasion.rule: e.readers for e in forecast(Draft(edition), known, house.clock.now()).mailings}
    assert coming["newsletter.fixed"] == 1
    house.send(paris(3, 10))
    assert house.subjects("ada@example.org") == ["News of March", "What we meant"]
    assert house.got("late@example.org") == []


def test_once_a_correction_is_out_nobody_gets_the_wrong_newsletter_any_more(house: House) -> None:
    for name in ("ada", "bob", "cy"):
        house.subscribe(f"{name}@example.org", kinds=frozenset({Kind.NEWSLETTERS}))
    soon = FIXED.replace("2027-03-03T10:00:00", "2027-03-02T10:01:00")
    house.publish(HEAD + TALK + MARCH + soon)
    house.clock.move_to(paris(2, 10))
    send_due(house.database, house.sender, house.clock, limit=1)
    house.send(paris(2, 10, 1))
    reached = {name: house.subjects(f"{name}@example.org") for name in ("ada", "bob", "cy")}
    assert reached == {"ada": ["News of March", "What we meant"], "bob": [], "cy": []}


def test_a_list_gets_one_post_with_both_languages_and_nothing_that_belongs_to_one_reader(house: House) -> None:
    house.subscribe("ada@example.org")
    house.publish(HEAD + LIST + TALK)
    house.send(paris(1, 10, 30))
    [post] = house.got("all@lists.example")
    assert (
        str(post["Subject"]).replace("\xa0", " ")
        == "Annonce : mar. 6 avr. 2027, 19:00 · Un exposé / Announcement: Tue 6 Apr 2027, 19:00 · A talk"
    )
    assert post["From"] == "The Society <post@seminar.example>"
    assert post["Content-Language"] == "fr, en"
    assert [name for name in post if name.startswith("List-")] == []
    text = text_of(post)
    assert text.index("Un exposé") < text.index("A talk")
    assert "unsubscribe" not in post.as_string().casefold()
    assert [sender for sender, recipient, _ in house.server.sent if recipient == "all@lists.example"] == [
        "post@seminar.example"
    ]
    [calendar] = [part for part in post.walk() if part.get_content_type() == "text/calendar"]
    assert 'ORGANIZER;CN="The Society":mailto:post@seminar.example' in calendar.get_content()
    with house.database.look() as connection:
        assert [each.address for each in listed(connection, "seminar")] == ["ada@example.org"]


def test_a_list_gets_its_kinds_only_and_nothing_once_it_is_gone_from_the_catalogue(house: House) -> None:
    only = LIST.replace('["fr", "en"]', '"fr", kinds = ["reminders"]')
    house.publish(HEAD + only + TALK)
    house.send(paris(1, 10, 30))
    assert house.got("all@lists.example") == []
    house.send(paris(23, 10, 30))
    assert len(house.subjects("all@lists.example")) == 1
    house.publish(HEAD + TALK)
    house.send(datetime(2027, 4, 4, 8, 30, tzinfo=UTC))
    assert len(house.subjects("all@lists.example")) == 1


def test_the_organiser_sees_each_letter_first_with_its_number_of_readers_and_can_hold_it(house: House) -> None:
    house.subscribe("ada@example.org")
    house.subscribe("zoe@example.org", "fr")
    house.publish(HEAD + PROOF + TALK + MARCH)
    house.send(paris(1, 10, 30))
    [proof] = house.got("ana@seminar.example")
    assert house.got("ada@example.org") == []
    text = text_of(proof)
    assert str(proof["Subject"]).startswith("[Proof] Announcement: Tue 6 Apr 2027")
    assert "To how many: 2" in text
    assert "Monday 1 March 2027, 13:00" in text
    assert "tocsin hold talk/announced/0" in text
    assert "Un exposé" in text
    assert "unsubscribe" not in proof.as_string().casefold()
    house.send(paris(1, 13, 1))
    assert len(house.got("ada@example.org")) == len(house.got("zoe@example.org")) == 1
    house.send(paris(2, 7, 1))
    assert len(house.got("ana@seminar.example")) == 2
    assert hold_one(house.database, "/newsletter.march/0", house.clock.now()) == 0
    assert house.send(paris(2, 11)).delivered == Delivered()
    release_one(house.database, "/newsletter.march/0", house.clock.now())
    house.send(paris(2, 11, 1))
    assert "News of March" in house.subjects("ada@example.org")
    assert len(house.got("ana@seminar.example")) == 2


def test_a_mailing_is_held_midway_and_goes_on_where_it_was(house: House) -> None:
    for number in range(4):
        house.subscribe(f"reader{number}@example.org")
    house.publish(HEAD + TALK)
    house.clock.move_to(paris(1, 10, 30))
    send_due(house.database, house.sender, house.clock, limit=1)
    assert hold_one(house.database, "talk/announced/0", house.clock.now()) == 3
    assert house.send().delivered == Delivered()
    release_one(house.database, "talk/announced/0", house.clock.now())
    assert house.send().delivered.sent == 3
    assert len({recipient for _, recipient, _ in house.server.sent}) == len(house.server.sent) == 4


@pytest.mark.parametrize("work", [hold_one, release_one])
def test_a_name_that_no_mailing_has_is_said(house: House, work: Callable[..., object]) -> None:
    house.publish(HEAD + TALK)
    with pytest.raises(SettingsError, match="nobody/knows/0"):
        work(house.database, "nobody/knows/0", house.clock.now())


def test_the_brake_in_the_catalogue_stops_what_waits_too(house: House) -> None:
    house.subscribe("ada@example.org")
    house.publish(HEAD + TALK)
    house.clock.move_to(paris(1, 10, 30))
    house.publish(HEAD + "hold = true\n" + TALK)
    done = house.send().delivered
    assert (done.sent, "hold = true" in done.held) == (0, True)
    house.publish(HEAD + TALK)
    assert house.send().delivered.sent == 1


def test_a_series_that_a_newer_tocsin_published_keeps_no_other_from_its_mail(house: House) -> None:
    house.subscribe("ada@example.org")
    house.publish(HEAD + MARCH + 'text = "Good news."\n')
    newer = '{"format": 2, "what nobody here knows": true}'
    house.database.run(lambda connection: publish_edition(connection, "annals", [newer], [], START))
    sent = house.send(paris(2, 10))
    assert house.subjects("ada@example.org") == ["News of March"]
    assert [("annals" in str(why), "upgrade" in str(why)) for why in sent.unread] == [(True, True)]


def test_nor_from_being_told_what_would_leave(house: House) -> None:
    house.subscribe("ada@example.org")
    house.publish(HEAD + MARCH + 'text = "Good news."\n')
    newer = '{"format": 2, "what nobody here knows": true}'
    house.database.run(lambda connection: publish_edition(connection, "annals", [newer], [], START))
    house.clock.move_to(paris(2, 10))
    house.database.run(hold)
    stopped = held(house.database, house.sender, house.clock)
    assert stopped is not None
    assert [entry.address for entry in stopped.rehearsed.waiting] == ["ada@example.org"]
    assert ["annals" in str(why) for why in stopped.rehearsed.unread] == [True]


def test_mails_that_leave_together_come_in_the_order_of_their_events(house: House) -> None:
    house.subscribe("ada@example.org")
    later = TALK.replace('"talk"', '"later"').replace("04-06", "05-06")
    house.clock.move_to(paris(1, 23))
    house.publish(HEAD + later)
    house.clock.sleep(60)
    house.publish(HEAD + later + TALK)
    house.send(paris(2, 8, 5))
    assert [" May " in subject for subject in house.subjects("ada@example.org")] == [False, True]


def test_a_weekly_digest_leaves_each_week_that_has_something_to_say(house: House) -> None:
    house.subscribe("ada@example.org")
    house.clock.move_to(paris(1, 12))
    weekly = '[[reminder]]\nid = "weekly"\nwhen = "weekly on Monday at 10:00"\ntemplate = "digest"\n'
    house.publish(HEAD + TALK + weekly)
    for month, day in ((3, 8), (3, 15), (3, 22), (3, 29), (4, 5)):
        for minute in (30, 31):
            house.send(datetime(2027, month, day, 8, minute, tzinfo=UTC) + timedelta(hours=month == 3))
    first, last = house.got("ada@example.org")
    assert [str(message["Subject"]) for message in (first, last)] == [
        "Seminar: News and dates, Mon 8 Mar 2027",
        "Seminar: News and dates, Mon 5 Apr 2027",
    ]
    assert ("Coming up" in text_of(first), "Coming up" in text_of(last)) == (False, True)
    assert all("A talk" in text_of(message) for message in (first, last))


def test_what_is_called_off_while_a_long_newsletter_leaves_is_told_before_the_rest_of_it(house: House) -> None:
    readers = 80
    for number in range(readers):
        house.subscribe(f"r{number}@example.org")
    rule = '[[reminder]]\nid = "hour"\nwhen = "1 hour before"\n[[reminder]]\nid = "news"\nwhen = "when changed"\n'
    head, tonight = HEAD + "per_second = 0.5\n", TALK.replace("2027-04-06", "2027-03-02") + rule
    house.publish(head + tonight + MARCH)
    usual, off = house.server.send, 'status = "cancelled"\nnotice = "The hall is flooded."\n'

    def send(message: Message) -> Outcome:
        if len(house.server.sent) == 20:
            house.publish(head + tonight.replace(rule, off + rule) + MARCH)
        return usual(message)

    house.server.send = send  # type: ignore[method-assign]
    house.send(paris(2, 10))
    subjects = [str(parsed(body)["Subject"]) for _, _, body in house.server.sent]
    told = [number for number, subject in enumerate(subjects) if subject != "News of March"]
    # Within the minute after which all is planned anew, and then all of them.
    assert told == list(range(30, 30 + readers))
    assert len(subjects) == 2 * readers


def test_who_declined_the_nearest_of_two_overdue_reminders_gets_the_other_and_everybody_one(house: House) -> None:
    rules = (
        '[[reminder]]\nid = "far"\nwhen = "5 hours before"\n'
        '[[reminder]]\nid = "near"\nwhen = "3 hours before"\nlabel = "three hours before"\n'
    )
    house.subscribe("ada@example.org")
    house.subscribe("bob@example.org")
    house.publish(HEAD + TALK.replace("2027-04-06", "2027-03-02") + rules)

    def declines(connection: Connection) -> None:
        who = find(connection, "seminar", "ada@example.org")
        assert who is not None
        keep_wishes(connection, who.id, Wishes(declined=frozenset({"near"})))

    house.database.run(declines)
    for minutes in (0, 1, 2):  # down until both are due
        house.send(paris(2, 16, 30) + timedelta(minutes=minutes))
    assert len(house.got("ada@example.org")) == len(house.got("bob@example.org")) == 1
    with house.database.look() as connection:
        rows = connection.execute(select(campaigns.c.rule, campaigns.c.state)).all()
    assert dict(map(tuple, rows)) == {"far": Progress.DONE, "near": Progress.DONE}


def test_a_list_gets_no_reminder_for_those_who_ask_and_the_forecast_says_so(house: House) -> None:
    asked = '[[reminder]]\nid = "asked"\nwhen = "3 hours before"\nlabel = "three hours before"\ndefault = false\n'
    edition = house.publish(HEAD + LIST + TALK.replace("2027-04-06", "2027-03-02") + asked)
    with house.database.look() as connection:
        found = forecast(Draft(edition), known_of(connection, "seminar", START), START).mailings
    assert [(one.occasion.rule, one.lists) for one in found] == [("asked", ())]
    house.send(paris(2, 16, 30))
    assert house.server.sent == []


def test_a_newsletter_that_is_declined_while_it_waits_does_not_leave(house: House) -> None:
    for name in ("ada", "bob"):
        house.subscribe(f"{name}@example.org")
    house.publish(HEAD + MARCH + 'text = "Dear all."\n')
    house.clock.move_to(paris(2, 10))
    send_due(house.database, house.sender, house.clock, limit=1)
    with house.database.look() as connection:
        bob = find(connection, "seminar", "bob@example.org")
    assert bob is not None
    reminders_only = Choices("en", frozenset({Kind.REMINDERS}), frozenset())
    choose(house.database, bob, reminders_only, house.clock.now())
    house.send()
    assert [recipient for _, recipient, _ in house.server.sent] == ["ada@example.org"]
