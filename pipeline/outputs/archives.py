"""Which news each archive of a feed holds (RFC 5005): settled at the moment it fills, so that it is never rewritten.

An archive says what was known when it filled. What follows within `settle` may still change a piece of news or even
take it back; that is said by the feed of the newest entries alone.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from pipeline.edition import Edition
from pipeline.ledger import Line
from pipeline.news import News, news_of
from pipeline.sent_newsletters import Sent

Told = News | Sent


class Piece(NamedTuple):
    """A piece of news from the instant at which it first was one, whatever became of it since."""

    born: datetime
    first: Told
    as_of: Callable[[datetime], Told | None] | None = None
    """How it was told at an instant, None where it was taken back by then; without this it stays as it was first."""

    def told(self, instant: datetime) -> Told | None:
        """How it was told at an instant; None where it was taken back by then."""
        return self.as_of(instant) if self.as_of is not None else self.first


def archives_by_feed(edition: Edition, size: int) -> Mapping[str, Sequence[Sequence[Told]]]:
    """The full archives of the series and of each group, by the path of the feed whose archives they are."""
    found = pieces(edition)
    own: dict[str, list[Piece]] = {f"groups/{group.id}/": [] for group in edition.groups}
    for piece in found if own else ():
        # Of the group that told it then: an event that goes to another one must not change the archives of either.
        if isinstance(piece.first, News) and (of_group := own.get(f"groups/{piece.first.event.group}/")) is not None:
            of_group.append(piece)
    return {path: archives(of_feed, size) for path, of_feed in {"": found, **own}.items()}


def pieces(edition: Edition) -> tuple[Piece, ...]:
    """Every piece of news there ever was, oldest first; of one instant the nearest event last."""
    settle = edition.catalogue.mail.settle
    hurried = {event: lines for event, lines in edition.ledger.by_event.items() if _hurried(lines, settle)}
    # What one line tells stays as it is, in the order of the feed.
    found = [Piece(item.published, item) for item in edition.news if item.event.id not in hurried]
    for piece in (
        *(piece for lines in hurried.values() for piece in _pieces_of(edition, lines)),
        *(Piece(sent.at, sent) for sent in edition.newsletters),
    ):
        insort(found, piece, key=_age)
    return tuple(reversed(found))


def archives(found: Iterable[Piece], size: int) -> Sequence[Sequence[Told]]:
    """The full archives of a feed with these pieces of news, the oldest archive first, in each the newest news first.

    One fills as soon as more than `size` pieces are in none.
    """
    full: list[Sequence[Told]] = []
    waiting: list[Piece] = []
    for instant, fresh in groupby(found, key=lambda piece: piece.born):
        waiting.extend(fresh)
        if len(waiting) > size:
            told = [(piece, piece.told(instant)) for piece in waiting]
            known = [(piece, item) for piece, item in told if item is not None]
            filled = max(0, len(known) - 1) // size * size
            full.extend([item for _, item in known[start : start + size]][::-1] for start in range(0, filled, size))
            # What was taken back may be told anew.
            waiting = [piece for piece, item in told if item is None] + [piece for piece, _ in known[filled:]]
    return full


def _age(piece: Piece) -> tuple[float, bool, tuple[bool, float, bool, str], str]:
    """The newest piece of news first, as in a feed."""
    item = piece.first
    start = item.event.order if isinstance(item, News) else (False, 0.0, False, "")
    return -piece.born.timestamp(), isinstance(item, Sent), start, item.id


def _hurried(lines: Sequence[Line], settle: timedelta) -> bool:
    return len(lines) > 1 and any(line.at - before.at <= settle for before, line in pairwise(lines))


def _pieces_of(edition: Edition, lines: Sequence[Line]) -> Iterator[Piece]:
    """Those of an event of which several lines may belong to one piece of news."""
    settle = edition.catalogue.mail.settle
    states = {
        line.at: {item.id: item for item in news_of(lines[: number + 1], settle, edition.told)}
        for number, line in enumerate(lines)
    }
    born: dict[str, tuple[datetime, News]] = {}
    for instant, state in states.items():
        for name, item in state.items():
            born.setdefault(name, (instant, item))
    for name, (instant, item) in born.items():
        yield Piece(instant, item, _as_of(states, name))


def _as_of(states: Mapping[datetime, Mapping[str, News]], name: str) -> Callable[[datetime], News | None]:
    def told(instant: datetime) -> News | None:
        known = [state for at, state in states.items() if at <= instant]
        return known[-1].get(name) if known else None

    return told
