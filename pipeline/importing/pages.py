"""The scripts of a saved web page, found without a tree of its elements: pages are long, and their data is not."""

import re
from collections.abc import Iterator

_OPENING = re.compile(rb"<!--|<script\b(?P<attributes>(?:\"[^\"]*+\"|'[^']*+'|[^<>\"'])*+)>", re.IGNORECASE)
_FILLED = re.compile(rb"\s*+\S")
_CLOSING = re.compile(rb"</script(?=[\s/>])", re.IGNORECASE)
_TYPE = re.compile(rb"""\stype\s*=\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+))""", re.IGNORECASE)


def scripts(page: bytes, media_type: str) -> Iterator[tuple[int, int]]:
    """Where in an HTML page each script of that media type begins and ends."""
    at = 0
    while (opening := _OPENING.search(page, at)) is not None:
        if opening["attributes"] is None:
            at = page.find(b"-->", opening.end())
            if at < 0:
                return
            continue
        closing = _CLOSING.search(page, opening.end())
        end = closing.start() if closing else len(page)
        if _media_type(opening["attributes"]) == media_type and _FILLED.match(page, opening.end(), end):
            yield opening.end(), end
        at = end


def _media_type(attributes: bytes) -> str:
    match = _TYPE.search(attributes)
    said = next(filter(None, match.groups()), b"") if match else b""
    return said.decode("utf-8", errors="replace").partition(";")[0].strip().lower()
