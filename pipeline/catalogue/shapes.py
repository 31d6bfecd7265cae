"""What the tables of a catalogue share: the frozen base, and the values that stand in several of them."""

import importlib
import re
from functools import cache
from types import ModuleType
from typing import Annotated, Any
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetJsonSchemaHandler, StrictStr
from pydantic_core import CoreSchema

from pipeline.catalogue.texts import one_line, several, typed_as, wrong


class Model(BaseModel):
    """What all tables share: nothing changes after loading, no key is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)


@cache
def _email_validator() -> ModuleType:
    # It takes longer to load than a series to check, and most addresses are plain.
    return importlib.import_module("email_validator")


_PLAIN = re.compile(r"[A-Za-z0-9]++(?:[._+-][A-Za-z0-9]++)*+@(?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)+(?P<top>[a-z]{2,})")
_LONGEST_PLAIN = 64
_SPECIAL = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})


def _is_plain(value: str) -> bool:
    """Whether the library would take an address as it stands; of others it decides."""
    match = _PLAIN.fullmatch(value) if len(value) <= _LONGEST_PLAIN else None
    return match is not None and match["top"] not in _SPECIAL


def _address(value: str) -> str:
    if _is_plain(value):
        return value
    library = _email_validator()
    try:
        found = library.validate_email(one_line(value), check_deliverability=False, test_environment=True)
        return str(found.normalized)
    except library.EmailNotValidError:
        raise wrong("{value!r} is not a mail address", 'write "name@example.org"', value=value) from None


def _mailbox(value: str) -> str:
    name, bracket, rest = one_line(value).rpartition("<")
    if not bracket:
        return _address(value)
    return f"{name.strip()} <{_address(rest.removesuffix('>'))}>".strip()


_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_COLOUR = "#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?|[a-z]{3,20}"


@cache
def _zones() -> frozenset[str]:
    # Reading the directory of the zone database takes longer than loading a whole event.
    return frozenset(available_timezones())


def _zone(value: str) -> str:
    if value not in _zones() or value in _NO_ZONES:
        raise wrong("{value!r} is not a time zone", 'write its IANA name: "Europe/Paris"', value=value)
    return value


def named(key: str, plain: Any, table: Any) -> BeforeValidator:
    """A plain value where that table is meant stands for its one key."""
    return BeforeValidator(
        lambda value: {key: value} if isinstance(value, str) else value, json_schema_input_type=plain | table
    )


def some(item: Any) -> BeforeValidator:
    """One thing where a list of such things is meant is a list of one."""
    return BeforeValidator(several, json_schema_input_type=item | tuple[item, ...])


def _color(value: str) -> str:
    if not re.fullmatch(_COLOUR, value):
        raise wrong("{value!r} is not a colour", 'write "#a03020", or a name of CSS: "teal"', value=value)
    return value


class _ZoneNames:
    """For editors: every zone there is, to choose from; listed only when the schema is asked for."""

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "enum": sorted(_zones() - _NO_ZONES)}


Color = Annotated[StrictStr, AfterValidator(_color), typed_as(f"^({_COLOUR})$")]
Address = Annotated[StrictStr, AfterValidator(_address), typed_as(r"^[^@]+@[^@\s]+\s*$")]
Mailbox = Annotated[StrictStr, AfterValidator(_mailbox), typed_as(r"^[^@]+@[^@\s]+\s*$")]
Zone = Annotated[StrictStr, AfterValidator(_zone), _ZoneNames]
