"""Facts of a foreign file as the catalogue can hold them: cleaned, in its languages, each value of the right shape."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.catalogue.findings import Finding
from pipeline.catalogue.models import Event, Venue
from pipeline.catalogue.refusals import finding_of
from pipeline.catalogue.texts import FORBIDDEN, proposed_slug
from pipeline.errors import N_, Problem, Severity
from pipeline.importing.countries import country_code
from pipeline.importing.found import Found, Question

LINES = frozenset({"title", "kind", "price", "image_alt"})
PROSE = frozenset({"abstract", "notice"})
TEXTS = LINES | PROSE
_INNER_TEXTS = frozenset({"role", "unnamed", "label", "note", "title", "kind", "name", "directions"})
"""Keys inside the tables of an event or a place that may hold one text for each language."""
_PLACE_KEYS = frozenset(Venue.model_fields) - {"id"}


@dataclass(frozen=True)
class Tongue:
    """The languages of a series: what a text without one is in, and which are welcome."""

    default: str
    known: tuple[str, ...]

    def of(self, language: str) -> str | None:
        """The language of the series that is meant, or None."""
        if not language:
            return self.default
        wanted = language.replace("_", "-").casefold()
        by_name = {name.casefold(): name for name in self.known}
        return by_name.get(wanted) or by_name.get(wanted.partition("-")[0])

    @property
    def context(self) -> Mapping[str, Any]:
        """For the models of the catalogue."""
        return {"default_language": self.default, "languages": self.known}


@dataclass(frozen=True, slots=True)
class Fitted:
    """An event of a foreign file as the catalogue can hold it, but for its id and the id of its place."""

    found: Found
    """Where it stands and what it is called there, without its facts."""
    facts: Mapping[str, Any]
    """Every text a dict from language to text; `venue` the keys of a place."""
    lost: tuple[Problem, ...]
    questions: tuple[Question, ...]


def fitted(found: Found, tongue: Tongue) -> Fitted:
    """The facts that fit, the others lost by name with the reason. The same facts always fit alike."""
    fitting = _Fitting(found, tongue)
    facts = {key: fitting.value(key, value) for key, value in found.facts.items() if key != "venue"}
    facts["tags"] = fitting.tags(facts.get("tags"))
    if facts.get("status") == "confirmed":
        # It goes without saying.
        del facts["status"]
    place = fitting.place(found.facts.get("venue"))
    facts = fitting.valid(
        Event, {key: value for key, value in facts.items() if value not in ([], {}, None, "")}, _SHOWN
    )
    if place or found.facts.get("venue") is False:
        facts["venue"] = place or False
    # As they were found, the facts aren't needed any more: of a long file they would be kept twice.
    return Fitted(replace(found, facts={}, lost=()), facts, (*found.lost, *fitting.lost), found.questions)


_SHOWN = {"id": "x", "timezone": "UTC"}


class _Fitting:
    """One event on its way into the catalogue's shapes."""

    def __init__(self, found: Found, tongue: Tongue) -> None:
        self._spot = found.spot
        self._tongue = tongue
        self.lost: list[Problem] = []

    def value(self, key: str, value: Any) -> Any:
        """A value with clean strings, texts under the languages of the series."""
        match value:
            case str():
                return self._clean(key, value)
            case dict() if key in TEXTS:
                return self._text(key, value)
            case dict():
                return {
                    inner: self._text(inner, item)
                    if isinstance(item, dict) and inner in _INNER_TEXTS
                    else self.value(inner, item)
                    for inner, item in value.items()
                }
            case list() | tuple():
                return [self.value(key, item) for item in value]
        return value

    def _text(self, key: str, texts: Mapping[str, Any]) -> dict[str, str]:
        said: dict[str, str] = {}
        for language, text in texts.items():
            if not isinstance(text, str):
                self.lost.append(self._spot.lost(key, text))
                continue
            clean = self._clean(key, text)
            ours = self._tongue.of(language)
            if ours is None and not said and len(texts) == 1:
                # The only text there is: better in a language that isn't named than not at all.
                ours = self._tongue.default
                self.lost.append(
                    self._spot.lost(f"{key} ({language})", language, N_("the language isn't one of the series"))
                )
            if ours is None or said.get(ours, clean) != clean:
                self.lost.append(self._spot.lost(f"{key} ({language})", text))
            elif clean:
                said[ours] = clean
        return said

    def _clean(self, key: str, text: str) -> str:
        allowed = "\n\t" if key in PROSE or key == "directions" else ""
        kept = re.sub(FORBIDDEN, lambda match: match[0] if match[0] in allowed else _instead(match[0]), text)
        if len(kept) < len(text.replace("\r\n", "\n")):
            gone = sorted({f"U+{ord(c):04X}" for c in text if c not in kept and c not in "\r\n\t"})
            self.lost.append(self._spot.lost(key, ", ".join(gone), N_("these characters can't be published")))
        return kept.strip() if allowed else " ".join(kept.split())

    def tags(self, tags: Any) -> list[str]:
        """Tags as the ids that they are in a catalogue."""
        kept: dict[str, None] = {}
        for tag in tags if isinstance(tags, list) else [tags]:
            if not isinstance(tag, str):
                self.lost += [] if tag is None else [self._spot.lost("tag", tag)]
                continue
            slug = proposed_slug(tag)
            if slug == "my-id" and "my" not in tag.casefold():
                self.lost.append(self._spot.lost("tag", tag, N_("it has no letter from a to z")))
                continue
            kept[slug] = None
            if slug != re.sub(r"[\s_]+", "-", tag.casefold()):
                self.lost.append(
                    self._spot.problem(
                        N_("the tag {tag!r} is written {slug!r}"), "", Severity.WARNING, tag=tag, slug=slug
                    )
                )
        return list(kept)

    def place(self, place: Mapping[str, Any] | None) -> dict[str, Any]:
        """The keys of a place; nothing where it has no name that can be written."""
        if not place:
            return {}
        facts = {
            key: self._text(key, item) if isinstance(item, dict) and key in _INNER_TEXTS else self.value(key, item)
            for key, item in place.items()
        }
        wanted = str(facts.pop("id", "") or "")
        facts = {key: item for key, item in facts.items() if item not in ([], {}, None, "") and key in _PLACE_KEYS}
        if "name" not in facts:
            self.lost.append(self._spot.lost("venue", ", ".join(map(str, facts.values())), N_("it has no name")))
            return {}
        if isinstance(country := facts.get("country"), str):
            facts["country"] = country_code(country) or country
        facts = self.valid(Venue, facts, {"id": "x"})
        if "name" not in facts:
            return {}
        return {**facts, "id": wanted} if wanted and proposed_slug(wanted) == wanted else facts

    def valid(self, model: type[BaseModel], facts: dict[str, Any], needed: Mapping[str, Any]) -> dict[str, Any]:
        """What the model takes; the rest is lost with the reason that it gives."""
        facts = dict(facts)
        for _attempt in range(20):
            try:
                model.model_validate({**needed, **facts}, context=self._tongue.context)
            except ValidationError as error:
                if not self._drop(facts, error):
                    return {}
            else:
                return facts
        return {}

    def _drop(self, facts: dict[str, Any], error: ValidationError) -> bool:
        found: dict[tuple[Any, ...], Finding] = {}
        for item in error.errors():
            finding = finding_of(item)
            if finding.path and finding.path[0] in facts:
                found.setdefault(_part(finding.path, facts), finding)
        for part, finding in sorted(found.items(), key=lambda pair: str(pair[0]), reverse=True):
            gone = _take_out(facts, part)
            if gone is not None:
                self.lost.append(self._spot.lost(str(part[0]), _said(gone), finding.message, **finding.values))
        return bool(found)


def _part(path: tuple[Any, ...], facts: Mapping[str, Any]) -> tuple[Any, ...]:
    """The key, or the row of a list, that is to blame."""
    is_row = len(path) > 1 and isinstance(path[1], int) and isinstance(facts[path[0]], list)
    return path[:2] if is_row else path[:1]


def _take_out(facts: dict[str, Any], part: tuple[Any, ...]) -> Any:
    if len(part) == 1:
        return facts.pop(part[0], None)
    rows = facts.get(part[0], [])
    if part[1] >= len(rows):
        return None
    gone = rows[part[1]]
    facts[part[0]] = [row for number, row in enumerate(rows) if number != part[1]]
    if not facts[part[0]]:
        del facts[part[0]]
    return gone


def _instead(character: str) -> str:
    return " " if character in "\t\n\r\x0b\x0c\x85\u2028\u2029" else ""


def _said(value: Any) -> str:
    return ", ".join(_words(value))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _words(item)
    elif isinstance(value, list):
        for item in value:
            yield from _words(item)
    else:
        yield str(value)
