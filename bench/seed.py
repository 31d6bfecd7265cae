"""The letter of which the measurements of mail are made: the seed's first reminder, with text, HTML and calendar."""

import secrets
from datetime import UTC, datetime
from pathlib import Path

from pipeline import ledger as journal
from pipeline.actions.mailing import Office, compose_one
from pipeline.catalogue.load import Source, load
from pipeline.edition import Edition
from pipeline.letters import Letter, Post
from pipeline.reminders.occasions import Kind
from pipeline.reminders.plan import plan
from pipeline.rendering import Renderer

ROOT = Path(__file__).parent.parent
NOW = datetime(2022, 10, 11, 8, tzinfo=UTC)


def seed_letter() -> tuple[Letter, Post, str]:
    """The first reminder of the seed, in English."""
    catalogue = load(Source("events.toml", (ROOT / "events.toml").read_text())).catalogue
    edition = Edition(catalogue, journal.read((ROOT / "ledger.jsonl").read_text()), NOW.date())
    occasion = next(one for one in plan(edition, NOW).occasions if one.kind is Kind.REMINDERS)
    office = Office(Renderer(), secrets.token_bytes(), {})
    return compose_one(edition, occasion, office, "en", NOW), office.post(catalogue), occasion.key
