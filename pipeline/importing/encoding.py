"""The encodings in which programmes come, made one: UTF-8."""

import codecs
import io
from collections.abc import Iterator

PIECE = 1 << 16


def in_utf8(data: bytes) -> bytes:
    """The same text in UTF-8 without a BOM: from UTF-16 if its first bytes say so, or from what Windows writes.

    It stays bytes: as one text it would take four times the memory as soon as it holds a single emoji.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _recoded(data, "utf-16")
    data = data.removeprefix(codecs.BOM_UTF8)
    return data if _is_utf8(data) else _recoded(data, "cp1252")


def _is_utf8(data: bytes) -> bool:
    try:
        for _ in codecs.iterdecode(_pieces(data), "utf-8"):
            pass
    except UnicodeDecodeError:
        return False
    return True


def _recoded(data: bytes, encoding: str) -> bytes:
    made = io.BytesIO()
    for text in codecs.iterdecode(_pieces(data), encoding, errors="replace"):
        made.write(text.encode("utf-8", errors="replace"))
    return made.getvalue()


def _pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))
