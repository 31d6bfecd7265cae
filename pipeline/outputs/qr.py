"""QR codes: the way from paper to a page."""

import io

import segno

MASK = 3
"""Any of the eight masks can be read; a fixed one costs a fifth of the search for the prettiest, for each event."""


def qr_svg(address: str) -> bytes:
    """The code of an address as SVG, black on white on any ground, with its quiet zone of four modules."""
    code = segno.make(address, error="m", micro=False, mask=MASK)
    drawn = io.BytesIO()
    code.save(drawn, kind="svg", xmldecl=False, omitsize=True, border=4, dark="#000", light="#fff", title=address)
    return drawn.getvalue()
