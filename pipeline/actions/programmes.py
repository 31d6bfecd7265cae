"""The published catalogues of a database, read again only when one was published anew."""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import Connection

from pipeline.catalogue.models import Catalogue
from pipeline.store.database import Database
from pipeline.store.editions import published_edition
from pipeline.store.stamps import stamps


class Programmes:
    """What has been published into a database. Any number of threads may ask."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read: dict[str, tuple[tuple[datetime, str], Catalogue]] = {}

    def all(self) -> Mapping[str, Catalogue]:
        """The published catalogues by the ids of their series."""
        with self._database.look() as connection:
            return self.seen(connection)

    def known(self) -> Mapping[str, Catalogue]:
        """What was published when somebody last asked: without a question to the database, which may be away."""
        return {series: catalogue for series, (_, catalogue) in sorted(self._read.copy().items())}

    def seen(self, connection: Connection) -> Mapping[str, Catalogue]:
        """The same, as a transaction sees it."""
        current = stamps(connection)
        for series, stamp in current.items():
            if self._read.get(series, (None,))[0] != stamp and (stored := published_edition(connection, series)):
                catalogue = Catalogue.model_validate_json(stored.catalogue)
                self._read[series] = stamp, catalogue
        return {series: self._read[series][1] for series in sorted(current) if series in self._read}


def takes_subscriptions(catalogue: Catalogue) -> bool:
    """Whether people can subscribe by themselves: somebody writes the mails, and the service may be used."""
    return catalogue.mail.sender is not None and catalogue.site.service is not False


def host_of(catalogue: Catalogue) -> str | None:
    """The host under which the service of a series answers; None where it has none."""
    site = catalogue.site
    return None if site.service is False else urlsplit(site.service or site.url).hostname
