"""A service that runs for years keeps what it must know and nothing else: no table and no memory grows by the way."""

import gc
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from bounce_mail import delivery_report
from publishing import HEAD, edition
from sqlalchemy import func, select
from visiting import MAILING, Visited

from pipeline.actions.bounces import Verdict, deal_with
from pipeline.actions.joining import PER_ADDRESS, preferences_token
from pipeline.actions.made_once import MadeOnce
from pipeline.actions.mailing import Office
from pipeline.actions.retention import tidy
from pipeline.actions.send import Sender, send_due
from pipeline.letters import bounce_address, unsubscribe_token
from pipeline.rendering import Renderer
from pipeline.store.subscribers import ALL_KINDS, add
from pipeline.store.switch import arm, installation
from pipeline.store.tables import METADATA, Standing
from pipeline.testing import CapturingTransport

TALKS = HEAD + MAILING + '[defaults]\nvenue = "hall"\n'
ADA = "ada@reader.example"
YEARS = 4
GROWING = {"campaigns", "forgotten", "subscribers"}
"""Tables that grow with what people do: a row for each mailing, each reader, and a hash for each erasure."""


def programme(year: int) -> str:
    """All events until a year: one each year, in June."""
    return "".join(
        f'[[event]]\nid = "june-{each}"\ntitle = "June"\ndate = {each}-06-12\ntime = "19:00"\n'
        for each in range(2026, year + 1)
    )


class House:
    """The service, the process that sends, and the people around them."""

    def __init__(self, folder: Path) -> None:
        self.visit = Visited(edition(programme(2026), head=TALKS, day=date(2026, 1, 6)), folder)
        database = self.visit.database
        here = installation(database)
        self.server = CapturingTransport()
        self.sender = Sender("sender", here, Office(Renderer(), self.visit.secret, {}), self.server)
        with database.begin() as connection:
            arm(connection, here, self.visit.clock.now())
            add(connection, "talks", ADA, "en", ALL_KINDS, (), "on paper", self.visit.clock.now())

    def month(self, name: str, event: str) -> None:
        """What happens in a month."""
        self.ask(f"eve-{name}@reader.example")  # and never confirms
        for _ in range(PER_ADDRESS + 2):
            self.ask("mallory@reader.example")
        self.join(f"bob-{name}@reader.example", event)
        self.visit.post(f"/preferences/{self.token(self.join(f'cat-{name}@reader.example'))}/erase")
        leaver = unsubscribe_token(self.join(f"dan-{name}@reader.example"), self.visit.secret)
        for path in (f"/unsubscribe/{leaver}", "/confirm/x", f"/preferences/{name}", f"/{name}"):
            self.visit.post(path)
        who = self.visit.subscriber(ADA)
        assert who is not None
        to = bounce_address("talks-bounces@talks.example", who.public_id, self.visit.secret)
        raw = delivery_report(status="4.2.2", to=to) + name.encode()
        assert deal_with(self.visit.database, raw, self.visit.secret, self.visit.clock.now()) is Verdict.SOFT
        for _ in range(3):
            self.visit.clock.sleep(10.2 * 86_400)
            self.tick()

    def tick(self) -> None:
        tidy(self.visit.database, self.visit.clock.now())
        send_due(self.visit.database, self.sender, self.visit.clock)

    def ask(self, address: str, event: str = "") -> None:
        self.visit.clock.sleep(60)
        assert self.visit.post("/subscribe", {"address": address, "event": event}).status_code == 200

    def join(self, address: str, event: str = "") -> str:
        """Somebody subscribes and confirms; their public name."""
        self.ask(address, event)
        assert self.visit.post(self.visit.link("confirm") + (f"?event={event}" if event else "")).status_code == 200
        who = self.visit.subscriber(address)
        assert who is not None
        assert who.state is Standing.ACTIVE
        return who.public_id

    def token(self, public_id: str) -> str:
        return preferences_token(public_id, self.visit.secret)

    def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        with self.visit.database.look() as connection:
            return {
                table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
                for table in METADATA.sorted_tables
            }


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path)
    yield built
    built.visit.database.close()


def test_after_years_there_is_no_more_than_after_one(house: House) -> None:
    ends = []
    for year in range(2026, 2026 + YEARS):
        house.visit.clock.move_to(datetime(year, 1, 6, tzinfo=UTC))
        if year > 2026:
            versions = [programme(each) for each in range(2026, year + 1)]
            published = edition(*versions, head=TALKS, step=timedelta(days=365), day=date(year, 1, 6))
            house.visit.publish(published)
        for month in range(1, 6):
            house.month(f"{year}-{month}", f"june-{year}")
        # The event comes, and more than ninety days go.
        for month, day in ((6, 10), (6, 12), (6, 15), (12, 1), (12, 2)):
            house.visit.clock.move_to(datetime(year, month, day, 8, tzinfo=UTC))
            house.tick()
        ends.append(house.rows())
    first, last = ends[0], ends[-1]
    assert {name: number for name, number in last.items() if name not in GROWING | {"reports"}} == {
        name: number for name, number in first.items() if name not in GROWING | {"reports"}
    }
    # Who came for one event is gone with it; of five leavers a year the address stays, of five who erased a hash.
    assert (first["subscribers"], last["subscribers"]) == (6, 1 + 5 * YEARS)
    assert (first["forgotten"], last["forgotten"]) == (5, 5 * YEARS)
    # One row for each mailing to all: when an event was announced, and each of its reminders.
    assert last["campaigns"] <= 4 * YEARS
    assert first["letters"] == first["deliveries"] == first["attempts"] == 0
    assert ends[1]["reports"] == last["reports"]
    # The request of a mail program, by a link out of the first mail: years later, and twice.
    first_mail = next(body for _, recipient, body in house.server.sent if recipient == ADA)
    [path] = re.findall(rb"<https://talks\.example/cycle(/unsubscribe/[\w-]+)>", first_mail)
    for _twice in range(2):
        answer = house.visit.request("POST", path.decode(), content=b"List-Unsubscribe=One-Click")
        left = house.visit.subscriber(ADA)
        assert left is not None
        assert (answer.status_code, left.state) == (200, Standing.UNSUBSCRIBED)
    # And there was something to forget.
    assert len([one for one in house.server.sent if one[1] == ADA]) > YEARS


def test_what_the_process_remembers_is_bounded(house: House) -> None:
    for number in range(400):
        house.visit.get(f"/subscribe?lang={'fr' if number % 2 else 'en'}&x={number}&event=nothing-{number}")
        house.visit.get(f"/privacy?lang=x{number}")
        house.visit.request("GET", "/privacy", headers={"Host": f"h{number}.example"})
        house.visit.request("POST", f"/unsubscribe/{number}", headers={"Host": f"h{number}.example"})
    gc.collect()
    memories = [each for each in gc.get_objects() if isinstance(each, MadeOnce)]
    assert memories
    # A handful of pages and letters, whoever asks for whatever.
    assert sum(len(things) for one in memories for _, things in one._newest.values()) < 20
