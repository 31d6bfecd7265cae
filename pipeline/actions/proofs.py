"""Proofs: the organiser sees each letter before its readers do, and once more where it has changed since."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import Connection

from pipeline.edition import Edition
from pipeline.errors import DeliveryError, SettingsError, TemplateError, TocsinError
from pipeline.letters import Letter
from pipeline.reminders.moments import proof_lead
from pipeline.store.addressees import addressees
from pipeline.store.campaigns import Campaign, coming_campaigns
from pipeline.store.editions import edition_stamp
from pipeline.store.expansion import audience_size, enqueue_proof
from pipeline.store.proofs import Proof, newest_proofs, outdate, proof_of, still_shows
from pipeline.store.tables import Role

Write = Callable[[Campaign, int | None, datetime], Letter]
"""Composes a campaign's letter for so many readers, leaving at an instant; without a number the bare letter."""


def queue_proofs(
    connection: Connection, edition: Edition, now: datetime, write: Write
) -> tuple[int, list[TocsinError]]:
    """Queues for the organiser each letter that will leave soon: how many, and what can't be composed."""
    queued, troubles = 0, list[TocsinError]()
    series, until = edition.series.id, now + proof_lead(edition)
    organisers = addressees(connection, series, Role.PROOF)
    if not organisers:
        return 0, troubles
    stamp = edition_stamp(connection, series) or ""
    proofs = newest_proofs(connection, series, now)
    for campaign in coming_campaigns(connection, series, now, until):
        try:
            queued += sum(_shown(connection, one, campaign, proofs, stamp, now, write) for one in organisers)
        except (SettingsError, TemplateError, DeliveryError) as error:
            if campaign.occasion.due > now:  # what is due tells by itself
                troubles.append(TocsinError("{mailing}: {reason}", mailing=campaign.occasion.key, reason=error))
    return queued, troubles


def _shown(
    connection: Connection,
    organiser: int,
    campaign: Campaign,
    proofs: Mapping[str, Proof],
    stamp: str,
    now: datetime,
    write: Write,
) -> bool:
    """Whether a proof was queued. One edition has one letter, so it is composed once for each edition only."""
    proof = proof_of(proofs, campaign)
    if proof is not None and stamp and proof.told.startswith(f"{stamp} "):
        return False
    told = f"{stamp} {_digest(write(campaign, None, campaign.occasion.due))}"
    if proof is not None and proof.told.rpartition(" ")[2] in ("", told.rpartition(" ")[2]):
        still_shows(connection, proof, told)
        return False
    if proof is not None:
        outdate(connection, proof, now)
    letter = write(campaign, audience_size(connection, campaign), max(campaign.occasion.due, now))
    return enqueue_proof(connection, campaign, organiser, letter, now, proof.number + 1 if proof else 1, told)


def _digest(letter: Letter) -> str:
    return hashlib.blake2b(letter.subject.encode() + b"\n" + letter.source, digest_size=12).hexdigest()
