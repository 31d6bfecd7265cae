"""Campaigns: one row for each occasion until it is due, brought in line with the plan as often as one likes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, exists, select, update

from pipeline.reminders.occasions import RECENTLY, Audience, Kind, Occasion, Plan, Priority, outdone
from pipeline.store.choices import is_declined
from pipeline.store.dialects import insert
from pipeline.store.tables import IS_WAITING, Progress, State, campaigns, deliveries

CHANGED: Final = "the event changed"
LATE: Final = "late"
OVER: Final = "the campaign is over"
RECENTLY_TOLD: Final = "recently told"
SUPERSEDED: Final = "superseded"
UNPLANNED: Final = "no longer planned"

# A notice too: who still waits for "moved to Thursday" shall not hear it once it is Friday, but the next notice.
_ENDED_BY_A_CHANGE: Final = (Kind.REMINDERS, Kind.ANNOUNCEMENTS, Kind.FOLLOW_UPS, Kind.CHANGES)


# The order in which campaigns leave: the most urgent first, then by due instant, then by the event's own date.
LEAVING: Final = (
    campaigns.c.priority, campaigns.c.due, campaigns.c.starts.is_(None), campaigns.c.starts, campaigns.c.id,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Campaign:
    """An occasion that the database remembers."""

    id: int
    series: str
    occasion: Occasion


@dataclass(frozen=True, slots=True)
class Reconciled:
    """How many campaigns were new, changed (or came back), and dropped; and how many waiting mails a change stopped."""

    added: int = 0
    changed: int = 0
    dropped: int = 0
    stopped: int = 0


def reconcile(connection: Connection, series: str, plan: Plan, now: datetime) -> Reconciled:
    """Brings the campaigns of a series in line with a plan; what was expanded stays, twice is the same as once."""
    stored = {row.key: row for row in connection.execute(select(campaigns).where(campaigns.c.series == series))}
    wanted = {occasion.key: occasion for occasion in plan.occasions}
    added = [occasion for key, occasion in wanted.items() if key not in stored]
    changed = [
        (stored[key].id, occasion)
        for key, occasion in wanted.items()
        if key in stored and _must_change(stored[key], occasion, now)
    ]
    gone = [row.id for key, row in stored.items() if row.state == Progress.PLANNED and key not in wanted]
    if added:
        connection.execute(insert(connection, campaigns).on_conflict_do_nothing(), [_planned(series, o) for o in added])
    if changed:
        connection.execute(_CHANGING, [{"campaign": one, **_planned(series, occasion)} for one, occasion in changed])
    drop(connection, gone, UNPLANNED)
    stopped = _stop_outdated(connection, stored.values(), plan, now)
    return Reconciled(len(added), len(changed), len(gone), stopped)


def due_campaigns(connection: Connection, series: str, now: datetime) -> tuple[Campaign, ...]:
    """The campaigns to expand now, the most urgent first; those that come too late or say again are dropped."""
    planned = and_(campaigns.c.series == series, campaigns.c.state == Progress.PLANNED)
    drop_late(connection, series, now)
    due = [
        campaign_in(row)
        for row in connection.execute(select(campaigns).where(planned, campaigns.c.due <= now).order_by(*LEAVING))
    ]
    instead = outdone(campaign.occasion for campaign in due)
    superseded = {campaign.id: rival.rule for campaign in due if (rival := instead.get(campaign.occasion.key))}
    # Where some want no mail of the newest one, the others wait: the next time they go to whom it didn't.
    wanted_by_all = {rule for rule in set(superseded.values()) if not is_declined(connection, series, rule)}
    drop(connection, [number for number, rule in superseded.items() if rule in wanted_by_all], SUPERSEDED)
    left = [campaign for campaign in due if campaign.id not in superseded]
    repeated = {campaign.id for campaign in left if _says_again(connection, campaign)}
    drop(connection, repeated, RECENTLY_TOLD)
    return tuple(campaign for campaign in left if campaign.id not in repeated)


def drop_late(connection: Connection, series: str, now: datetime) -> tuple[str, ...]:
    """Drops what nobody has any use for now; the keys, so that it can be said."""
    late = update(campaigns).where(
        campaigns.c.series == series, campaigns.c.state == Progress.PLANNED, campaigns.c.not_after <= now
    )
    dropped = connection.execute(late.values(state=Progress.DROPPED, reason=LATE).returning(campaigns.c.key))
    return tuple(sorted(dropped.scalars()))


def coming_campaigns(connection: Connection, series: str, now: datetime, until: datetime) -> tuple[Campaign, ...]:
    """The planned campaigns that fall due up to an instant and aren't too late already, in the order of leaving."""
    query = select(campaigns).where(
        campaigns.c.series == series,
        campaigns.c.state == Progress.PLANNED,
        campaigns.c.due <= until,
        campaigns.c.not_after > now,
    )
    return tuple(campaign_in(row) for row in connection.execute(query.order_by(*LEAVING)))


def next_due(connection: Connection, series: str) -> datetime | None:
    """When the next campaign falls due; it may be past."""
    query = select(campaigns.c.due).where(campaigns.c.series == series, campaigns.c.state == Progress.PLANNED)
    return connection.execute(query.order_by(campaigns.c.due).limit(1)).scalar()


def told_lines(connection: Connection, series: str) -> dict[str, set[str]]:
    """For each event the names of the ledger lines that announcements and notices have told its readers."""
    kinds = (Kind.ANNOUNCEMENTS.value, Kind.CHANGES.value)
    query = select(campaigns.c.event, campaigns.c.told).where(
        campaigns.c.series == series, campaigns.c.told != "", campaigns.c.kind.in_(kinds)
    )
    told: dict[str, set[str]] = {}
    for event, line in connection.execute(query):
        told.setdefault(event, set()).add(line)
    return told


def drop(connection: Connection, ids: Iterable[int], reason: str) -> None:
    """Campaigns that will never leave, and why."""
    if rows := [{"campaign": one, "why": reason} for one in ids]:
        connection.execute(_DROPPING, rows)


# Made once: an edition that changes everything runs each for thousands of campaigns. Another planner may have given
# one to its recipients since we looked.
_CHANGING: Final = update(campaigns).where(campaigns.c.id == bindparam("campaign"), campaigns.c.expanded.is_(None))
_DROPPING: Final = (
    update(campaigns)
    .where(campaigns.c.id == bindparam("campaign"), campaigns.c.state == Progress.PLANNED)
    .values(state=Progress.DROPPED, reason=bindparam("why"))
)


def earlier(campaign: Campaign) -> ColumnElement[bool]:
    """For a WHERE: the same rule of the same occurrence, for an older revision of the event."""
    occasion = campaign.occasion
    return and_(
        campaigns.c.series == campaign.series,
        campaigns.c.event == occasion.event,
        campaigns.c.rule == occasion.rule,
        campaigns.c.occurrence == occasion.occurrence,
        campaigns.c.revision < occasion.revision,
    )


def nearer(campaign: Campaign) -> ColumnElement[bool]:
    """For a WHERE: the reminders of the same occurrence and revision that fell due after this one."""
    occasion = campaign.occasion
    return and_(
        campaigns.c.series == campaign.series,
        campaigns.c.event == occasion.event,
        campaigns.c.occurrence == occasion.occurrence,
        campaigns.c.revision == occasion.revision,
        campaigns.c.kind == Kind.REMINDERS,
        campaigns.c.due > occasion.due,
        campaigns.c.on_request == 0,
    )


def was_told(campaign: Campaign) -> ColumnElement[bool]:
    """For a WHERE: a delivery that reached somebody too shortly before this campaign to say the same again."""
    since = campaign.occasion.due - RECENTLY
    return and_(deliveries.c.state.in_((State.SENT, State.DOUBT)), deliveries.c.finished > since)


def _planned(series: str, occasion: Occasion) -> dict[str, Any]:
    return {
        "series": series,
        "key": occasion.key,
        "event": occasion.event,
        "rule": occasion.rule,
        "revision": occasion.revision,
        "occurrence": occasion.occurrence,
        "kind": occasion.kind.value,
        "due": occasion.due,
        "not_after": occasion.not_after,
        "priority": int(occasion.priority),
        "audience": occasion.audience.value,
        "tags": "\n".join(sorted(occasion.tags)),
        "starts": occasion.starts,
        "corrects": occasion.corrects,
        "topics": "\n".join(sorted(occasion.topics)),
        "on_request": int(occasion.on_request),
        "state": Progress.PLANNED,
        "reason": "",
    }


def _must_change(row: Row[Any], occasion: Occasion, now: datetime) -> bool:
    if row.expanded is not None:
        return False
    if row.state == Progress.PLANNED:
        return _occasion(row) != occasion
    # A change that is undone brings its campaign back; so does a new last instant that isn't past yet.
    return row.reason == UNPLANNED or (row.reason == LATE and occasion.not_after > now)


def _occasion(row: Row[Any]) -> Occasion:
    return Occasion(
        event=row.event,
        rule=row.rule,
        revision=row.revision,
        kind=Kind(row.kind),
        due=row.due,
        not_after=row.not_after,
        priority=Priority(row.priority),
        audience=Audience(row.audience),
        tags=frozenset(row.tags.split("\n")) if row.tags else frozenset(),
        occurrence=row.occurrence,
        starts=row.starts,
        corrects=row.corrects,
        topics=frozenset(row.topics.split("\n")) if row.topics else frozenset(),
        on_request=bool(row.on_request),
    )


def campaign_in(row: Row[Any]) -> Campaign:
    """The campaign that a row of the table keeps."""
    return Campaign(row.id, row.series, _occasion(row))


def _says_again(connection: Connection, campaign: Campaign) -> bool:
    """Whether everybody was told just before; where a change stopped the earlier mail midway, some still wait."""
    if campaign.occasion.kind is not Kind.REMINDERS or campaign.occasion.revision == 0:
        return False
    of_earlier = deliveries.join(campaigns, deliveries.c.campaign_id == campaigns.c.id)
    rows = select(deliveries.c.campaign_id).select_from(of_earlier).where(earlier(campaign))
    missed = and_(deliveries.c.state == State.DROPPED, deliveries.c.reason == CHANGED)
    told, interrupted = exists(rows.where(was_told(campaign))), exists(rows.where(missed))
    return bool(connection.execute(select(and_(told, ~interrupted))).scalar())


def _stop_outdated(connection: Connection, stored: Iterable[Row[Any]], plan: Plan, now: datetime) -> int:
    newest = dict(plan.revisions)
    for occasion in plan.occasions:
        newest[occasion.event] = max(occasion.revision, newest.get(occasion.event, 0))
    outdated = [
        row.id
        for row in stored
        if row.event
        and row.state == Progress.EXPANDED
        and row.kind in _ENDED_BY_A_CHANGE
        and row.revision < newest.get(row.event, 0)
    ]
    return sum(stop(connection, campaign, CHANGED, now) for campaign in outdated)


def stop(connection: Connection, campaign: int, reason: str, now: datetime) -> int:
    """Ends an expanded campaign at once; what waits is dropped, what is claimed finds it over. Returns how many."""
    ended = (
        update(campaigns)
        .where(campaigns.c.id == campaign, campaigns.c.state == Progress.EXPANDED)
        .values(state=Progress.DONE, reason=reason)
    )
    connection.execute(ended)
    waiting = and_(deliveries.c.campaign_id == campaign, IS_WAITING)
    given_up = update(deliveries).where(waiting).values(state=State.DROPPED, reason=reason, finished=now)
    return int(connection.execute(given_up).rowcount)
