"""The simple values of a catalogue: texts in several languages, ids, addresses, lengths of time.

Each type refuses what can't be published, in words that say what to type; `pydantic` adds the place.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    PlainSerializer,
    RootModel,
    StrictStr,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
    + "]"
)
"""Controls, line and paragraph separators, bidi controls, and the code points that are no characters."""


def wrong(message: str, hint: str = "", **values: object) -> PydanticCustomError:
    """A refusal in our own words; `message` and `hint` are patterns filled from `values` when shown."""
    return PydanticCustomError("tocsin", "{message}", {"message": message, "hint": hint, "values": values})


class Phrase(NamedTuple):
    """A text as said in one language; `language` is the one it is really written in."""

    text: str
    language: str


def forbidden_character(text: str, *, allowed: str = "") -> str | None:
    """The first control, bidi or non-character in a text as `U+XXXX`, or None."""
    found = next((match for match in FORBIDDEN.finditer(text) if match[0] not in allowed), None)
    return None if found is None else f"U+{ord(found[0]):04X}"


def one_line(text: str) -> str:
    """Refuses line breaks and characters that would corrupt what is published; trims the ends."""
    if "\n" in text.strip("\n"):
        raise wrong("a line break in a one-line text", "write it on one line")
    if (found := forbidden_character(text, allowed="\n")) is not None:
        raise wrong("the character {character} can't be published", "delete it", character=found)
    if not (trimmed := text.strip()):
        raise wrong("the text is empty", "write it, or leave the key out")
    return trimmed


def prose(text: str) -> str:
    """Refuses characters that would corrupt what is published; line breaks and tabs may stay; CRLF becomes LF."""
    text = text.replace("\r\n", "\n")
    if (found := forbidden_character(text, allowed="\n\t")) is not None:
        raise wrong("the character {character} can't be published", "delete it", character=found)
    if not (trimmed := text.strip()):
        raise wrong("the text is empty", "write it, or leave the key out")
    return trimmed


class Text(RootModel[dict[str, StrictStr]]):
    """A text in one or more languages, the default language first; the base of `Line` and `Prose`."""

    model_config = {"frozen": True}

    @model_validator(mode="before")
    @classmethod
    def _plain_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        context: Mapping[str, Any] = info.context or {}
        if isinstance(value, str):
            return {context.get("default_language", "und"): value}
        if not isinstance(value, dict) or not value:
            raise wrong("a text is missing", 'write "…" or one text per language, as in title.en = "…"')
        languages: tuple[str, ...] = context.get("languages", ())
        for language in value:
            if languages and language not in languages:
                raise wrong(
                    '"{language}" is not one of the languages of the series ({languages})',
                    "add it to `languages` under [series], or correct it",
                    language=language,
                    languages=", ".join(languages),
                )
        return {language: value[language] for language in languages if language in value} or value

    def said_in(self, language: str) -> Phrase:
        """The text in that language, or in the default language where there is no translation."""
        if language in self.root:
            return Phrase(self.root[language], language)
        other = next(iter(self.root))
        return Phrase(self.root[other], language if other == "und" else other)


class Line(Text):
    """A text that stands on one line: a title, a name, a price."""

    @model_validator(mode="after")
    def _one_line(self) -> "Line":
        self.root.update({language: one_line(text) for language, text in self.root.items()})
        return self


class Prose(Text):
    """A long text in Markdown: a line break is a space, an empty line starts a paragraph."""

    @model_validator(mode="after")
    def _prose(self) -> "Prose":
        self.root.update({language: prose(text) for language, text in self.root.items()})
        return self


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?", value):
        raise wrong(
            "{value!r} can't be an id",
            "use a to z, 0 to 9 and hyphens, 64 at most: {proposal!r}",
            value=value,
            proposal=proposed_slug(value),
        )
    return value


def proposed_slug(value: str) -> str:
    """The nearest valid id to what was typed."""
    ascii_only = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:64].strip("-") or "my-id"


def _language(value: str) -> str:
    if not re.fullmatch(r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?", value):
        raise wrong("{value!r} is not a language", 'write its short code: "fr", "en", "pt-BR"', value=value)
    return value


def _country(value: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}", value):
        raise wrong("{value!r} is not a country code", 'write its two letters: "FR", "BE"', value=value)
    return value


def _url(value: str) -> str:
    value = one_line(value)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or " " in parts.netloc or "\\" in parts.netloc:
        raise wrong("{value!r} is not a web address", 'write it whole: "https://…"', value=value)
    return quote(value, safe="%/:?#[]@!$&'()*+,;=-._~")


def _time(value: Any) -> Any:
    if isinstance(value, str):
        match = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", value.strip())
        if match is None:
            raise wrong("{value!r} is not a time of day", 'write "19:00"', value=value)
        return time(int(match[1]), int(match[2]), int(match[3] or 0))
    if isinstance(value, time) and value.tzinfo is None:
        return value.replace(microsecond=0)
    raise wrong("{value!r} is not a time of day", 'write "19:00"', value=str(value))


_DURATION = re.compile(
    r"(?:(?P<days>\d{1,3})\s*(?:d|days?|j|jours?))?\s*"
    r"(?:(?P<hours>\d{1,3})\s*(?:h|hours?|heures?)\s*(?P<rest>\d{1,2})?)?\s*"
    r"(?:(?P<minutes>\d{1,4})\s*(?:m|min|minutes?))?"
)


def parse_duration(value: Any) -> Any:
    """`"2h"`, `"1h30"`, `"90 min"`, `"2 days"` as a length of time; refuses what is none, or none at all."""
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    parts = {name: int(number) for name, number in match.groupdict().items() if number} if match else {}
    length = timedelta(
        days=parts.get("days", 0), hours=parts.get("hours", 0), minutes=parts.get("rest", 0) + parts.get("minutes", 0)
    )
    if not length:
        raise wrong("{value!r} is not a length of time", 'write "2h", "1h30" or "90 min"', value=str(value))
    return length


def show_duration(value: timedelta) -> str:
    """The length of time as it is typed in the catalogue, to the minute: `2h`, `1h30`, `45 min`."""
    hours, minutes = divmod(int(value.total_seconds()) // 60, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours}h{minutes:02}" if minutes else f"{hours}h"


def several(value: Any) -> Any:
    """One thing where a list is meant is a list of one."""
    return value if isinstance(value, list | tuple) else [value]


Name = Annotated[StrictStr, AfterValidator(one_line)]
Slug = Annotated[StrictStr, AfterValidator(_slug)]
Language = Annotated[StrictStr, AfterValidator(_language)]
Country = Annotated[StrictStr, AfterValidator(_country)]
Url = Annotated[StrictStr, AfterValidator(_url)]
TimeOfDay = Annotated[
    time,
    BeforeValidator(_time),
    PlainSerializer(lambda value: value.isoformat("minutes" if not value.second else "seconds")),
]
Duration = Annotated[timedelta, BeforeValidator(parse_duration), PlainSerializer(show_duration)]
