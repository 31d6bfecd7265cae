"""What the tables of a catalogue share: the frozen base, and the values that stand in several of them."""

import importlib
import re
from functools import cache
from types import ModuleType
from typing import Annotated, Any, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict

from pipeline.catalogue.texts import Checked, one_line, several, shaped, wrong
from pipeline.catalogue.when import zone_names
from pipeline.errors import N_

_written: dict[frozenset[str], set[str]] = {}


class Model(BaseModel):
    """What all tables share: nothing changes after loading, no key is unknown."""

    # Most are only ever judged as a part of another, with which what judges them is made.
    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True, defer_build=True
    )

    def model_post_init(self, _context: Any) -> None:
        """Shares the set of the keys that were written with all tables in which the same were: they are many."""
        written = self.__pydantic_fields_set__
        object.__setattr__(self, "__pydantic_fields_set__", _written.setdefault(frozenset(written), written))

    def altered(self, **values: Any) -> Self:
        """The same table with some other values, which aren't judged."""
        # Not `model_copy`: it would copy what was derived from the former values, and cached.
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return cast("Self", self.model_construct(**fields | values))


@cache
def _email_validator() -> ModuleType:
    # It takes longer to load than a series to check, and most addresses are plain.
    return importlib.import_module("email_validator")


_PLAIN = re.compile(r"[A-Za-z0-9]++(?:[._+-][A-Za-z0-9]++)*+@(?:[a-z0-9]++(?:-[a-z0-9]++)*+\.)+(?P<top>[a-z]{2,})")
_LONGEST_PLAIN = 64
_WITHIN = r"[A-Za-z0-9._+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,63}"
"""An address in something pasted: `mailto:…`, a link, brackets."""
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
        found = re.search(_WITHIN, value)
        meant = found[0] if found and found[0] != value else "name@example.org"
        raise wrong("{value!r} is not a mail address", 'write "{meant}"', value=value, meant=meant) from None


def _mailbox(value: str) -> str:
    name, bracket, rest = one_line(value).rpartition("<")
    if not bracket:
        return _address(value)
    return f"{name.strip()} <{_address(rest.removesuffix('>'))}>".strip()


_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_COLOUR = "#[0-9a-fA-F]{3}(?:[0-9a-fA-F]{3})?|[a-z]{3,20}"


def _zone(value: str) -> str:
    if value not in zone_names() or value in _NO_ZONES:
        meant = _meant_zone(value)
        hint = N_('write "{meant}"') if meant else 'write its IANA name: "Europe/Paris"'
        raise wrong("{value!r} is not a time zone", hint, value=value, meant=meant)
    return value


def _meant_zone(value: str) -> str | None:
    """The zone of a city that is named alone, or of a name that is written a little otherwise."""
    written = value[:60].strip().casefold().replace(" ", "_")
    names = {
        part: name for name in sorted(zone_names()) for part in (name.rpartition("/")[2].casefold(), name.casefold())
    }
    close: list[str] = importlib.import_module("difflib").get_close_matches(written, names, n=1, cutoff=0.8)
    return names[close[0]] if close else None


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


def _mail_address() -> dict[str, Any]:
    return shaped(r"^[^@]+@[^@\s]+\s*$")


Color = Annotated[str, Checked(_color, lambda: shaped(f"^({_COLOUR})$"))]
Address = Annotated[str, Checked(_address, _mail_address)]
Mailbox = Annotated[str, Checked(_mailbox, _mail_address)]
Zone = Annotated[str, Checked(_zone, lambda: {"type": "string", "enum": sorted(zone_names() - _NO_ZONES)})]
