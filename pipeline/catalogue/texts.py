"""The simple values of a catalogue: texts in several languages, ids, addresses.

Each type refuses what can't be published, in words that say what to type; `pydantic` adds the place.
"""

import importlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, time
from functools import cache, lru_cache
from sys import getsizeof
from typing import Annotated, Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from pydantic import (
    AfterValidator,
    GetJsonSchemaHandler,
    RootModel,
    StrictStr,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from pipeline.catalogue.when import ZONES
from pipeline.errors import N_

FORBIDDEN = (
    "[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
    + "]"
)
"""Controls, line and paragraph separators, bidi controls, surrogates, and the code points that are no characters."""


def wrong(message: str, hint: str = "", **values: object) -> PydanticCustomError:
    """A refusal in our own words; `message` and `hint` are patterns filled from `values` when shown."""
    return PydanticCustomError("tocsin", "{message}", {"message": message, "hint": hint, "values": values})


def shown(value: Any) -> str:
    """A value as it stands in the file, at a readable length, for messages."""
    match value:
        case bool():
            text = str(value).lower()
        case str():
            text = f'"{value[:60]}"'
        case dict():
            text = "{ " + ", ".join(map(str, list(value)[:10])) + " }"
        case list() | tuple():
            text = "[" + ", ".join(shown(item) for item in value[:10]) + "]"
        case _:
            text = _plainly(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _plainly(value: Any) -> str:
    try:
        return str(value)
    except ValueError:  # Python refuses to print whole numbers of thousands of digits
        return "…"


def quoted(value: Any) -> str:
    """The hint for a text whose quotes are missing."""
    if isinstance(value, list):
        return N_("write it without brackets")
    is_plain = isinstance(value, int | float | date | time) and not isinstance(value, bool)
    return N_('write it between quotes: "{given}"') if is_plain else 'write it between quotes: "…"'


class Phrase(NamedTuple):
    """A text as said in one language; `language` is the one it is really written in."""

    text: str
    language: str


def forbidden_character(text: str, *, allowed: str = "") -> str | None:
    """The first control, bidi or non-character in a text as `U+XXXX`, or None."""
    # Most texts hold nothing but letters, line breaks and the spaces of French typography; that is quickly seen.
    if text.replace("\n", "").replace("\u00a0", "").replace("\u202f", "").isprintable() and "\n" in allowed:
        return None
    found = next((match for match in re.finditer(FORBIDDEN, text) if match[0] not in allowed), None)
    return None if found is None else f"U+{ord(found[0]):04X}"


_SWALLOWED = str.maketrans({"\b": "/b", "\t": "/t", "\n": "/n", "\f": "/f", "\r": "/r"})
"""What a backslash and the letter after it become between double quotes, and what a path needs there."""


def one_line(text: str) -> str:
    """Refuses line breaks and characters that would corrupt what is published; trims the ends."""
    if re.fullmatch(r"[A-Za-z]:[\b\t\n\f\r]\S*|[\w.-]+[\b\t\n\f\r]\S*\.\w{2,4}", text):
        meant = text.translate(_SWALLOWED)
        raise wrong("a backslash has a meaning of its own between double quotes", 'write "{meant}"', meant=meant)
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


_WRITTEN = {"root"}


class Text(RootModel[dict[str, StrictStr]]):
    """A text in one or more languages, the default language first; the base of `Line` and `Prose`."""

    model_config = {"frozen": True, "defer_build": True}

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """For editors: one text, or one for each language."""
        one = cls.one()
        return {
            "anyOf": [
                one,
                {"type": "object", "minProperties": 1, "propertyNames": _LANGUAGE, "additionalProperties": one},
            ]
        }

    @classmethod
    def one(cls) -> dict[str, Any]:
        """The JSON Schema of the text in one language."""
        return {"type": "string", "pattern": r"\S"}

    def model_post_init(self, _context: Any) -> None:
        """Shares the set of what was written, which is the same for all: texts are many."""
        object.__setattr__(self, "__pydantic_fields_set__", _WRITTEN)

    @model_validator(mode="before")
    @classmethod
    def _plain_is_default(cls, value: Any, info: ValidationInfo) -> Any:
        context: Mapping[str, Any] = info.context or {}
        if isinstance(value, str):
            return {context.get("default_language", "und"): value}
        if not isinstance(value, dict):
            raise wrong("{given} is not a text", quoted(value), given=shown(value))
        if not value:
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
        order = languages or context.get("order", ())
        return {language: value[language] for language in order if language in value} | value if order else value

    def said_in(self, language: str) -> Phrase:
        """The text in that language, or in the default language where there is no translation."""
        text = self.root.get(language)
        if text is not None:
            # Each text is said in many places: without a step in between.
            return tuple.__new__(Phrase, (text, language))
        other = next(iter(self.root))
        return Phrase(self.root[other], language if other == "und" else other)


class Line(Text):
    """A text that stands on one line: a title, a name, a price."""

    @classmethod
    def one(cls) -> dict[str, Any]:
        """The JSON Schema of the text in one language."""
        return _ONE_LINE

    @model_validator(mode="after")
    def _one_line(self) -> "Line":
        self.root.update({language: one_line(text) for language, text in self.root.items()})
        return self


_LONG = 200


class Far(Protocol):
    """A text that is held somewhere else, or in UTF-8."""

    def decode(self) -> str:
        """The text."""


Hold = Callable[[str], "str | Far"]
"""What holds the texts of prose."""
HOLD = "hold"
"""The key of one in the context of a reading; without it a text is `packed`."""


class Prose(Text):
    """A long text in Markdown: a line break is a space, an empty line starts a paragraph.

    Where Python would hold two or four bytes for each of its characters it is held in UTF-8.
    """

    @model_validator(mode="after")
    def _prose(self, info: ValidationInfo) -> "Prose":
        hold: Hold = (info.context or {}).get(HOLD, packed)
        texts: dict[str, Any] = self.root
        # A model that takes over a text of another one, as a newsletter that left does, finds it held already.
        texts.update({language: hold(prose(text)) for language, text in texts.items() if isinstance(text, str)})
        return _briefly(tuple(texts)) if hold is in_brief else self

    @property
    def is_far(self) -> bool:
        """Whether a text of it is held in another way than as a text."""
        return not all(isinstance(text, str) for text in self.root.values())

    @model_serializer
    def _in_full(self) -> dict[str, str]:
        return {language: _near(text) for language, text in self.root.items()}

    def said_in(self, language: str) -> Phrase:
        """As of any text."""
        said = Text.said_in(self, language)
        return said if isinstance(said.text, str) else said._replace(text=_near(said.text))


def packed(text: str) -> str | bytes:
    """A text, or the UTF-8 of it where that takes less memory and it is long."""
    return text.encode() if len(text) > _LONG and getsizeof(text) > 2 * len(text) else text


def in_brief(_text: str) -> str:
    """A mark in the place of a text, for who needs no more than the verdict."""
    return "…"


def _near(text: "str | Far") -> str:
    return text if isinstance(text, str) else text.decode()


@lru_cache
def _briefly(languages: tuple[str, ...]) -> Prose:
    """One for all that are written in the same languages."""
    return Prose.model_construct(dict.fromkeys(languages, in_brief("")))


SLUG = "[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
LANGUAGE = "[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-[A-Z]{2})?"
_LANGUAGE: Mapping[str, Any] = {"type": "string", "pattern": f"^{LANGUAGE}$"}
_ONE_LINE: dict[str, Any] = {"type": "string", "pattern": r"^\n*[^\n]*\S[^\n]*\n*$"}


def _slug(value: str) -> str:
    if not re.fullmatch(SLUG, value):
        raise wrong(
            "{value!r} can't be an id",
            "use a to z, 0 to 9 and hyphens, 64 at most: {proposal!r}",
            value=value,
            proposal=proposed_slug(value),
        )
    return value


_IN_ASCII = str.maketrans(
    {"’": "-", "œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae", "ß": "ss", "ø": "o", "Ø": "o", "ł": "l"}
)
"""What has no accent that could be taken off."""


def proposed_slug(value: str) -> str:
    """The nearest valid id to what was typed."""
    letters = unicodedata.normalize("NFKD", value[:1000].translate(_IN_ASCII))
    ascii_only = letters.encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:64].strip("-") or "my-id"


def _language(value: str) -> str:
    if not re.fullmatch(LANGUAGE, value):
        meant = importlib.import_module("pipeline.catalogue.proposals").proposed_language(value)
        hint = N_('write "{meant}"') if meant else 'write its short code: "fr", "en", "pt-BR"'
        raise wrong("{value!r} is not a language", hint, value=value, meant=meant)
    return value


@cache
def countries() -> Mapping[str, str]:
    """The codes of ISO 3166-1 and the names that the zone database gives them, and Kosovo, which has a usual code."""
    lines = (ZONES / "iso3166.tab").read_text(encoding="utf-8").splitlines()
    return {**dict(line.split("\t") for line in lines if not line.startswith("#")), "XK": "Kosovo"}


def meant_country(value: str) -> str | None:
    """The code of the country that is meant by a code in small letters, by a usual one, or by its English name."""
    code = {"UK": "GB", "EL": "GR"}.get(value.upper(), value.upper())
    by_name = (code for code, name in countries().items() if name.casefold() == value.casefold())
    return code if code in countries() else next(by_name, None)


def _country(value: str, info: ValidationInfo) -> str:
    # What was published stays readable, though its code be no country's any more.
    was_published = (info.context or {}).get("published") and re.fullmatch(r"[A-Z]{2}", value)
    if value not in countries() and not was_published:
        meant = meant_country(value)
        hint = N_('write "{meant}"') if meant else 'write its two letters: "FR", "BE"'
        raise wrong("{value!r} is not a country code", hint, value=value, meant=meant)
    return value


LONGEST_ADDRESS = 200
"""Characters of an address that is offered again in another form."""


def _url(value: str) -> str:
    value = one_line(value)
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or " " in parts.netloc or "\\" in parts.netloc:
        bare = re.sub(r"^https?[:/]+|\s", "", value[:LONGEST_ADDRESS])
        whole = f"https://{bare}" if re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?", bare) else "https://…"
        raise wrong("{value!r} is not a web address", 'write it whole: "{whole}"', value=value, whole=whole)
    return quote(_with_ascii_host(value), safe="%/:?#[]@!$&'()*+,;=-._~")


def _with_ascii_host(value: str) -> str:
    """The address with its host as the network knows it (IDNA): percent-encoded, few programs would find it."""
    parts = urlsplit(value)
    before, at, place = parts.netloc.rpartition("@")
    host, colon, port = place.partition(":")
    if host.isascii():
        return value
    try:
        host = host.encode("idna").decode()
    except UnicodeError:
        raise wrong("{value!r} is not a web address", 'write it whole: "https://…"', value=value) from None
    return parts._replace(netloc=f"{before}{at}{host}{colon}{port}").geturl()


def several(value: Any) -> Any:
    """One thing where a list is meant is a list of one."""
    return value if isinstance(value, list | tuple) else [value]


def shaped(pattern: str) -> dict[str, Any]:
    """For editors: a string of that shape."""
    return {"type": "string", "pattern": pattern}


def typed_as(pattern: str) -> WithJsonSchema:
    """For editors: a value that is typed as a string of that shape."""
    return WithJsonSchema(shaped(pattern))


class Checked:
    """A string as a function lets it pass, and the JSON Schema of it for editors, asked for only when it is needed.

    One annotation instead of three: most of the time of a short `check` goes into building the models.
    """

    def __init__(self, check: Callable[[str], str], schema: Callable[[], Mapping[str, Any]]) -> None:
        self._check = check
        self._schema = schema

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        """What pydantic does with the value."""
        return core_schema.no_info_after_validator_function(self._check, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """What editors are told."""
        return dict(self._schema())


Name = Annotated[str, Checked(one_line, lambda: _ONE_LINE)]
Slug = Annotated[str, Checked(_slug, lambda: shaped(f"^{SLUG}$"))]
Language = Annotated[str, Checked(_language, lambda: _LANGUAGE)]
Country = Annotated[
    str, Checked(str, lambda: {"type": "string", "enum": sorted(countries())}), AfterValidator(_country)
]
Url = Annotated[str, Checked(_url, lambda: shaped(r"^\s*[hH][tT][tT][pP][sS]?://[^\s/]"))]
