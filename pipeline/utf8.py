"""Whether bytes are UTF-8, found out in little memory."""

import codecs

AT_ONCE = 2**16
"""How many bytes are looked at at once."""


def first_wrong_byte(data: bytes) -> int | None:
    """Where the bytes stop being UTF-8, counted from 0; None where they are."""
    at = 0
    while at < len(data):
        try:
            # What may be only the beginning of a character is left for the next round.
            at += codecs.utf_8_decode(data[at : at + AT_ONCE], "strict", at + AT_ONCE >= len(data))[1]
        except UnicodeDecodeError as error:
            return at + error.start
    return None
