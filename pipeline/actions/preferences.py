"""What subscribers choose by the link in their mails: kinds, subjects, language; their own data; being erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from pipeline.actions.personal_data import personal_data
from pipeline.catalogue.models import Catalogue
from pipeline.letters import read_token
from pipeline.letters.expiring import PREFERENCES
from pipeline.reminders.occasions import Kind
from pipeline.store import subscribers
from pipeline.store.database import Database
from pipeline.store.pending import is_reader
from pipeline.store.subscribers import Subscriber


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody wants from now on. No tags means every subject."""

    language: str
    kinds: frozenset[Kind]
    tags: frozenset[str]


def holder_of(database: Database, given: str, secret: bytes) -> Subscriber | None:
    """Whose link to their choices it is; None for one that is foreign, altered, or of somebody who is gone."""
    public_id = read_token(given, PREFERENCES, secret)
    if public_id is None:
        return None
    with database.look() as connection:
        found = subscribers.by_public_id(connection, public_id)
        return found if found is not None and is_reader(connection, found.id) else None


def offered_tags(catalogue: Catalogue, chosen: frozenset[str]) -> tuple[str, ...]:
    """The subjects that one can choose: those of the events, and those that somebody chose before."""
    return tuple(sorted({tag for event in catalogue.events for tag in event.tags} | chosen))


def choices_in(fields: Mapping[str, Sequence[str]], catalogue: Catalogue, before: Subscriber) -> Choices | None:
    """The choices in a form's fields; None where no kind is left, which is leaving and must be said so.

    What isn't offered is passed over: a form may be older than the programme.
    """
    known = {kind.value: kind for kind in Kind}
    kinds = frozenset(known[name] for name in fields.get("kinds", ()) if name in known)
    if not kinds:
        return None
    offered = frozenset(offered_tags(catalogue, before.tags))
    language = next((name for name in fields.get("language", ()) if name in catalogue.languages), before.language)
    return Choices(language, kinds, frozenset(fields.get("tags", ())) & offered)


def choose(database: Database, who: Subscriber, wanted: Choices, now: datetime) -> Subscriber:
    """Stores the choices, and returns the subscriber as they are now."""

    def work(connection: Connection) -> Subscriber:
        subscribers.change(connection, who.id, now, language=wanted.language, kinds=wanted.kinds, tags=wanted.tags)
        return subscribers.by_id(connection, who.id) or who

    return database.run(work)


def data_of(database: Database, who: Subscriber) -> dict[str, Any]:
    """All that is kept about somebody."""
    with database.look() as connection:
        return personal_data(connection, who)


def erase(database: Database, who: Subscriber) -> None:
    """Deletes somebody and all that was kept but a keyed hash, by which no import can bring the address back."""
    database.run(lambda connection: subscribers.forget(connection, who.series, who.address))
