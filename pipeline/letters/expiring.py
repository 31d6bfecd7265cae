"""Tokens that are good until an instant, which stands in them and is signed with them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pipeline.letters.tokens import read_token, token

CONFIRM = "confirm"
PREFERENCES = "preferences"

STAMP_LENGTH = 8
"""Characters of the instant in a token; it stands at the beginning."""
_SHAPE = re.compile(rf"([0-9a-f]{{{STAMP_LENGTH}}})([\w-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Expiring:
    """What a whole token says: whose it is, and until when it is good, in whole seconds of UTC."""

    public_id: str
    until: datetime


def expiring_token(public_id: str, purpose: str, until: datetime, secret: bytes) -> str:
    """A url-safe token for one purpose until an aware instant."""
    stamp = f"{int(until.timestamp()):0{STAMP_LENGTH}x}"
    return stamp + token(public_id, f"{purpose} until {stamp}", secret)


def read_expiring_token(given: str, purpose: str, secret: bytes) -> Expiring | None:
    """What the token says, also where its time is over; None where it wasn't made for this purpose and secret."""
    found = _SHAPE.fullmatch(given)
    if found is None:
        return None
    stamp, signed = found.groups()
    public_id = read_token(signed, f"{purpose} until {stamp}", secret)
    return None if public_id is None else Expiring(public_id, datetime.fromtimestamp(int(stamp, 16), UTC))
