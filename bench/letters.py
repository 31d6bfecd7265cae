"""One more recipient of a letter, against building an `EmailMessage` with the same content for each."""

import secrets
import time
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP, default
from pathlib import Path

from timing import Ratio, paired

from pipeline import ledger as journal
from pipeline.actions.mailing import Office, compose_one
from pipeline.catalogue.load import Source, load
from pipeline.edition import Edition
from pipeline.letters import Letter, Post, Recipient, finish
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


def built(parsed: EmailMessage, address: str) -> bytes:
    """The same letter by the standard library, as one would write it."""
    message = EmailMessage(policy=SMTP)
    for name in ("From", "Subject", "Date", "Message-ID", "List-Id", "Auto-Submitted"):
        message[name] = str(parsed[name])
    message["To"] = address
    parts = [part for part in parsed.walk() if not part.is_multipart()]
    message.set_content(parts[0].get_content())
    message.add_alternative(parts[1].get_content(), subtype="html")
    calendar = parts[2].get_content()
    message.add_attachment(calendar, subtype="calendar", params={"method": "PUBLISH"}, filename="event.ics")
    return message.as_bytes()


def measure(runs: int = 5) -> list[Ratio]:
    """How many times the CPU of one more recipient an `EmailMessage` for each takes."""
    letter, post, key = seed_letter()
    readers = [Recipient(number, f"reader{number}@example.org", secrets.token_urlsafe(12)) for number in range(5000)]
    parsed = BytesParser(policy=default).parsebytes(finish(letter, readers[0], key, NOW, post).body)
    ours, theirs = [], []
    for _ in range(runs):
        started = time.process_time()
        for reader in readers:
            finish(letter, reader, key, NOW, post)
        ours.append((time.process_time() - started) / len(readers))
        started = time.process_time()
        for reader in readers[:50]:
            built(parsed, reader.address)  # type: ignore[arg-type]
        theirs.append((time.process_time() - started) / 50)
    note = f"an EmailMessage built for each recipient, over ours ({min(ours) * 1e6:.0f} µs)"
    return [Ratio("one more recipient", paired(theirs, ours), 250, note, more_is_better=True)]


if __name__ == "__main__":
    for result in measure():
        print(f"{result.name}: {result.value:.1f}, {result.note}")
