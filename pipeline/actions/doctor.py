"""The doctor: looks at all that sending needs, one thing after the other, and says what to do about what it finds."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pipeline.catalogue.models import Catalogue
from pipeline.delivery.names import Answer, tag
from pipeline.errors import TocsinError
from pipeline.letters.message import Post
from pipeline.letters.posting import post_of
from pipeline.store.database import Database
from pipeline.store.editions import published_series
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
class Finding:
    """One thing that was looked at, how it is, and what to do."""

    what: str
    health: Health
    said: str


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


def look_at(what: str, work: Callable[[], str]) -> Finding:
    """What `work` says of it, or the trouble that it met."""
    try:
        return Finding(what, Health.WELL, work())
    except (TocsinError, OSError) as error:
        return Finding(what, Health.ILL, str(error))


def sender_of(catalogue: Catalogue) -> str:
    """Who writes; SettingsError where the catalogue doesn't say."""
    return post_of(catalogue, b"").sender


def examine_database(database: Database, here: dict[str, str], now: datetime) -> Iterator[Finding]:
    """Whether the database can be written, whether it may send from here, and whether the clock went back."""
    yield look_at("database", lambda: _written(database))
    with database.look() as connection:
        held, ticked, series = why_held(connection, here), last_tick(connection), published_series(connection)
    yield Finding("sending", Health.DOUBTFUL if held else Health.WELL, held or "armed")
    if not series:
        yield Finding("edition", Health.DOUBTFUL, "nothing has been published into this database yet: tocsin publish")
    if ticked is not None and ticked > now:
        said = f"the clock shows {now:%Y-%m-%d %H:%M}Z, but mail was looked after at {ticked:%Y-%m-%d %H:%M}Z: set it"
        yield Finding("clock", Health.ILL, said)
    else:
        yield Finding("clock", Health.WELL, f"{now:%Y-%m-%d %H:%M}Z")


def examine_clock(now: datetime, place: str, elsewhere: datetime | None) -> Finding:
    """Whether our clock agrees with that of a web server, as far as that tells the time."""
    what = f"clock against {place}"
    if elsewhere is None:
        return Finding(what, Health.DOUBTFUL, "it doesn't answer; compare `date -u` with a clock that you trust")
    apart = (now - elsewhere).total_seconds()
    if abs(apart) <= CLOCKS_AGREE.total_seconds():
        return Finding(what, Health.WELL, "they agree")
    said = f"ours is {abs(apart):.0f} s {'ahead' if apart > 0 else 'behind'}; mail leaves at the wrong hour"
    return Finding(what, Health.ILL, f"{said}; set it: timedatectl set-ntp true")


class _Undone(Exception):  # noqa: N818 - it is no error, it only ends the transaction
    """Takes back what was written to see whether it can be."""


def _written(database: Database) -> str:
    try:
        with database.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE tocsin_doctor (n INTEGER)")
            raise _Undone
    except _Undone:
        return f"{database.place} can be written"


def examine_names(post: Post, keys: Sequence[Signing], look: Look) -> Iterator[Finding]:
    """What the DNS says of the sender's domain: SPF, DMARC, and the public half of each key."""
    domain = post.message_domain
    bounces = (post.bounces or post.sender_address).rpartition("@")[2]
    yield _one_of(look(bounces), f"SPF of {bounces}", "v=spf1", f'publish a TXT record at {bounces}: "v=spf1 …"')
    yield _one_of(
        look(f"_dmarc.{domain}"), f"DMARC of {domain}", "v=DMARC1",
        f'publish a TXT record at _dmarc.{domain}: "v=DMARC1; p=none"',
    )  # fmt: skip
    if not keys:
        yield Finding("DKIM", Health.DOUBTFUL, "no TOCSIN_DKIM_KEY is set; that is well where the mail server signs")
    for key in keys:
        yield _signing(key, domain, look(key.record))


def _one_of(answer: Answer, what: str, opening: str, remedy: str) -> Finding:
    found = [text for text in answer.texts if text.casefold().startswith(opening.casefold())]
    if not answer.reached:
        return Finding(what, Health.DOUBTFUL, "no name server answers")
    if len(found) > 1:
        return Finding(what, Health.ILL, f"there are {len(found)} records, and only one counts")
    return Finding(what, Health.WELL, found[0]) if found else Finding(what, Health.DOUBTFUL, f"none; {remedy}")


def _signing(key: Signing, domain: str, answer: Answer) -> Finding:
    what = f"DKIM at {key.record}"
    if domain != key.domain and not domain.endswith(f".{key.domain}"):
        return Finding(what, Health.ILL, f"the letters come from {domain}: a key of {key.domain} doesn't speak for it")
    if not answer.reached:
        return Finding(what, Health.DOUBTFUL, "no name server answers")
    if key.public in {tag(text, "p") for text in answer.texts}:
        return Finding(what, Health.WELL, "the record holds this key")
    said = "the record holds another key" if answer.texts else "there is no record"
    return Finding(what, Health.ILL, f"{said}; publish: {key.entry}")
