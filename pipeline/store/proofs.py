"""What the organiser was shown: the proofs of each campaign, and what told each from the one before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from pipeline.store.campaigns import CHANGED, Campaign, stop
from pipeline.store.expansion import PROOF, proof_key
from pipeline.store.tables import campaigns


@dataclass(frozen=True, slots=True)
class Proof:
    """The newest proof of a campaign: its row, how many there were, and what was said to tell it from another one."""

    id: int
    number: int
    told: str


def newest_proofs(connection: Connection, series: str, now: datetime) -> Mapping[str, Proof]:
    """The newest proof of each campaign that can still leave, by `proof_key`."""
    query = select(campaigns.c.id, campaigns.c.key, campaigns.c.told).where(
        campaigns.c.series == series, campaigns.c.kind == PROOF, campaigns.c.not_after > now
    )
    found: dict[str, Proof] = {}
    for row in connection.execute(query.order_by(campaigns.c.id)):
        key, _, number = row.key.partition("#")
        found[key] = Proof(row.id, int(number or 1), row.told)
    return found


def proof_of(proofs: Mapping[str, Proof], campaign: Campaign) -> Proof | None:
    """The newest proof of a campaign; None where the organiser hasn't seen it."""
    return proofs.get(proof_key(campaign))


def still_shows(connection: Connection, proof: Proof, told: str) -> None:
    """Notes that a newer edition has the same letter."""
    connection.execute(update(campaigns).where(campaigns.c.id == proof.id).values(told=told))


def outdate(connection: Connection, proof: Proof, now: datetime) -> None:
    """Stops a proof that hasn't left yet: a newer one takes its place."""
    stop(connection, proof.id, CHANGED, now)
