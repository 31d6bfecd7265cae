"""The doctor: looks at all that sending needs, one thing after the other, and says what to do about what it finds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pipeline.catalogue.models import Catalogue
from pipeline.delivery.names import Answer, tag
from pipeline.errors import N_, TocsinError, reason_of, told, unchanged
from pipeline.letters.message import Post
from pipeline.letters.posting import post_of
from pipeline.store.database import Database
from pipeline.store.editions import NOTHING_YET, published_series
from pipeline.store.leases import clock_of
from pipeline.store.switch import last_tick, why_held

Look = Callable[[str], Answer]
"""Asks the DNS for the texts of a name."""


CLOCKS_AGREE = timedelta(minutes=2)
"""A web server's clock and an answer's way here may be so far off."""


class Health(StrEnum):
    """How something is: well, worth a look, or in the way of sending."""

    WELL = "ok"
    DOUBTFUL = "look"
    ILL = "bad"


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that was looked at, how it is, and what to do: English patterns, filled from `values`."""

    thing: str
    health: Health
    pattern: str
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """What was looked at, in English."""
        return self.in_words(unchanged)[0]

    @property
    def said(self) -> str:
        """What is said of it, in English."""
        return self.in_words(unchanged)[1]

    def in_words(self, say: Callable[[str], str]) -> tuple[str, str]:
        """What was looked at and what is said of it, in the reader's language."""
        values = {name: told(value, say) for name, value in self.values.items()}
        return say(self.thing).format_map(values), say(self.pattern).format_map(values)


class Signing(Protocol):
    """A DKIM key, as far as it can be held against the DNS."""

    @property
    def record(self) -> str:
        """The name of the DNS record."""
        ...

    @property
    def domain(self) -> str:
        """The domain that signs."""
        ...

    @property
    def public(self) -> str:
        """The public half, as it should stand there."""
        ...

    @property
    def entry(self) -> str:
        """The whole text that should stand there."""
        ...


def look_at(thing: str, work: Callable[[], str], pattern: str = "{found}") -> Observation:
    """What `work` finds, said by the pattern, or the trouble that it met."""
    try:
        return Observation(thing, Health.WELL, pattern, {"found": work()})
    except (TocsinError, OSError) as error:
        return trouble(thing, error)


def trouble(thing: str, error: Exception) -> Observation:
    """That something is in the way, in the words of the error."""
    if isinstance(error, OSError):
        error = reason_of(error)
    if isinstance(error, TocsinError):
        return Observation(thing, Health.ILL, "{reason}", {"reason": error})
    return Observation(thing, Health.ILL, str(error))


def sender_of(catalogue: Catalogue) -> str:
    """Who writes; SettingsError where the catalogue doesn't say."""
    return post_of(catalogue, b"").sender


def examine_database(database: Database, here: dict[str, str], now: datetime) -> Iterator[Observation]:
    """Whether the database can be written, whether it may send from here, and whether the clock went back."""
    yield look_at(N_("database"), lambda: _written(database), N_("{found} can be written"))
    with database.look() as connection:
        held, ticked, series = why_held(connection, here), last_tick(connection), published_series(connection)
        of_database = clock_of(connection)
    yield Observation(N_("outgoing mail"), Health.DOUBTFUL if held else Health.WELL, held or N_("armed"))
    if not series:
        yield Observation(N_("edition"), Health.DOUBTFUL, NOTHING_YET)
    if ticked is not None and ticked > now:
        said = N_("the clock shows {now:%Y-%m-%d %H:%M}Z, but mail was looked after at {then:%Y-%m-%d %H:%M}Z: set it")
        yield Observation(N_("clock"), Health.ILL, said, {"now": now, "then": ticked})
    else:
        yield Observation(N_("clock"), Health.WELL, "{now:%Y-%m-%d %H:%M}Z", {"now": now})
    if of_database is not None:
        yield examine_clock(now, "", of_database)


def examine_clock(now: datetime, place: str, elsewhere: datetime | None) -> Observation:
    """Whether our clock agrees with that at another place (empty: the database), as far as that tells the time."""
    what = N_("clock against {place}") if place else N_("clock against the database")
    values: dict[str, object] = {"place": place}
    if elsewhere is None:
        said = N_("it doesn't answer; compare `date -u` with a clock that you trust")
        return Observation(what, Health.DOUBTFUL, said, values)
    apart = (now - elsewhere).total_seconds()
    if abs(apart) <= CLOCKS_AGREE.total_seconds():
        return Observation(what, Health.WELL, N_("they agree"), values)
    said = (
        N_("ours is {apart:.0f} s ahead; mail leaves at the wrong hour; set it: timedatectl set-ntp true")
        if apart > 0
        else N_("ours is {apart:.0f} s behind; mail leaves at the wrong hour; set it: timedatectl set-ntp true")
    )
    return Observation(what, Health.ILL, said, {**values, "apart": abs(apart)})


class _Undone(Exception):  # noqa: N818 - it is no error, it only ends the transaction
    """Takes back what was written to see whether it can be."""


def _written(database: Database) -> str:
    try:
        with database.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE tocsin_doctor (n INTEGER)")
            raise _Undone
    except _Undone:
        return database.place


def examine_names(post: Post, keys: Sequence[Signing], look: Look) -> Iterator[Observation]:
    """What the DNS says of the sender's domain: SPF, DMARC, and the public half of each key."""
    domain = post.message_domain
    bounces = (post.bounces or post.sender_address).rpartition("@")[2]
    none = N_('none; publish a TXT record at {domain}: "v=spf1 …"')
    yield _one_of(look(bounces), N_("SPF of {domain}"), "v=spf1", none, bounces)
    none = N_('none; publish a TXT record at _dmarc.{domain}: "v=DMARC1; p=none"')
    yield _one_of(look(f"_dmarc.{domain}"), N_("DMARC of {domain}"), "v=DMARC1", none, domain)
    if not keys:
        said = N_("no TOCSIN_DKIM_KEY is set; that is well where the mail server signs")
        yield Observation("DKIM", Health.DOUBTFUL, said)
    for key in keys:
        yield _signing(key, domain, look(key.record))


def _one_of(answer: Answer, what: str, opening: str, none: str, domain: str) -> Observation:
    found = [text for text in answer.texts if text.casefold().startswith(opening.casefold())]
    values: dict[str, object] = {"domain": domain, "count": len(found), "found": next(iter(found), "")}
    if not answer.reached:
        return Observation(what, Health.DOUBTFUL, N_("no name server answers"), values)
    if len(found) > 1:
        return Observation(what, Health.ILL, N_("there are {count} records, and only one counts"), values)
    return (
        Observation(what, Health.WELL, "{found}", values) if found else Observation(what, Health.DOUBTFUL, none, values)
    )


def _signing(key: Signing, domain: str, answer: Answer) -> Observation:
    what = N_("DKIM at {record}")
    values = {"record": key.record, "domain": domain, "of_key": key.domain, "entry": key.entry}
    if domain != key.domain and not domain.endswith(f".{key.domain}"):
        said = N_("the letters come from {domain}: a key of {of_key} doesn't speak for it")
        return Observation(what, Health.ILL, said, values)
    if not answer.reached:
        return Observation(what, Health.DOUBTFUL, N_("no name server answers"), values)
    if key.public in {tag(text, "p") for text in answer.texts}:
        return Observation(what, Health.WELL, N_("the record holds this key"), values)
    said = (
        N_("the record holds another key; publish: {entry}")
        if answer.texts
        else N_("there is no record; publish: {entry}")
    )
    return Observation(what, Health.ILL, said, values)
