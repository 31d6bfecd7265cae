"""One event in the words of schema.org."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipeline.catalogue.when import zone_names
from pipeline.errors import N_
from pipeline.importing.found import Found, Gathering, Manner, Spot
from pipeline.importing.markup import as_markdown, as_words
from pipeline.importing.moments import Moment, in_zone, put_times
from pipeline.importing.places import place_in_words
from pipeline.importing.schedules import schedule_of

_OTHER_EVENTS = frozenset({"Festival", "Hackathon", "CourseInstance"})
_STATUS = {
    "EventCancelled": "cancelled", "EventPostponed": "postponed", "EventScheduled": "confirmed",
    "EventRescheduled": "confirmed", "EventMovedOnline": "confirmed",
}  # fmt: skip
_KNOWN = frozenset(
    {
        "@context", "@type", "@id", "identifier", "name", "description", "startDate", "endDate", "duration",
        "eventStatus",
        "location", "performer", "actor", "url", "offers", "keywords", "inLanguage", "image",
        "eventAttendanceMode",
        "subEvent", "superEvent", "isAccessibleForFree", "maximumAttendeeCapacity", "sameAs", "mainEntityOfPage",
        "recordedIn", "@graph", "eventSchedule",
    }
)  # fmt: skip
_OF_ALL = frozenset({"@type", "@id", "@context", "type"})
_OF_PLACES = frozenset({"name", "address", "geo", "url"})
_OF_ADDRESSES = frozenset({"streetAddress", "postalCode", "addressLocality", "addressCountry"})
_OF_PEOPLE = frozenset({"name", "jobTitle", "affiliation", "worksFor", "url"})
_OF_OFFERS = frozenset({"url", "price", "lowPrice", "priceCurrency", "availability", "category"})
_KINDS = frozenset({"Person", "Organization", "PerformingGroup"})


def is_event(value: Mapping[str, Any]) -> bool:
    """Whether a JSON object describes an event."""
    kinds = value.get("@type", value.get("type"))
    names = [str(kind).rpartition("/")[2] for kind in (kinds if isinstance(kinds, list) else [kinds])]
    return any(name.endswith("Event") or name in _OTHER_EVENTS for name in names) and (
        "startDate" in value or "name" in value
    )


def event_of(value: Mapping[str, Any], spot: Spot, manner: Manner) -> Found:
    """The facts of such an object."""
    title, language = _words(value.get("name"))
    gathering = Gathering(Spot(spot.file, spot.line, f'"{as_words(title)[:60]}"'))
    gathering.put_text("title", as_words(title), language)
    text, language = _words(value.get("description"))
    # The Events Calendar of WordPress writes its line breaks as the two characters \ and n.
    gathering.put_text("abstract", as_markdown(text.replace("\\n", "\n")), language)
    _put_when(gathering, value, manner)
    status = str(value.get("eventStatus") or "").rpartition("/")[2]
    gathering.put("status", _STATUS.get(status, "confirmed"))
    if status and status not in _STATUS:
        gathering.lose("eventStatus", status)
    for place in _several(value.get("location")):
        _put_place(gathering, place)
    _put_people(gathering, value)
    _put_offers(gathering, value)
    _put_rest(gathering, value, manner)
    return gathering.found(_identity(value))


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in (None, "") else [value]


def _words(value: Any) -> tuple[str, str]:
    """A text and its language: a string, or `{"@value": …, "@language": …}`."""
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, Mapping):
        return str(value.get("@value") or value.get("name") or ""), str(value.get("@language") or "")
    return ("" if value is None else str(value)), ""


def _identity(value: Mapping[str, Any]) -> str:
    for key in ("@id", "identifier", "url"):
        for item in _several(value.get(key)):
            if isinstance(item, str) and item.strip():
                return item.strip()
            if isinstance(item, Mapping) and isinstance(item.get("value"), str):
                return str(item["value"])
    return ""


def _put_when(gathering: Gathering, value: Mapping[str, Any], manner: Manner) -> None:
    schedules = _several(value.get("eventSchedule"))
    if len(schedules) == 1 and (schedule := schedule_of(schedules[0])) is not None:
        zone = ZoneInfo(schedule.zone if schedule.zone in zone_names() else manner.zone)
        put_times(gathering, *(moment and moment.replace(tzinfo=zone) for moment in (schedule.start, schedule.end)))
        gathering.put("repeats", schedule.rule)
        gathering.put("except", schedule.excepted)
        return
    for other in schedules:
        gathering.lose("eventSchedule", json.dumps(other, ensure_ascii=False))
        gathering.ask(N_("The source repeats this event by a rule that is not carried over: write its dates."))
    start = _moment(gathering, value, "startDate", manner)
    end = _moment(gathering, value, "endDate", manner)
    length = _length(str(value.get("duration") or ""))
    if end is None and length is not None and isinstance(start, datetime):
        end = start + length if start.tzinfo is None else datetime.fromtimestamp(
            start.timestamp() + length.total_seconds(), start.tzinfo)  # fmt: skip
    put_times(gathering, start, end)


def _moment(gathering: Gathering, value: Mapping[str, Any], key: str, manner: Manner) -> Moment | None:
    text, _ = _words(value.get(key))
    text = text.strip()
    if not text:
        return None
    try:
        if len(text) <= len("2026-05-07"):
            return date.fromisoformat(text)
        moment = datetime.fromisoformat(text)
        return (
            in_zone(moment, manner.zone, gathering) if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(manner.zone))
        )
    except (ValueError, OverflowError):
        gathering.lose(key, text)
        return None


def _length(text: str) -> timedelta | None:
    match = re.fullmatch(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?(?:\d{1,5}S)?)?", text)
    if match is None or not any(match.groups()):
        return None
    return timedelta(days=int(match[1] or 0), hours=int(match[2] or 0), minutes=int(match[3] or 0))


def _put_place(gathering: Gathering, place: Any) -> None:
    if isinstance(place, Mapping) and "VirtualLocation" in str(place.get("@type")):
        address = str(place.get("url") or "")
        if address and "online" not in gathering.facts:
            gathering.put("online", {"url": address, **_label(place)})
        else:
            gathering.lose("location", address or _words(place)[0])
    elif isinstance(place, Mapping) and place.keys() <= {"@id", "@type"}:
        gathering.lose("location", place.get("@id", ""), N_("the file only points to it"))
    elif "venue" in gathering.facts:
        gathering.lose("location", _words(place)[0])
    elif isinstance(place, Mapping):
        gathering.put("venue", _place(gathering, place))
    else:
        gathering.put("venue", place_in_words(gathering, str(place)))


def _label(place: Mapping[str, Any]) -> dict[str, Any]:
    return {"label": {"": as_words(str(place["name"]))}} if place.get("name") else {}


def _place(gathering: Gathering, place: Mapping[str, Any]) -> dict[str, Any]:
    address = place.get("address")
    if isinstance(address, Mapping):
        facts = _address(gathering, place, address)
    else:
        facts = place_in_words(gathering, "\n".join(filter(None, (_words(place.get("name"))[0], _words(address)[0]))))
    geo = place.get("geo")
    if isinstance(geo, Mapping):
        facts["geo"] = _position(gathering, geo)
    if str(place.get("url") or "").startswith(("http://", "https://")):
        facts["url"] = str(place["url"])
    _lose_others(gathering, "location", place, _OF_PLACES)
    return {key: value for key, value in facts.items() if value}


def _address(gathering: Gathering, place: Mapping[str, Any], address: Mapping[str, Any]) -> dict[str, Any]:
    name, language = _words(place.get("name"))
    facts: dict[str, Any] = {"name": {language: name}} if name else {}
    parts = {
        "street": "streetAddress", "postal_code": "postalCode", "city": "addressLocality", "country": "addressCountry",
    }  # fmt: skip
    facts |= {key: _words(address.get(theirs))[0] for key, theirs in parts.items()}
    if not name and facts["street"]:
        facts["name"] = {"": facts["street"]}
    _lose_others(gathering, "address", address, _OF_ADDRESSES)
    return facts


def _position(gathering: Gathering, geo: Mapping[str, Any]) -> list[float]:
    try:
        return [float(geo["latitude"]), float(geo["longitude"])]
    except (KeyError, TypeError, ValueError):
        gathering.lose("geo", ", ".join(map(str, geo.values())))
        return []


def _put_people(gathering: Gathering, value: Mapping[str, Any]) -> None:
    speakers: list[dict[str, Any]] = []
    for person in (*_several(value.get("performer")), *_several(value.get("actor"))):
        name = as_words(_words(person)[0])
        is_person = not isinstance(person, Mapping) or "Person" in str(person.get("@type", "Person"))
        if not name or name in _KINDS:
            # The Events Calendar of WordPress writes the kind alone, and nobody.
            continue
        speaker: dict[str, Any] = {"name" if is_person else "group": name}
        if isinstance(person, Mapping):
            speaker |= _about(person)
            _lose_others(gathering, name, person, _OF_PEOPLE)
        speakers.append(speaker)
    gathering.put("speakers", speakers)


def _about(person: Mapping[str, Any]) -> dict[str, Any]:
    facts = {
        "role": {"": as_words(_words(person.get("jobTitle"))[0])},
        "affiliation": as_words(_words(person.get("affiliation") or person.get("worksFor"))[0]),
        "url": _words(person.get("url"))[0],
    }
    return {key: value for key, value in facts.items() if value not in ("", {"": ""})}


def _put_offers(gathering: Gathering, value: Mapping[str, Any]) -> None:
    registration: dict[str, Any] = {}
    for offer in _several(value.get("offers")):
        if not isinstance(offer, Mapping):
            gathering.lose("offers", offer)
            continue
        if offer.get("url") and "url" not in registration:
            registration["url"] = str(offer["url"])
        price = offer.get("price", offer.get("lowPrice"))
        if price not in (None, "") and "price" not in gathering.facts:
            words = f"{price} {offer.get('priceCurrency') or ''}".strip()
            gathering.put_text("price", as_words(words))
        elif price not in (None, ""):
            gathering.lose("price", price)
        _lose_others(gathering, "offers", offer, _OF_OFFERS)
    capacity = value.get("maximumAttendeeCapacity")
    if isinstance(capacity, int) and capacity > 0:
        registration["capacity"] = capacity
    gathering.put("registration", registration)
    if value.get("isAccessibleForFree") is True and "price" not in gathering.facts:
        gathering.ask(N_("The source says that entrance is free: write it in your words under `price`."))


def _put_rest(gathering: Gathering, value: Mapping[str, Any], manner: Manner) -> None:
    keywords = value.get("keywords")
    tags = keywords.split(",") if isinstance(keywords, str) else [_words(item)[0] for item in _several(keywords)]
    gathering.put("tags", [tag.strip() for tag in tags if tag.strip()])
    spoken = [_words(item)[0].replace("_", "-") for item in _several(value.get("inLanguage"))]
    gathering.put("spoken", [language for language in spoken if language])
    links = [_words(item)[0] for key in ("url", "sameAs") for item in _several(value.get(key))]
    ours = [link for link in dict.fromkeys(links) if link and not (manner.site and link.startswith(manner.site))]
    gathering.put("resources", [{"url": link} for link in ours])
    recorded = [
        str(item["url"]) for item in _several(value.get("recordedIn")) if isinstance(item, Mapping) and item.get("url")
    ]
    gathering.put("recordings", [{"url": address} for address in recorded])
    for image in _several(value.get("image")):
        gathering.lose(
            "image",
            image.get("url") if isinstance(image, Mapping) else image,
            N_("an image is a file beside the catalogue"),
        )
    _lose_others(gathering, "", value, _KNOWN)


def _lose_others(gathering: Gathering, name: str, value: Mapping[str, Any], known: frozenset[str]) -> None:
    """Names what stands in an object and has no place in a catalogue."""
    for key, item in value.items():
        if key not in known and key not in _OF_ALL and item not in (None, "", [], {}):
            gathering.lose(f"{name}.{key}" if name else key, _words(item)[0] or item)
