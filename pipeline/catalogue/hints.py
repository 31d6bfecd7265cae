"""What can be published and deserves a look: warnings, and the organisers' own open questions."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

from pydantic import BaseModel

from pipeline.catalogue.chronology import wall_times
from pipeline.catalogue.findings import Finding, bare, unknown
from pipeline.catalogue.models import Catalogue, Event, Status
from pipeline.catalogue.places import Path
from pipeline.catalogue.recurrence import EVER, LONGEST, occurrences
from pipeline.catalogue.texts import Text
from pipeline.catalogue.when import AtTime, in_overlap, last_day, starts
from pipeline.errors import Severity
from pipeline.interface_words import has_words, spoken

SHORTENERS = frozenset(
    {
        "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at",
        "t.co", "t.ly", "tiny.cc", "tinyurl.com", "urlz.fr", "v.gd", "link.infini.fr", "lstu.fr", "huit.re",
        "frama.link",
    }
)  # fmt: skip
_FOLDS = {"time": "fold", "end_time": "end_fold"}
"""The key that says which of two equal hours is meant."""
LONGEST_TITLE = 200
LONGEST_GAP = 20
AT_LEAST = timedelta(minutes=1)
"""Where nobody said an end, only what begins in the same minute is sure to overlap."""


def hints(catalogue: Catalogue, today: date | None) -> Iterator[Finding]:
    """Every warning and open question; those about the past need to know what day it is."""
    yield from _questions(("series",), catalogue.series.todo)
    yield from _counts(catalogue)
    yield from _places_without_address(catalogue)
    for number, event in enumerate(catalogue.events):
        path: Path = ("event", number)
        yield from _questions(path, event.todo)
        yield from _event(path, event, today)
    if catalogue.mail.sender is None:
        yield from _links_for_mails(catalogue)
    yield from _collisions(catalogue)
    yield from _repeated_forms(catalogue)
    yield from _similar_names(catalogue)
    yield from _unused_tags(catalogue)
    yield from _missing_texts(catalogue)
    yield from _missing_words(catalogue)


def _warning(path: Path, message: str, hint: str = "", **values: object) -> Finding:
    return Finding(path, message, hint, values, Severity.WARNING)


def _questions(path: Path, todo: Iterable[str]) -> Iterator[Finding]:
    for index, question in enumerate(todo):
        yield Finding((*path, "todo", index), "{question}", "", {"question": question}, Severity.TODO)


def _counts(catalogue: Catalogue) -> Iterator[Finding]:
    announced, listed = catalogue.series.announced_events, len(catalogue.events)
    if announced is not None and announced != listed:
        yield _warning(
            ("series", "announced_events"),
            "the public text announces {announced} events, {listed} are listed",
            "correct the text or the list",
            announced=announced,
            listed=listed,
        )
    yield from _gaps(catalogue)


def _places_without_address(catalogue: Catalogue) -> Iterator[Finding]:
    for number, venue in enumerate(catalogue.venues):
        if not any((venue.street, venue.postal_code, venue.city, venue.geo)):
            yield _warning(
                ("venue", number), "calendars show its name alone, and no map finds it", "write its street and city"
            )


def _links_for_mails(catalogue: Catalogue) -> Iterator[Finding]:
    """Pages and calendars say that these come by mail; where none is sent that is a promise nobody keeps."""
    for number, event in enumerate(catalogue.events):
        if event.online is not None and event.online.secret is not None:
            yield _warning(
                ("event", number, "online"), "its link comes by mail alone, and no mail is sent",
                "write who sends it, `from`, under [mail], or give the address itself",
            )  # fmt: skip


def _gaps(catalogue: Catalogue) -> Iterator[Finding]:
    """Numbers that no event has, after the first event above them; long gaps are cut short."""
    numbered = sorted((event.number, index) for index, event in enumerate(catalogue.events) if event.number is not None)
    for (below, _), (above, index) in pairwise(numbered):
        missing = [str(number) for number in range(below + 1, min(above, below + 1 + LONGEST_GAP))]
        if missing:
            yield _warning(
                ("event", index, "number"), "no event has the number {gaps}",
                gaps=", ".join(missing) + (", …" if above - below - 1 > LONGEST_GAP else ""),
            )  # fmt: skip


def _event(path: Path, event: Event, today: date | None) -> Iterator[Finding]:
    for key, moment in wall_times(event):
        fold = _FOLDS.get(str(key[0]))
        if in_overlap(moment) and fold not in event.model_fields_set:
            yield _warning(
                (*path, *key),
                "{time} happens twice on {date}: the clocks go back; the first of the two is meant",
                "write {fold} = 0 to confirm it, or {fold} = 1 for the second"
                if fold
                else "choose another hour if not",
                time=f"{moment:%H:%M}",
                date=moment.date(),
                fold=fold,
            )
    if today and event.tba and _is_past(event, today):
        yield _warning(
            (*path, "tba"), "it is past and still says that something will be announced: {names}",
            "fill it in, or delete it from `tba`", names=", ".join(event.tba),
        )  # fmt: skip
    if event.excepted and not any(True for _ in occurrences(event, starts(event.when) or EVER, EVER)):
        # Who was told of it shall hear that it is off, and not find it on no day at all without a word.
        yield _warning((*path, "except"), "no date is left", 'keep one, and write status = "cancelled" and a notice')
    if event.status is Status.POSTPONED and event.date is None:
        # Who has it in a calendar would see it vanish without a word.
        yield _warning(
            (*path, "status"), "without a date it is in no calendar, not even as postponed",
            "keep the old `date` and `time` until the new ones are known",
        )  # fmt: skip
    if event.image_alt and event.image is None and "image" not in event.tba:
        yield _warning(
            (*path, "image_alt"), "it describes a picture, and there is none", "name it in `image`, or delete this"
        )
    if event.title and any(len(title) > LONGEST_TITLE for title in event.title.root.values()):
        yield _warning((*path, "title"), "the title has more than {limit} characters", limit=LONGEST_TITLE)
    for key, url in _links(event):
        if (host := urlsplit(url).hostname) in SHORTENERS:
            yield _warning(
                (*path, *key), "{host} shortens addresses: readers can't see where the link goes",
                "write the address it leads to", host=host,
            )  # fmt: skip


def _is_past(event: Event, today: date) -> bool:
    """Whether no day on which it takes place is left; one that recurs is past when its last time is."""
    last = last_day(event.when)
    if last is None or last >= today or event.repeats is None:
        return last is not None and last < today
    recently = datetime.combine(today, time(), event.zone) - LONGEST
    return all((last_day(when) or today) < today for _, when in occurrences(event, recently, EVER))


def _links(event: Event) -> Iterator[tuple[Path, str]]:
    for key, one in (("registration", event.registration), ("online", event.online)):
        if one is not None and one.url is not None:
            yield (key,), one.url
    for key, many in (("resources", event.resources), ("recordings", event.recordings)):
        yield from (((key, index), link.url) for index, link in enumerate(many))


def _collisions(catalogue: Catalogue) -> Iterator[Finding]:
    """Two events in one place whose hours overlap, as far as their ends are known."""
    places: dict[str, list[tuple[datetime, datetime, int]]] = defaultdict(list)
    for number, event in enumerate(catalogue.events):
        if isinstance(event.when, AtTime) and isinstance(event.venue, str) and event.status is not Status.CANCELLED:
            start = event.when.start.astimezone(UTC)
            end = event.when.end if event.when.end and not event.when.end_is_estimated else start
            places[event.venue].append((start, max(end.astimezone(UTC), start + AT_LEAST), number))
    found = []
    for visits in places.values():
        last: tuple[datetime, int] | None = None
        for start, end, number in sorted(visits):
            if last is not None and start < last[0]:
                found.append((number, last[1]))
            last = (end, number) if last is None or end > last[0] else last
    for number, other in sorted(found):
        yield _warning(
            ("event", number, "time"), 'it is at the same time and place as "{other}"',
            other=catalogue.events[other].id,
        )  # fmt: skip


def _repeated_forms(catalogue: Catalogue) -> Iterator[Finding]:
    """One registration address for two events: people would sign up for the wrong one."""
    first: dict[str, str] = {}
    for number, event in enumerate(catalogue.events):
        url = event.registration.url if event.registration else None
        if url is not None and first.setdefault(url, event.id) != event.id:
            yield _warning(
                ("event", number, "registration"), 'the address is that of event "{other}" too',
                "check that it opens the right form", other=first[url],
            )  # fmt: skip


def _unused_tags(catalogue: Catalogue) -> Iterator[Finding]:
    known = {tag for event in catalogue.events for tag in event.tags}
    named = [("reminder", number, rule.tags) for number, rule in enumerate(catalogue.rules or ())]
    named += [("newsletter", number, newsletter.tags) for number, newsletter in enumerate(catalogue.newsletters)]
    for table, number, tags in named:
        for index, tag in enumerate(tags):
            if tag not in known:
                found = unknown((table, number, "tags", index), tag, known, "no event has the tag {word!r}")
                yield found._replace(severity=Severity.WARNING)


def _similar_names(catalogue: Catalogue) -> Iterator[Finding]:
    """Names that differ only in accents, capitals, spaces or dots are one name, written in two ways."""
    first: dict[str, str] = {}
    for path, name in _names(catalogue):
        other = first.setdefault(bare(name), name)
        if other != name:
            yield _warning(path, "{name!r} is also written {other!r}", "write it in one way", name=name, other=other)


def _names(catalogue: Catalogue) -> Iterator[tuple[Path, str]]:
    yield from ((("organisation", number, "name"), one.name) for number, one in enumerate(catalogue.organisations))
    series = catalogue.series
    yield from ((("series", "organiser", number, "name"), one.name) for number, one in enumerate(series.organiser))
    for key, names in (("partners", series.partners), ("supporters", series.supporters)):
        yield from ((("series", key, number), name) for number, name in enumerate(names))
    for number, event in enumerate(catalogue.events):
        for index, speaker in enumerate(event.speakers):
            for key in ("name", "group", "affiliation", "member_of"):
                if (name := getattr(speaker, key)) is not None:
                    yield ("event", number, "speakers", index, key), name


def _missing_texts(catalogue: Catalogue) -> Iterator[Finding]:
    texts, said = 0, Counter[str]()
    for text in _texts(catalogue):
        texts += 1
        said.update(text.root.keys())
    for language in catalogue.languages:
        if missing := texts - said[language]:
            yield _warning(
                ("series", "languages"), 'language "{language}": {count} of {all} texts are missing',
                "they are shown in the default language", language=language, count=missing, all=texts,
            )  # fmt: skip


def _missing_words(catalogue: Catalogue) -> Iterator[Finding]:
    for language in catalogue.languages:
        if not has_words(language):
            yield _warning(
                ("series", "languages"),
                'language "{language}": headings, buttons and letters are in English, since tocsin has no words in it',
                "it has words in {known}; your own texts stay as they are",
                language=language,
                known=", ".join(spoken()),
            )


def _texts(value: object) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, BaseModel):
        for key in value.model_fields_set:
            yield from _texts(getattr(value, key))
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)
