"""QR codes: the way from paper to a page."""

import math
from functools import cache
from itertools import groupby
from struct import Struct

import zxingcpp

MASK = 3
"""Any of the eight masks can be read; a fixed one saves the search for the prettiest, for each event."""
QUIET = 4
"""Modules of white that the standard asks for on each side."""

_AT_ONCE = 8
"""So many modules of a row are drawn by one look into a table; a stroke goes on from one to the next."""


def qr_svg(address: str) -> bytes:
    """The code of an address as SVG, black on white on any ground, with its quiet zone; error correction M."""
    code = zxingcpp.create_barcode(address, zxingcpp.BarcodeFormat.QRCode, ec_level="M", data_mask=MASK)
    # The library's image is a buffer of a byte for each module, 0 where it is dark, which its type hints don't say.
    image = memoryview(code.to_image(scale=1, add_quiet_zones=False))  # type: ignore[arg-type]
    side = math.isqrt(image.nbytes)
    size = side + 2 * QUIET
    title = address.replace("&", "&amp;").replace("<", "&lt;")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}"><title>{title}</title>'
        f'<path fill="#fff" d="M0 0h{size}v{size}h-{size}z"/><path stroke="#000" d="{_strokes(image, side)}"/></svg>\n'
    ).encode()


def _strokes(image: memoryview, side: int) -> str:
    """A line of one module's height through each run of dark modules."""
    rows, pieces = _rows(side)
    return rows % tuple(map(_STEPS.__getitem__, pieces.unpack(image)))


@cache
def _rows(side: int) -> tuple[str, Struct]:
    """The rows of a symbol, with a place for each piece of a row; and what cuts its image into these pieces."""
    lengths = [min(_AT_ONCE, side - start) for start in range(0, side, _AT_ONCE)]
    rows = "".join(f"M{QUIET} {QUIET + number}.5{'%s' * len(lengths)}" for number in range(side))
    return rows, Struct("".join(f"{length}s" for length in lengths) * side)


class _Steps(dict[bytes, str]):
    """From the left of some modules to their right: drawn where they are dark, moved where they are light."""

    def __missing__(self, modules: bytes) -> str:
        runs = ((shade, len(list(run))) for shade, run in groupby(modules))
        steps = self[modules] = "".join(f"m{length} 0" if shade else f"h{length}" for shade, length in runs)
        return steps


_STEPS = _Steps()
