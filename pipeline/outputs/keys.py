"""What the files of an edition are made from, as digests: a file whose digest is the same has the same bytes.

Whoever says nothing sharper of a file says that it is made from everything, which is always true. A file of some events
is made from these, and from all of the catalogue that is not an event: so what an output adds to such a file needs no
word here, unless it comes from other events or from the day. Templates and the program count for every file; who
remembers files sees to these.
"""

import hashlib
from array import array
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any
from zlib import crc32

from pipeline.catalogue.when import Unscheduled
from pipeline.edition import Edition, Listing, News
from pipeline.ledger import Line
from pipeline.ledger_lines import digest_of_facts

A_FEW = 3
A_RUN, LONGEST_RUN = 32, 256
"""About so many events of a long file are remembered together, and so many at most."""
MOST_REUSED = 1000
"""So many pieces of pages are kept for others: what two pages have in common mostly stands on pages that are near."""


def runs(listings: Iterable[Listing]) -> Iterator[tuple[Listing, ...]]:
    """Events in their order, cut behind some by their ids: one that comes or goes changes hardly a run but its own."""
    run = list[Listing]()
    for listing in listings:
        run.append(listing)
        if crc32(listing.event.id.encode()) % A_RUN == 0 or len(run) == LONGEST_RUN:
            yield tuple(run)
            run.clear()
    if run:
        yield tuple(run)


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


class Reused(dict[Hashable, str]):
    """The pieces of pages for `{% reused %}`, by the place in the template and the keys given there."""

    def __init__(self, of: "Keys") -> None:
        super().__init__()
        self._of = of

    def get(self, names: Any, default: Any = None) -> Any:
        """A piece that was made before, be it for an earlier edition."""
        if len(names) < 2 or type(names[1]) is not Lasting:
            return super().get(names, default)
        piece = self._of.pieces.find(_name(names))
        return default if piece is None else piece.decode()

    def __setitem__(self, names: Any, piece: str) -> None:
        if len(names) > 1 and type(names[1]) is Lasting:
            self._of.pieces.put(_name(names), piece.encode())
            return
        if len(self) >= MOST_REUSED:
            self.clear()
        super().__setitem__(names, piece)


def _name(names: Iterable[object]) -> str:
    return _digest(*(str(name).encode() for name in names)).hex()


class Keys:
    """The digests of one edition; `keys` gives the one that all outputs share."""

    def __init__(self, edition: Edition) -> None:
        self.pieces = Pieces()
        self._edition = edition
        self._records: dict[str, bytes] = {}
        self._joined: dict[bytes, tuple[object, bytes]] = {}
        self._facts: dict[tuple[str, str], str] = {}
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
        order = "\n".join(
            listing.event.id for listing in edition.listings if isinstance(listing.event.when, Unscheduled)
        )
        sent = map(self._line, edition.ledger.newsletters)
        lines = (self._record(event) for event in edition.ledger.events)
        return _digest(self._series, order.encode(), b"newsletters", *sent, b"events", *lines).hex()

    @cached_property
    def series(self) -> str:
        """All of the catalogue but its events, and what the first line of the ledger gave the series for good."""
        return self._series.hex()

    def of(self, *listings: Listing | None, values: Iterable[str] = ()) -> str:
        """The events at their places, with their histories, all that is in `series`, and what else a file shows."""
        told = f"{len(listings)} {tuple(values)!r}".encode()
        return hashlib.blake2b(b"".join((self._series, self._records_of(listings), told)), digest_size=16).hexdigest()

    def _records_of(self, listings: tuple[Listing | None, ...]) -> bytes:
        """The records of events at their places, one after another; of a run, found once for all its files."""
        names = array("Q", map(id, listings)).tobytes()
        if (found := self._joined.get(names)) is not None:
            return found[1]
        parts = list[bytes]()
        known = self._records
        for listing in listings:
            if listing is None:
                parts.append(_NOBODY)
                continue
            name = listing.event.id
            # Of the same length for each, so that one can't pass for two.
            parts += known.get(name) or self._record(name), b"R" if listing.retired else b"-"
        joined = b"".join(parts)
        if len(listings) > A_FEW:
            # Held on to, so that no other events are found in their place.
            self._joined[names] = listings, joined
        return joined

    def runs(self, listings: Sequence[Listing]) -> Sequence[tuple[Listing, ...]]:
        """The runs of events of which several files tell, found once for all of them."""
        # Held on to, so that no other list is found in its place.
        found = self._runs.get(id(listings))
        if found is None:
            found = self._runs[id(listings)] = listings, tuple(runs(listings))
        return found[1]

    def joined(
        self, listings: Sequence[Listing], make: Callable[[Listing], bytes], *said: str, between: bytes = b""
    ) -> Iterator[bytes]:
        """What a long file tells of each event, run by run; of a run that is as it was nothing is made.

        `said` names what `make` tells, and whatever else than the event that depends on; `between` stands between two.
        """
        opening = b""
        for run in self.runs(listings):
            yield opening + self.pieces.of(self.of(*run, values=said), partial(_told, run, make, between))
            opening = between

    def of_news(self, told: Iterable[News], *said: str, frozen: bool = False) -> str:
        """Pieces of news in their order, each with its event's history and where it stands there, and `series`.

        `said` is whatever else of the edition is told with them; with `frozen` nothing that came after a piece is.
        """
        history = self._record_until if frozen else self._record_up_to_now
        parts = (part for item in told for part in (_state(item), history(item)))
        return _digest(self._series, b"news", *parts, *map(str.encode, said)).hex()

    @cached_property
    def _series(self) -> bytes:
        edition = self._edition
        catalogue = edition.catalogue.model_dump_json(by_alias=True, exclude={"events", "kept"})
        first = map(self._line, edition.ledger.lines[:1])
        return _digest(catalogue.encode(), b"sent" if edition.ledger.newsletters else b"", *first)

    def _record(self, event: str) -> bytes:
        """The history of an event up to now. Its last line says all that is public of it, its place and its group."""
        found = self._records.get(event)
        if found is None:
            found = self._records[event] = _digest(*map(self._line, self._edition.ledger.of(event)))
        return found

    def _record_up_to_now(self, item: News) -> bytes:
        return self._record(item.event.id)

    def _record_until(self, item: News) -> bytes:
        """The history of the event of a piece of news, up to that."""
        lines = self._edition.ledger.of(item.event.id)
        if len(lines) == 1:
            return self._record(item.event.id)
        return _digest(*(self._line(line) for line in lines if line.at <= item.last))

    def _line(self, line: Line) -> bytes:
        head = (line.kind.value, line.event, line.uid, line.news, line.at.isoformat(), *sorted(line.changed))
        return _digest("\n".join(head).encode(), self.facts(line).encode())

    def facts(self, line: Line) -> str:
        """A digest of the facts of a line of the ledger."""
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


def _state(news: News) -> bytes:
    """Up to which line of its event's history it tells."""
    return f"{news.id} {news.kind} {news.last.isoformat()} {news.updated.isoformat()} {news.sequence}".encode()


def _digest(*parts: bytes) -> bytes:
    """A digest of parts of any length, each told apart from the next."""
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(b"%d:" % len(part))
        found.update(part)
    return found.digest()
