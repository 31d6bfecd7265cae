"""Joining by oneself: asking from a form, then confirming from the mailbox (double opt-in).

Whoever asks learns nothing about an address: the answer is the same for a new one, one that is subscribed already and
one that has had enough mails of this kind today. Only the owner of the mailbox can find out.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Final

from sqlalchemy import Connection

from pipeline.actions.made_once import MadeOnce
from pipeline.actions.programmes import Programmes
from pipeline.catalogue.models import Catalogue
from pipeline.language import words
from pipeline.letters.confirming import Question, compose_confirmation
from pipeline.letters.expiring import CONFIRM, PREFERENCES, expiring_token, read_expiring_token
from pipeline.letters.marks import answered
from pipeline.letters.message import Letter
from pipeline.letters.posting import post_of
from pipeline.letters.tokens import digest_for, token
from pipeline.rendering import Renderer
from pipeline.store.addresses import AddressError, normalised
from pipeline.store.choices import keep_wishes
from pipeline.store.database import Database
from pipeline.store.expansion import enqueue_confirmation
from pipeline.store.limits import use
from pipeline.store.pending import ask_again, note_consent
from pipeline.store.subscribers import (
    ALL_KINDS,
    Subscriber,
    add,
    by_id,
    by_public_id,
    confirm,
    find,
)
from pipeline.store.tables import Standing

VALID_FOR: Final = timedelta(days=7)
"""How long a confirmation link works, and how long an address is kept that nobody confirms."""

CONSENT_VERSION: Final = "1"
"""Which text people agree to. A change of CONSENT_TEXT needs a new number: the number is the proof that is kept."""

CONSENT_TEXT: Final = (
    "Send me mails about “{series}”: announcements, reminders, changes, recordings and newsletters. "
    "I can choose among them or leave at any time. My address is used for nothing else and given to nobody."
)

EVENT_CONSENT_VERSION: Final = "event-1"
EVENT_CONSENT_TEXT: Final = (
    "Send me mails about the event “{event}”, and erase my address once it is over and its last mail has left. "
    "I can leave at any time. My address is used for nothing else and given to nobody."
)

PER_ADDRESS: Final = 3
PER_ADDRESS_IN: Final = timedelta(days=1)
PER_NETWORK: Final = 30
PER_NETWORK_IN: Final = timedelta(hours=1)
_MOST_LETTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was typed into the form; `event` is the id of a single event, empty for the whole series."""

    address: str
    language: str
    event: str = ""


class Answer(StrEnum):
    """What the person at the form is told. WRONG is a matter of spelling and says nothing about anybody."""

    ASKED = "asked"
    WRONG = "wrong"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class Joining:
    """What joining takes beside the database: the templates, the key of all tokens, and the letters it has composed."""

    renderer: Renderer
    secret: bytes = field(repr=False)
    letters: MadeOnce[Letter] = field(default_factory=lambda: MadeOnce(_MOST_LETTERS), repr=False, compare=False)
    """Composing a letter costs more than all else that a form asks for."""

    def letter(self, catalogue: Catalogue, question: Question) -> Letter:
        """The letter that asks a question, composed once."""

        def composed() -> Letter:
            return compose_confirmation(catalogue, question, post_of(catalogue, self.secret), self.renderer)

        return self.letters.get(catalogue, question, composed)


def consent_text(catalogue: Catalogue, language: str, event: str = "") -> str:
    """The words to which a confirmation agrees: for the whole series, or for a single event by its id."""
    if event:
        return words(language)(EVENT_CONSENT_TEXT).format(event=title_of(catalogue, event, language))
    return words(language)(CONSENT_TEXT).format(series=catalogue.series.title.said_in(language).text)


def title_of(catalogue: Catalogue, event: str, language: str) -> str:
    """What an event is called; its id where its title isn't known."""
    found = catalogue.event_by_id.get(event)
    return found.title.said_in(language).text if found and found.title else event


def network_of(machine: str) -> str:
    """The network of a machine's address, since one person may have many addresses: /24, or /56 of IPv6."""
    try:
        address = ip_address(machine)
    except ValueError:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((mapped, 24 if mapped.version == 4 else 56), strict=False))


def ask(
    database: Database, joining: Joining, catalogue: Catalogue, wanted: Wanted, machine: str, now: datetime
) -> Answer:
    """Somebody at a machine asks for mail to an address: a mail goes there, unless the limits are used up."""
    network = digest_for("limit of a network", network_of(machine), joining.secret).hex()
    try:
        named = f"{catalogue.series.id} {normalised(wanted.address).folded}"
    except AddressError:
        named = ""
    address = digest_for("limit of an address", named, joining.secret).hex() if named else ""
    if address:
        # Composed before the others have to wait for it.
        joining.letter(catalogue, _expected(database, catalogue, wanted, now))

    def work(connection: Connection) -> Answer:
        found = _noted(connection, catalogue, wanted, network, address, now)
        if isinstance(found, Answer):
            return found
        _write_to(connection, joining, catalogue, found, wanted.event, now)
        return Answer.ASKED

    return database.join(work)


def _expected(database: Database, catalogue: Catalogue, wanted: Wanted, now: datetime) -> Question:
    """What the mail will ask, as long as nobody changes their choices at this very moment."""
    with database.look() as connection:
        there = find(connection, catalogue.series.id, wanted.address)
    # `ask_again` leaves these as they are.
    keeps = there is not None and there.state in {Standing.ACTIVE, Standing.COMPLAINED}
    language = there.language if there is not None and keeps else wanted.language
    known = there is not None and _gets(there, wanted.event)
    return _question(catalogue, language, wanted.event, known, now + VALID_FOR)


def _noted(
    connection: Connection, catalogue: Catalogue, wanted: Wanted, network: str, address: str, now: datetime
) -> Subscriber | Answer:
    """The subscriber to write to, or what is answered without a mail; `network` and `address` are counted by."""
    if not use(connection, network, PER_NETWORK, PER_NETWORK_IN, now):
        return Answer.TOO_MANY
    if not address:
        return Answer.WRONG
    if not use(connection, address, PER_ADDRESS, PER_ADDRESS_IN, now):
        return Answer.ASKED
    row, is_new = add(
        connection, catalogue.series.id, wanted.address, wanted.language, ALL_KINDS, (), "asked, not confirmed", now,
        Standing.PENDING,
    )  # fmt: skip
    found = by_id(connection, row)
    if found is None or not found.is_reader:
        return Answer.ASKED
    if is_new:
        return found
    ask_again(connection, row, wanted.language, now)
    return by_id(connection, row) or found


def _write_to(
    connection: Connection, joining: Joining, catalogue: Catalogue, to: Subscriber, event: str, now: datetime
) -> None:
    until = now + VALID_FOR
    letter = joining.letter(catalogue, _question(catalogue, to.language, event, _gets(to, event), until))
    answer = expiring_token(to.public_id, _purpose(event), until, joining.secret)
    enqueue_confirmation(connection, to.series, to.id, answered(letter, answer), now, until)


def _gets(who: Subscriber, event: str) -> bool:
    """Whether somebody gets already what they ask for. Who gets mails about single events is asked before more."""
    return who.state is Standing.ACTIVE and (not who.wishes.events or event in who.wishes.events)


def _question(catalogue: Catalogue, language: str, event: str, known: bool, until: datetime) -> Question:
    return Question(
        language, until.astimezone(catalogue.series.zone).date(), known, consent_text(catalogue, language, event),
        event, title_of(catalogue, event, language) if event else "",
    )  # fmt: skip


def _purpose(event: str) -> str:
    """What a link confirms is signed with it: one for an event can't be made into one for the series."""
    return f"{CONFIRM} {event}" if event else CONFIRM


def preferences_token(public_id: str, secret: bytes) -> str:
    """The token by which somebody sees and changes their own choices, for as long as they are subscribed."""
    return token(public_id, PREFERENCES, secret)


# ------------------------------------------------------------------------------------------- confirming


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who holds a confirmation link, for the whole series or an `event`. `expired`: it is theirs, and too old."""

    subscriber: Subscriber
    catalogue: Catalogue | None
    asked: datetime
    expired: bool
    event: str = ""

    @property
    def is_confirmed(self) -> bool:
        """Whether nothing is left to confirm."""
        return _gets(self.subscriber, self.event)


def candidate(
    database: Database, programmes: Programmes, given: str, secret: bytes, now: datetime, event: str = ""
) -> Candidate | None:
    """Whose confirmation link it is; None for one that is foreign, altered, or of somebody who is gone."""
    read = read_expiring_token(given, _purpose(event), secret)
    if read is None:
        return None
    with database.look() as connection:
        found = by_public_id(connection, read.public_id)
        if found is None:
            return None
        catalogue = programmes.of(connection, found.series)
    asked = read.until - VALID_FOR
    # Who has left since must not be brought back by an old link.
    left_since = found.state is Standing.UNSUBSCRIBED and found.changed.replace(microsecond=0) > asked
    off = found.state in {Standing.COMPLAINED, Standing.BOUNCED}
    return Candidate(found, catalogue, asked, read.until <= now or left_since or off, event)


def confirmed(database: Database, found: Candidate, now: datetime) -> Candidate:
    """The candidate confirms; one who did before stays as they are."""
    version = EVENT_CONSENT_VERSION if found.event else CONSENT_VERSION
    consent = (
        f"form, text {version} ({found.subscriber.language}), asked {found.asked:%Y-%m-%dT%H:%M:%SZ}, "
        f"confirmed {now:%Y-%m-%dT%H:%M:%SZ}"
    )

    def work(connection: Connection) -> Subscriber:
        row = found.subscriber.id
        was_off = confirm(connection, row, consent, now)
        now_is = by_id(connection, row) or found.subscriber
        events = _events_after(now_is, found.event, was_off)
        if events == now_is.wishes.events:
            return now_is
        keep_wishes(connection, row, replace(now_is.wishes, events=events))
        if not was_off:
            note_consent(connection, row, consent, now)
        return by_id(connection, row) or now_is

    return replace(found, subscriber=database.join(work))


def _events_after(who: Subscriber, event: str, was_off: bool) -> frozenset[str]:
    """The single events that somebody follows once they confirmed one, or the whole series."""
    if not event:
        return frozenset()
    before = who.wishes.events
    # Who has the whole series keeps it, who wasn't active has nothing but what they asked for now.
    return frozenset({event}) if was_off else (before | {event} if before else before)
