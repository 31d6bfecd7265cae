"""Newsletters: the organiser's own letters, when they fall due and what they tell besides the organiser's words."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.catalogue.models import Newsletter, Rule
from pipeline.edition import Edition
from pipeline.reminders.moments import in_utc
from pipeline.reminders.occasions import Audience, Kind, Occasion, Omission, Priority
from pipeline.reminders.periods import Digest, digest

HORIZON = timedelta(days=400)
"""How far a newsletter, which knows of no next one, looks ahead."""
SINCE = timedelta(days=31)
"""How far back the first newsletter looks for news."""

_MARK = "newsletter."
"""Opens the `rule` of a newsletter's occasion; no id holds a dot, so it is never the id of a `[[reminder]]`."""


def newsletters(edition: Edition) -> Iterator[Occasion | Omission]:
    """An occasion for each `[[newsletter]]`; an omission for one that says nothing.

    The organiser named the hour, so quiet hours don't move it.
    """
    for newsletter in edition.catalogue.newsletters:
        rule, due = _MARK + newsletter.id, leaves_at(edition, newsletter)
        if newsletter.text is None and newsletter_digest(edition, newsletter).is_empty:
            yield Omission("", rule, "a newsletter with nothing to say is not sent")
        else:
            yield Occasion(
                "", rule, 0, Kind.NEWSLETTERS, due, last_instant(edition, newsletter),
                Priority.NEWSLETTER, Audience.CORRECTED if newsletter.corrects else Audience.CHOSEN,
                tags=frozenset(newsletter.tags), corrects=key_of(newsletter.corrects) if newsletter.corrects else "",
            )  # fmt: skip


def newsletter_of(edition: Edition, occasion: Occasion) -> Newsletter | None:
    """The newsletter that an occasion stands for; None where it stands for something else."""
    if not occasion.rule.startswith(_MARK):
        return None
    name = occasion.rule.removeprefix(_MARK)
    return next((newsletter for newsletter in edition.catalogue.newsletters if newsletter.id == name), None)


def leaves_at(edition: Edition, newsletter: Newsletter) -> datetime:
    """The instant (UTC) of its `send`, a wall time of the series' zone unless it says its own offset."""
    send = newsletter.send
    if send.tzinfo is not None:
        return send.astimezone(UTC)
    return in_utc(send.date(), send.time(), edition.series.zone)


def last_instant(edition: Edition, newsletter: Newsletter) -> datetime:
    """The instant (UTC) from which it is too late for it to leave."""
    return leaves_at(edition, newsletter) + max(edition.catalogue.mail.max_late, timedelta(hours=12))


def newsletter_digest(edition: Edition, newsletter: Newsletter) -> Digest:
    """What a newsletter tells of: the sections it includes, with the news since the newsletter before it."""
    due = leaves_at(edition, newsletter)
    by_tags = Rule(id=newsletter.id, when="once", tags=newsletter.tags)
    found = digest(edition, by_tags, _told_until(edition, newsletter), due, due + HORIZON)
    included = newsletter.include
    return replace(
        found,
        news=found.news if "news" in included else (),
        upcoming=found.upcoming if "upcoming" in included else (),
        recordings=found.recordings if "recordings" in included else (),
    )


def _told_until(edition: Edition, newsletter: Newsletter) -> datetime:
    """When the newsletter before this one left; a month before it where it is the first.

    A correction tells again what the wrong one told.
    """
    others = {other.id: leaves_at(edition, other) for other in edition.catalogue.newsletters}
    this = others.get(newsletter.corrects or "") or leaves_at(edition, newsletter)
    return max((moment for moment in others.values() if moment < this), default=this - SINCE)


def key_of(newsletter: str) -> str:
    """The key of the mailing that a newsletter is, by its id."""
    moment = datetime.min.replace(tzinfo=UTC)  # the key doesn't depend on it
    return Occasion("", _MARK + newsletter, 0, Kind.NEWSLETTERS, moment, moment).key
