"""Catalogues of any shape that organisers may write, published, for the tests that read files back."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from publishing import FIRST

from pipeline.catalogue.models import Catalogue
from pipeline.catalogue.recurrence import occurrences
from pipeline.catalogue.texts import forbidden_character
from pipeline.catalogue.when import in_gap, local
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines, retirement

ZONES = (
    "Europe/Paris", "Europe/Dublin", "America/Sao_Paulo", "America/New_York", "Africa/Casablanca", "Asia/Gaza",
    "Asia/Kolkata", "Australia/Lord_Howe", "UTC",
)  # fmt: skip
DAYS = st.dates(date(1990, 1, 1), date(2037, 6, 1))
FAR_DAYS = st.dates(date(1900, 1, 1), date(2199, 12, 1))
WORDS = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn", "Zl", "Zp")), min_size=1, max_size=90).filter(
    lambda text: bool(text.strip()) and forbidden_character(text) is None
)
PROSE = st.lists(
    st.text("abc dé;ü,:\"'ß–", min_size=1).map(str.split).filter(bool).map(" ".join), min_size=1, max_size=3
)
"""Paragraphs in which Markdown reads nothing."""
TIMES = st.times().map(lambda at: at.replace(second=0, microsecond=0))
LINKS = st.sampled_from(
    ("https://x.example/", "https://x.example/a?b=1&c=d", "http://x.example/a,b;c#d", 'https://x.example/é "q"/%20')
)
RULES = (
    "FREQ=WEEKLY", "FREQ=DAILY;INTERVAL=3", "FREQ=MONTHLY;BYDAY=1TU,3TH", "FREQ=YEARLY", "FREQ=WEEKLY;BYDAY=MO,SA",
)  # fmt: skip


def in_languages(texts: st.SearchStrategy[str]) -> st.SearchStrategy[dict[str, str]]:
    """A text in the default language, or in both."""
    both = st.tuples(texts, texts).map(lambda pair: {"en": pair[0], "fr": pair[1]})
    return st.one_of(texts.map(lambda text: {"en": text}), both)


def maybe(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or that nobody said it."""
    return st.one_of(st.none(), values)


TITLES = in_languages(WORDS)
ONLINE = st.one_of(
    LINKS.map(lambda url: {"url": url}),
    st.tuples(LINKS, TITLES).map(lambda pair: {"url": pair[0], "label": pair[1]}),
    TITLES.map(lambda label: {"secret": "TOCSIN_ROOM", "label": label}),
    st.just({"secret": "TOCSIN_ROOM", "phone": "+33 1 23 45 67 89"}),
)
LINKED = st.lists(
    st.tuples(LINKS, maybe(TITLES)).map(lambda pair: {"url": pair[0], **({"title": pair[1]} if pair[1] else {})}),
    max_size=2,
)
ORGANISERS: st.SearchStrategy[Any] = st.sampled_from(
    (
        "The Society",
        {"name": "The “Society”; Paris: North", "email": "hello+cal@society.example", "url": "https://s.example/"},
        [{"name": "Nobody's"}, {"name": "Somebody, else", "email": "é&x@society.example"}],
    )
)


@st.composite
def events(draw: st.DrawFn, number: int = 0) -> dict[str, Any]:
    """One valid event of any shape, under the keys of the catalogue."""
    event: dict[str, Any] = {
        "id": f"event-{number}",
        "timezone": draw(st.sampled_from(ZONES)),
        "status": draw(st.sampled_from(["confirmed", "tentative", "cancelled", "postponed"])),
        "notice": draw(PROSE.map("\n\n".join)),
        "tags": draw(st.lists(st.sampled_from(["tea", "city", "music"]), unique=True)),
        "speakers": [{"name": name} for name in draw(st.lists(WORDS, max_size=3))],
        "venue": draw(st.sampled_from([False, "hall", "island"])),
        "resources": draw(LINKED),
        "recordings": draw(LINKED),
        "spoken": draw(st.sampled_from([[], ["fr"], ["en", "fr"]])),
    }
    optional = {
        "title": TITLES,
        "kind": TITLES,
        "price": TITLES,
        "abstract": in_languages(PROSE.map("\n\n".join)),
        "online": ONLINE,
        "group": st.just("north"),
        "image": st.sampled_from(["a.png", "pictures/é, a.jpg"]),
        "registration": st.tuples(LINKS, TITLES).map(lambda pair: {"url": pair[0], "note": pair[1]}),
    }
    event |= {key: value for key, values in optional.items() if (value := draw(maybe(values))) is not None}
    return event | draw(times(event["timezone"]))


@st.composite
def times(draw: st.DrawFn, zone: str) -> dict[str, Any]:
    """When an event takes place: known or not, at an hour, on a day or on several, once or again and again."""
    shape = draw(st.sampled_from(["timed", "lasting", "day", "days", "undated", "recurring", "recurring days"]))
    if shape == "undated":
        return {}
    if shape.startswith("recurring"):
        return draw(recurrences(zone, timed=shape == "recurring"))
    event: dict[str, Any] = {"date": draw(FAR_DAYS)}
    if shape in {"timed", "lasting"}:
        event["time"] = existing(event["date"], draw(TIMES), zone)
        event["fold"] = draw(st.sampled_from([0, 1]))
        if shape == "lasting":
            event["duration"] = timedelta(minutes=draw(st.integers(1, 4000)))
    if shape == "days":
        event["end_date"] = event["date"] + timedelta(days=draw(st.integers(0, 9)))
        event["all_day"] = draw(st.booleans())
    return event


@st.composite
def recurrences(draw: st.DrawFn, zone: str, *, timed: bool) -> dict[str, Any]:
    """A recurring event with dates left out and moved; its times lie in the years for which a calendar has zones."""
    rule = f"{draw(st.sampled_from(RULES))};COUNT={draw(st.integers(1, 9))}"
    event: dict[str, Any] = {"date": draw(st.dates(date(1990, 1, 1), date(2027, 6, 1))), "repeats": rule}
    if timed:
        event["time"] = draw(st.integers(6, 23).map(time))
        event |= draw(st.sampled_from([{}, {"duration": timedelta(minutes=90)}]))
        length = None
    else:
        event["all_day"] = draw(st.booleans())
        length = draw(st.sampled_from([None, timedelta(days=1)]))
    first, *others = (date.fromisoformat(name) for name in dates_of({"id": "x", "timezone": zone} | event))
    event |= {"date": first, **({"end_date": first + length} if length else {})}
    event["except"] = [day for day in others if draw(st.booleans())]
    kept = [day for day in others if day not in event["except"]]
    shifts = st.integers(-9, 9).map(lambda shift: timedelta(days=shift))
    event["moved"] = [{"from": day, "date": day + draw(shifts)} for day in kept[:2]]
    for moment in event["moved"] if timed else ():
        moment["time"] = draw(st.sampled_from([time(8, 15), time(20)]))
    return event


def dates_of(event: dict[str, Any]) -> list[str]:
    """The dates of the rule of a recurring event."""
    (model,) = published([event]).catalogue.events
    found = occurrences(model, datetime(1989, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC))
    return [name for name, _ in found]


def existing(day: date, at: time, zone: str) -> time:
    """The same hour, or another one where the clocks skip it."""
    return time(12) if in_gap(local(day, at, ZoneInfo(zone))) else at


FATES = st.sampled_from(["stays", "stays", "moves", "is off", "comes back", "is retired"])


@st.composite
def editions(draw: st.DrawFn) -> Edition:
    """A published edition of up to four events in two languages, some of which were changed since."""
    found = [draw(events(number)) for number in range(draw(st.integers(0, 4)))]
    series = {"organiser": draw(ORGANISERS), "description": draw(TITLES)}
    position = (draw(st.floats(-90, 90)), draw(st.floats(-180, 180)))
    venues = [{"id": "hall", "name": draw(TITLES), "street": "1, High Street", "postal_code": "75001", "city": "Paris"}]
    venues.append({"id": "island", "name": "Null Island", "geo": position})
    versions = [found]
    for event in found:
        for change in changes(draw(FATES), event):
            versions.append([version for other in versions[-1] if (version := change.get(other["id"], other))])
    return published(*versions, series=series, venues=venues)


def changes(fate: str, event: dict[str, Any]) -> list[dict[str, Any]]:
    """What becomes of an event, version by version; None where it is retired."""
    name, off = event["id"], event | {"status": "postponed"}
    moved = event | {"status": "confirmed", "date": date(2026, 11, 3)} if "repeats" not in event else event
    moved = {key: value for key, value in moved.items() if key not in {"end_date", "fold"}}
    by_fate = {"moves": [moved], "is off": [off], "comes back": [off, moved], "is retired": [None]}
    return [{name: version} for version in by_fate.get(fate, [])]


def published(
    *versions: list[dict[str, Any]], series: dict[str, Any] | None = None, venues: list[dict[str, Any]] | None = None
) -> Edition:
    """The edition after publishing each version, a day apart; what a later version lacks is retired."""
    ledger, now = Ledger(), FIRST
    for found in versions:
        catalogue = _catalogue(found, series or {}, venues or [])
        gone = [event for event in ledger.events if event not in catalogue.event_by_id]
        gone = [event for event in gone if ledger.of(event)[-1].kind.value != "retired"]
        ledger = ledger.extended(retirement(catalogue, ledger, event, now) for event in gone)
        ledger = ledger.extended(pending_lines(catalogue, ledger, now))
        now += timedelta(days=1)
    return Edition(catalogue, ledger, date(2026, 2, 1))


def _catalogue(found: list[dict[str, Any]], series: dict[str, Any], venues: list[dict[str, Any]]) -> Catalogue:
    raw = {
        "format": 1,
        "series": {
            "id": "talks",
            "title": "Talks",
            "timezone": "Europe/Paris",
            "default_language": "en",
            "languages": ["en", "fr"],
            "organiser": "The Society",
        }
        | series,
        "site": {"url": "https://talks.example/"},
        "venue": venues,
        "group": [{"id": "north", "name": "North", "organiser": [{"name": "North", "email": "north@talks.example"}]}],
        "event": found,
    }
    return Catalogue.model_validate(raw, context={"default_language": "en", "languages": ("en", "fr")})
