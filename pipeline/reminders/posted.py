"""The journal of a pipeline that posts to mailing lists without a database: its lines, and what they leave to do. Pure.

A line is written before each post and another one after it. What was begun and never ended is in doubt.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.catalogue.models import MailingList
from pipeline.edition import Edition
from pipeline.errors import LedgerError, Problem
from pipeline.reminders.occasions import RECENTLY, Audience, Kind, Occasion, outdone
from pipeline.reminders.plan import LOOKING_BACK, plan
from pipeline.reminders.rules import kinds_of_list

IN_HAND = timedelta(minutes=15)
"""How long another run may be at a post that it has begun: longer than any mail server may take."""


class Stage(StrEnum):
    """How far one post came."""

    BEGUN = "begun"
    SENT = "sent"
    REFUSED = "refused"
    WAITING = "waiting"
    DOUBT = "doubt"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Line:
    """One step of one post. `told` names the ledger line that it told; `until` is when it is of no more use."""

    mail: str
    to: str
    stage: Stage
    at: datetime
    until: datetime
    event: str = ""
    kind: str = ""
    told: str = ""
    run: str = ""
    said: str = ""

    @property
    def post(self) -> tuple[str, str]:
        """Which post: the mailing and the list."""
        return self.mail, self.to


@dataclass(frozen=True, slots=True)
class Post:
    """One mailing that is due to one list."""

    occasion: Occasion
    mailing_list: MailingList

    @property
    def name(self) -> tuple[str, str]:
        """Which post: the mailing and the list."""
        return self.occasion.key, self.mailing_list.address.casefold()


@dataclass(frozen=True)
class Journal:
    """All lines, in the order in which they were written."""

    lines: tuple[Line, ...] = ()

    @property
    def last(self) -> dict[tuple[str, str], Line]:
        """The last line of each post."""
        return {line.post: line for line in self.lines}

    def doubtful(self, now: datetime) -> tuple[Line, ...]:
        """Posts of which nobody knows whether they arrived, and that would still be of use."""
        return tuple(line for line in self.last.values() if line.until > now and _stage(line, now) is Stage.DOUBT)

    def in_hand(self, now: datetime) -> tuple[Line, ...]:
        """Posts that another run has just begun."""
        return tuple(line for line in self.last.values() if _stage(line, now) is Stage.BEGUN)

    def told(self) -> dict[str, set[str]]:
        """For each event the names of the ledger lines that announcements and notices have told."""
        found: dict[str, set[str]] = {}
        for line in self.last.values():
            if line.stage is not Stage.WAITING and line.kind in {Kind.ANNOUNCEMENTS, Kind.CHANGES} and line.told:
                found.setdefault(line.event, set()).add(line.told)
        return found

    def got(self, to: str) -> list[Line]:
        """What a list got, or may have got."""
        may_have = {Stage.BEGUN, Stage.SENT, Stage.DOUBT}
        return [line for line in self.last.values() if line.to == to and line.stage in may_have]


def _stage(line: Line, now: datetime) -> Stage:
    return Stage.DOUBT if line.stage is Stage.BEGUN and line.at + IN_HAND <= now else line.stage


def read(text: str, name: str) -> Journal:
    """The journal of a text of JSON lines; LedgerError names the line that is none."""
    lines = []
    for number, written in enumerate(text.splitlines(), 1):
        try:
            lines.append(_line(json.loads(written)))
        except (ValueError, TypeError, KeyError):
            problem = Problem(name, number, "", "this is not a line of the journal of posts", "take it back from git")
            raise LedgerError([problem]) from None
    return Journal(tuple(lines))


def _line(values: dict[str, str]) -> Line:
    at, until = (datetime.fromisoformat(values[key]) for key in ("at", "until"))
    if at.tzinfo is None or until.tzinfo is None:
        raise ValueError
    return Line(**{**values, "stage": Stage(values["stage"]), "at": at, "until": until})  # type: ignore[arg-type]


def write(lines: Iterable[Line]) -> str:
    """Lines as JSON, one each; what is empty is left out."""
    return "".join(json.dumps(_values(line), ensure_ascii=False) + "\n" for line in lines)


def _values(line: Line) -> dict[str, str]:
    values = asdict(line) | {"at": line.at.isoformat(), "until": line.until.isoformat()}
    return {key: str(value) for key, value in values.items() if value}


def begun(edition: Edition, post: Post, run: str, now: datetime) -> Line:
    """The line that is written before a post."""
    lines, occasion = edition.ledger.of(post.occasion.event), post.occasion
    told = lines[-1].name if lines else ""
    return Line(*post.name, Stage.BEGUN, now, occasion.not_after, occasion.event, occasion.kind.value, told, run)


def ended(line: Line, stage: Stage, now: datetime, said: str = "") -> Line:
    """The line that is written after it."""
    return replace(line, stage=stage, at=now, said=said)


# ------------------------------------------------------------------------------------------- what is due


def due_posts(edition: Edition, journal: Journal, now: datetime) -> tuple[Post, ...]:
    """What is to be posted now, the most urgent first; what was begun, sent, refused or dropped is not."""
    lists = {one.address.casefold(): one for one in edition.catalogue.mail.lists}.values()
    due = [
        occasion
        for occasion in plan(edition, now - LOOKING_BACK, told=journal.told()).occasions
        if occasion.due <= now < occasion.not_after
    ]
    due.sort(key=lambda occasion: (occasion.priority, occasion.due))
    return tuple(post for one in lists for post in _to_list(one, due, journal))


def _to_list(one: MailingList, due: Iterable[Occasion], journal: Journal) -> Iterator[Post]:
    got, last = journal.got(one.address.casefold()), journal.last
    announced = set[str]()
    heard = [occasion for occasion in due if _hears(one, occasion, got)]
    instead = outdone(heard)
    for occasion in (occasion for occasion in heard if occasion.key not in instead):
        post = Post(occasion, one)
        before = last.get(post.name)
        if before is not None and before.stage is not Stage.WAITING:
            continue
        if _says_again(occasion, got) or (occasion.kind is Kind.CHANGES and occasion.event in announced):
            continue  # an announcement that leaves now tells the newest facts
        if occasion.kind is Kind.ANNOUNCEMENTS:
            announced.add(occasion.event)
        yield post


def _hears(one: MailingList, occasion: Occasion, got: Iterable[Line]) -> bool:
    kinds = kinds_of_list(one)
    if occasion.on_request:
        return False  # a list asks for nothing
    if occasion.audience is Audience.CORRECTED:
        return any(line.mail == occasion.corrects for line in got)
    informed = occasion.audience is Audience.INFORMED and (
        Kind.REMINDERS in kinds or any(line.event == occasion.event for line in got)
    )
    return occasion.kind in kinds or informed


def _says_again(occasion: Occasion, got: Iterable[Line]) -> bool:
    """Whether the list got the same reminder of an older revision just before."""
    if occasion.kind is not Kind.REMINDERS or occasion.revision == 0:
        return False
    older = {replace(occasion, revision=revision).key for revision in range(occasion.revision)}
    return any(line.mail in older and line.at > occasion.due - RECENTLY for line in got)
