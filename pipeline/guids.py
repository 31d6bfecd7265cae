"""The UUIDs by which programmes of conferences know events (the `guid` of frab and pentabarf)."""

import hashlib
from uuid import NAMESPACE_URL, UUID

_URLS = NAMESPACE_URL.bytes
_FIXED, _FIFTH = 0xF000C000 << 48, 0x50008000 << 48
"""The bits that tell of which version a UUID is, and what they are of one that is made from a name (RFC 9562)."""


def guid_of(uid: str) -> UUID:
    """The UUID of an identity: always the same one."""
    return UUID(int=number_of(uid))


def number_of(uid: str) -> int:
    """The same as a number, which is enough to number thousands of events."""
    digest = hashlib.sha1(_URLS + f"urn:tocsin:{uid}".encode(), usedforsecurity=False).digest()
    return int.from_bytes(digest[:16]) & ~_FIXED | _FIFTH
