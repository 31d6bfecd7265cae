"""From a campaign that is due to one delivery for each recipient, in one statement, and never twice."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Text,
    and_,
    bindparam,
    case,
    delete,
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
from pipeline.letters.message import TEXT_ONLY
from pipeline.reminders.occasions import Audience, Kind, Occasion, Priority
from pipeline.store.campaigns import CHANGED, Campaign, drop, earlier, nearer, stop, was_told
from pipeline.store.choices import fits
from pipeline.store.dialects import Statement, insert
from pipeline.store.subscribers import chose
from pipeline.store.tables import (
    Instant,
    Progress,
    Role,
    Standing,
    State,
    campaigns,
    deliveries,
    letters,
    subscriber_tags,
    subscribers,
)

CONFIRMATION: Final = "confirmation"  # beside the kinds that one chooses: the mail that asks whether one chose
PROOF: Final = "proof"  # and the mail by which the organiser sees a letter before its readers do
CORRECTED: Final = "it was corrected"
_NOBODY: Final = "nobody to tell"
_NEW: Final = ("campaign_id", "subscriber_id", "language", "state", "next_try", "attempts", "doubts")


def expand(
    connection: Connection, campaign: Campaign, texts: Mapping[str, Letter], default: str, now: datetime, told: str = ""
) -> int:
    """Stores the letters and makes a delivery for each recipient; returns how many.

    A recipient reads its own language where there is a letter in it, else the `default` one, which must be there.
    `told` names the event's ledger line whose facts the letters tell. A campaign that another process has expanded
    gives 0.
    """
    mine = (
        update(campaigns)
        .where(campaigns.c.id == campaign.id, campaigns.c.state == Progress.PLANNED)
        .values(state=Progress.EXPANDED, expanded=now, told=told)
    )
    if not connection.execute(mine).rowcount:
        return 0
    if campaign.occasion.corrects:
        _stop_the_wrong_one(connection, campaign, now)
    read = subscribers.c.language
    there = read.in_(sorted(texts))
    language = case(*_as_text_alone(texts, default), (there, read), else_=literal(default, Text))
    recipients = select(
        literal(campaign.id),
        subscribers.c.id,
        language,
        literal(State.PENDING.value, Text),
        type_coerce(literal(now, Instant), Instant),
        literal(0),
        literal(0),
    ).where(*_audience(connection, campaign), or_(subscribers.c.role == Role.READER, there))
    # Nobody that is read here can be forgotten before the deliveries are there to be forgotten too.
    held = recipients.with_for_update(read=True, key_share=True, of=subscribers)
    rows = insert(connection, deliveries).from_select(_NEW, held, include_defaults=False)
    counted = select(func.count()).where(deliveries.c.campaign_id == campaign.id)
    # Each row costs less where none can be there already: the campaign is ours until the end of the transaction.
    before = int(connection.execute(counted).scalar_one())
    made = connection.execute(
        rows.on_conflict_do_nothing() if before else rows, execution_options={"preserve_rowcount": True}
    )
    number = before + int(made.rowcount)
    if number:
        _store(connection, campaign.id, texts)
    else:
        over = update(campaigns).where(campaigns.c.id == campaign.id)
        connection.execute(over.values(state=Progress.DONE, reason=_NOBODY))
    return number


def _as_text_alone(texts: Mapping[str, Letter], default: str) -> list[tuple[ColumnElement[bool], ColumnElement[str]]]:
    """Which letter readers get who want no HTML: one in their language, else the default one, where there is one."""
    bare = sorted(name for name in texts if name.startswith(TEXT_ONLY))
    wants, own = subscribers.c.text_only == 1, literal(TEXT_ONLY, Text) + subscribers.c.language
    found: list[tuple[ColumnElement[bool], ColumnElement[str]]] = []
    if bare:
        found.append((and_(wants, own.in_(bare)), own))
    if TEXT_ONLY + default in texts:
        known = subscribers.c.language.in_(sorted(texts))
        found.append((and_(wants, not_(known)), literal(TEXT_ONLY + default, Text)))
    return found


def enqueue_confirmation(
    connection: Connection, series: str, subscriber: int, letter: Letter, now: datetime, not_after: datetime
) -> bool:
    """Queues the mail that asks a subscriber to confirm; False while an earlier one still waits to leave."""
    key = f"{CONFIRMATION}/{subscriber}/{now:%Y%m%dT%H%M%SZ}"
    if connection.execute(_ASKED_ALREADY, {"wanted": subscriber, "now": now}).first() is not None:
        return False
    return _queue_for_one(connection, series, key, CONFIRMATION, subscriber, letter, now, not_after)


def proof_key(campaign: Campaign) -> str:
    """The key of the mail by which the organiser sees a campaign's letter."""
    return f"{PROOF}:{campaign.occasion.key}"


def enqueue_proof(
    connection: Connection, campaign: Campaign, organiser: int, letter: Letter, now: datetime, number: int, told: str
) -> bool:
    """Queues a campaign's letter for the organiser, the `number`th that it sees (from 1); False where it is there.

    `told` is what tells this letter from another one.
    """
    key = proof_key(campaign) + (f"#{number}" if number > 1 else "")
    not_after = campaign.occasion.not_after
    return _queue_for_one(connection, campaign.series, key, PROOF, organiser, letter, now, not_after, told)


def audience_size(connection: Connection, campaign: Campaign, role: Role | None = None) -> int:
    """How many readers and lists, or those of one role, would get a campaign's mail if it fell due now."""
    query = select(func.count()).select_from(subscribers).where(*_audience(connection, campaign))
    if role is not None:
        query = query.where(subscribers.c.role == role)
    return int(connection.execute(query).scalar_one())


def audience_lists(connection: Connection, campaign: Campaign) -> frozenset[str]:
    """The addresses of the lists that would get a campaign's mail if it fell due now."""
    lists = select(subscribers.c.address).where(subscribers.c.role == Role.LIST, *_audience(connection, campaign))
    return frozenset(connection.execute(lists).scalars())


def wants(connection: Connection, campaign: Campaign, subscriber: int, at: datetime | None = None) -> bool:
    """Whether a subscriber would get a campaign's mail if it fell due now; with `at`, after a pause until then."""
    query = select(subscribers.c.id).where(subscribers.c.id == subscriber, *_audience(connection, campaign, at))
    return connection.execute(query).first() is not None


def _queue_for_one(
    connection: Connection,
    series: str,
    key: str,
    kind: str,
    subscriber: int,
    letter: Letter,
    now: datetime,
    not_after: datetime,
    told: str = "",
) -> bool:
    row = {
        "series": series,
        "key": key,
        "event": "",
        "rule": kind,
        "revision": 0,
        "occurrence": "",
        "kind": kind,
        "due": now,
        "not_after": not_after,
        "priority": int(Priority.CONFIRMATION),
        "audience": Audience.CHOSEN.value,
        "tags": "",
        "state": Progress.EXPANDED,
        "reason": "",
        "expanded": now,
        "told": told,
    }
    made = connection.execute(_ONE_CAMPAIGN.on(connection), row).scalar()
    if made is None:
        return False
    delivery = {"campaign": made, "wanted": subscriber, "read": letter.language, "now": now}
    if connection.execute(_ONE_DELIVERY, delivery).first() is None:
        connection.execute(delete(campaigns).where(campaigns.c.id == made))
        return False  # forgotten in this very moment
    _store(connection, made, {letter.language: letter})
    return True


# Made once: a form that is sent needs them all, and making them takes longer than running them.
_ONE_CAMPAIGN: Final = Statement(lambda at: insert(at, campaigns).on_conflict_do_nothing().returning(campaigns.c.id))
_ONE_DELIVERY: Final = (
    deliveries.insert()
    .from_select(
        _NEW,
        select(
            bindparam("campaign", type_=BigInteger),
            subscribers.c.id,
            bindparam("read", type_=Text),
            literal(State.PENDING.value, Text),
            bindparam("now", type_=Instant),
            literal(0),
            literal(0),
        )
        .where(subscribers.c.id == bindparam("wanted"))
        .with_for_update(read=True, key_share=True),
        include_defaults=False,
    )
    .returning(deliveries.c.subscriber_id)
)
_LETTERS: Final = Statement(lambda at: insert(at, letters).on_conflict_do_nothing())
_ASKED_ALREADY: Final = (
    select(campaigns.c.id)
    .select_from(deliveries.join(campaigns, deliveries.c.campaign_id == campaigns.c.id))
    .where(
        campaigns.c.kind == CONFIRMATION,
        campaigns.c.state == Progress.EXPANDED,
        campaigns.c.not_after > bindparam("now", type_=Instant),
        deliveries.c.subscriber_id == bindparam("wanted"),
    )
    .limit(1)
)


def may_hear() -> ColumnElement[bool]:
    """For a WHERE over campaigns and subscribers: the subscriber may be sent this campaign's mail at this moment."""
    asked = and_(
        campaigns.c.kind == CONFIRMATION,
        # Not IN: its parameters are spread out at each execution, which a statement for many rows can't do.
        or_(subscribers.c.state == Standing.PENDING, subscribers.c.state == Standing.UNSUBSCRIBED),
    )
    return or_(subscribers.c.state == Standing.ACTIVE, asked)


def _store(connection: Connection, campaign: int, texts: Mapping[str, Letter]) -> None:
    rows = [
        {"campaign_id": campaign, "language": language, "subject": letter.subject, "source": letter.source}
        for language, letter in texts.items()
    ]
    connection.execute(_LETTERS.on(connection), rows)


def _audience(connection: Connection, campaign: Campaign, at: datetime | None = None) -> list[ColumnElement[bool]]:
    occasion = campaign.occasion
    if occasion.audience is Audience.CORRECTED:
        # What was ever in doubt may have arrived.
        got = or_(deliveries.c.state.in_((State.SENDING, State.SENT, State.DOUBT)), deliveries.c.doubts > 0)
        heard = _has_delivery(connection, _wrong(campaign), got)
        return [subscribers.c.series == campaign.series, subscribers.c.state == Standing.ACTIVE, heard]
    heard = and_(chose(occasion.kind), _tags_fit(occasion), fits(occasion, at))
    if occasion.audience is Audience.INFORMED:
        # No choice hides the news of an event that somebody was mailed about.
        due_a_reminder = and_(chose(Kind.REMINDERS), _tags_fit(occasion), fits(occasion, at))
        heard = or_(heard, due_a_reminder, _was_mailed(connection, campaign))
    conditions = [
        subscribers.c.series == campaign.series,
        subscribers.c.state == Standing.ACTIVE,
        subscribers.c.role != Role.PROOF,
        heard,
    ]
    if occasion.kind is Kind.REMINDERS and occasion.event and not occasion.on_request:
        conditions.append(not_(_has_delivery(connection, nearer(campaign), literal(True))))
    if occasion.kind is Kind.REMINDERS and occasion.revision > 0:
        conditions.append(not_(_was_just_told(connection, campaign)))
    return conditions


def _wrong(campaign: Campaign) -> ColumnElement[bool]:
    return and_(campaigns.c.series == campaign.series, campaigns.c.key == campaign.occasion.corrects)


def _stop_the_wrong_one(connection: Connection, campaign: Campaign, now: datetime) -> None:
    """Nobody shall get the wrong letter after its correction was given to those who have it."""
    wrong = select(campaigns.c.id).where(_wrong(campaign), campaigns.c.state == Progress.EXPANDED)
    for number in connection.execute(wrong).scalars().all():
        stop(connection, number, CORRECTED, now)
    drop(connection, connection.execute(select(campaigns.c.id).where(_wrong(campaign))).scalars().all(), CORRECTED)


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
    # Whose letter was stopped by the change itself still has to hear of the event.
    stopped = and_(deliveries.c.state == State.DROPPED, deliveries.c.reason == CHANGED)
    reached = or_(deliveries.c.state.not_in((State.DROPPED, State.FAILED)), stopped)
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
