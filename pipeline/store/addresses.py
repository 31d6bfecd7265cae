"""Mail addresses made comparable; what can't be one is refused with the reason."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from email_validator import EmailNotValidError, validate_email

from pipeline.errors import SettingsError

# What nearly every local part is: no rule of the standards says anything about it but its length.
_USUAL: Final = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_LONGEST_LOCAL: Final = 64
_LONGEST: Final = 254


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
        raise AddressError("{address!r} can't be an address: {reason}", address=address, reason=str(error)) from error
    return Mailbox(found.normalized, found.ascii_email or found.normalized, found.normalized.casefold())
