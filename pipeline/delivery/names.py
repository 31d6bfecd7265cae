"""What the DNS says of a domain's mail, as far as there is a resolver that answers."""

from dataclasses import dataclass
from typing import Final

import dns.exception
import dns.resolver

PATIENCE: Final = 5.0
"""Seconds to wait for all servers together."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The texts under a name; `reached` is False where no resolver could say whether there are any."""

    texts: tuple[str, ...] = ()
    reached: bool = True


def texts_at(name: str) -> Answer:
    """The TXT records of a name, each joined from its pieces."""
    try:
        found = dns.resolver.Resolver().resolve(name, "TXT", lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return Answer()
    except (dns.exception.DNSException, OSError):
        return Answer(reached=False)
    return Answer(tuple(b"".join(record.strings).decode("utf-8", "replace") for record in found))


def tag(record: str, name: str) -> str:
    """The value of a tag of a record such as `v=DKIM1; k=rsa; p=…`, without blanks; empty where it isn't there."""
    for part in record.split(";"):
        key, _, value = part.partition("=")
        if key.strip() == name:
            return "".join(value.split())
    return ""
