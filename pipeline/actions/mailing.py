"""From what is due to what waits in the outbox: plan, reconcile, compose, expand. One tick, the same whoever knocks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from pipeline import ledger as journal
from pipeline.catalogue.models import Catalogue, Rule
from pipeline.edition import Edition
from pipeline.errors import DeliveryError, SettingsError, StoreError, TemplateError
from pipeline.letters import Letter, Post
from pipeline.letters.composing import compose
from pipeline.letters.posting import post_of
from pipeline.outputs.calendar import invitation
from pipeline.reminders.occasions import Occasion, Plan
from pipeline.reminders.plan import plan
from pipeline.reminders.rules import rules_of
from pipeline.rendering import Renderer
from pipeline.store.campaigns import due_campaigns, reconcile
from pipeline.store.editions import published_edition
from pipeline.store.expansion import expand
from pipeline.store.subscribers import languages
from pipeline.store.switch import secret as kept_secret

LOOKING_BACK = timedelta(days=30)
"""How far back a plan reaches, so that what is too late is said and not forgotten."""


@dataclass(frozen=True, slots=True)
class Office:
    """What composing takes beside the edition: templates, the key of tokens, links that only letters may hold."""

    renderer: Renderer
    secret: bytes
    secrets: Mapping[str, str]

    def post(self, catalogue: Catalogue) -> Post:
        """Who writes."""
        return post_of(catalogue, self.secret)


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


def tick(connection: Connection, edition: Edition, office: Office, now: datetime) -> Ticked:
    """Brings the outbox in line with the edition and queues what is due.

    Doing it twice, or on two machines, is the same as doing it once.
    """
    series = edition.series.id
    reconcile(connection, series, current_plan(edition, now), now)
    if edition.catalogue.mail.hold:
        return Ticked()
    readers = languages(connection, series)
    queued, troubles = 0, []
    for campaign in due_campaigns(connection, series, now):
        try:
            letters = compose_all(edition, campaign.occasion, office, readers, now)
        except (SettingsError, TemplateError, DeliveryError) as error:
            troubles.append(f"{campaign.occasion.key}: {error}")
            continue
        queued += expand(connection, campaign, letters, edition.languages[0], now)
    return Ticked(queued, tuple(troubles))


def current_plan(edition: Edition, now: datetime) -> Plan:
    """The plan from a little before now on."""
    return plan(edition, now - LOOKING_BACK)


def compose_all(
    edition: Edition, occasion: Occasion, office: Office, readers: frozenset[str], now: datetime
) -> dict[str, Letter]:
    """The letter of an occasion in every language that somebody reads, and in the default one."""
    wanted = [language for language in edition.languages if language in readers or language == edition.languages[0]]
    return {language: compose_one(edition, occasion, office, language, now) for language in wanted}


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
        calendar=attachment(edition, occasion, language) if rule.attach_calendar else None,
        secrets=office.secrets,
    )


def attachment(edition: Edition, occasion: Occasion, language: str) -> bytes | None:
    """The calendar entry that goes with a letter; none for a digest or an event without a date."""
    listing = next((one for one in edition.dated if one.event.id == occasion.event), None)
    if listing is None:
        return None
    return invitation(edition, listing, language, "CANCEL" if listing.cancelled else "PUBLISH")


def rule_of(edition: Edition, occasion: Occasion) -> Rule:
    """The rule that an occasion comes from."""
    return next(read.rule for read in rules_of(edition.catalogue) if read.rule.id == occasion.rule)
