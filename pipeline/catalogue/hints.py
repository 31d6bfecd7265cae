"""What can be published and deserves a look: warnings, and the organisers' own open questions."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from urllib.parse import urlsplit

from pydantic import BaseModel

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.models import Catalogue, Event
from pipeline.catalogue.places import Path
from pipeline.catalogue.texts import Text
from pipeline.catalogue.when import AtTime, in_overlap, last_day
from pipeline.errors import Severity

SHORTENERS = frozenset(
    {
        "bit.ly", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "shorturl.at",
        "t.co", "t.ly", "tiny.cc", "tinyurl.com", "urlz.fr", "v.gd", "link.infini.fr", "lstu.fr", "huit.re",
        "frama.link",
    }
)  # fmt: skip
LONGEST_TITLE = 200


def hints(catalogue: Catalogue, today: date | None) -> Iterator[Finding]:
    """Every warning and open question; those about the past need to know what day it is."""
    yield from _questions(("series",), catalogue.series.todo)
    yield from _counts(catalogue)
    for number, event in enumerate(catalogue.events):
        path: Path = ("event", number)
        yield from _questions(path, event.todo)
        yield from _event(path, event, today)
    yield from _collisions(catalogue)
    yield from _missing_texts(catalogue)


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
    numbers = {event.number for event in catalogue.events if event.number is not None}
    if numbers and (gaps := sorted(set(range(min(numbers), max(numbers))) - numbers)):
        path: Path = ("event", next(i for i, e in enumerate(catalogue.events) if (e.number or 0) > gaps[0]), "number")
        yield _warning(path, "no event has the number {gaps}", gaps=", ".join(map(str, gaps[:20])))


def _event(path: Path, event: Event, today: date | None) -> Iterator[Finding]:
    if isinstance(event.when, AtTime) and "fold" not in event.model_fields_set and in_overlap(event.when.start):
        yield _warning(
            (*path, "time"),
            "{time} happens twice on {date}: the clocks go back; the first of the two is meant",
            "write fold = 0 to confirm it, or fold = 1 for the second",
            time=f"{event.when.start:%H:%M}",
            date=event.date,
        )
    last = last_day(event.when)
    if today and last and last < today and event.tba:
        yield _warning(
            (*path, "tba"), "it is past and still says that something will be announced: {names}",
            "fill it in, or delete it from `tba`", names=", ".join(event.tba),
        )  # fmt: skip
    if event.title and any(len(title) > LONGEST_TITLE for title in event.title.root.values()):
        yield _warning((*path, "title"), "the title has more than {limit} characters", limit=LONGEST_TITLE)
    if event.registration and event.registration.url and urlsplit(event.registration.url).hostname in SHORTENERS:
        yield _warning(
            (*path, "registration"), "{host} shortens addresses: readers can't see where the link goes",
            "write the address it leads to", host=urlsplit(event.registration.url).hostname,
        )  # fmt: skip


def _collisions(catalogue: Catalogue) -> Iterator[Finding]:
    """Two events in one place that start at one time."""
    places: dict[object, list[int]] = defaultdict(list)
    for number, event in enumerate(catalogue.events):
        if isinstance(event.when, AtTime) and isinstance(event.venue, str):
            places[event.venue, event.when.start.timestamp()].append(number)
    for _, numbers in sorted(places.items(), key=lambda item: item[1]):
        for number in numbers[1:]:
            yield _warning(
                ("event", number, "time"), 'it is at the same time and place as "{other}"',
                other=catalogue.events[numbers[0]].id,
            )  # fmt: skip


def _missing_texts(catalogue: Catalogue) -> Iterator[Finding]:
    texts = list(_texts((), catalogue))
    for language in catalogue.languages:
        missing = [path for path, text in texts if language not in text.root]
        if missing:
            yield _warning(
                ("series", "languages"), 'language "{language}": {count} of {all} texts are missing',
                "they are shown in the default language", language=language, count=len(missing), all=len(texts),
            )  # fmt: skip


def _texts(path: Path, value: object) -> Iterator[tuple[Path, Text]]:
    if isinstance(value, Text):
        yield path, value
    elif isinstance(value, BaseModel):
        for key in value.model_fields_set:
            yield from _texts((*path, key), getattr(value, key))
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from _texts((*path, index), item)
