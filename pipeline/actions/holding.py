"""Holding one campaign back, by its name, and letting it go again."""

from datetime import datetime

from sqlalchemy import Connection

from pipeline.actions.mailing import replan, sending_edition
from pipeline.errors import SettingsError
from pipeline.store.database import Database
from pipeline.store.editions import published_series
from pipeline.store.holding import held_campaigns, hold_campaign, release_campaign


def hold_one(database: Database, key: str, now: datetime) -> int:
    """Holds a campaign of any series; how many mails that stopped. SettingsError where none of that name is to come."""

    def work(connection: Connection) -> int | None:
        found = None
        for series in published_series(connection):
            # A campaign that nobody has planned yet can be held too.
            replan(connection, sending_edition(connection, series, now), now)
            stopped = hold_campaign(connection, series, key, now)
            found = stopped if found is None else found
        return found

    stopped = database.run(work)
    if stopped is None:
        raise SettingsError("no mail to come is called {key!r}; `tocsin plan --json` tells the keys", key=key)
    return stopped


def release_one(database: Database, key: str, now: datetime) -> None:
    """Lets a held campaign go; SettingsError where none is held by that name, or it is too late."""

    def work(connection: Connection) -> tuple[bool, tuple[str, ...]]:
        series = published_series(connection)
        gone = [release_campaign(connection, name, key, now) for name in series]
        return any(gone), tuple(held for name in series for held in held_campaigns(connection, name, now))

    done, held = database.run(work)
    if not done:
        raise SettingsError(
            "{key!r} is not held, or it is too late for it; held are: {held}", key=key, held=", ".join(held) or "–"
        )
