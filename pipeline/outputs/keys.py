"""What the files of an edition are made from, as digests: a file whose digest is the same has the same bytes.

Whoever says nothing sharper of a file says that it is made from everything, which is always true. A file of some events
is made from these, and from all of the catalogue that is not an event: so what an output adds to such a file needs no
word here, unless it comes from other events or from the day. Templates and the program count for every file; who
remembers files sees to these.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, partial
from itertools import compress, count, groupby
from operator import attrgetter
from typing import Any, SupportsBytes
from zlib import crc32

from pipeline.edition import Edition, Listing
from pipeline.ledger import Line
from pipeline.ledger_lines import KnownFacts, digest_of_facts, digest_of_line
from pipeline.news import News

A_RUN, LONGEST_RUN = 32, 256
"""About so many events of a long file are remembered together, and so many at most."""
ID = attrgetter("event.id")
MOST_REUSED = 1000
"""So many pieces of pages are kept for others: what two pages have in common mostly stands on pages that are near."""


def last_of_runs(events: Iterable[str]) -> frozenset[str]:
    """Which events a run ends with, by their ids: one that comes or goes changes hardly a run but its own."""
    found = tuple(events)
    numbers = map(crc32, map(str.encode, found))
    return frozenset([event for event, number in zip(found, numbers, strict=True) if number % A_RUN == 0])


def runs(
    listings: Iterable[Listing], last: Container[object], name: Callable[[Listing], object] = ID
) -> Iterator[tuple[Listing, ...]]:
    """Events in their order, cut behind those whose `name` is in `last`, and where a run would be too long."""
    found, start = tuple(listings), 0
    cuts = compress(count(1), map(last.__contains__, map(name, found)))
    for end in (*cuts, len(found)):
        for first in range(start, end, LONGEST_RUN):
            yield found[first : min(first + LONGEST_RUN, end)]
        start = end


class Lasting(str):
    """A key by which a piece of a page may outlast the edition; other pieces are shared by its pages alone."""

    __slots__ = ()


class Pieces:
    """What long files tell of some events, by keys of `Keys.of`; here nothing is kept, each is made anew."""

    def find(self, _key: str) -> bytes | None:
        """The piece of a key as it was made before; None where it must be made."""
        return None

    def put(self, key: str, piece: bytes) -> None:
        """Takes a piece that was made, and is about to stand in a file."""

    def of(self, key: str, make: Callable[[], bytes]) -> bytes:
        """The piece of a key, which `make` makes where there is none."""
        if (piece := self.find(key)) is None:
            piece = make()
            self.put(key, piece)
        return piece

    def part(self, key: str, make: Callable[[], bytes]) -> SupportsBytes:
        """The same as a part of a file by itself, which may not have been read yet."""
        return self.of(key, make)


class Reused(dict[Hashable, str]):
    """The pieces of pages for `{% reused %}`, by the place in the template and the keys given there."""

    def __init__(self, of: "Keys") -> None:
        super().__init__()
        self._of = of

    def __missing__(self, names: Any) -> str:
        """A piece that was made before, for an earlier edition."""
        piece = self._of.pieces.find(_name(names)) if len(names) > 1 and type(names[1]) is Lasting else None
        if piece is None:
            raise KeyError(names)
        return piece.decode()

    def __setitem__(self, names: Any, piece: str) -> None:
        if len(names) > 1 and type(names[1]) is Lasting:
            self._of.pieces.put(_name(names), piece.encode())
            return
        if len(self) >= MOST_REUSED:
            self.clear()
        super().__setitem__(names, piece)


def _name(names: object) -> str:
    return hashlib.blake2b(repr(names).encode(), digest_size=16).hexdigest()


class Keys:
    """The digests of one edition; `keys` gives the one that all outputs share."""

    def __init__(self, edition: Edition) -> None:
        self.pieces = Pieces()
        self._edition = edition
        self._records: dict[str, bytes] = {}
        self._held: list[Listing] = []
        """What isn't among all events and yet known, held on to so that no other is found in its place."""
        self._alone: dict[int, str] = {}
        """The key of each event of these, by its identity."""
        self._facts: dict[tuple[str, str], str] = {}
        self._together: dict[int, tuple[Sequence[Listing], bytes]] = {}
        """Lists of events of which several files tell, by their identities, and the records of each."""
        self._runs: dict[int, tuple[Sequence[Listing], Sequence[tuple[Listing, ...]]]] = {}

    @contextmanager
    def with_pieces(self, pieces: Pieces) -> Iterator[None]:
        """Meanwhile pieces come from who remembers those of an earlier edition."""
        self.pieces = pieces
        try:
            yield
        finally:
            self.pieces = Pieces()

    @cached_property
    def everything(self) -> str:
        """All that an edition holds: the catalogue, the ledger and the day."""
        return _digest(self.timeless.encode(), self._edition.day.isoformat().encode()).hex()

    @cached_property
    def timeless(self) -> str:
        """All of it but the day: for what says the same of an event before it and after."""
        edition = self._edition
        # Those without a date stand behind all others, in the order of the catalogue.
        order = "\n".join(edition.ids[len(edition.dated) :])
        sent = map(self.line, edition.ledger.newsletters)
        events = b"".join(map(self._record, edition.ledger.events))
        return _digest(self._series, order.encode(), b"newsletters", *sent, b"events", events).hex()

    @cached_property
    def series(self) -> str:
        """All of the catalogue but its events, and what the first line of the ledger gave the series for good."""
        return self._series.hex()

    def of(self, *listings: Listing | None, values: Iterable[str] = ()) -> str:
        """The events at their places, with their histories, all that is in `series`, and what else a file shows."""
        told = f"{len(listings)} {tuple(values)!r}".encode()
        return hashlib.blake2b(b"".join((self._series, self._records_of(listings), told)), digest_size=16).hexdigest()

    def of_one(self, listing: Listing) -> str:
        """The same of an event of which several files tell alone."""
        found = self._alone.get(id(listing))
        if found is None:
            found = self._alone[id(listing)] = self.of(listing)
        return found

    def of_all(self, listings: Sequence[Listing], values: Iterable[str] = ()) -> str:
        """The same of a list that lasts: what it holds is put together once, however many files tell of it."""
        known = self._together.get(id(listings))
        if known is None:
            known = self._together[id(listings)] = listings, _digest(self._records_of(listings))
        told = f"{len(listings)} {tuple(values)!r}".encode()
        return _digest(b"all", self._series, known[1], told).hex()

    def _records_of(self, listings: Sequence[Listing | None]) -> bytes:
        """The records of events at their places, one after another."""
        known = self._places
        try:
            return b"".join([known[id(listing)] for listing in listings])
        except KeyError:
            for listing in listings:
                if listing is not None and id(listing) not in known:
                    known[id(listing)] = self._marked(listing, listing.event.id)
                    self._held.append(listing)
            return self._records_of(listings)

    @cached_property
    def _places(self) -> dict[int, bytes]:
        """The record of each event at its place, by its identity."""
        edition = self._edition
        known = zip(edition.listings, edition.ids, strict=True)
        return {id(None): _NOBODY, **{id(listing): self._marked(listing, event) for listing, event in known}}

    def _marked(self, listing: Listing, event: str) -> bytes:
        # Of the same length for each, so that one can't pass for two.
        return (self._records.get(event) or self._record(event)) + (b"R" if listing.retired else b"-")

    def runs(self, listings: Sequence[Listing]) -> Sequence[tuple[Listing, ...]]:
        """The runs of events of which several files tell, found once for all of them."""
        # Held on to, so that no other list is found in its place.
        found = self._runs.get(id(listings))
        if found is None:
            found = self._runs[id(listings)] = listings, tuple(runs(listings, *self._last))
        return found[1]

    @cached_property
    def _last(self) -> tuple[Container[object], Callable[[Listing], object]]:
        """The events with which runs end, found once for all lists, and what to ask each for: mostly its identity."""
        edition, last = self._edition, last_of_runs(self._edition.ids)
        if edition.recurring:
            return last, ID  # one may stand at another of its times
        return {id(listing) for listing, event in zip(edition.listings, edition.ids, strict=True) if event in last}, id

    def joined(
        self, listings: Sequence[Listing], make: Callable[[Listing], bytes], *said: str, between: bytes = b""
    ) -> Iterator[SupportsBytes]:
        """What a long file tells of each event, run by run; of a run that is as it was nothing is made.

        `said` names what `make` tells, and whatever else than the event that depends on; `between` stands between two.
        """
        opening = b""
        for run in self.runs(listings):
            if opening:
                yield opening
            yield self.pieces.part(self.of_all(run, said), partial(_told, run, make, between))
            opening = between

    def told(self, shown: int) -> str:
        """All that was ever news, and `series`: the ledger without the edits of which no feed tells.

        `shown` is how many entries a feed shows.
        """
        lines = list[bytes]()
        for _, together in groupby(self._edition.ledger.all_lines, key=attrgetter("at")):
            published = tuple(together)
            # Where in its second a line stands depends on all lines of the same.
            if not all(self._is_quiet(line, shown) for line in published):
                lines += map(self.line, published)
        return _digest(self._series, b"told", b"".join(lines)).hex()

    def _is_quiet(self, line: Line, shown: int) -> bool:
        """Whether a line is an edit, none came after it, and it belongs to no piece of news that a feed may show."""
        ledger = self._edition.ledger
        if not ledger.is_edit(line):
            return False
        lines = ledger.of(line.event)
        if line is not lines[-1]:
            return False
        if line.at - lines[-2].at > self._edition.catalogue.mail.settle:
            return True
        # One that was announced with so many others as fill the feed had gone into an archive before it was edited.
        announced = lines[0].at
        if len(lines) > 2 or announced == line.at or (last := self._last_shown(announced, shown)) is None:
            return False
        return last < self._edition.told(line)[0].order

    def _last_shown(self, announced: datetime, shown: int) -> tuple[Any, ...] | None:
        """The place in the order of the last event that fills a feed; of those of an instant which never changed."""
        unchanged = self._unchanged.get(announced, ())
        return unchanged[shown - 1].event.order if len(unchanged) >= shown else None

    @cached_property
    def _unchanged(self) -> Mapping[datetime, Sequence[Listing]]:
        """The dated events of which nothing was told since they were announced, in their order, by that instant."""
        found = defaultdict[datetime, list[Listing]](list)
        for listing in self._edition.dated:
            instants = [line.at for line in self._edition.ledger.of(listing.event.id)]
            if len(instants) == 1:
                found[instants[0]].append(listing)
        return found

    def of_news(self, told: Sequence[News], *said: str, frozen: bool = False) -> str:
        """Pieces of news in their order, at least one, and `series`.

        `said` is whatever else of the edition is told with them; with `frozen` nothing that came after a piece is.
        """
        # What was published until the last of them changed settles all that they tell, and where in its second each is.
        until = self._published[max(item.updated for item in told)]
        since = () if frozen else [self._record(item.event.id) for item in told]
        ids = "\n".join(item.id for item in told)
        return _digest(self._series, b"news", until, ids.encode(), *since, *map(str.encode, said)).hex()

    @cached_property
    def _published(self) -> Mapping[datetime, bytes]:
        """All lines of the ledger up to each instant of one."""
        found, digest = dict[datetime, bytes](), b""
        for at, lines in groupby(self._edition.ledger.all_lines, key=attrgetter("at")):
            found[at] = digest = _digest(digest, *map(self.line, lines))
        return found

    @cached_property
    def _series(self) -> bytes:
        edition = self._edition
        catalogue = edition.catalogue.model_dump_json(by_alias=True, exclude={"events", "kept"})
        first = map(self.line, edition.ledger.lines[:1])
        return _digest(catalogue.encode(), b"sent" if edition.ledger.newsletters else b"", *first)

    def _record(self, event: str) -> bytes:
        """The history of an event up to now. Its last line says all that is public of it, its place and its group."""
        found = self._records.get(event)
        if found is None:
            lines = self._edition.ledger.of(event)
            found = self.line(lines[0]) if len(lines) == 1 else _digest(*map(self.line, lines))
            self._records[event] = found
        return found

    def line(self, line: Line) -> bytes:
        """A digest of a line of the ledger."""
        facts = line.facts
        return facts.of_line if type(facts) is KnownFacts else digest_of_line(line, self.facts(line))

    def facts(self, line: Line) -> str:
        """A digest of the facts of a line of the ledger."""
        if type(line.facts) is KnownFacts:
            return line.facts.digest
        found = self._facts.get((line.event, line.news))
        if found is None:
            found = self._facts[line.event, line.news] = digest_of_facts(line.facts)
        return found


_NOBODY = bytes(17)


def _told(run: Iterable[Listing], make: Callable[[Listing], bytes], between: bytes) -> bytes:
    return between.join(map(make, run))


def keys(edition: Edition) -> Keys:
    """The digests of an edition, made once for all outputs."""
    found: Keys | None = edition.__dict__.get("_keys")
    return found or edition.__dict__.setdefault("_keys", Keys(edition))


def _digest(*parts: bytes) -> bytes:
    """A digest of parts of any length, each told apart from the next."""
    told = b"".join([b"%d:%b" % (len(part), part) for part in parts])
    return hashlib.blake2b(told, digest_size=16).digest()
