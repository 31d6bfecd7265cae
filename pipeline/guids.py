"""The UUIDs by which programmes of conferences know events (the `guid` of frab and pentabarf)."""

from uuid import NAMESPACE_URL, UUID, uuid5


def guid_of(uid: str) -> UUID:
    """The UUID of an identity: always the same one."""
    return uuid5(NAMESPACE_URL, f"urn:tocsin:{uid}")
