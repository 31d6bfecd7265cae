"""Notices of a change: what readers were last told against what is published now, once it has settled."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta

from pipeline.catalogue.models import Event
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.when import starts
from pipeline.edition import Edition
from pipeline.ledger import SCHEDULING, LineKind
from pipeline.news import News
from pipeline.reminders.moments import last_chance, outside_quiet_hours, proof_lead
from pipeline.reminders.occasions import Audience, Kind, Occasion, Omission, Priority
from pipeline.reminders.rules import ReadRule

NOTICE_KINDS = {
    LineKind.CHANGED, LineKind.CANCELLED, LineKind.POSTPONED, LineKind.REINSTATED, LineKind.RETIRED,
}  # fmt: skip
A_DAY = timedelta(days=1)
AHEAD = timedelta(days=400)
UNDATED_NOTICE = timedelta(days=7)
"""How long the notice of a change is worth sending when no date limits it."""
BETWEEN = ".."
"""Between the two ledger lines that name a notice: what was told last, and what is told now."""


def notices(edition: Edition, read: ReadRule, event: str, told: Collection[str]) -> Iterator[Occasion | Omission]:
    """The one notice that an event owes its readers, if its facts differ from those that they were last told.

    `told` names the ledger lines of the event that letters have told; without any it is the announcement. However
    often the facts changed since, readers hear of the net result, and of nothing where all was undone.
    """
    lines = edition.ledger.of(event)
    base = max((number for number, line in enumerate(lines) if line.name in told), default=0)
    item = edition.change(event, lines[base].name, lines[-1].name)
    if item is not None and item.kind in NOTICE_KINDS:
        yield _notice(edition, read, item, f"{lines[base].name}{BETWEEN}{lines[-1].name}")


def change_of(edition: Edition, occasion: Occasion) -> News | None:
    """The change which a notice tells, read from its name."""
    told, between, last = occasion.occurrence.partition(BETWEEN)
    return edition.change(occasion.event, told, last) if between else None


def _notice(edition: Edition, read: ReadRule, item: News, name: str) -> Occasion | Omission:
    mail = edition.catalogue.mail
    limits = list(_limits([event for event in (item.event, item.before) if event], item.last))
    not_after = max(limits, default=item.last + UNDATED_NOTICE)
    if not_after <= item.last:
        return Omission(item.event.id, read.rule.id, "the event is past", item.sequence)
    urgent = any(abs(limit - item.last) <= A_DAY for limit in limits)
    due = item.last if urgent else min(item.last + max(mail.settle, proof_lead(edition)), not_after)
    if not urgent:
        due = max(outside_quiet_hours(due, not_after, mail.quiet, edition.series.zone) or due, item.last)
    return Occasion(
        event=item.event.id,
        rule=read.rule.id,
        revision=item.sequence,
        kind=Kind.CHANGES,
        due=due,
        not_after=not_after,
        priority=Priority.URGENT if urgent else Priority.REMINDER,
        audience=Audience.CHOSEN if only_more_precise(item) else Audience.INFORMED,
        tags=frozenset(item.event.tags),
        occurrence=name,
        starts=starts(item.event.when),
    )


def _limits(events: Iterable[Event], since: datetime) -> Iterator[datetime]:
    """Until when each event can still be missed: of a recurring one, its next time after `since`."""
    for event in events:
        chances = [
            chance for _, when in occurrences(event, since - A_DAY, since + AHEAD) if (chance := last_chance(when))
        ]
        if event.repeats is None:
            yield from chances
        else:
            yield from [chance for chance in chances if chance > since][:1]


def only_more_precise(item: News) -> bool:
    """Whether nothing moved: a date, an hour, an end or a place became known that was to be announced."""
    before = item.before
    if before is None or "notice" in item.changed or item.kind is not LineKind.CHANGED:
        return False
    return all(
        getattr(before, {"except": "excepted"}.get(key, key)) in (None, False, ()) for key in item.changed & SCHEDULING
    )
