"""A season of mail that can go wrong at every step: a clock that jumps, a server that fails, a process that dies."""

from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from mortality import Died, JumpingClock, Life, MortalDatabase
from smallest import SMALLEST
from sqlalchemy import select

from pipeline import ledger as journal
from pipeline.actions.mailing import Office
from pipeline.actions.publish import store_edition
from pipeline.actions.send import Sender, send_due
from pipeline.catalogue.load import Source, load
from pipeline.catalogue.models import Catalogue
from pipeline.delivery import Fate, Outcome
from pipeline.edition import Edition
from pipeline.ledger import Ledger, Line, pending_lines, retirement
from pipeline.letters import Letter, Message, Recipient
from pipeline.reminders.occasions import Kind
from pipeline.rendering import Renderer
from pipeline.store.database import open_database
from pipeline.store.expansion import PROOF
from pipeline.store.holding import HELD, hold_campaign, release_campaign
from pipeline.store.subscribers import add, unsubscribe
from pipeline.store.switch import arm, hold, installation
from pipeline.store.tables import campaigns, deliveries, subscribers
from pipeline.testing import ACCEPTED, CapturingTransport

START = datetime(2027, 3, 1, 9, tzinfo=UTC)
RENDERER = Renderer()
HEAD = f"""{SMALLEST}[mail]
from = "Somebody <talks@talks.example>"
"""
ORGANISER, LIST = "ana@talks.example", "post@lists.example"
LIST_KINDS = frozenset({Kind.ANNOUNCEMENTS, Kind.NEWSLETTERS})
FULL_HEAD = f"""{HEAD}
lists = [{{ address = "{LIST}", language = "en", kinds = {sorted(kind.value for kind in LIST_KINDS)} }}]
proof = {{ to = "{ORGANISER}", before = "3h" }}
[[reminder]]
id = "announced"
when = "when announced"
[[reminder]]
id = "two-days-before"
when = "2 days before at 10:00"
[[reminder]]
id = "morning"
when = "on the day at 08:00"
[[reminder]]
id = "week"
when = "weekly on Wednesday at 10:00"
template = "digest"
"""


@dataclass(frozen=True)
class Facts:
    """One event as the organiser has it in the file."""

    date: str | None = "2027-03-10"
    time: str | None = "19:00"
    status: str = "confirmed"
    notice: str = ""
    title: str = "Bees"
    there: bool = True

    def toml(self, event: str) -> str:
        unknown = [name for name in ("date", "time") if getattr(self, name) is None]
        lines = ["[[event]]", f'id = "{event}"', f'title = "{self.title}"', f'status = "{self.status}"']
        lines += [f"date = {self.date}"] if self.date else []
        lines += [f'time = "{self.time}"'] if self.time else []
        lines += [f'notice = "{self.notice}"'] if self.notice else []
        lines += [f"tba = {unknown}".replace("'", '"')] if unknown else []
        return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Taken:
    """A message that the server took: when, for whom, of which campaign, and its bytes."""

    at: datetime
    address: str
    campaign: str
    id: str
    body: bytes


@dataclass(frozen=True)
class Reader:
    """Somebody who subscribed, what they chose, and whether they still are there."""

    kinds: frozenset[Kind]
    active: bool = True


class MemorableOffice(Office):
    """An office that knows which campaign a message belongs to."""

    def finisher(self, catalogue: Catalogue) -> Callable[[Letter, Recipient, str, datetime], Message]:
        finish = super().finisher(catalogue)

        def finished(letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
            message = finish(letter, recipient, campaign, sent)
            CAMPAIGN_OF[message.message_id] = campaign
            return message

        return finished


CAMPAIGN_OF: dict[str, str] = {}


class Season:
    """One series with its readers, its mail server, and all that the server was given."""

    def __init__(self, head: str = HEAD, url: str = "sqlite://") -> None:
        self.clock, self.head = JumpingClock(START), head
        self.lasting = open_database(url, self.clock)
        self.here = installation(self.lasting)
        self.ledger, self.edition = Ledger(), None
        self.draft = {"bees": Facts(), "wasps": Facts(date=None, time=None, there=False, title="Wasps")}
        self.newsletters: list[str] = []
        self.readers: dict[str, Reader] = {}
        self.armed = False
        self.taken: list[Taken] = []
        self.uncertain: Counter[str] = Counter()
        self.wronged: set[tuple[str, str]] = set()
        self.problems: list[str] = []
        self.life = Life()
        self.script: list[Any] = []
        self.processes = 0
        self.start_process(Life())

    def start_process(self, life: Life) -> None:
        """A fresh process: it knows nothing but what the database tells."""
        self.life = life
        self.processes += 1
        self.database = MortalDatabase(self.lasting.engine, self.clock, life)
        office, name = MemorableOffice(RENDERER, b"key", {}), f"sender-{self.processes}"
        self.sender = Sender(name, self.here, office, lambda: self.server, checkpoint=self._checkpoint)
        self.server = _Server(self)

    # What people do

    def publish(self) -> None:
        """Publishes the file as it is; what is no longer in it is retired first."""
        now = self.clock.now()
        events = (facts.toml(event) for event, facts in self.draft.items() if facts.there)
        text = self.head + "".join((*events, *self.newsletters))
        catalogue = load(Source("events.toml", text)).catalogue
        gone = journal.vanished(catalogue, self.ledger)
        self.ledger = self.ledger.extended(retirement(catalogue, self.ledger, event, now) for event in gone)
        self.ledger = self.ledger.extended(pending_lines(catalogue, self.ledger, now))
        self.edition = Edition(catalogue, journal.read(journal.write(self.ledger)), now.date())
        store_edition(self.lasting, self.edition, now)

    def write_newsletter(self, wait: timedelta, corrects: int | None = None) -> None:
        """Adds a newsletter to the file, which leaves so long after now; one may correct an earlier one."""
        send = (self.clock.now() + wait).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines = ["[[newsletter]]", f'id = "n{len(self.newsletters)}"', f"send = {send}", 'subject = "News"']
        lines += ['text = "Hello."'] if corrects is None else ['text = "It was wrong."', f'corrects = "n{corrects}"']
        self.newsletters.append("\n".join(lines) + "\n")

    def hold_one(self, number: int) -> None:
        """Holds one of the mailings to come, as the organiser does who has seen a proof."""
        coming = [key for key, row in self.campaigns().items() if row.state in ("planned", "expanded")]
        if coming:
            key = sorted(coming)[number % len(coming)]
            self.lasting.run(lambda c: hold_campaign(c, "talks", key, self.clock.now()))

    def release_all(self) -> None:
        """Lets all go that is held."""
        held = [key for key, row in self.campaigns().items() if row.reason == HELD]
        for key in held:
            self.lasting.run(lambda c, key=key: release_campaign(c, "talks", key, self.clock.now()))

    def join(self, name: str, kinds: frozenset[Kind]) -> None:
        self.readers[name] = Reader(kinds)
        now = self.clock.now()
        self.lasting.run(lambda c: add(c, "talks", f"{name}@reader.example", "en", kinds, (), "by hand", now))

    def leave(self, name: str) -> None:
        self.readers[name] = replace(self.readers[name], active=False)
        number = self.number_of(name)
        self.lasting.run(lambda c: unsubscribe(c, number, self.clock.now()))

    def arm(self) -> None:
        self.armed = True
        self.lasting.run(lambda c: arm(c, self.here, self.clock.now()))

    def hold(self) -> None:
        self.armed = False
        self.lasting.run(hold)

    # What the machine does

    def send(self, script: list[Any], life: Life | None = None) -> None:
        """Sends what is due; the server answers as the script says, then accepts; with a life the process may die."""
        if life is not None:
            self.start_process(life)
        self.script = list(script)
        before, suspended = self.expanded(), self.suspended()
        with suppress(Died):
            send_due(self.database, self.sender, self.clock)
        if self.life.dead:
            self._note_what_is_open()
        if self.life.dead or life is not None:
            self.start_process(Life())
        self._check_audiences(before, suspended)

    def _note_what_is_open(self) -> None:
        """What the dead process gave to the server without noting the answer may rightly leave once more."""
        open_ones = {(row.key, row.address) for row in self.rows() if row.state == "sending"}
        for taken in self.taken:
            if (taken.campaign, taken.address) in open_ones:
                self.uncertain[taken.id] += 1

    def _checkpoint(self, name: str) -> None:
        if self.script and self.script[0] == name:
            self.script.pop(0)
            self.life.die()

    # What the database says

    def number_of(self, name: str) -> int:
        query = select(subscribers.c.id).where(subscribers.c.address == f"{name}@reader.example")
        with self.lasting.look() as connection:
            return int(connection.execute(query).scalar_one())

    def expanded(self) -> set[str]:
        with self.lasting.look() as connection:
            return set(connection.execute(select(campaigns.c.key).where(campaigns.c.expanded.is_not(None))).scalars())

    def rows(self) -> list[Any]:
        """Every delivery with its campaign and its reader."""
        joined = deliveries.join(campaigns).join(subscribers)
        wanted = (
            campaigns.c.key, campaigns.c.event, campaigns.c.told, campaigns.c.kind, campaigns.c.due,
            campaigns.c.not_after, deliveries.c.state, deliveries.c.owner, deliveries.c.reason, deliveries.c.doubts,
            subscribers.c.address,
        )  # fmt: skip
        with self.lasting.look() as connection:
            return list(connection.execute(select(*wanted).select_from(joined).order_by(campaigns.c.id)))

    def campaigns(self) -> dict[str, Any]:
        with self.lasting.look() as connection:
            return {row.key: row for row in connection.execute(select(campaigns))}

    def line(self, event: str, name: str) -> Line:
        return next(line for line in self.ledger.of(event) if line.name == name)

    # What must hold

    def _check_audiences(self, before: set[str], suspended: set[str]) -> None:
        """Each mailing that was given out now went to just those who chose it, were there, and weren't told before."""
        found = self.campaigns()
        got: dict[str, set[str]] = defaultdict(set)
        lists = {row.key for row in self.rows() if row.address == LIST}
        for row in self.rows():
            if row.address.endswith("@reader.example"):
                got[row.key].add(row.address.partition("@")[0])
        for key in self.expanded() - before:
            row = found[key]
            if row.kind == PROOF:
                continue
            if self.head is FULL_HEAD:
                assert f"proof:{key}" in found, f"{key} was given out and nobody was shown it"
            if row.audience == "corrected":
                wronged = self.got(row.corrects) - suspended
                assert got[key] == wronged, f"{key} went to {got[key]}, and not to {wronged}"
            if row.audience == "chosen" and (row.kind != "reminders" or row.revision == 0):
                posted = self.head is FULL_HEAD and Kind(row.kind) in LIST_KINDS
                assert (key in lists) is posted, f"{key} was posted to a list: {key in lists}"
                wanted = {
                    name
                    for name, reader in self.readers.items()
                    if reader.active and Kind(row.kind) in reader.kinds and name not in suspended
                }
                assert got[key] == wanted, f"{key} went to {got[key]}, and not to {wanted}"

    def reached(self, key: str) -> set[str]:
        """The addresses that may have got a mailing."""
        in_doubt = {row.address for row in self.rows() if row.key == key and row.doubts}
        return in_doubt | {taken.address for taken in self.taken if taken.campaign == key}

    def got(self, key: str) -> set[str]:
        """The readers who may have got a mailing and still are there."""
        have = self.reached(key)
        return {name for name, reader in self.readers.items() if reader.active and f"{name}@reader.example" in have}

    def suspended(self) -> set[str]:
        query = select(subscribers.c.address).where(subscribers.c.state == "bounced")
        with self.lasting.look() as connection:
            return {address.partition("@")[0] for address in connection.execute(query).scalars()}


class _Server(CapturingTransport):
    """A mail server that answers by the script, and notes what it took and what was wrong with it."""

    def __init__(self, season: Season) -> None:
        super().__init__()
        self._season = season

    def send(self, message: Message) -> Outcome:
        season = self._season
        answer = season.script.pop(0) if season.script and not isinstance(season.script[0], str) else ACCEPTED
        season.problems += judged(season, message)
        took = answer is TAKES_AND_KILLS or (answer is not KILLS and answer.fate in (Fate.ACCEPTED, Fate.UNKNOWN))
        campaign = CAMPAIGN_OF[message.message_id]
        if took:
            now = season.clock.now()
            season.taken.append(Taken(now, message.recipient, campaign, message.message_id, message.body))
        if answer is KILLS or answer is TAKES_AND_KILLS:
            season.uncertain[message.message_id] += 1
            season.life.die()
        if answer.fate is Fate.UNKNOWN:
            season.uncertain[message.message_id] += 1
        return answer


KILLS = object()
TAKES_AND_KILLS = object()


def judged(season: Season, message: Message) -> list[str]:
    """What is wrong with a message that leaves now."""
    campaign, name = season.campaigns()[CAMPAIGN_OF[message.message_id]], message.recipient.partition("@")[0]
    is_reader = message.recipient.endswith("@reader.example")
    told = season.line(campaign.event, campaign.told) if campaign.event else None
    wrong = {
        "although nothing may leave": not season.armed,
        "and is held": campaign.reason == HELD,
        "too late": season.clock.now() >= campaign.not_after,
        "who is gone": is_reader and not season.readers[name].active,
        "who isn't asked for that": (campaign.kind == PROOF) is not (message.recipient == ORGANISER),
        "with the wrong header for leaving": is_reader is not (b"\r\nList-Unsubscribe-Post:" in message.body),
        "after its correction": any(
            row.corrects == campaign.key and row.expanded for row in season.campaigns().values()
        ),
        "who never got what it corrects": campaign.audience == "corrected"
        and message.recipient not in season.reached(campaign.corrects),
        "and is out of date": told is not None and scheduling(told) != scheduling(season.ledger.of(campaign.event)[-1]),
    }
    found = [what for what, is_so in wrong.items() if is_so] + _wrong_copies(season, message)
    return [f"{campaign.key} left at {season.clock.now()} to {message.recipient}, {what}" for what in found]


def _wrong_copies(season: Season, message: Message) -> list[str]:
    found, campaign = [], CAMPAIGN_OF[message.message_id]
    copies = [taken for taken in season.taken if taken.id == message.message_id]
    if len(copies) > min(1, season.uncertain[message.message_id]):
        found.append(f"for the {len(copies) + 1}th time")
    if any(copy.body != message.body for copy in copies):
        found.append("and differs from the first copy")
    same = {taken.id for taken in season.taken if (taken.address, taken.campaign) == (message.recipient, campaign)}
    if same - {message.message_id}:
        found.append("under another Message-ID")
    return found


def scheduling(line: Line) -> dict[str, Any]:
    """The facts by which people come to an event."""
    return {key: line.facts.get(key) for key in ("date", "time", "status")}
