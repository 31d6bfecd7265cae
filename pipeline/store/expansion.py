"""From a campaign that is due to one delivery for each recipient, in one statement, and never twice."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    type_coerce,
    update,
)

from pipeline.letters import Letter
from pipeline.reminders.occasions import Audience, Kind, Occasion, Priority
from pipeline.store.campaigns import Campaign, earlier, was_told
from pipeline.store.dialects import insert
from pipeline.store.subscribers import chose
from pipeline.store.tables import (
    Instant,
    Progress,
    Standing,
    State,
    campaigns,
    deliveries,
    letters,
    subscriber_tags,
    subscribers,
)

CONFIRMATION: Final = "confirmation"  # beside the kinds that one chooses: the mail that asks whether one chose
_NOBODY: Final = "nobody to tell"


def expand(connection: Connection, campaign: Campaign, texts: Mapping[str, Letter], default: str, now: datetime) -> int:
    """Stores the letters and makes a delivery for each recipient; returns how many.

    A recipient reads its own language where there is a letter in it, else the `default` one, which must be there.
    A campaign that another process has expanded gives 0.
    """
    mine = (
        update(campaigns)
        .where(campaigns.c.id == campaign.id, campaigns.c.state == Progress.PLANNED)
        .values(state=Progress.EXPANDED, expanded=now)
    )
    if not connection.execute(mine).rowcount:
        return 0
    read = subscribers.c.language
    language = case((read.in_(sorted(texts)), read), else_=literal(default, Text))
    recipients = select(
        literal(campaign.id),
        subscribers.c.id,
        language,
        literal(State.PENDING.value, Text),
        type_coerce(literal(now, Instant), Instant),
        literal(0),
        literal(0),
    ).where(*_audience(connection, campaign))
    columns = ("campaign_id", "subscriber_id", "language", "state", "next_try", "attempts", "doubts")
    rows = insert(connection, deliveries).from_select(columns, recipients, include_defaults=False)
    connection.execute(rows.on_conflict_do_nothing())
    counted = select(func.count()).where(deliveries.c.campaign_id == campaign.id)
    number = int(connection.execute(counted).scalar_one())
    if number:
        _store(connection, campaign.id, texts)
    else:
        over = update(campaigns).where(campaigns.c.id == campaign.id)
        connection.execute(over.values(state=Progress.DONE, reason=_NOBODY))
    return number


def enqueue_confirmation(
    connection: Connection, series: str, subscriber: int, letter: Letter, now: datetime, not_after: datetime
) -> bool:
    """Queues the mail that asks a subscriber to confirm; False while an earlier one still waits to leave."""
    key = f"{CONFIRMATION}/{subscriber}/{now:%Y%m%dT%H%M%SZ}"
    of_subscriber = deliveries.join(campaigns, deliveries.c.campaign_id == campaigns.c.id)
    waiting = (
        select(campaigns.c.id)
        .select_from(of_subscriber)
        .where(
            campaigns.c.kind == CONFIRMATION,
            campaigns.c.state == Progress.EXPANDED,
            campaigns.c.not_after > now,
            deliveries.c.subscriber_id == subscriber,
        )
    )
    if connection.execute(waiting.limit(1)).first() is not None:
        return False
    row = insert(connection, campaigns).values(
        series=series,
        key=key,
        event="",
        rule=CONFIRMATION,
        revision=0,
        occurrence="",
        kind=CONFIRMATION,
        due=now,
        not_after=not_after,
        priority=int(Priority.CONFIRMATION),
        audience=Audience.CHOSEN.value,
        tags="",
        state=Progress.EXPANDED,
        reason="",
        expanded=now,
    )
    made = connection.execute(row.on_conflict_do_nothing().returning(campaigns.c.id)).scalar()
    if made is None:
        return False
    _store(connection, made, {letter.language: letter})
    connection.execute(
        deliveries.insert().values(
            campaign_id=made,
            subscriber_id=subscriber,
            language=letter.language,
            state=State.PENDING,
            next_try=now,
        )
    )
    return True


def may_hear() -> ColumnElement[bool]:
    """For a WHERE over campaigns and subscribers: the subscriber may be sent this campaign's mail at this moment."""
    asked = and_(
        campaigns.c.kind == CONFIRMATION,
        subscribers.c.state.in_((Standing.PENDING, Standing.UNSUBSCRIBED)),
    )
    return or_(subscribers.c.state == Standing.ACTIVE, asked)


def _store(connection: Connection, campaign: int, texts: Mapping[str, Letter]) -> None:
    rows = [
        {"campaign_id": campaign, "language": language, "subject": letter.subject, "source": letter.source}
        for language, letter in texts.items()
    ]
    connection.execute(insert(connection, letters).on_conflict_do_nothing(), rows)


def _audience(connection: Connection, campaign: Campaign) -> list[ColumnElement[bool]]:
    occasion = campaign.occasion
    heard = and_(chose(occasion.kind), _tags_fit(occasion))
    if occasion.audience is Audience.INFORMED:
        due_a_reminder = and_(chose(Kind.REMINDERS), _tags_fit(occasion))
        heard = or_(heard, due_a_reminder, _was_mailed(connection, campaign))
    conditions = [
        subscribers.c.series == campaign.series,
        subscribers.c.state == Standing.ACTIVE,
        heard,
    ]
    if occasion.kind is Kind.REMINDERS and occasion.revision > 0:
        conditions.append(not_(_was_just_told(connection, campaign)))
    return conditions


def _tags_fit(occasion: Occasion) -> ColumnElement[bool]:
    """Who named no tag hears of all; an occasion without tags is for all."""
    if not occasion.tags:
        return literal(True)
    own = select(subscriber_tags.c.tag).where(subscriber_tags.c.subscriber_id == subscribers.c.id)
    return or_(~exists(own), exists(own.where(subscriber_tags.c.tag.in_(sorted(occasion.tags)))))


def _was_mailed(connection: Connection, campaign: Campaign) -> ColumnElement[bool]:
    occasion = campaign.occasion
    about_it = and_(
        campaigns.c.series == campaign.series,
        campaigns.c.event == occasion.event,
        campaigns.c.id != campaign.id,
        campaigns.c.revision <= occasion.revision,
        campaigns.c.expanded.is_not(None),
    )
    reached = deliveries.c.state.not_in((State.DROPPED, State.FAILED))
    return and_(literal(bool(occasion.event)), _has_delivery(connection, about_it, reached))


def _was_just_told(connection: Connection, campaign: Campaign) -> ColumnElement[bool]:
    return _has_delivery(connection, earlier(campaign), was_told(campaign))


def _has_delivery(connection: Connection, of: ColumnElement[bool], like: ColumnElement[bool]) -> ColumnElement[bool]:
    # The few campaigns are looked up first: each recipient then costs one step into the primary key.
    ids = list(connection.execute(select(campaigns.c.id).where(of)).scalars())
    return exists(
        select(deliveries.c.campaign_id).where(
            deliveries.c.campaign_id.in_(ids), deliveries.c.subscriber_id == subscribers.c.id, like
        )
    )
