"""From what is due to what waits in the outbox: plan, reconcile, compose, expand. One tick, the same whoever knocks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline import ledger as journal
from pipeline.catalogue.models import Catalogue, MailingList, Newsletter, Rule
from pipeline.edition import Edition
from pipeline.errors import DeliveryError, SettingsError, StoreError, TemplateError
from pipeline.letters import Letter, Message, Post, Recipient, finish
from pipeline.letters.composing import compose, compose_in
from pipeline.letters.dkim import Key
from pipeline.letters.pages import Notice
from pipeline.letters.posting import post_of
from pipeline.outputs.calendar import invitation
from pipeline.reminders.moments import proof_lead
from pipeline.reminders.newsletters import newsletter_of
from pipeline.reminders.occasions import Kind, Occasion, Plan
from pipeline.reminders.plan import NOTHING_TOLD, Told, plan
from pipeline.reminders.rules import rules_of
from pipeline.rendering import Renderer
from pipeline.store.addressees import Addressee, addressees, keep_addressees
from pipeline.store.campaigns import Campaign, coming_campaigns, drop_late, due_campaigns, reconcile, told_lines
from pipeline.store.editions import published_edition
from pipeline.store.expansion import audience_size, enqueue_proof, expand
from pipeline.store.subscribers import languages
from pipeline.store.switch import secret as kept_secret
from pipeline.store.tables import Role

TO_LIST = "list:"
"""Opens the name of a letter to mailing lists, which goes on with their languages: `list:fr+en`."""
PROOF = "proof"
"""The name of the letter by which the organiser sees what will leave."""

LOOKING_BACK = timedelta(days=30)
"""How far back a plan reaches, so that what is too late is said and not forgotten."""


@dataclass(frozen=True, slots=True)
class Office:
    """What composing takes beside the edition: templates, the key of tokens, links that only letters may hold."""

    renderer: Renderer
    secret: bytes
    secrets: Mapping[str, str]
    keys: tuple[Key, ...] = ()

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


def sending_edition(connection: Connection, series: str, now: datetime) -> Edition:
    """The edition by which mail is sent: the last published one, never a draft."""
    stored = published_edition(connection, series)
    if stored is None:
        raise StoreError("nothing has been published into this database yet; type: tocsin publish")
    catalogue = Catalogue.model_validate_json(stored.catalogue)
    return Edition(catalogue, journal.read(stored.ledger), now.astimezone(catalogue.series.zone).date())


@dataclass(frozen=True, slots=True)
class Ticked:
    """How many letters a tick queued, and what it could not compose; such an occasion waits until it is too late."""

    queued: int = 0
    troubles: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    """The mailings that were dropped because they came too late to be of use."""


def tick(connection: Connection, edition: Edition, office: Office, now: datetime) -> Ticked:
    """Brings the outbox in line with the edition and queues what is due.

    Doing it twice, or on two machines, is the same as doing it once.
    """
    series = edition.series.id
    keep_addressees(connection, series, addressees_of(edition.catalogue), now)
    reconcile(connection, series, current_plan(edition, now, told_lines(connection, series)), now)
    late = drop_late(connection, series, now)
    if edition.catalogue.mail.hold:
        return Ticked(late=late)
    readers = languages(connection, series)
    queued, troubles = _proofs(connection, edition, office, now)
    announced = set[str]()
    for campaign in due_campaigns(connection, series, now):
        event = campaign.occasion.event
        if campaign.occasion.kind is Kind.CHANGES and event in announced:
            continue  # its announcement tells the newest facts: the next plan will know that nothing is left to say
        try:
            letters = compose_all(edition, campaign.occasion, office, readers, now)
        except (SettingsError, TemplateError, DeliveryError) as error:
            troubles.append(f"{campaign.occasion.key}: {error}")
            continue
        lines = edition.ledger.of(event)
        queued += expand(connection, campaign, letters, edition.languages[0], now, lines[-1].name if lines else "")
        if campaign.occasion.kind is Kind.ANNOUNCEMENTS:
            announced.add(event)
    return Ticked(queued, tuple(troubles), late)


def _proofs(connection: Connection, edition: Edition, office: Office, now: datetime) -> tuple[int, list[str]]:
    """Queues for the organiser each letter that will leave soon, once: how many, and what can't be composed."""
    queued, troubles = 0, list[str]()
    series, until = edition.series.id, now + proof_lead(edition)
    for organiser in addressees(connection, series, Role.PROOF):
        for campaign in coming_campaigns(connection, series, now, until):
            try:
                letter = compose_proof(edition, campaign, office, audience_size(connection, campaign), now)
            except (SettingsError, TemplateError, DeliveryError) as error:
                if campaign.occasion.due > now:  # what is due tells by itself
                    troubles.append(f"{campaign.occasion.key}: {error}")
                continue
            queued += enqueue_proof(connection, campaign, organiser, letter, now, campaign.occasion.not_after)
    return queued, troubles


def addressees_of(catalogue: Catalogue) -> tuple[Addressee, ...]:
    """To whom mail goes beside the subscribers: the mailing lists, and the organiser who sees each letter first."""
    mail = catalogue.mail
    lists = [
        Addressee(Role.LIST, one.address, list_letter(one.language), kinds_of_list(one))
        for one in {one.address.casefold(): one for one in mail.lists}.values()
    ]
    proofs = [] if mail.proof is None else [Addressee(Role.PROOF, mail.proof.to, PROOF, frozenset())]
    return (*lists, *proofs)


def kinds_of_list(one: MailingList) -> frozenset[Kind]:
    """The kinds of mail that are posted to a list: all where it names none."""
    return frozenset(map(Kind, one.kinds)) or frozenset(Kind)


def list_letter(spoken: Sequence[str]) -> str:
    """The name of the letter to the mailing lists that read these languages."""
    return TO_LIST + "+".join(spoken)


def current_plan(edition: Edition, now: datetime, told: Told = NOTHING_TOLD) -> Plan:
    """The plan from a little before now on, given what readers have been told."""
    return plan(edition, now - LOOKING_BACK, told=told)


def compose_all(
    edition: Edition, occasion: Occasion, office: Office, readers: frozenset[str], now: datetime
) -> dict[str, Letter]:
    """The letter of an occasion in every language that somebody reads, in the default one, and for each list."""
    wanted = [language for language in edition.languages if language in readers or language == edition.languages[0]]
    letters = {language: compose_one(edition, occasion, office, language, now) for language in wanted}
    spoken = {one.language for one in edition.catalogue.mail.lists}
    return letters | {list_letter(some): compose_for_list(edition, occasion, office, some, now) for some in spoken}


def compose_one(edition: Edition, occasion: Occasion, office: Office, language: str, now: datetime) -> Letter:
    """The letter of an occasion in one language, its calendar entry attached where there is a date."""
    rule = rule_of(edition, occasion)
    return compose(
        edition,
        occasion,
        rule,
        language,
        office.post(edition.catalogue),
        office.renderer,
        now,
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


def compose_proof(edition: Edition, campaign: Campaign, office: Office, readers: int, now: datetime) -> Letter:
    """A campaign's letter in all languages for the organiser, with when it leaves, to how many, and how to hold it."""
    occasion, language = campaign.occasion, edition.languages[0]
    return compose_in(
        edition,
        occasion,
        rule_of(edition, occasion),
        edition.languages,
        office.post(edition.catalogue).to_mailing_list(),
        office.renderer,
        now,
        name=PROOF,
        calendar=attachment(edition, occasion, language),
        notice=Notice(
            language, max(occasion.due, now).astimezone(edition.series.zone), readers, f"tocsin hold {occasion.key}"
        ),
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
