"""Subscribers: who hears, in which language, about what, and the proof that they asked for it."""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, CompoundSelect, Connection, Select, bindparam, delete, func, select, update

from pipeline.letters.message import TEXT_ONLY
from pipeline.reminders.occasions import Kind
from pipeline.reminders.wishes import NO_WISHES, Wishes
from pipeline.store.addresses import AddressError, Mailbox, normalised
from pipeline.store.choices import TAGS, by_topic, choices_of, keep_wishes, wishes_in
from pipeline.store.dialects import Statement, insert
from pipeline.store.switch import salt
from pipeline.store.tables import Role, Standing, forgotten, subscriber_tags, subscribers

# The bits are stored: a kind keeps its bit for ever.
_BITS: Final = {
    Kind.ANNOUNCEMENTS: 1,
    Kind.REMINDERS: 2,
    Kind.CHANGES: 4,
    Kind.FOLLOW_UPS: 8,
    Kind.NEWSLETTERS: 16,
}
ALL_KINDS: Final = frozenset(Kind)
_SUSPENDING_BOUNCES: Final = 3


@dataclass(frozen=True, slots=True)
class Subscriber:
    """A subscriber as kept; `public_id` is the random name that stands for it in tokens and envelope senders."""

    id: int
    series: str
    address: str
    mailbox: str
    public_id: str
    language: str
    kinds: frozenset[Kind]
    tags: frozenset[str]
    state: Standing
    bounces: int
    consent: str
    added: datetime
    changed: datetime
    wishes: Wishes = NO_WISHES
    role: Role = Role.READER

    @property
    def is_reader(self) -> bool:
        """Whether it is a person; a mailing list and the organiser can't join, choose or leave by a link."""
        return self.role is Role.READER


def bits(kinds: Iterable[Kind]) -> int:
    """Kinds of mail as the integer that is stored."""
    return sum(_BITS[kind] for kind in set(kinds))


def kinds_in(stored: int) -> frozenset[Kind]:
    """The kinds of mail in a stored integer."""
    return frozenset(kind for kind, bit in _BITS.items() if stored & bit)


def chose(kind: Kind) -> ColumnElement[bool]:
    """For a WHERE: the subscriber chose this kind of mail."""
    return subscribers.c.kinds.op("&")(_BITS[kind]) != 0


def add(
    connection: Connection,
    series: str,
    address: str,
    language: str,
    kinds: Iterable[Kind],
    tags: Iterable[str],
    consent: str,
    at: datetime,
    state: Standing = Standing.ACTIVE,
    wishes: Wishes = NO_WISHES,
) -> tuple[int, bool]:
    """Adds a subscriber and returns (id, True), or (id, False) for an address that is there, which stays as it is.

    Raises AddressError for what can't be an address, and for one that was forgotten unless it asks again by itself
    (`state` pending).
    """
    box = normalised(address)
    if state is not Standing.PENDING and _is_forgotten(connection, series, box):
        raise AddressError(
            "{address} asked to be forgotten and can only come back by subscribing again", address=box.address
        )
    row = {
        "series": series,
        "address": box.address,
        "mailbox": box.mailbox,
        "folded": box.folded,
        "public_id": secrets.token_urlsafe(12),
        "language": language,
        "kinds": bits(kinds),
        "state": state,
        "bounces": 0,
        "consent": consent,
        "added": at,
        "changed": at,
    }
    made = connection.execute(_ADDING.on(connection), row).scalar()
    if made is None:
        return int(connection.execute(_THERE, {"wanted": series, "given": box.folded}).scalar_one()), False
    _set_tags(connection, made, tags)
    if wishes != NO_WISHES:
        keep_wishes(connection, made, wishes)
    return int(made), True


def find(connection: Connection, series: str, address: str) -> Subscriber | None:
    """The subscriber with an address, however it is written."""
    box = normalised(address)
    return _first(_loaded(connection, _BY_ADDRESS, {"wanted": series, "given": box.folded}))


def by_public_id(connection: Connection, public_id: str) -> Subscriber | None:
    """The subscriber whom a token or an envelope sender names."""
    return _first(_loaded(connection, _BY_PUBLIC_ID, {"wanted": public_id}))


def by_folded_id(connection: Connection, folded: str) -> list[Subscriber]:
    """The subscribers whose public name is this one but for upper and lower case; it looks at all of them."""
    return _loaded(connection, _question(func.lower(subscribers.c.public_id) == folded.lower()))


def by_id(connection: Connection, subscriber: int) -> Subscriber | None:
    """The subscriber of a row."""
    return _first(_loaded(connection, _BY_ID, {"wanted": subscriber}))


def listed(connection: Connection, series: str, states: Iterable[Standing] = tuple(Standing)) -> list[Subscriber]:
    """The subscribers of a series in these states, by address."""
    found = _loaded(connection, _question(*_reads(series), subscribers.c.state.in_(tuple(states))))
    return sorted(found, key=lambda subscriber: subscriber.address.casefold())


def languages(connection: Connection, series: str) -> frozenset[str]:
    """The languages in which the active subscribers of a series read; after TEXT_ONLY those read as text alone."""
    columns = (subscribers.c.language, subscribers.c.text_only)
    query = select(*columns).where(*_reads(series), subscribers.c.state == Standing.ACTIVE)
    return frozenset(f"{TEXT_ONLY if bare else ''}{read}" for read, bare in connection.execute(query.distinct()))


def confirm(connection: Connection, subscriber: int, consent: str, at: datetime) -> bool:
    """A pending subscriber (or one who had left and asks again) becomes active; False where nothing changed."""
    anew = {"state": Standing.ACTIVE, "consent": consent, "bounces": 0, "changed": at}
    changed = connection.execute(_ROW_THAT_MAY_CONFIRM, {"wanted": subscriber, **anew}).rowcount
    found = by_id(connection, subscriber)
    if changed and found is not None:
        digest = _digest(connection, normalised(found.address))
        connection.execute(delete(forgotten).where(forgotten.c.series == found.series, forgotten.c.digest == digest))
    return bool(changed)


def unsubscribe(connection: Connection, subscriber: int, at: datetime) -> bool:
    """Ends a subscription; nothing leaves to it from the next message on. False where it had ended already."""
    return set_state(connection, subscriber, Standing.UNSUBSCRIBED, at)


def set_state(connection: Connection, subscriber: int, state: Standing, at: datetime) -> bool:
    """Puts a subscriber into a state; False where it was in it, or isn't there."""
    given = {"wanted": subscriber, "unlike": state, "state": state, "changed": at}
    return bool(connection.execute(_ROW_IN_OTHER_STATE, given).rowcount)


def change(
    connection: Connection,
    subscriber: int,
    at: datetime,
    *,
    language: str,
    kinds: Iterable[Kind],
    tags: Iterable[str],
    wishes: Wishes,
) -> None:
    """Stores a subscriber's preferences."""
    row = {"language": language, "kinds": bits(kinds), "changed": at}
    connection.execute(_ROW, {"wanted": subscriber, **row})
    connection.execute(_ITS_TAGS, {"wanted": subscriber})
    _set_tags(connection, subscriber, tags)
    keep_wishes(connection, subscriber, wishes)


def count_bounce(connection: Connection, subscriber: int, at: datetime, *, suspend: bool) -> None:
    """Counts a hard bounce; the third one, or a first one that says so itself, suspends an active address."""
    connection.execute(
        update(subscribers).where(subscribers.c.id == subscriber).values(bounces=subscribers.c.bounces + 1, changed=at)
    )
    # A mailing list or an organiser that refuses one mail is for the organisers to look at, not to be suspended.
    person = subscribers.c.role == Role.READER
    enough = subscribers.c.bounces >= (1 if suspend else _SUSPENDING_BOUNCES)
    connection.execute(
        update(subscribers)
        .where(subscribers.c.id == subscriber, subscribers.c.state == Standing.ACTIVE, enough, person)
        .values(state=Standing.BOUNCED)
    )


def forget(connection: Connection, series: str, address: str) -> bool:
    """Deletes a subscriber and all that was kept about it but a keyed hash; False where nobody had that address."""
    box = normalised(address)
    gone = connection.execute(delete(subscribers).where(*_is_at(series, box))).rowcount
    row = insert(connection, forgotten).values(series=series, digest=_digest(connection, box))
    connection.execute(row.on_conflict_do_nothing())
    return bool(gone)


def _reads(series: str) -> tuple[ColumnElement[bool], ...]:
    return subscribers.c.series == series, subscribers.c.role == Role.READER


def _is_at(series: str, box: Mailbox) -> tuple[ColumnElement[bool], ...]:
    return subscribers.c.series == series, subscribers.c.folded == box.folded


def _is_forgotten(connection: Connection, series: str, box: Mailbox) -> bool:
    digest = _digest(connection, box)
    return connection.execute(_FORGOTTEN, {"wanted": series, "given": digest}).first() is not None


def _digest(connection: Connection, box: Mailbox) -> str:
    return digest_of_forgotten(salt(connection, lambda: secrets.token_hex(16)), box)


def digest_of_forgotten(key: str, box: Mailbox) -> str:
    """What stays of an address that was forgotten: a hash keyed with the database's salt."""
    return hmac.new(key.encode(), box.folded.encode(), hashlib.sha256).hexdigest()


def _set_tags(connection: Connection, subscriber: int, tags: Iterable[str]) -> None:
    rows = [{"subscriber_id": subscriber, "tag": tag} for tag in sorted(set(tags))]
    if rows:
        connection.execute(_ONE_TAG_MORE, rows)


# Made once, as all that the pages of the service ask of the database: making a statement takes longer than running it.
_ADDING: Final = Statement(lambda at: insert(at, subscribers).on_conflict_do_nothing().returning(subscribers.c.id))
_THERE: Final = select(subscribers.c.id).where(
    subscribers.c.series == bindparam("wanted"), subscribers.c.folded == bindparam("given")
)
_ROW: Final = update(subscribers).where(subscribers.c.id == bindparam("wanted"))
_ROW_IN_OTHER_STATE: Final = _ROW.where(subscribers.c.state != bindparam("unlike"))
_ROW_THAT_MAY_CONFIRM: Final = _ROW.where(subscribers.c.state.in_((Standing.PENDING, Standing.UNSUBSCRIBED)))
_ITS_TAGS: Final = delete(subscriber_tags).where(subscriber_tags.c.subscriber_id == bindparam("wanted"))
_ONE_TAG_MORE: Final = subscriber_tags.insert()
_FORGOTTEN: Final = select(forgotten.c.digest).where(
    forgotten.c.series == bindparam("wanted"), forgotten.c.digest == bindparam("given")
)


def _question(*conditions: ColumnElement[bool]) -> tuple[Select[Any], CompoundSelect[Any]]:
    """What has to be asked to know all about the subscribers that meet conditions: their rows, then their choices."""
    return select(subscribers).where(*conditions), choices_of(*conditions)


_BY_ID: Final = _question(subscribers.c.id == bindparam("wanted"))
_BY_ADDRESS: Final = _question(subscribers.c.series == bindparam("wanted"), subscribers.c.folded == bindparam("given"))
_BY_PUBLIC_ID: Final = _question(subscribers.c.public_id == bindparam("wanted"))


def _loaded(
    connection: Connection,
    question: tuple[Select[Any], CompoundSelect[Any]],
    given: Mapping[str, Any] | None = None,
) -> list[Subscriber]:
    people, chosen = question
    rows = connection.execute(people, given).all()
    if not rows:
        return []
    wishes = by_topic(connection.execute(chosen, given))
    return [
        Subscriber(
            row.id,
            row.series,
            row.address,
            row.mailbox,
            row.public_id,
            row.language,
            kinds_in(row.kinds),
            frozenset(wishes.get(row.id, {}).get(TAGS, ())),
            Standing(row.state),
            row.bounces,
            row.consent,
            row.added,
            row.changed,
            wishes_in(row, wishes.get(row.id, {})),
            Role(row.role),
        )
        for row in rows
    ]


def _first(found: Sequence[Subscriber]) -> Subscriber | None:
    return found[0] if found else None
