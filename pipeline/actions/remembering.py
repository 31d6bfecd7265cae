"""What a process remembers between two ticks: the editions that it has read, and for what it planned last."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, Engine

from pipeline import ledger as journal
from pipeline.actions.programmes import catalogue_in
from pipeline.edition import Edition
from pipeline.errors import StoreError
from pipeline.ledger import Ledger
from pipeline.reminders.occasions import Plan
from pipeline.reminders.plan import LOOKING_BACK, NOTHING_TOLD, Told, plan
from pipeline.store.editions import NOTHING_YET, edition_stamp, published_edition

_Place = tuple[Engine, str]


@dataclass
class Memory:
    """The edition of each series of each database, by its stamp: reading a long catalogue again takes seconds.

    Nothing here is needed for the truth: it lies in the database, and a process without memory reads it anew.
    """

    _read: dict[_Place, tuple[str, Edition]] = field(default_factory=dict)
    _planned: dict[_Place, str] = field(default_factory=dict)

    def edition(self, connection: Connection, series: str, now: datetime) -> Edition:
        """The published edition on the day of an instant; StoreError where nothing was published yet."""
        place, stamp = (connection.engine, series), edition_stamp(connection, series)
        known = self._read.get(place)
        if known is None or known[0] != stamp:
            known = self._read[place] = (stamp or "", _read(connection, series, now))
        edition = known[1]
        day = now.astimezone(edition.series.zone).date()
        if edition.day != day:
            edition = Edition(edition.catalogue, edition.ledger, day)
            self._read[place] = (known[0], edition)
        return edition

    def plan(self, edition: Edition, now: datetime, told: Told = NOTHING_TOLD) -> Plan:
        """The plan of an edition from a little before now on, given what readers have been told."""
        return plan(edition, now - LOOKING_BACK, told=told)

    def has_planned(self, connection: Connection, series: str, note: str) -> bool:
        """Whether this process has planned for just what the note says."""
        return self._planned.get((connection.engine, series)) == note

    def note_planning(self, connection: Connection, series: str, note: str) -> None:
        """Keeps the note of a planning."""
        self._planned[connection.engine, series] = note


def _read(connection: Connection, series: str, now: datetime) -> Edition:
    stored = published_edition(connection, series)
    if stored is None:
        raise StoreError(NOTHING_YET)
    catalogue = catalogue_in(series, stored.catalogue)
    ledger = Ledger.holding(line for run in stored.ledger for line in journal.read(run).all_lines)
    return Edition(catalogue, ledger, now.astimezone(catalogue.series.zone).date())
