"""Mail addresses made comparable; what can't be one is refused with the reason."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

from pipeline.errors import N_, SettingsError, in_our_words

# What nearly every local part is: no rule of the standards says anything about it but its length.
_USUAL: Final = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LONGEST_LOCAL: Final = 64
_LONGEST: Final = 254


_TOO_LONG: Final = N_("it is too long")
_WIDE: Final = N_("its @ is another sign that only looks like it")
_AT_AN_EDGE: Final = N_("a dot or a hyphen stands at an edge, or two of them stand together")
_ALONE: Final = N_("write the address alone, without a name or brackets")
_OURS: Final = {
    "full-width": _WIDE,
    "small commercial": _WIDE,
    "must have an @-sign": N_("there is no @ in it"),
    "something before the @-sign": N_("nothing stands before the @"),
    "something after the @-sign": N_("nothing stands after the @"),
    "too long": _TOO_LONG,
    "so many characters": _TOO_LONG,
    "should have a period": N_("what stands after the @ has no dot"),
    "period": _AT_AN_EDGE,
    "hyphen": _AT_AN_EDGE,
    "special-use": N_("no mail can go to such a domain"),
    "top-level": N_("its last part is no name of a domain"),
    "'@'": N_("it has two @: write one address"),
    "bracket": _ALONE,
    "display name": _ALONE,
    "after the email address": _ALONE,
    "Quoting": _ALONE,
    "before the @-sign": N_("before the @ stands a character that no address has there"),
    "fter the @-sign": N_("after the @ stands a character that no address has there"),
    "unsafe": N_("it holds a character that can't be seen"),
}
"""In our words what the library says of a text that can be no address."""


class AddressError(SettingsError):
    """An address can't be one, or belongs to somebody who asked to be forgotten; the text says which and why."""


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One address three times: as it is shown, as it goes into RCPT TO, and as it is compared."""

    address: str
    mailbox: str
    folded: str


def normalised(address: str) -> Mailbox:
    """An address made comparable; internationalised ones are fine. Raises AddressError where it can't be one."""
    local, at, domain = address.strip().rpartition("@")
    if at and len(local) <= _LONGEST_LOCAL and _USUAL.fullmatch(local) and (host := _plain_host(domain)):
        plain = f"{local}@{host}"
        if len(plain) <= _LONGEST:
            return Mailbox(plain, plain, plain.casefold())
    return _judged(address)


@lru_cache(maxsize=4096)
def _plain_host(domain: str) -> str:
    """A host of ASCII as it is compared; empty for one of other letters, or none. Many people share a host."""
    try:
        found = _judged(f"a@{domain}").address.removeprefix("a@")
    except AddressError:
        return ""
    return found if found.isascii() and "--" not in found else ""


def _judged(address: str) -> Mailbox:
    try:
        # `.test` is let in: rehearsals use it, and no mail can go there.
        found = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise AddressError(
            "{address!r} can't be an address: {reason}", address=address, reason=in_our_words(str(error), _OURS)
        ) from error
    return Mailbox(found.normalized, found.ascii_email or found.normalized, found.normalized.casefold())
