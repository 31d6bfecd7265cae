"""The entries of the feeds: one for each piece of news in each language, the same for RSS, Atom and JSON Feed."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import NamedTuple
from urllib.parse import urlsplit

from pipeline.catalogue.models import Group, Organiser
from pipeline.catalogue.recurrence import at_one_time, occurrences
from pipeline.catalogue.texts import Phrase
from pipeline.catalogue.when import Unscheduled, first_day
from pipeline.edition import Edition, Listing
from pipeline.language import say_day, words
from pipeline.ledger import LineKind, event_of
from pipeline.markdown import to_text
from pipeline.news import News
from pipeline.outputs import newsletter_content
from pipeline.outputs.archives import Told, archives_by_feed
from pipeline.outputs.entry_content import content
from pipeline.outputs.entry_instants import Instants, at_midnight, instants, soon_since
from pipeline.outputs.keys import keys
from pipeline.phrases import dated_title, headline, status_word, title_of
from pipeline.sent_newsletters import Sent

PAGE = 100
"""How many entries a feed shows, and how many each of its archives holds (RFC 5005)."""
SOON = timedelta(days=7)
"""How long before an event its entry in `soon.atom.xml` comes."""
REMEMBERED = timedelta(days=366)
"""How long `soon.atom.xml` remembers the times of recurring events."""


class Entry(NamedTuple):
    """One entry; instants are aware, UTC, `updated` with a fraction; `title` and `summary` are bare, `html` is safe."""

    id: str
    title: str
    title_language: str
    """The language in which most of the title is really written."""
    page: str
    """The address of the event's page."""
    calendar: str | None
    """The address of the event's .ics file, where there is one."""
    published: datetime
    updated: datetime
    summary: str
    html: str
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed document: what stands at its head, and its entries, newest first. All addresses are absolute."""

    path: str
    """Where it stands below the tree of its language, without the ending of a format; empty for the newest entries."""
    archive: bool
    previous: str | None
    """The path of the archive with the entries before these."""
    id: str
    title: Phrase
    description: Phrase
    language: str
    home: str
    """The address of the home page, which opens the address of every file in this language."""
    updated: datetime
    authors: tuple[Organiser, ...]
    hub: str | None
    entries: tuple[Entry, ...]

    @property
    def newest(self) -> str:
        """The path of the feed with the newest entries: of an archive another one, else its own."""
        return self.path.rpartition("archive/")[0] if self.archive else self.path

    @property
    def page(self) -> str:
        """The address of the page whose news it brings: that of a group, or the home page."""
        return self.home + self.newest if self.newest.endswith("/") else self.home


def desk(edition: Edition, language: str) -> "Desk":
    """The entries of an edition in a language, made once for all formats."""
    desks: dict[str, Desk] = edition.__dict__.setdefault("_desks", {})
    return desks.get(language) or desks.setdefault(language, Desk(edition, language))


@dataclass(frozen=True)
class Desk:
    """The entries and feeds of an edition in one language."""

    edition: Edition
    language: str
    _told: dict[str, Entry] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def main(self) -> Feed:
        """The newest entries of the series."""
        return self._newest("", self._stream)

    @property
    def feeds(self) -> Iterator[tuple[str, Callable[[], Feed]]]:
        """The feeds that come in every format, by path: the newest entries, the archives, those of each group."""
        yield "", lambda: self.main
        yield from self._archives("", self.edition.series.id)
        for group in self.edition.groups:
            path = f"groups/{group.id}/"
            yield path, partial(self._of_group, path, group)
            yield from self._archives(path, f"{self.edition.series.id} – {group.id}")

    @property
    def feeds_in_atom(self) -> Iterator[tuple[str, Callable[[], Feed]]]:
        """The feeds that come in one format: of what is near, and of each tag."""
        yield "soon", lambda: self._soonest
        for tag in self.edition.tags:
            yield f"tags/{tag}", partial(self._tagged, tag)

    def key(self, path: str) -> str | None:
        """The key of an archive, which only tells what was published, of the newest entries and of what is near.

        None for others.
        """
        # The same in every language and format.
        known: dict[str, str | None] = self.edition.__dict__.setdefault("_archive_keys", {})
        if path not in known:
            known[path] = self._key(path)
        return known[path]

    def _key(self, path: str) -> str | None:
        if path == "soon":
            return keys(self.edition).of(*self._near, values=(path, self.edition.day.isoformat()))
        top, is_archive, number = path.rpartition("archive/")
        said = list[str]()
        # A group may be called so, too: its own feed has no number.
        told = self._full[top][int(number) - 1] if is_archive and number else ()
        if not path:
            told, previous = self._shown(path, self._stream)
            said += (str(previous), f"over: {self.edition.is_over}")
        events = [item for item in told if not isinstance(item, Sent)]
        if not told or len(events) < len(told):
            return None
        return keys(self.edition).of_news(events, *said, frozen=bool(path))

    def _newest(self, path: str, stream: Sequence[Told], *, part: str = "") -> Feed:
        """The newest entries of a feed that has archives."""
        shown, previous = self._shown(path, stream)
        return self._feed(path, self._entries(shown), part=part, previous=previous)

    def _shown(self, path: str, stream: Sequence[Told]) -> tuple[Sequence[Told], str | None]:
        """All that are in no archive, and as many more as the feed may show; and the path of the newest archive."""
        full = self._full[path]
        archived = {item.id for archive in full for item in archive}
        room = PAGE - sum(item.id not in archived for item in stream)
        shown = []
        for item in stream:
            if item.id not in archived or room > 0:
                shown.append(item)
                room -= item.id in archived
        return shown[:PAGE], f"{path}archive/{len(full)}" if full else None

    def _archives(self, path: str, name: str) -> Iterator[tuple[str, Callable[[], Feed]]]:
        for number in range(1, len(self._full[path]) + 1):
            yield f"{path}archive/{number}", partial(self._archive, path, number, name)

    def _archive(self, path: str, number: int, name: str) -> Feed:
        """What is older, in documents of exactly `PAGE` entries, filled from the oldest: the first is number 1.

        They say what was published then: nothing that happens later changes them, whatever they lack.
        """
        entries = tuple(self._frozen(item) for item in self._full[path][number - 1])
        previous = f"{path}archive/{number - 1}" if number > 1 else None
        feed = self._feed(f"{path}archive/{number}", entries, previous=previous)
        # Only what is permanent stands at the head: another title or organiser must not rewrite the archives.
        title = Phrase(f"{name} – {number}", self.language)
        permanent = (Organiser(name=self.edition.series.id),)
        return replace(feed, archive=True, title=title, description=title, authors=permanent, hub=None)

    def _tagged(self, tag: str) -> Feed:
        """The newest entries about events that bear a tag, or bore it when the news was published."""
        bearers = {listing.event.id for listing in self.edition.tagged(tag)}
        found = [
            item
            for item in self._stream
            if tag in (item.event.tags if isinstance(item, News) else item.newsletter.tags)
            or (isinstance(item, News) and item.event.id in bearers)
        ]
        return self._feed(f"tags/{tag}", self._entries(found[:PAGE]), part=tag)

    def _of_group(self, path: str, group: Group) -> Feed:
        """The newest entries about events of a group, under the ids that they have in the feed of the series."""
        own = {listing.event.id for listing in self.edition.of_group(group.id)}
        found = [news for news in self.edition.news if news.event.id in own]
        feed = self._newest(path, found, part=group.name.said_in(self.language).text)
        return replace(feed, authors=group.organiser or feed.authors)

    @property
    def _soonest(self) -> Feed:
        """An entry for each time at which an event takes place, from seven days before on; latest first."""
        news = [item for listing in self._near for item in self._coming(listing)]
        newest = sorted(news, key=lambda item: (-item.published.timestamp(), item.event.id))[:PAGE]
        return self._feed("soon", tuple(map(self._soon, newest)))

    @property
    def _near(self) -> Sequence[Listing]:
        """The events that take place and aren't too far ahead for an entry in `soon.atom.xml`."""
        until = self.edition.day + SOON + timedelta(days=2)
        return [
            listing
            for listing in self.edition.begun_by(self.edition.morning + SOON + timedelta(days=4))
            if not listing.cancelled
            and (listing.event.repeats is not None or listing.event.date is None or listing.event.date <= until)
        ]

    def _coming(self, listing: Listing) -> Iterator[News]:
        """Its times near the day of the edition as news, each as an event of its own."""
        event, revision, morning = listing.event, listing.revision, self.edition.morning
        for _, when in occurrences(event, morning - REMEMBERED, morning + SOON + timedelta(days=1)):
            since = soon_since(when, event.zone, revision.created, SOON)
            if since is not None and since <= morning:
                # Another date is another entry: with the same id it would stay as read.
                identity = f"{self._feed_id('soon')}:{event.id}:{first_day(when)}"
                yield News(
                    identity, LineKind.ANNOUNCED, at_one_time(event, when), listing.venue, None, None, frozenset(),
                    since, since, None, since, revision.sequence,
                )  # fmt: skip

    def _soon(self, news: News) -> Entry:
        entry = self._made(news, self._page(news), self._calendar(news), "", self._home, news.updated)
        event = dated_title(news.event, self.language, self._home)
        title = words(self.language)("Coming up: {event}").format(event=event)
        return entry._replace(id=news.id, title=title, updated=at_midnight(news.updated, news.id))

    @cached_property
    def _instants(self) -> Instants:
        return instants(self.edition)

    @cached_property
    def _stream(self) -> Sequence[Told]:
        """The news of events and the newsletters; what became news last comes first."""
        if not self.edition.newsletters:
            return self.edition.news
        return sorted((*self.edition.news, *self.edition.newsletters), key=_became_news, reverse=True)

    @property
    def _full(self) -> Mapping[str, Sequence[Sequence[Told]]]:
        """The news in each full archive, by the path of the feed whose archives they are; in all languages the same."""
        found: Mapping[str, Sequence[Sequence[Told]]] | None = self.edition.__dict__.get("_full_archives")
        return found or self.edition.__dict__.setdefault("_full_archives", archives_by_feed(self.edition, PAGE))

    def _feed(self, path: str, entries: tuple[Entry, ...], *, part: str = "", previous: str | None = None) -> Feed:
        edition, series = self.edition, self.edition.series
        title, description = series.title.said_in(self.language), self._description()
        return Feed(
            path=path,
            archive=False,
            previous=previous,
            id=self._feed_id(path),
            title=Phrase(f"{title.text} – {part}", title.language) if part else title,
            description=description if description.text else title,
            language=self.language,
            home=edition.address("", self.language),
            updated=max((entry.updated for entry in entries), default=self._began),
            authors=series.organiser,
            hub=edition.catalogue.site.hub,
            entries=entries,
        )

    @property
    def _began(self) -> datetime:
        """When the series was first published: an empty feed stays as it is whatever happens elsewhere."""
        lines = self.edition.ledger.lines
        return lines[0].at if lines else self.edition.updated

    def _description(self) -> Phrase:
        series = self.edition.series
        if series.subtitle is not None:
            return series.subtitle.said_in(self.language)
        if series.description is None:
            return Phrase("", self.language)
        said = series.description.said_in(self.language)
        return Phrase(to_text(said.text, self.edition.address("", self.language)).partition("\n\n")[0], said.language)

    def _feed_id(self, path: str) -> str:
        """A `tag:` URI whose authority is that of the first news, so that it outlives a change of domain."""
        edition = self.edition
        if edition.ledger.lines:
            authority = edition.ledger.lines[0].news.split(":")[1]
        else:
            authority = f"{urlsplit(edition.catalogue.site.url).hostname},{edition.day}"
        name = path.strip("/").replace("/", ":") or "news"
        return self._in_language(f"tag:{authority}:{edition.series.id}:feed:{name}")

    def _in_language(self, identity: str) -> str:
        """The same news in another language is another entry: some readers keep entries by id over all feeds."""
        return identity if self.language == self.edition.languages[0] else f"{identity}:{self.language}"

    def _entries(self, found: Iterable[Told]) -> tuple[Entry, ...]:
        return tuple(map(self._entry, found))

    def _entry(self, news: Told) -> Entry:
        """Made once, whichever feeds it stands in."""
        if (told := self._told.get(news.id)) is not None:
            return told
        if isinstance(news, Sent):
            told = self._told[news.id] = self._letter(news, self._corrected(news))
        else:
            page, calendar = self._page(news), self._calendar(news)
            told = self._told[news.id] = self._made(news, page, calendar, self._warning(news), self._home, news.updated)
        return told

    def _letter(self, sent: Sent, warning: str = "") -> Entry:
        newsletter, subject = sent.newsletter, sent.newsletter.subject.said_in(self.language)
        home = self.edition.address("", self.language)
        html = newsletter_content.content(newsletter, home, self.language, warning)
        return Entry(
            id=self._in_language(sent.id),
            title=subject.text,
            title_language=subject.language,
            page=f"{home}newsletters/{newsletter.id}/",
            calendar=None,
            published=sent.published,
            updated=self._instants.of_correction(sent) if warning else self._instants.of_newsletter(sent),
            summary=newsletter_content.summary(newsletter, self.language),
            html=str(html),
            categories=newsletter.tags,
        )

    def _corrected(self, sent: Sent) -> str:
        if sent.corrected_by is None:
            return ""
        newsletter = sent.corrected_by.newsletter
        day, subject = say_day(newsletter.send.date(), self.language), newsletter.subject.said_in(self.language).text
        return words(self.language)("Corrected on {day}: {subject}").format(day=day, subject=subject)

    def _frozen(self, news: Told) -> Entry:
        """The entry as it was published: what came later is left out, so that an archive never changes."""
        if isinstance(news, Sent):
            return self._letter(news)
        page = self.edition.address(f"events/{news.event.id}/", self.language)
        return self._made(news, page, None, "", self._first_home, news.last)

    def _made(self, news: News, page: str, calendar: str | None, warning: str, home: str, at: datetime) -> Entry:
        told = content(news, page, calendar, self.language, warning, home)
        return Entry(
            id=self._in_language(news.id),
            title=headline(news, self.language, home),
            title_language=title_of(news.event, self.language).language,
            page=page,
            calendar=calendar,
            published=news.published,
            updated=self._instants.of_news(at, news),
            summary=told.summary,
            html=told.html,
            categories=self._categories(news),
        )

    @property
    def _home(self) -> str:
        """The zone that readers take for granted."""
        return self.edition.series.timezone

    @property
    def _first_home(self) -> str:
        """The same for the archives: that of the first event, since another zone of the series must not change them."""
        return str(self.edition.ledger.lines[0].facts.get("timezone", self._home))

    def _page(self, news: News) -> str:
        return self.edition.address(f"events/{news.event.id}/", self.language)

    @cached_property
    def _dated(self) -> frozenset[str]:
        return frozenset(listing.event.id for listing in self.edition.dated)

    def _calendar(self, news: News) -> str | None:
        event = news.event
        if event.id not in self._dated or isinstance(event.when, Unscheduled):
            return None
        return self.edition.address(f"events/{event.id}.ics", self.language)

    def _warning(self, news: News) -> str:
        if news.cancelled_later is None:
            return ""
        today, _ = event_of(self.edition.ledger.of(news.event.id)[-1].facts)
        day = say_day(news.cancelled_later.astimezone(news.event.zone).date(), self.language)
        word = status_word(today, self.language)
        return words(self.language)("{status} on {day}").format(status=word, day=day)

    def _categories(self, news: News) -> tuple[str, ...]:
        kind = (news.event.kind.said_in(self.language).text,) if news.event.kind else ()
        return tuple(dict.fromkeys((*kind, *news.event.tags)))


def _became_news(item: Told) -> datetime:
    return item.at if isinstance(item, Sent) else item.published
