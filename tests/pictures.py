"""Remakes docs/images from the real series as it was on 1 October 2022: `make pictures`."""

import email
import tempfile
from datetime import UTC, date, datetime
from email import policy
from io import BytesIO
from pathlib import Path

import pypdfium2
from chromium import Browser, browser
from PIL import Image

from pipeline.actions.build import draft, files_of
from pipeline.actions.mailing import Office
from pipeline.actions.preview import specimens
from pipeline.actions.project import project_at
from pipeline.rendering import Renderer

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
DAY = date(2022, 10, 1)
NOON = datetime(2022, 10, 1, 12, tzinfo=UTC)
PAGES = (
    ("home", "index.html", 1280, 1500, False),
    ("home-fr", "fr/index.html", 1280, 1300, False),
    ("home-phone-dark", "index.html", 360, 1500, True),
    ("event", "events/non-take-up/index.html", 1280, 1400, False),
    ("event-fr-phone-dark", "fr/events/non-take-up/index.html", 360, 1500, True),
    ("subscribe-fr", "fr/subscribe/index.html", 1280, 1400, False),
)
"""The name of a picture, its page, the width and height of the window, and whether it is dark."""
LETTER_WIDTH, POSTER_SCALE, COLOURS = 640, 1.25, 48


def main() -> None:
    """Writes every picture anew."""
    drawn = draft(project_at(ROOT / "events.toml"), NOON, DAY)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for artifact in files_of(project_at(ROOT / "events.toml"), drawn.edition):
            (folder / "out" / artifact.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / "out" / artifact.path).write_bytes(artifact.body)
        letters = specimens(drawn.edition, Office(Renderer(), b"the key of the pictures", {}))
        reminder = next(letter for letter in letters if (letter.language, letter.rule) == ("en", "two-weeks-before"))
        (folder / "letter.html").write_text(html_of(reminder.message), encoding="utf-8")
        with browser(folder / "profile") as page:
            for name, path, width, height, dark in PAGES:
                page.size(width, height)
                page.dark(dark)
                page.open((folder / "out" / path).as_uri())
                keep(name, Image.open(BytesIO(page.picture())))
            page.dark(False)
            take_letter(page, folder / "letter.html")
            page.open((folder / "out/poster/index.html").as_uri())
            sheet = pypdfium2.PdfDocument(BytesIO(page.paper()))[0]
            keep("poster", sheet.render(scale=POSTER_SCALE).to_pil())


def html_of(message: bytes) -> str:
    """The HTML of a letter."""
    body = email.message_from_bytes(message, policy=policy.default).get_body(("html",))
    assert body is not None
    return str(body.get_content())


def take_letter(page: Browser, file: Path) -> None:
    """A letter from its first line to its last."""
    page.size(LETTER_WIDTH, 400)
    page.open(file.as_uri())
    page.size(LETTER_WIDTH, page.ask("document.documentElement.scrollHeight"))
    keep("mail", Image.open(BytesIO(page.picture())))


def keep(name: str, picture: Image.Image) -> None:
    """A picture of few colours, which is enough for pages and spares everybody's clone."""
    picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(IMAGES / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
