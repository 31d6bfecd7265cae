"""The history of an event in words: what each line of the ledger changed, fact by fact, as it was and as it is."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from pipeline.catalogue.models import Event, Moved, Venue, schedule
from pipeline.errors import N_
from pipeline.language import say_apart, say_day, words
from pipeline.ledger import Facts, Line, LineKind, changed_keys, event_of
from pipeline.phrases.changes import Change, say_status
from pipeline.phrases.details import NAMES, values
from pipeline.phrases.facts import place_line, say_when, title_of
from pipeline.phrases.zones import ANYWHERE
from pipeline.sent_newsletters import newsletter_of

_KINDS: Final[Mapping[LineKind, str]] = {
    LineKind.ANNOUNCED: N_("announced"),
    LineKind.RETIRED: N_("retired"),
    LineKind.CANCELLED: N_("cancelled"),
    LineKind.POSTPONED: N_("postponed"),
    LineKind.REINSTATED: N_("takes place after all"),
    LineKind.CHANGED: N_("changed"),
    LineKind.RECORDING: N_("has a recording"),
    LineKind.EDITED: N_("text edited"),
    LineKind.NEWSLETTER: N_("newsletter that is out"),
}
_REDATED: Final = N_("has a new date")
"""The same of what was off and takes place on a new date."""

_WHEN = frozenset(
    {
        "date", "time", "end_date", "end_time", "duration", "all_day", "timezone", "fold", "end_fold",
        "estimated_duration",
    }
)  # fmt: skip
_NAMES: Mapping[str, str] = {
    "abstract": N_("Abstract"), "access": N_("Access"), "except": N_("Except"), "image": N_("Picture"),
    "image_alt": N_("What the picture shows"), "kind": N_("Kind"), "moved": N_("Moved times"), "notice": N_("Notice"),
    "number": N_("Number"), "online": N_("Online"), "recordings": N_("Recordings"),
    "registration": N_("Registration"), "repeats": N_("Repeats"), "resources": N_("Resources"),
    "speakers": N_("Speakers"), "status": N_("Status"), "tags": N_("Tags"),
    "tba": N_("To be announced"), "timezone": N_("Time zone"), "title": N_("Title"),
    "venue_about": N_("About the place"), "group": N_("Group"), "group_about": N_("About the group"), **NAMES,
}  # fmt: skip
LONGEST = 70


def kind_word(line: Line, say: Callable[[str], str]) -> str:
    """What a line of the ledger tells, in a word or two of a language: `cancelled`."""
    return say(_REDATED if line.redated else _KINDS[line.kind])


def title_in(facts: Facts, language: str) -> str:
    """The title of an event or the subject of a newsletter in published facts; its id where they can't be read."""
    if "subject" in facts:
        return newsletter_of(facts).subject.said_in(language).text
    event, _ = _read(facts)
    return title_of(event, language).text if event is not None else str(facts.get("id", ""))


def fact_changes(before: Facts | None, after: Facts, language: str) -> tuple[Change, ...]:
    """Each fact that differs; of an announcement, when and where it is held; nothing of a newsletter."""
    if "subject" in after:
        return ()
    changed = changed_keys(before, after) if before is not None else frozenset({"date", "venue"})
    return tuple(change for change in _changes(before or {}, after, changed, language) if change.before != change.after)


def _changes(before: Facts, after: Facts, changed: frozenset[str], language: str) -> Iterator[Change]:
    say = words(language)
    (was, place_before), (event, place) = _read(before), _read(after)
    left = set(changed)
    if changed & _WHEN:
        home = None if was is None or event is None or was.timezone == event.timezone else ANYWHERE
        dates = tuple(say_when(one.when, language, home=home) if one else "" for one in (was, event))
        if dates[0] != dates[1]:
            left -= _WHEN
            yield Change(say("Date"), dates[0], dates[1])
    if "venue" in changed:
        places = [place_line(one, language) if one else "" for one in (place_before, place)]
        # Other facts of the same place, such as its coordinates, are told as they stand.
        if places[0] != places[1]:
            left.discard("venue")
            yield Change(say("Place"), *places)
    if was and event and set(was.tba) ^ set(event.tba) <= changed:
        # What is no longer or again to be announced is told by itself.
        left.discard("tba")
    shown = [_shown(of, one, left, language) for of, one in ((before, was), (after, event))]
    for key in sorted(left):
        name = say(_NAMES[key]) if key in _NAMES else key
        yield Change(name, *_around_the_difference(shown[0][key], shown[1][key]))


def _shown(facts: Facts, event: Event | None, keys: Iterable[str], language: str) -> Mapping[str, str]:
    """Published facts for reading; where feeds and pages have words for one, in those."""
    worded = dict[str, str]()
    if event is not None:
        worded = {key: value.text for key, value in values(event, language)}
        worded["status"] = say_status(event, language)
        worded["except"] = say_apart((say_day(day, language, "short") for day in event.excepted), language)
        worded["moved"] = say_apart((_moved(moment, event, language) for moment in event.moved), language)
    return {key: worded.get(key) or _said(facts.get(key), language) for key in keys}


def _moved(moment: Moved, event: Event, language: str) -> str:
    now = say_when(schedule(event, moment.date, moment.time or event.time), language, "short")
    return words(language)("{name}: {value}").format(name=say_day(moment.original, language, "short"), value=now)


def _read(facts: Facts) -> tuple[Event | None, Venue | None]:
    """The event and venue of published facts; nothing where a hand has spoilt them."""
    try:
        return event_of(facts)
    except (ValidationError, TypeError):
        return None, None


def _said(value: Any, language: str) -> str:
    """A published fact for reading: a text in the reader's language, the name of a speaker, the address of a link."""
    match value:
        case None:
            return ""
        case bool():
            return words(language)("yes") if value else words(language)("no")
        case str():
            return value
        case list():
            return ", ".join(_said(item, language) for item in value)
        case dict() if value and all(isinstance(text, str) and len(key) in {2, 3, 5} for key, text in value.items()):
            return str(value.get(language) or next(iter(value.values())))
        case dict():
            named = next((value[key] for key in ("name", "group", "unnamed", "url") if key in value), None)
            rest = [_said(part, language) for key, part in sorted(value.items()) if value[key] != named]
            return ", ".join(part for part in (_said(named, language), *rest) if part)
        case _:
            return json.dumps(value, ensure_ascii=False)


def _around_the_difference(before: str, after: str) -> tuple[str, str]:
    """Both texts at a readable length; of long ones the piece in which they begin to differ."""
    before, after = (" ".join(text.split()) for text in (before, after))
    if max(len(before), len(after)) <= LONGEST:
        return before, after
    same = next((at for at, (one, other) in enumerate(zip(before, after, strict=False)) if one != other), 0)
    start = max(0, same - LONGEST // 3) if before and after else 0
    return _piece(before, start), _piece(after, start)


def _piece(text: str, start: int) -> str:
    piece = text[start : start + LONGEST]
    return ("…" if start and piece else "") + piece + ("…" if len(text) > start + LONGEST else "")
