"""Drawing a card: 1200 × 630 pixels in the series' colour, white on dark, as a PNG of a few kilobytes."""

import colorsys
import io
import zlib
from bisect import bisect_right
from functools import lru_cache
from importlib.resources import as_file, files

from PIL import Image, ImageColor, ImageDraw, ImageFont

from pipeline.outputs.cards import HEIGHT, WIDTH, Card
from pipeline.outputs.site import colour

DEFAULT = "#a5311f"
CONTRAST = 7.0
"""Between white and the ground, as WCAG counts it: enough for small words in a small preview."""
MARGIN, LEADING = 80, 1.14
SIZES = (92, 84, 76, 68, 60, 54, 48, 42)
SERIES, WHEN, PLACE, STATUS = 36, 42, 34, 36
LEVELS = 16
_LEVELS = [round(value * (LEVELS - 1) / 255) for value in range(256)]
"""Of how white a point is, in sixteen steps."""

Font = ImageFont.FreeTypeFont


@lru_cache(maxsize=32)
def drawn(card: Card) -> bytes:
    """The PNG of a card; the same bytes each time."""
    # Drawn as how white each point is; the colours come at the end, as a ramp from the ground to white.
    image = Image.new("L", (WIDTH, HEIGHT), 0)
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, 18, HEIGHT), fill=255)
    room = WIDTH - 2 * MARGIN
    pen.text((MARGIN, 58), _shortened(card.series, _font("Semibold", SERIES), room), 225, _font("Semibold", SERIES))
    top = 124 + (_status(pen, card.status) if card.status else 0)
    below = _foot(pen, card, room)
    _title(pen, card.title, room, top, below - 24)
    return _png(image, ground(card.color))


def _status(pen: ImageDraw.ImageDraw, word: str) -> int:
    """The word for what doesn't take place as announced, in a box; how much room it took."""
    font = _font("Bold", STATUS)
    width = font.getlength(word)
    pen.rounded_rectangle((MARGIN, 128, MARGIN + width + 40, 188), 6, fill=255)
    pen.text((MARGIN + 20, 158), word, 0, font, anchor="lm")
    return 76


def _foot(pen: ImageDraw.ImageDraw, card: Card, room: int) -> int:
    """When and where, at the foot; the height at which they begin."""
    rows = [(card.when, _font("Semibold", WHEN), 255), (card.place, _font("Regular", PLACE), 225)]
    y = HEIGHT - 58
    for text, font, white in reversed(rows):
        if text:
            lines = _lines(text, font, room)
            shown = [*lines[:1], _shortened(" ".join(lines[1:]), font, room)] if len(lines) > 1 else lines
            for line in reversed(shown):
                pen.text((MARGIN, y), line, white, font, anchor="ls")
                y -= round(font.size * 1.24)
    return y


def _title(pen: ImageDraw.ImageDraw, title: str, room: int, top: int, bottom: int) -> None:
    """The title as large as it fits; what fits at no size ends in an ellipsis."""
    for size in SIZES:
        font = _font("Bold", size)
        lines, fit = _lines(title, font, room), max(1, int((bottom - top) / (size * LEADING)))
        if len(lines) <= fit and (size <= SIZES[-3] or len(lines) <= 4):
            break
    else:
        rest = " ".join(lines[fit - 1 :])
        lines = [*lines[: fit - 1], _shortened(rest, font, room)]
    step = font.size * LEADING
    for number, line in enumerate(lines):
        pen.text((MARGIN, round(top + step * (number + 0.8))), line, 255, font, anchor="ls")


def _lines(text: str, font: Font, room: int) -> list[str]:
    """The text broken between words; a word that is wider than a line, within it."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line else word
        if font.getlength(joined) <= room:
            line = joined
            continue
        if line:
            lines.append(line)
        while font.getlength(word) > room:
            fit = max(1, _fitting(word, font, room))
            lines.append(word[:fit])
            word = word[fit:]
        line = word
    return [*lines, line] if line else lines


def _shortened(text: str, font: Font, room: int) -> str:
    if font.getlength(text) <= room:
        return text
    return text[: _fitting(text, font, room - font.getlength("…"))].rstrip() + "…"


def _fitting(text: str, font: Font, room: float) -> int:
    """How many letters of a text fit into a line."""
    return bisect_right(range(1, len(text) + 1), room, key=lambda count: font.getlength(text[:count]))


@lru_cache(maxsize=32)
def _font(weight: str, size: int) -> Font:
    with as_file(files("font_source_sans_pro") / "files" / f"SourceSansPro-{weight}.ttf") as file:
        # The plain layout, which is the same wherever Pillow is.
        return ImageFont.truetype(io.BytesIO(file.read_bytes()), size, layout_engine=ImageFont.Layout.BASIC)


def _png(image: Image.Image, ground: tuple[int, int, int]) -> bytes:
    indexed = image.point(_LEVELS)
    ramp = [round(dark + (255 - dark) * level / (LEVELS - 1)) for level in range(LEVELS) for dark in ground]
    indexed.putpalette(ramp)
    made = io.BytesIO()
    # Of large plain areas, runs of one colour pack as small as whatever comes again, and are found much sooner.
    indexed.save(made, "PNG", bits=4, compress_type=zlib.Z_RLE)
    return made.getvalue()


def ground(color: str) -> tuple[int, int, int]:
    """The series' colour, as much darker as white words need."""
    red, green, blue = ImageColor.getrgb(colour(color) or DEFAULT)[:3]
    hue, light, strength = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    while True:
        found = tuple(round(part * 255) for part in colorsys.hls_to_rgb(hue, light, strength))
        if 1.05 / (luminance(found) + 0.05) >= CONTRAST:
            return found[0], found[1], found[2]
        light *= 0.96


def luminance(color: tuple[int, ...]) -> float:
    """The relative luminance of a colour, 0 to 1, as WCAG defines it."""
    parts = (part / 255 for part in color)
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
