"""`simulate`: the season's letters as files, for a look before anything leaves. No mail server, no lasting database."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from pipeline.actions.deliver import Finish, deliver
from pipeline.actions.mailing import Office
from pipeline.actions.season import beginning, horizon, season
from pipeline.actions.subscribers import Entry, add_all
from pipeline.clock import FrozenClock
from pipeline.delivery import Fate, Outcome, Step
from pipeline.edition import Edition
from pipeline.errors import TocsinError, told_once
from pipeline.files import write_whole
from pipeline.letters import Letter, Message, Recipient
from pipeline.store.database import open_database
from pipeline.store.switch import arm, installation


@dataclass(frozen=True, slots=True)
class Simulated:
    """How many letters each address got, and the paths of all of them in the order of sending."""

    letters: Counter[str]
    paths: tuple[Path, ...]
    troubles: tuple[TocsinError, ...] = ()
    """What could not be composed, and why."""
    cut: datetime | None = None
    """Where it ends although something recurs for longer; None where it is whole, or as the caller asked."""


class Drawer:
    """A transport that files each message as `FOLDER/<address>/<n>-<rule>.eml` instead of sending it."""

    def __init__(self, folder: Path, finish: Finish) -> None:
        self._folder = folder
        self._finish = finish
        self._rules: dict[str, str] = {}
        self.letters: Counter[str] = Counter()
        self.paths: list[Path] = []

    def finish(self, letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
        """Finishes a message as for sending, and remembers its rule for the file's name."""
        message = self._finish(letter, recipient, campaign, sent)
        self._rules[message.message_id] = campaign.split("/")[1]
        return message

    def send(self, message: Message) -> Outcome:
        """Files the message."""
        self.letters[message.recipient] += 1
        name = f"{self.letters[message.recipient]:03}-{self._rules.pop(message.message_id)}.eml"
        path = self._folder / re.sub(r"[^\w.@+-]", "_", message.recipient) / name
        write_whole(path, message.body)
        self.paths.append(path)
        return Outcome(Fate.ACCEPTED, Step.END, 250, "filed")

    def close(self) -> None:
        """Nothing to end."""


def made_up(edition: Edition) -> tuple[Entry, ...]:
    """One made-up subscriber for each language."""
    return tuple(Entry(f"{language}@subscriber.example", language) for language in edition.languages)


def simulate(
    edition: Edition,
    office: Office,
    subscribers: Iterable[Entry],
    folder: Path,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Simulated:
    """Files every letter of the season as these subscribers would get it, from the first publication on.

    Without `until` it goes on to the last one; where something recurs without an end, for about a year.
    """
    clock = FrozenClock(since or beginning(edition))
    cut = horizon(edition, clock.now()) if until is None else None
    drawer = Drawer(folder, office.finisher(edition.catalogue))
    with open_database("sqlite://", clock) as database:
        here = installation(database)
        database.run(partial(_prepare, edition.series.id, tuple(subscribers), here, clock.now()))
        troubles: tuple[TocsinError, ...] = ()
        for step in season(edition, database, office, clock, until or cut):
            troubles = told_once((*troubles, *step.troubles))
            deliver(database, edition.series.id, lambda: drawer, drawer.finish, clock, owner="simulation", here=here)
    return Simulated(drawer.letters, tuple(drawer.paths), troubles, cut)


def _prepare(
    series: str, subscribers: tuple[Entry, ...], here: Mapping[str, str], now: datetime, connection: Connection
) -> None:
    add_all(connection, series, subscribers, now)
    arm(connection, here, now)
