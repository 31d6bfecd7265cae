"""The published catalogues of a database, read again only when one was published anew."""

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection

from pipeline.catalogue.models import Catalogue, Event
from pipeline.errors import EditionError, StoreError
from pipeline.store.database import Database
from pipeline.store.editions import Packed, published_catalogue, published_series
from pipeline.store.stamps import stamps


class UnreadError(Exception):
    """An edition would have to be read first, and whoever asked must not wait for that."""


class Programmes:
    """What has been published into a database. Any number of threads may ask.

    A long programme takes seconds to read. While somebody reads a new edition, all others go on with the one before it.
    """

    def __init__(self, database: Database, must_not_wait: Callable[[], bool] = lambda: False) -> None:
        """`must_not_wait` tells whether the present thread must not read: it gets an UnreadError instead."""
        self._database, self._must_not_wait = database, must_not_wait
        self._read: dict[str, tuple[tuple[datetime, str], Catalogue]] = {}
        self._reading = threading.Lock()

    def all(self) -> Mapping[str, Catalogue]:
        """The published catalogues by the ids of their series."""
        with self._database.look() as connection:
            return self.seen(connection)

    def known(self) -> Mapping[str, Catalogue]:
        """What was published when somebody last asked: without a question to the database, which may be away."""
        return {series: catalogue for series, (_, catalogue) in sorted(self._read.copy().items())}

    def seen(self, connection: Connection) -> Mapping[str, Catalogue]:
        """The same as `all`, as a transaction sees it; those that can't be read keep nobody from the others."""
        found: dict[str, Catalogue] = {}
        troubles: list[StoreError] = []
        for series, stamp in sorted(stamps(connection).items()):
            try:
                if catalogue := self._newest(connection, series, stamp):
                    found[series] = catalogue
            except StoreError as error:
                troubles.append(error)
        if troubles and not found:
            raise troubles[0]
        return found

    def of(self, connection: Connection, series: str) -> Catalogue | None:
        """What a series has published, as a transaction sees it; StoreError where this tocsin can't read it."""
        stamp = stamps(connection).get(series)
        return None if stamp is None else self._newest(connection, series, stamp)

    def _newest(self, connection: Connection, series: str, stamp: tuple[datetime, str]) -> Catalogue | None:
        if not self._has_read(series, stamp):
            self._read_anew(connection, series, stamp)
        known = self._read.get(series)
        return known[1] if known else None

    def _has_read(self, series: str, stamp: tuple[datetime, str]) -> bool:
        known = self._read.get(series)
        return known is not None and known[0] == stamp

    def _read_anew(self, connection: Connection, series: str, stamp: tuple[datetime, str]) -> None:
        is_first = series not in self._read
        if self._must_not_wait():
            if is_first or not self._reading.locked():
                raise UnreadError
            return
        if not self._reading.acquire(blocking=is_first):
            return
        try:
            if not self._has_read(series, stamp) and (stored := published_catalogue(connection, series)):
                self._read[series] = stamp, self._catalogue_in(series, stored)
        finally:
            self._reading.release()

    def _catalogue_in(self, series: str, stored: Packed) -> Catalogue:
        """The new catalogue; where it can't be read, the one before it, with which people can leave and choose."""
        try:
            return catalogue_in(series, stored)
        except StoreError:
            if series not in self._read:
                raise
            return self._read[series][1]


def catalogue_in(series: str, stored: Packed) -> Catalogue:
    """The catalogue of a published edition; EditionError where it says what this tocsin has never heard of."""
    # The first line is the catalogue, each further one an event: so no long text is held whole.
    lines = (line for run in stored for line in run.splitlines())
    try:
        catalogue = Catalogue.model_validate_json(next(lines))
        events = (*catalogue.events, *map(Event.model_validate_json, lines))
        return catalogue.model_copy(update={"events": events})
    except ValueError as error:
        raise EditionError(
            "what was published for {series} can't be read: another version of tocsin did it; upgrade this one",
            series=series,
        ) from error


def main_language(database: Database) -> str | None:
    """The first language of the first series that was published; None where that can't be told."""
    try:
        with database.look() as connection:
            name = next(iter(published_series(connection)), "")
            stored = published_catalogue(connection, name)
        return catalogue_in(name, stored).series.default_language if stored is not None else None
    except StoreError:
        return None


def takes_subscriptions(catalogue: Catalogue) -> bool:
    """Whether people can subscribe by themselves: somebody writes the mails, and the service may be used."""
    return catalogue.mail.sender is not None and catalogue.site.service is not False


def host_of(catalogue: Catalogue) -> str | None:
    """The host under which the service of a series answers; None where it has none."""
    site = catalogue.site
    return None if site.service is False else urlsplit(site.service or site.url).hostname
