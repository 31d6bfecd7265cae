"""Writes anew all that is made from the code: `python docs/making`."""

from pathlib import Path

from catalogue_page import catalogue_page
from commands_page import commands_page
from man_page import man_page

DOCS = Path(__file__).parent.parent
MADE = {
    "reference/catalogue.md": catalogue_page,
    "reference/commands.md": commands_page,
    "man/tocsin.1": man_page,
}


def main() -> None:
    """Writes each page."""
    for name, make in MADE.items():
        (DOCS / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
