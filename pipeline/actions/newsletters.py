"""Newsletters whose hour has come: the lines that make them pages and entries, with all that they told."""

from collections.abc import Collection
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING

from pipeline.catalogue.models import Newsletter, dump
from pipeline.edition import Edition, as_of
from pipeline.ledger import Ledger, Line, newsletter_line
from pipeline.reminders.newsletters import key_of, last_instant, leaves_at, newsletter_digest
from pipeline.sent_newsletters import SentNewsletter, Told, ToldLine, ToldLink

if TYPE_CHECKING:
    from pipeline.letters.digests import DigestLine


def due_newsletters(edition: Edition, now: datetime, held: Collection[str] = ()) -> tuple[Line, ...]:
    """The ledger lines of the newsletters whose `send` has come and which the ledger doesn't tell of yet.

    Not what says nothing and so isn't mailed, nor what the organiser holds: `held` are the keys of such mailings.
    """
    if edition.catalogue.mail.hold:
        return ()
    out = {line.event for line in edition.ledger.newsletters}
    due = [
        newsletter
        for newsletter in edition.catalogue.newsletters
        if newsletter.id not in out and leaves_at(edition, newsletter) <= now and key_of(newsletter.id) not in held
    ]
    ledger, lines = edition.ledger, []
    for newsletter in sorted(due, key=lambda newsletter: leaves_at(edition, newsletter)):
        line = _line(edition, ledger, newsletter)
        if line is not None:
            lines.append(line)
            ledger = Ledger.holding((*ledger.all_lines, line))
    return tuple(lines)


def too_late(edition: Edition, now: datetime) -> frozenset[str]:
    """The keys of the newsletters that don't leave any more, if they haven't."""
    return frozenset(
        key_of(newsletter.id)
        for newsletter in edition.catalogue.newsletters
        if last_instant(edition, newsletter) <= now
    )


def _line(edition: Edition, ledger: Ledger, newsletter: Newsletter) -> Line | None:
    leaves = leaves_at(edition, newsletter)
    # What was published after it left was in no mail.
    then = as_of(edition, leaves)
    found = newsletter_digest(then, newsletter)
    if newsletter.text is None and found.is_empty:
        return None
    # Named at run time: few builds have a newsletter, and whoever has none need not load what letters are made of.
    digests = import_module("pipeline.letters.digests")
    told = {
        language: Told(
            news=_kept(digests.news_lines(then, found.news, language, leaves)),
            upcoming=_kept(digests.upcoming_lines(then, found.upcoming, language, found.more)),
            recordings=_kept(digests.recording_lines(then, found.recordings, language)),
        )
        for language in edition.languages
    }
    values = {name: getattr(newsletter, name) for name in Newsletter.model_fields}
    facts = dump(SentNewsletter(**values, told=told))
    return newsletter_line(edition.catalogue, ledger, newsletter.id, facts, leaves)


def _kept(lines: "tuple[DigestLine, ...]") -> tuple[ToldLine, ...]:
    return tuple(
        ToldLine(
            event=line.event,
            text=line.text,
            language=line.language,
            place=line.place,
            recordings=tuple(
                ToldLink(url=link.url, text=link.label.text, language=link.label.language) for link in line.recordings
            ),
        )
        for line in lines
    )
