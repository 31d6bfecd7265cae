"""What subscribers choose by the link in their mails: kinds, subjects, language; their own data; being erased."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from sqlalchemy import Connection

from pipeline.actions.offers import Option, chooseable_rules, offers
from pipeline.actions.personal_data import personal_data
from pipeline.actions.programmes import Programmes
from pipeline.catalogue.models import Catalogue
from pipeline.letters import read_token
from pipeline.letters.expiring import PREFERENCES
from pipeline.reminders.moments import in_utc
from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import NO_WISHES, Wishes
from pipeline.store import subscribers
from pipeline.store.database import Database
from pipeline.store.subscribers import Subscriber
from pipeline.store.withdrawing import restore_wanted, withdraw_unwanted

LONGEST_PAUSE: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Choices:
    """What somebody wants from now on. No tags means every subject."""

    language: str
    kinds: frozenset[Kind]
    tags: frozenset[str]
    wishes: Wishes = NO_WISHES


def holder_of(
    database: Database, programmes: Programmes, given: str, secret: bytes
) -> tuple[Subscriber, Catalogue | None] | None:
    """Whose link to their choices it is, and what their series has published.

    None for a link that is foreign, altered, or of somebody who is gone.
    """
    public_id = read_token(given, PREFERENCES, secret)
    if public_id is None:
        return None
    with database.look() as connection:
        found = subscribers.by_public_id(connection, public_id)
        if found is None or not found.is_reader:
            return None
        return found, programmes.of(connection, found.series)


def choices_in(
    fields: Mapping[str, Sequence[str]], catalogue: Catalogue, before: Subscriber, now: datetime
) -> Choices | None:
    """The choices in a form's fields; None where no kind or no event is left, which is leaving and must be said so.

    What isn't offered is passed over: a form may be older than the programme.
    """
    known = {kind.value: kind for kind in Kind}
    kinds = frozenset(known[name] for name in fields.get("kinds", ()) if name in known)
    offered = offers(catalogue, before, now)
    only_some = "some" in fields.get("scope", ())
    events = _ticked(fields, "events", offered.events) if only_some else frozenset[str]()
    if not kinds or (only_some and not events):
        return None
    asked, declined = _reminders(fields, catalogue, before.wishes)
    wishes = Wishes(
        asked, declined,
        _ticked(fields, "groups", offered.groups), _ticked(fields, "cities", offered.cities),
        _ticked(fields, "ways", offered.ways), events,
        text_only="text" in fields.get("form", ()),
        paused_until=_pause(fields, catalogue, now),
    )  # fmt: skip
    language = next((name for name in fields.get("language", ()) if name in catalogue.languages), before.language)
    return Choices(language, kinds, _ticked(fields, "tags", offered.tags), wishes)


def _ticked(fields: Mapping[str, Sequence[str]], name: str, offered: Sequence[Option]) -> frozenset[str]:
    return frozenset(fields.get(name, ())) & {option.value for option in offered}


def _reminders(
    fields: Mapping[str, Sequence[str]], catalogue: Catalogue, before: Wishes
) -> tuple[frozenset[str], frozenset[str]]:
    """Which rules are asked for and which declined; of a rule that the form didn't show, what was chosen before."""
    shown, ticked = frozenset(fields.get("shown", ())), frozenset(fields.get("reminders", ()))
    rules = [read.rule for found in chooseable_rules(catalogue).values() for read in found if read.rule.id in shown]
    asked = {rule.id for rule in rules if not rule.default and rule.id in ticked}
    declined = {rule.id for rule in rules if rule.default and rule.id not in ticked}
    return before.asked - shown | asked, before.declined - shown | declined


def _pause(fields: Mapping[str, Sequence[str]], catalogue: Catalogue, now: datetime) -> datetime | None:
    """The midnight that opens the day on which mails begin again; None for no day, a past one or one that is none."""
    try:
        day = date.fromisoformat(next(iter(fields.get("pause", ())), ""))
    except ValueError:
        return None
    today = now.astimezone(catalogue.series.zone).date()
    if day <= today:
        return None
    return in_utc(min(day, today + LONGEST_PAUSE), time(), catalogue.series.zone)


def choose(database: Database, who: Subscriber, wanted: Choices, now: datetime) -> Subscriber:
    """Stores the choices, and returns the subscriber as they are now."""

    def work(connection: Connection) -> Subscriber:
        subscribers.change(
            connection,
            who.id,
            now,
            language=wanted.language,
            kinds=wanted.kinds,
            tags=wanted.tags,
            wishes=wanted.wishes,
        )
        withdraw_unwanted(connection, who.id, now)
        restore_wanted(connection, who.id, now)
        return subscribers.by_id(connection, who.id) or who

    return database.join(work)


def data_of(database: Database, who: Subscriber) -> dict[str, Any]:
    """All that is kept about somebody."""
    with database.look() as connection:
        return personal_data(connection, who)


def erase(database: Database, who: Subscriber) -> None:
    """Deletes somebody and all that was kept but a keyed hash, by which no import can bring the address back."""
    database.join(lambda connection: subscribers.forget(connection, who.series, who.address))
