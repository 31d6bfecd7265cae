"""QR codes: the way from paper to a page."""

import math
import re
from functools import lru_cache
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
    image, side = _modules(code)
    size = side + 2 * QUIET
    title = address.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><title>{title}</title>'
        f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/><path stroke="#000" d="{_strokes(image, side)}"/></svg>\n'
    ).encode()


def _modules(code: zxingcpp.Barcode) -> tuple[bytes, int]:
    """The modules of a symbol without its quiet zone, row by row, a byte for each, 0 where it is dark; and its side."""
    # The library's image is a buffer, which its type hints don't say.
    image = memoryview(code.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]
    return image.tobytes(), math.isqrt(image.nbytes)


def _strokes(image: bytes, side: int) -> str:
    """A line of one module's height through each run of dark modules."""
    begun, length = _pieces(side)
    # A light module behind each row ends the runs there.
    rows = b"\xff".join(image[start : start + side] for start in range(0, len(image), side))
    return "".join([begun[start] + length[end - start] for start, end in map(_span, _DARK.finditer(rows))])


@lru_cache(maxsize=8)
def _pieces(side: int) -> tuple[list[str], list[str]]:
    """How a stroke begins at each module, by its place in the rows one behind the other; and how it goes on."""
    begun = [f"M{QUIET + column} {QUIET + line}.5" for line in range(side) for column in range(side + 1)]
    return begun, [f"h{length}" for length in range(side + 1)]
