"""How things stand with the mail: what leaves next, what waits, what went wrong, what is in doubt or held."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline.actions.mailing import sending_edition
from pipeline.store.campaigns import Campaign, coming_campaigns
from pipeline.store.database import Database
from pipeline.store.editions import published_series
from pipeline.store.holding import held_campaigns
from pipeline.store.outbox import Entry, Trouble, counts, entries, sent_since, troubles
from pipeline.store.switch import last_tick, why_held
from pipeline.store.tables import State

A_DAY = timedelta(days=1)
AHEAD = timedelta(days=400)
SHOWN = 5


@dataclass(frozen=True, slots=True)
class SeriesOverview:
    """One series: the next mailings, the letters by state, and what asks for a look."""

    series: str
    coming: tuple[Campaign, ...]
    letters: Mapping[State, int]
    sent_today: int
    per_day: int | None
    troubles: tuple[Trouble, ...]
    in_doubt: tuple[Entry, ...]
    held: tuple[str, ...]
    braked: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole database: why nothing may leave from here (empty where it may), and each series."""

    held: str
    last_tick: datetime | None
    series: tuple[SeriesOverview, ...]


def overview(database: Database, here: Mapping[str, str], now: datetime) -> Overview:
    """How things stand at an instant; only reads."""
    with database.look() as connection:
        found = tuple(_of_series(connection, name, now) for name in published_series(connection))
        return Overview(why_held(connection, here), last_tick(connection), found)


def _of_series(connection: Connection, series: str, now: datetime) -> SeriesOverview:
    mail = sending_edition(connection, series, now).catalogue.mail
    return SeriesOverview(
        series,
        coming_campaigns(connection, series, now, now + AHEAD)[:SHOWN],
        counts(connection, series),
        sent_since(connection, series, now - A_DAY),
        mail.per_day,
        troubles(connection, series, now - A_DAY),
        tuple(entries(connection, series, (State.DOUBT,))),
        held_campaigns(connection, series, now),
        mail.hold,
    )
