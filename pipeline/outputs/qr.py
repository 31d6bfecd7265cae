"""QR codes: the way from paper to a page."""

import math
import re
from collections.abc import Sequence
from operator import methodcaller

import zxingcpp

MASK = 3
"""Any of the eight masks can be read; a fixed one saves the search for the prettiest, for each event."""
QUIET = 4
"""Modules of white that the standard asks for on each side."""

_DARK = re.compile(rb"\x00+")
_span = methodcaller("span")


def qr_svg(address: str) -> bytes:
    """The code of an address as SVG, black on white on any ground, with its quiet zone; error correction M."""
    code = zxingcpp.create_barcode(address, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=MASK)
    rows = _modules(code)
    size = len(rows) + 2 * QUIET
    title = address.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><title>{title}</title>'
        f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/><path stroke="#000" d="{_strokes(rows)}"/></svg>\n'
    ).encode()


def _modules(code: zxingcpp.Barcode) -> list[bytes]:
    """The rows of a symbol without its quiet zone, a byte for each module, 0 where it is dark."""
    # The library's image is a buffer, which its type hints don't say.
    image = memoryview(code.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]
    data, side = image.tobytes(), math.isqrt(image.nbytes)
    return [data[start : start + side] for start in range(0, len(data), side)]


def _strokes(rows: Sequence[bytes]) -> str:
    """A line of one module's height through each run of dark modules."""
    return "".join(
        f"M{QUIET + start} {line}.5h{end - start}"
        for line, row in enumerate(rows, start=QUIET)
        for start, end in map(_span, _DARK.finditer(row))
    )
