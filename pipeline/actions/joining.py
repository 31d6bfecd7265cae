"""Joining by oneself: asking from a form, then confirming from the mailbox (double opt-in).

Whoever asks learns nothing about an address: the answer is the same for a new one, one that is subscribed already and
one that has had enough mails of this kind today. Only the owner of the mailbox can find out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Final

from sqlalchemy import Connection

from pipeline.catalogue.models import Catalogue
from pipeline.language import words
from pipeline.letters.confirming import Question, compose_confirmation
from pipeline.letters.expiring import CONFIRM, PREFERENCES, expiring_token, read_expiring_token
from pipeline.letters.posting import post_of
from pipeline.letters.tokens import digest_for, token
from pipeline.rendering import Renderer
from pipeline.store.database import Database
from pipeline.store.expansion import enqueue_confirmation
from pipeline.store.limits import forget_uses, use
from pipeline.store.pending import ask_again, erase_confirmations, erase_unconfirmed, is_reader
from pipeline.store.subscribers import (
    ALL_KINDS,
    AddressError,
    Subscriber,
    add,
    by_id,
    by_public_id,
    confirm,
    normalised,
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

PER_ADDRESS: Final = 3
PER_ADDRESS_IN: Final = timedelta(days=1)
PER_NETWORK: Final = 30
PER_NETWORK_IN: Final = timedelta(hours=1)


class Answer(StrEnum):
    """What the person at the form is told. WRONG is a matter of spelling and says nothing about anybody."""

    ASKED = "asked"
    WRONG = "wrong"
    TOO_MANY = "too many"


@dataclass(frozen=True, slots=True)
class Joining:
    """What joining takes beside the database: the templates, and the key of all tokens."""

    renderer: Renderer
    secret: bytes


def consent_text(catalogue: Catalogue, language: str) -> str:
    """The words to which a confirmation agrees."""
    return words(language)(CONSENT_TEXT).format(series=catalogue.series.title.said_in(language).text)


def network_of(machine: str) -> str:
    """The network of a machine's address, since one person may have many addresses: /24, or /56 of IPv6."""
    try:
        address = ip_address(machine)
    except ValueError:
        return "unknown"
    mapped = getattr(address, "ipv4_mapped", None) or address
    return str(ip_network((mapped, 24 if mapped.version == 4 else 56), strict=False))


def ask(
    database: Database, joining: Joining, catalogue: Catalogue, typed: str, language: str, machine: str, now: datetime
) -> Answer:
    """Somebody at a machine asks for mail to an address: a mail goes there, unless the limits are used up."""
    network = digest_for("limit of a network", network_of(machine), joining.secret).hex()
    if not database.run(lambda connection: use(connection, network, PER_NETWORK, PER_NETWORK_IN, now)):
        return Answer.TOO_MANY
    try:
        folded = normalised(typed).folded
    except AddressError:
        return Answer.WRONG
    address = digest_for("limit of an address", f"{catalogue.series.id} {folded}", joining.secret).hex()
    found = database.run(lambda connection: _noted(connection, catalogue, typed, language, address, now))
    if found is not None:
        _write_to(database, joining, catalogue, found, now)
    return Answer.ASKED


def _noted(
    connection: Connection, catalogue: Catalogue, typed: str, language: str, digest: str, now: datetime
) -> Subscriber | None:
    """The subscriber to write to; None where the address had its share of mails, or isn't a person's."""
    if not use(connection, digest, PER_ADDRESS, PER_ADDRESS_IN, now):
        return None
    row, is_new = add(
        connection, catalogue.series.id, typed, language, ALL_KINDS, (), "asked, not confirmed", now, Standing.PENDING
    )
    if not is_new and not is_reader(connection, row):
        return None
    if not is_new:
        ask_again(connection, row, language, now)
    return by_id(connection, row)


def _write_to(database: Database, joining: Joining, catalogue: Catalogue, to: Subscriber, now: datetime) -> None:
    until = now + VALID_FOR
    post = post_of(catalogue, joining.secret)
    known = to.state is Standing.ACTIVE
    path = f"preferences/{preferences_token(to.public_id, joining.secret)}"
    if not known:
        path = f"confirm/{expiring_token(to.public_id, CONFIRM, until, joining.secret)}"
    question = Question(f"{post.service}/{path}", until, known, consent_text(catalogue, to.language))
    name = f"{to.public_id} {now.isoformat()}"
    letter = compose_confirmation(catalogue, question, name, to.language, post, joining.renderer)
    database.run(lambda connection: enqueue_confirmation(connection, to.series, to.id, letter, now, until))


def preferences_token(public_id: str, secret: bytes) -> str:
    """The token by which somebody sees and changes their own choices, for as long as they are subscribed."""
    return token(public_id, PREFERENCES, secret)


# ------------------------------------------------------------------------------------------- confirming


@dataclass(frozen=True, slots=True)
class Candidate:
    """Who holds a confirmation link. `expired`: it is theirs, and too old."""

    subscriber: Subscriber
    asked: datetime
    expired: bool


def candidate(database: Database, given: str, secret: bytes, now: datetime) -> Candidate | None:
    """Whose confirmation link it is; None for one that is foreign, altered, or of somebody who is gone."""
    read = read_expiring_token(given, CONFIRM, secret)
    if read is None:
        return None
    with database.look() as connection:
        found = by_public_id(connection, read.public_id)
    if found is None:
        return None
    asked = read.until - VALID_FOR
    # Who has left since must not be brought back by an old link.
    left_since = found.state is Standing.UNSUBSCRIBED and found.changed.replace(microsecond=0) > asked
    off = found.state in {Standing.COMPLAINED, Standing.BOUNCED}
    return Candidate(found, asked, read.until <= now or left_since or off)


def confirmed(database: Database, found: Candidate, now: datetime) -> Subscriber:
    """The candidate confirms; one who did before stays as they are."""
    consent = (
        f"form, text {CONSENT_VERSION} ({found.subscriber.language}), asked {found.asked:%Y-%m-%dT%H:%M:%SZ}, "
        f"confirmed {now:%Y-%m-%dT%H:%M:%SZ}"
    )

    def work(connection: Connection) -> Subscriber:
        confirm(connection, found.subscriber.id, consent, now)
        return by_id(connection, found.subscriber.id) or found.subscriber

    return database.run(work)


def tidy(database: Database, now: datetime) -> int:
    """Erases what may not be kept longer: unconfirmed addresses and their mails, old counts. Counts the addresses."""

    def work(connection: Connection) -> int:
        forget_uses(connection, now)
        erase_confirmations(connection, now)
        return erase_unconfirmed(connection, now - VALID_FOR)

    return database.run(work)
