"""The plan: every mail which an edition and its rules ask for, and everything left out with its reason. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pipeline.catalogue.models import Event, Status
from pipeline.catalogue.recurrence import LONGEST, occurrences
from pipeline.catalogue.timing import InDays, InHours, Monthly, Side, Weekly, WhenAnnounced, WhenChanged
from pipeline.catalogue.when import When, is_over, starts
from pipeline.edition import Edition, Listing
from pipeline.reminders.moments import due_instant, last_chance, outside_quiet_hours, proof_lead
from pipeline.reminders.newsletters import newsletters
from pipeline.reminders.notices import A_DAY, notices
from pipeline.reminders.occasions import Kind, Occasion, Omission, Plan, Priority, folded
from pipeline.reminders.periods import digests
from pipeline.reminders.rules import ReadRule, rules_of
from pipeline.reminders.wishes import topics_of

HORIZON = timedelta(days=400)
LOOKING_BACK = timedelta(days=30)
"""How far back a plan reaches where mail is sent, so that what is too late is said and not forgotten."""
Told = Mapping[str, Collection[str]]
NOTHING_TOLD: Told = {}
Found = Iterator[Occasion | Omission]
Outline = tuple[ReadRule | tuple[Occasion | Omission, ...], ...]
"""What the rules of an edition ask for, in their order; one about changes stands there itself until it is known what
readers were told."""


def plan(edition: Edition, since: datetime, until: datetime | None = None, told: Told = NOTHING_TOLD) -> Plan:
    """Every occasion that may still leave at `since` or later, by due instant, and every omission.

    Recurring events and digests go on for ever: they are planned up to `until`, by default 400 days on. `told` names
    for each event the ledger lines that letters have told: a change is one against what readers know.
    """
    return completed(edition, outline(edition, since, until), since, told)


def outline(edition: Edition, since: datetime, until: datetime | None = None) -> Outline:
    """What holds of a plan whatever readers were told, for every instant from `since` on."""
    until = until or since + HORIZON
    by_rules = (
        read
        if isinstance(read.timing, WhenChanged)
        else tuple(_timely(edition, _by_rule(edition, read, since, until), since))
        for read in rules_of(edition.catalogue)
    )
    return (*by_rules, tuple(_timely(edition, newsletters(edition), since)))


def completed(edition: Edition, known: Outline, since: datetime, told: Told = NOTHING_TOLD) -> Plan:
    """The plan at `since` or later, see `plan`, from an outline that was made for that instant or an earlier one."""
    found = [
        item
        for part in known
        for item in (_timely(edition, _changes(edition, part, told), since) if isinstance(part, ReadRule) else part)
    ]
    occasions = (item for item in found if isinstance(item, Occasion) and item.not_after > since)
    return Plan(
        tuple(sorted(occasions, key=_order)),
        folded(item for item in found if isinstance(item, Omission)),
        {listing.event.id: listing.revision.sequence for listing in edition.listings},
    )


def _timely(edition: Edition, found: Iterable[Occasion | Omission], since: datetime) -> Found:
    for item in found:
        if isinstance(item, Omission):
            yield item
        elif item.not_after > since:
            yield _to_choose(edition, item)


def _to_choose(edition: Edition, occasion: Occasion) -> Occasion:
    """The occasion with what its readers can choose it by."""
    event = edition.catalogue.event_by_id.get(occasion.event)
    topics = topics_of(edition.catalogue, event) if event else frozenset[str]()
    on_request = any(rule.id == occasion.rule and not rule.default for rule in edition.catalogue.rules or ())
    return replace(occasion, topics=topics, on_request=on_request) if topics or on_request else occasion


def _order(occasion: Occasion) -> tuple[datetime, Priority, datetime]:
    """By due instant; of those that are due together the earlier event's first, what has no date last."""
    return occasion.due, occasion.priority, occasion.starts or datetime.max.replace(tzinfo=UTC)


def _changes(edition: Edition, read: ReadRule, told: Told) -> Found:
    for listing in edition.listings:
        if read.applies_to(listing.event):
            yield from notices(edition, read, listing.event.id, told.get(listing.event.id, ()))


def _by_rule(edition: Edition, read: ReadRule, since: datetime, until: datetime) -> Found:
    if isinstance(read.timing, Monthly | Weekly):
        yield from digests(edition, read.rule, read.timing, since, until)
        return
    for listing in edition.listings:
        if read.applies_to(listing.event):
            yield from _about(edition, read, listing, since, until)


def _about(edition: Edition, read: ReadRule, listing: Listing, since: datetime, until: datetime) -> Found:
    event = listing.event
    match read.timing:
        case _ if listing.retired or event.status in {Status.CANCELLED, Status.POSTPONED}:
            yield Omission(
                event.id, read.rule.id, "the event doesn't take place on its date", listing.revision.sequence
            )
        case WhenAnnounced():
            yield from _announcement(edition, read, listing)
        case InDays() | InHours():
            # A reminder so long before an event may be due now although the event itself is far off.
            for name, when in occurrences(event, since - HORIZON, until + HORIZON):
                if event.repeats is None or (due_instant(read.timing, when) or starts(when) or until) <= until:
                    yield _reminder(edition, read, listing, name, when)


# ---------------------------------------------------------------------------------------- before and after


def _reminder(edition: Edition, read: ReadRule, listing: Listing, name: str, when: When) -> Occasion | Omission:
    event, revision = listing.event, listing.revision

    def omitted(reason: str) -> Omission:
        return Omission(event.id, read.rule.id, reason, revision.sequence)

    assert isinstance(read.timing, InDays | InHours)  # noqa: S101 - the caller matched
    if starts(when) is None:
        return omitted("its date isn't known yet")
    due = due_instant(read.timing, when)
    if due is None:
        return omitted("its time isn't known yet, and the rule counts hours")
    if (known := _needs_met_at(edition, read, event)) is None:
        return omitted("it waits for what the rule needs: " + ", ".join(read.rule.needs))
    if due < revision.rescheduled:
        return omitted("it was due before the event was published with these facts")
    if read.timing.side is Side.AFTER:
        due = max(due, known + proof_lead(edition))
    return _timed(edition, read, listing, name, when, due) or omitted("quiet hours leave no time for it")


def _timed(edition: Edition, read: ReadRule, listing: Listing, name: str, when: When, due: datetime) -> Occasion | None:
    mail, zone = edition.catalogue.mail, edition.series.zone
    not_after = due + mail.max_late
    if read.kind is Kind.REMINDERS:
        not_after = min(not_after, last_chance(when) or not_after)
    if (leaves := outside_quiet_hours(due, not_after, mail.quiet, zone)) is None:
        return None
    return Occasion(
        event=listing.event.id,
        rule=read.rule.id,
        revision=listing.revision.sequence,
        kind=read.kind,
        due=leaves,
        # Shifted by quiet hours, it is still allowed to be as late as any other.
        not_after=max(not_after, leaves + mail.max_late) if read.kind is Kind.FOLLOW_UPS else not_after,
        tags=frozenset(listing.event.tags),
        occurrence=name,
        starts=starts(when),
    )


def _needs_met_at(edition: Edition, read: ReadRule, event: Event) -> datetime | None:
    """The instant from which all that the rule needs was published; the first publication where it needs nothing."""
    lines = edition.ledger.of(event.id)
    met = lines[0].at
    for need in read.rule.needs:
        if not getattr(event, need):
            return None
        since = lines[-1].at
        for line in reversed(lines):
            if not line.facts.get(need):
                break
            since = line.at
        met = max(met, since)
    return met


# ------------------------------------------------------------------------------------ announced and changed


def _announcement(edition: Edition, read: ReadRule, listing: Listing) -> Found:
    event, mail = listing.event, edition.catalogue.mail
    if (known := _needs_met_at(edition, read, event)) is None:
        yield Omission(event.id, read.rule.id, "it waits for what the rule needs: " + ", ".join(read.rule.needs))
        return
    coming = next(
        (when for _, when in occurrences(event, known - LONGEST, known + HORIZON) if not is_over(when, known)), None
    )
    if coming is None:
        yield Omission(event.id, read.rule.id, "the event is past")
        return
    chance = last_chance(coming)
    if chance is None or known + proof_lead(edition) < chance:
        known += proof_lead(edition)
    not_after = min(known + mail.max_late, chance or known + mail.max_late)
    leaves = outside_quiet_hours(known, not_after, mail.quiet, edition.series.zone)
    if leaves is None or leaves < known:
        leaves = known
    yield Occasion(
        event.id, read.rule.id, 0, read.kind, leaves, max(not_after, leaves + A_DAY / 2),
        tags=frozenset(event.tags), starts=starts(event.when),
    )  # fmt: skip


def next_due(found: Plan, after: datetime, lead: timedelta = timedelta(0)) -> datetime | None:
    """The next instant (UTC) after a given one at which something falls due, or its proof, a `lead` before."""
    moments = {occasion.due.astimezone(UTC) - before for occasion in found.occasions for before in (lead, A_DAY * 0)}
    return min((moment for moment in moments if moment > after), default=None)
