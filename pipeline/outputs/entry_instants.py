"""The instants of feed entries: no two of one publication are the same.

Readers that sort by `updated` would shuffle what was published in the same second, and validators warn of it. Each line
of the ledger therefore has a part of its second for itself. Lines are only ever added, so an entry keeps its instant.
None is a whole second: as text, which some readers compare, it would come after the fractions.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from pipeline.catalogue.when import When, first_day, is_over, local
from pipeline.edition import Edition
from pipeline.ledger_lines import Line, LineKind
from pipeline.news import News
from pipeline.sent_newsletters import Sent

_SECOND = 1_000_000  # microseconds

_Place = tuple[datetime, bool, str]
"""The instant of a line, whether it is about a newsletter, and the id of what it is about."""


class Instants:
    """The instants of an edition's entries; within one publication the nearest event is the latest."""

    def __init__(self, edition: Edition) -> None:
        self._ledger = edition.ledger

    def of_news(self, moment: datetime, news: News) -> datetime:
        """The instant within the second of `moment`, at which a line about the event was published."""
        earlier = sum(line.at < news.published for line in self._ledger.of(news.event.id))
        return self._within((moment, False, news.event.id), earlier)

    def of_newsletter(self, sent: Sent) -> datetime:
        """The instant at which a newsletter became news."""
        return self._within((sent.at, True, sent.newsletter.id), 0)

    def of_correction(self, sent: Sent) -> datetime:
        """The instant at which a newsletter was put right by another, just after that one's own."""
        if sent.corrected_by is None:
            return self.of_newsletter(sent)
        return self._within((sent.corrected_by.at, True, sent.corrected_by.newsletter.id), 1)

    def _within(self, place: _Place, number: int) -> datetime:
        start, width = self._parts.get(place, (0, _SECOND))
        return place[0].replace(microsecond=start + min(number, width - 2) + 1)

    @cached_property
    def _parts(self) -> Mapping[_Place, tuple[int, int]]:
        """Where in its second the part of each line begins, and how wide it is, in microseconds."""
        published = defaultdict[datetime, list[Line]](list)
        for line in (*self._ledger.newsletters, *self._ledger.lines):
            published[line.at].append(line)
        parts = {}
        for at, lines in published.items():
            width = max(2, _SECOND // len(lines))
            for number, line in enumerate(sorted(lines, key=_start, reverse=True)):
                parts[at, line.kind is LineKind.NEWSLETTER, line.event] = number * width % _SECOND, width
        return parts


def instants(edition: Edition) -> Instants:
    """The instants of an edition's entries, found once for all languages."""
    found: Instants | None = edition.__dict__.get("_instants")
    return found or edition.__dict__.setdefault("_instants", Instants(edition))


def _start(line: Line) -> tuple[str, str, str]:
    """When the event of a line begins, as text that sorts; what has no date comes last."""
    return str(line.facts.get("date") or "9999"), str(line.facts.get("time") or ""), line.event


def at_midnight(moment: datetime, identity: str) -> datetime:
    """An instant within the second of `moment` for what no line of the ledger dates, decided by its id."""
    digest = int.from_bytes(hashlib.blake2b(identity.encode(), digest_size=8).digest())
    return moment.replace(microsecond=digest % (_SECOND - 1) + 1)


def soon_since(when: When, zone: ZoneInfo, created: datetime, ahead: timedelta) -> datetime | None:
    """The midnight so long before a day, in its zone; later where it was announced later, if not too late."""
    first = first_day(when)
    if first is None:
        return None
    since = max(local(first - ahead, time(), zone).astimezone(UTC), created)
    return None if is_over(when, since) else since
