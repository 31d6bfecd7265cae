"""What time it is elsewhere: the Date field with which a web server answers."""

import urllib.error
import urllib.request
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Final

_PATIENCE: Final = 5.0  # seconds


def time_at(address: str) -> datetime | None:
    """The instant (UTC, to the second) that a web server says it is; None where nobody answers with one."""
    request = urllib.request.Request(address, method="HEAD", headers={"User-Agent": "tocsin doctor"})  # noqa: S310 - http(s) only, by the catalogue's Url type
    try:
        with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310 - as above
            told = answer.headers.get("Date")
    except urllib.error.HTTPError as error:
        told = error.headers.get("Date")
        error.close()
    except (OSError, ValueError, HTTPException):
        return None
    try:
        return parsedate_to_datetime(told or "").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
