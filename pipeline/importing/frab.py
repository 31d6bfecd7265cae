"""`schedule.xml`: the exchange format of conference programmes (frab, pentabarf, pretalx), read without any entity."""

import io
import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from lxml import etree

from pipeline.errors import N_, CatalogueError, Problem, in_our_words
from pipeline.importing.found import Found, Gathering, Manner, Reading, Spot
from pipeline.importing.markup import as_markdown, as_words
from pipeline.importing.moments import Moment, in_zone, put_times
from pipeline.importing.places import place_in_words
from pipeline.importing.zones import iana

_WHOLE = frozenset({"conference", "generator", "event", "day"})
"""Elements that nothing outside them needs once they have been read."""

OURS = "tocsin"
"""The name of the generator in what we publish ourselves."""

_KNOWN = frozenset(
    {
        "date", "start", "duration", "room", "slug", "url", "title", "subtitle", "track", "type", "language",
        "abstract",
        "description", "persons", "links", "attachments", "recording", "logo", "origin_url",
        "video_download_url",
    }
)  # fmt: skip

_NO_XML = N_("this is not XML: {reason}")
_CUT_OFF = N_("it ends before all that was opened is closed")
_OURS = {
    "no element found": N_("the file is empty"),
    "Start tag expected": N_("it does not begin with an element"),
    "Premature end of data": _CUT_OFF, "not finished": _CUT_OFF, "Couldn't find end of Start Tag": _CUT_OFF,
    "tag mismatch": N_("an element is closed that is not the last one opened"),
    "EntityRef": N_("a & stands alone; it is written &amp;"),
    "Entity '": N_("it names something that it does not hold"),
    "AttValue": N_("a value is not between quotes"), "redefined": N_("an element has one attribute twice"),
    "invalid Char": N_("it holds a control character"), "encoding": N_("its characters are in no known encoding"),
    "Extra content": N_("something follows after its end"),
    "Unescaped '<'": N_("a < stands in a value; it is written &lt;"),
    "Excessive depth": N_("elements are nested too deep"),
    "XML declaration allowed only": N_("something stands before its first line"),
}  # fmt: skip
"""In our words what the library says of a broken text."""


def read_schedule(data: bytes, file: str, manner: Manner) -> Reading:
    """The events of a schedule.xml; CatalogueError where it is none, or where it declares a document type."""
    lost: list[Problem] = []
    return Reading(_events(data, file, manner, lost), lost)


def _events(data: bytes, file: str, manner: Manner, lost: list[Problem]) -> Iterator[Found]:
    zone, ours, morning = manner.zone, False, time()
    for element in _elements(data, file, ("conference", "generator")):
        zone = iana(_text(element, "time_zone_name")) or zone
        morning = _hour(_text(element, "day_change")) or morning
        ours = ours or (element.tag == "generator" and element.get("name") == OURS)
    clock = _Clock(zone, morning)
    found = False
    for event in _elements(data, file, ("event",)):
        room = event.getparent()
        day = None if room is None else room.getparent()
        # An event has a <room> of its own, which holds its name and no event.
        if room is not None and room.tag == "room" and day is not None and day.tag == "day":
            found = True
            yield _event(event, (day, room), clock, file, manner, ours=ours)
    if not found:
        lost.append(Spot(file, 1).problem(N_("the schedule holds no event")))


def _elements(data: bytes, file: str, tags: tuple[str, ...]) -> Iterator[etree._Element]:
    """The elements of these names, one after the other: together they take ten times the memory of the file."""
    walk = etree.iterparse(
        io.BytesIO(data), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_pis=True, remove_comments=True,
    )  # fmt: skip
    try:
        for step, element in walk:
            if step == "start":
                if element.getparent() is None:
                    _refuse_other(element, file)
            elif element.tag in tags:
                yield element
                _drop(element)
            elif element.tag in _WHOLE:
                _drop(element)
    except etree.XMLSyntaxError as error:
        raise CatalogueError([Spot(file, error.lineno or 0).problem(
            _NO_XML, N_("fetch the file again"), reason=in_our_words(error.msg, _OURS))]) from None  # fmt: skip
    except ValueError as error:
        raise CatalogueError([Spot(file).problem(_NO_XML, "", reason=error)]) from None


def _drop(element: etree._Element) -> None:
    """Forgets an element and what stands before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _refuse_other(root: etree._Element, file: str) -> None:
    """CatalogueError where a file isn't a schedule, or might hold entities, of which none is ever read."""
    if root.getroottree().docinfo.internalDTD is not None:
        raise CatalogueError([Spot(file, 1).problem(
            N_("the file declares a document type, which no schedule needs"),
            N_("delete the lines from <!DOCTYPE"))])  # fmt: skip
    if root.tag != "schedule":
        raise CatalogueError([Spot(file, _line(root)).problem(
            N_("this is no schedule.xml: its first element is <{tag}>"), N_("export it as schedule.xml or frab XML"),
            tag=root.tag)])  # fmt: skip


def _line(element: etree._Element) -> int:
    return int(element.sourceline or 0)


def _text(element: etree._Element | None, name: str) -> str:
    child = None if element is None else element.find(name)
    return "" if child is None else "".join(child.itertext()).strip()


def _event(
    event: etree._Element, within: tuple[etree._Element, etree._Element], clock: "_Clock", file: str, manner: Manner,
    *, ours: bool,
) -> Found:  # fmt: skip
    day, room = within
    title = as_words(_text(event, "title"))
    gathering = Gathering(Spot(file, _line(event), f'"{title[:60]}"' if title else "event"))
    gathering.put_text("title", title)
    if subtitle := as_words(_text(event, "subtitle")):
        gathering.lose("subtitle", subtitle)
    _put_when(gathering, event, day, clock)
    _put_abstract(gathering, event, ours=ours)
    gathering.put_text("kind", as_words(_text(event, "type")))
    language = _text(event, "language")
    gathering.put("spoken", [language.replace("_", "-")] if language else [])
    gathering.put("speakers", [{"name": name} for name in _persons(event)])
    track = _text(event, "track")
    gathering.put("tags", [track] if track else [])
    hall = _text(event, "room") or str(room.get("name") or "")
    # A dash is how we write that there is none, since the format wants a name.
    gathering.put("venue", place_in_words(gathering, hall.strip(" -–")))
    _put_links(gathering, event, manner)
    for child in (*event, *event.iterfind("persons/person/biography"), *event.iterfind("recording/license")):
        if isinstance(child.tag, str) and child.tag not in _KNOWN and not (ours and child.tag == "license"):
            gathering.lose(f"<{child.tag}>", " ".join(child.itertext()))
    slug = _text(event, "slug")
    # In ours the event's own id comes last, after the number.
    ours_id = slug.partition(f"-{str(event.get('id')).zfill(4)}-")[2] if ours else ""
    return gathering.found(str(event.get("guid") or ""), ours_id or slug)


class _Clock(NamedTuple):
    """How the hours of a schedule are meant."""

    zone: str
    morning: time
    """When a new day of the conference begins: what starts before is the night of the day before."""


def _put_when(gathering: Gathering, event: etree._Element, day: etree._Element, clock: _Clock) -> None:
    start = _start(event, day, clock, gathering)
    length = _length(_text(event, "duration"))
    end: Moment | None = None
    if length is None and _text(event, "duration"):
        gathering.lose("duration", _text(event, "duration"))
    elif length and isinstance(start, datetime):
        end = _later(start, length)
    put_times(gathering, start, end)


def _start(event: etree._Element, day: etree._Element, clock: _Clock, gathering: Gathering) -> Moment | None:
    stated, hour, zone = _text(event, "date"), _text(event, "start"), ZoneInfo(clock.zone)
    try:
        moment = datetime.fromisoformat(stated)
        if len(stated) > len("2026-05-07"):
            return in_zone(moment, clock.zone, gathering) if moment.tzinfo else moment.replace(tzinfo=zone)
    except (ValueError, OverflowError):
        gathering.lose("date", stated)
    try:
        first = date.fromisoformat(str(day.get("date") or stated)[:10])
    except ValueError:
        gathering.lose("start", hour)
        return None
    at = _hour(hour)
    if at is None:
        gathering.lose("start", hour)
        return first
    moment = datetime.combine(first, at)
    return (moment + timedelta(days=1) if at < clock.morning and first < date.max else moment).replace(tzinfo=zone)


def _hour(text: str) -> time | None:
    match = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        return None
    return time(int(match[1]), int(match[2]))


def _length(text: str) -> timedelta | None:
    """`1:30`, `01:30`, `0:01:30:00` (days first, as some programs write long events)."""
    if not re.fullmatch(r"\d{1,4}(:\d{1,2}){1,3}", text):
        return None
    parts = [int(part) for part in text.split(":")]
    days = parts.pop(0) if len(parts) == 4 else 0
    return timedelta(days=days, hours=parts[0], minutes=parts[1])


def _later(start: datetime, length: timedelta) -> datetime | None:
    try:
        return datetime.fromtimestamp(start.timestamp() + length.total_seconds(), start.tzinfo)
    except (OverflowError, ValueError, OSError):
        return None


def _put_abstract(gathering: Gathering, event: etree._Element, *, ours: bool) -> None:
    """Abstract and description are one text here, unless they are the same; ours are Markdown already."""
    texts = [_text(event, name) for name in ("abstract", "description")]
    texts = texts if ours else [as_markdown(text) for text in texts]
    gathering.put_text("abstract", "\n\n".join(dict.fromkeys(text for text in texts if text)))


def _persons(event: etree._Element) -> Iterator[str]:
    for person in event.iterfind("persons/person"):
        if name := " ".join((_text(person, "name") or "".join(person.itertext())).split()):
            yield name


def _put_links(gathering: Gathering, event: etree._Element, manner: Manner) -> None:
    links: list[dict[str, Any]] = [
        {"url": str(link.get("href") or "").strip(), "title": {"": " ".join("".join(link.itertext()).split())}}
        for link in (*event.iterfind("links/link"), *event.iterfind("attachments/attachment"))
    ]
    pages: list[dict[str, Any]] = [
        {"url": page} for page in (_text(event, "url") or _text(event, "origin_url"),) if page
    ]
    resources = [
        {key: value for key, value in link.items() if value not in ("", {"": ""}, {"": link["url"]})}
        for link in (*pages, *links)
        if link["url"] and not (manner.site and str(link["url"]).startswith(manner.site))
    ]
    gathering.put("resources", resources)
    if recording := _text(event, "video_download_url"):
        gathering.put("recordings", [{"url": recording}])
    if logo := _text(event, "logo"):
        gathering.lose("logo", logo, N_("an image is a file beside the catalogue"))
