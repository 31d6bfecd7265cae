"""From what is due to what waits in the outbox: plan, reconcile, compose, expand. One tick, the same whoever knocks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from pipeline.actions.proofs import queue_proofs
from pipeline.actions.remembering import Memory
from pipeline.catalogue.models import Catalogue, Newsletter, Rule
from pipeline.edition import Edition
from pipeline.errors import DeliveryError, SettingsError, TemplateError, TocsinError
from pipeline.letters import Letter, Message, Post, Recipient, finish
from pipeline.letters.composing import compose_in
from pipeline.letters.dkim import Key
from pipeline.letters.message import TEXT_ONLY
from pipeline.letters.pages import Notice
from pipeline.letters.posting import post_of
from pipeline.outputs.calendar import invitation
from pipeline.reminders.newsletters import newsletter_of
from pipeline.reminders.occasions import Kind, Occasion
from pipeline.reminders.rules import kinds_of_list, rules_of
from pipeline.rendering import Renderer
from pipeline.store.addressees import Addressee, keep_addressees
from pipeline.store.campaigns import Campaign, drop_late, due_campaigns, reconcile, told_lines
from pipeline.store.editions import edition_stamp, forget_planning, note_planning, planned_for
from pipeline.store.expansion import expand
from pipeline.store.subscribers import languages
from pipeline.store.switch import secret as kept_secret
from pipeline.store.tables import Role

TO_LIST = "list:"
"""Opens the name of a letter to mailing lists, which goes on with their languages: `list:fr+en`."""
PROOF = "proof"
"""The name of the letter by which the organiser sees what will leave."""


@dataclass(frozen=True, slots=True)
class Office:
    """What composing takes beside the edition: templates, the key of tokens, links that only letters may hold."""

    renderer: Renderer
    secret: bytes
    secrets: Mapping[str, str]
    keys: tuple[Key, ...] = ()
    memory: Memory = field(default_factory=Memory, compare=False)

    def post(self, catalogue: Catalogue) -> Post:
        """Who writes."""
        return post_of(catalogue, self.secret, self.keys)

    def finisher(self, catalogue: Catalogue) -> Callable[[Letter, Recipient, str, datetime], Message]:
        """Makes one addressee's message: a reader's with tokens, one for a mailing list or the organiser without."""
        to_readers = self.post(catalogue)
        to_others = to_readers.to_mailing_list()

        def finished(letter: Letter, recipient: Recipient, campaign: str, sent: datetime) -> Message:
            apart = letter.language == PROOF or letter.language.startswith(TO_LIST)
            return finish(letter, recipient, campaign, sent, to_others if apart else to_readers)

        return finished


def key_of(connection: Connection, given: str | None, make: Callable[[], str]) -> bytes:
    """The key of all tokens: TOCSIN_SECRET, or one that is made once and kept in the database."""
    return (given or kept_secret(connection, make)).encode()


def sending_edition(connection: Connection, series: str, now: datetime, memory: Memory | None = None) -> Edition:
    """The edition by which mail is sent: the last published one, never a draft. With a memory it is read once."""
    return (memory or Memory()).edition(connection, series, now)


@dataclass(frozen=True, slots=True)
class Ticked:
    """How many letters a tick queued, and what it could not compose; such an occasion waits until it is too late."""

    queued: int = 0
    troubles: tuple[TocsinError, ...] = ()
    late: tuple[str, ...] = ()
    """The mailings that were dropped because they came too late to be of use."""


def tick(connection: Connection, edition: Edition, office: Office, now: datetime) -> Ticked:
    """Brings the outbox in line with the edition and queues what is due.

    Doing it twice, or on two machines, is the same as doing it once.
    """
    series = edition.series.id
    keep_addressees(connection, series, addressees_of(edition.catalogue), now)
    _keep_planned(connection, edition, office.memory, now)
    late = drop_late(connection, series, now)
    due = () if edition.catalogue.mail.hold else due_campaigns(connection, series, now)
    if late or due:
        forget_planning(connection, series)
    if edition.catalogue.mail.hold:
        return Ticked(late=late)
    queued, troubles = queue_proofs(connection, edition, now, partial(compose_proof, edition, office))
    readers = languages(connection, series) if due else frozenset[str]()
    announced = set[str]()
    for campaign in due:
        event = campaign.occasion.event
        if campaign.occasion.kind is Kind.CHANGES and event in announced:
            continue  # its announcement tells the newest facts: the next plan will know that nothing is left to say
        try:
            letters = compose_all(edition, campaign.occasion, office, readers, now)
        except (SettingsError, TemplateError, DeliveryError) as error:
            troubles.append(TocsinError("{mailing}: {reason}", mailing=campaign.occasion.key, reason=error))
            continue
        lines = edition.ledger.of(event)
        queued += expand(connection, campaign, letters, edition.languages[0], now, lines[-1].name if lines else "")
        if campaign.occasion.kind is Kind.ANNOUNCEMENTS:
            announced.add(event)
    return Ticked(queued, tuple(troubles), late)


def _keep_planned(connection: Connection, edition: Edition, memory: Memory, now: datetime) -> None:
    """Plans where anything may have changed since this process planned last: the edition, the day, what was told."""
    series = edition.series.id
    stamp = edition_stamp(connection, series)
    note = f"{stamp} {now:%Y-%m-%d}"
    if stamp and memory.has_planned(connection, series, note) and planned_for(connection, series) == note:
        return
    replan(connection, edition, now, memory)
    # Both notes must agree: that of the database is gone with a transaction that fails, that of a process with it.
    note_planning(connection, series, note)
    memory.note_planning(connection, series, note)


def replan(connection: Connection, edition: Edition, now: datetime, memory: Memory | None = None) -> None:
    """Brings the campaigns in line with the plan of an edition, given what readers have been told."""
    series = edition.series.id
    found = (memory or Memory()).plan(edition, now, told_lines(connection, series))
    reconcile(connection, series, found, now)


def addressees_of(catalogue: Catalogue) -> tuple[Addressee, ...]:
    """To whom mail goes beside the subscribers: the mailing lists, and the organiser who sees each letter first."""
    mail = catalogue.mail
    lists = [
        Addressee(Role.LIST, one.address, list_letter(one.language), kinds_of_list(one))
        for one in {one.address.casefold(): one for one in mail.lists}.values()
    ]
    proofs = [] if mail.proof is None else [Addressee(Role.PROOF, mail.proof.to, PROOF, frozenset())]
    return (*lists, *proofs)


def list_letter(spoken: Sequence[str]) -> str:
    """The name of the letter to the mailing lists that read these languages."""
    return TO_LIST + "+".join(spoken)


def compose_all(
    edition: Edition, occasion: Occasion, office: Office, readers: frozenset[str], now: datetime
) -> dict[str, Letter]:
    """The letter of an occasion in every language that somebody reads, in the default one, and for each list."""
    wanted = [language for language in edition.languages if language in readers or language == edition.languages[0]]
    letters = {language: compose_one(edition, occasion, office, language, now) for language in wanted}
    letters |= {
        name: compose_one(edition, occasion, office, name.removeprefix(TEXT_ONLY), now, name)
        for name in _as_text_alone(edition, readers)
    }
    spoken = {one.language for one in edition.catalogue.mail.lists}
    return letters | {list_letter(some): compose_for_list(edition, occasion, office, some, now) for some in spoken}


def _as_text_alone(edition: Edition, readers: frozenset[str]) -> list[str]:
    """The names of the letters without HTML that somebody reads; with any of them the default one."""
    named = {name for name in readers if name.startswith(TEXT_ONLY)}
    wanted = {f"{TEXT_ONLY}{language}" for language in edition.languages} & named
    return sorted(wanted | {f"{TEXT_ONLY}{edition.languages[0]}"}) if named else []


def compose_one(
    edition: Edition, occasion: Occasion, office: Office, language: str, now: datetime, name: str = ""
) -> Letter:
    """The letter of an occasion in one language, its calendar entry attached where there is a date.

    `name` is that of a letter as text alone; else it is the language's.
    """
    return compose_in(
        edition,
        occasion,
        rule_of(edition, occasion),
        (language,),
        office.post(edition.catalogue),
        office.renderer,
        now,
        name=name or language,
        text_only=name.startswith(TEXT_ONLY),
        calendar=attachment(edition, occasion, language),
        secrets=office.secrets,
    )


def compose_for_list(
    edition: Edition, occasion: Occasion, office: Office, spoken: Sequence[str], now: datetime
) -> Letter:
    """The one letter that a mailing list gets, in its languages one after the other."""
    return compose_in(
        edition,
        occasion,
        rule_of(edition, occasion),
        spoken,
        office.post(edition.catalogue).to_mailing_list(),
        office.renderer,
        now,
        name=list_letter(spoken),
        calendar=attachment(edition, occasion, spoken[0]),
    )


def compose_proof(
    edition: Edition, office: Office, campaign: Campaign, readers: int | None, leaves: datetime
) -> Letter:
    """A campaign's letter in all languages for the organiser, with when it leaves, to how many, and how to hold it.

    Without `readers` it is the bare letter, by which one tells whether it changed.
    """
    occasion, language = campaign.occasion, edition.languages[0]
    local = leaves.astimezone(edition.series.zone)
    return compose_in(
        edition,
        occasion,
        rule_of(edition, occasion),
        edition.languages,
        office.post(edition.catalogue).to_mailing_list(),
        office.renderer,
        leaves,
        name=PROOF,
        calendar=attachment(edition, occasion, language),
        notice=None if readers is None else Notice(language, local, readers, f"tocsin hold {occasion.key}"),
    )


def attachment(edition: Edition, occasion: Occasion, language: str) -> bytes | None:
    """The calendar entry that goes with a letter; none for a digest or an event without a date."""
    listing = next((one for one in edition.dated if one.event.id == occasion.event), None)
    if listing is None:
        return None
    sender = edition.catalogue.mail.sender
    return invitation(edition, listing, language, "CANCEL" if listing.cancelled else "PUBLISH", organiser=sender)


def rule_of(edition: Edition, occasion: Occasion) -> Rule | Newsletter:
    """The rule or the newsletter that an occasion comes from."""
    if (newsletter := newsletter_of(edition, occasion)) is not None:
        return newsletter
    return next(read.rule for read in rules_of(edition.catalogue) if read.rule.id == occasion.rule)
