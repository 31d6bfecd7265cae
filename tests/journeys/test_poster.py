"""The poster on paper: one sheet of A4 whatever stands on it, with codes that a telephone reads."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import chromium
import pypdfium2
import pytest
import zxingcpp
from html_reader import HOSTILE, edition_of
from writing import write

from pipeline.edition import Edition

pytestmark = pytest.mark.skipif(chromium.PROGRAM is None, reason="there is no Chromium here")

A4 = (595, 842)
"""In points."""
SPEAKERS = ", ".join(["{ name = 'Speaker with a long name', role = 'reader' }"] * 30)
WORDS = "A long title of many words " * 12
CROWD = HOSTILE.partition("[[event]]")[0].replace("<script>alert(1)</script>", "W" * 300) + "".join(
    f'[[event]]\nid = "event-{number}"\ntitle = "{WORDS}{number}"\n'
    f'date = 2027-01-{number:02}\ntba = ["time"]\nspeakers = [{SPEAKERS}]\n'
    for number in range(1, 15)
)


@pytest.fixture(scope="module")
def posters(seed_edition: Edition, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("posters")
    write(seed_edition, folder / "seed")
    write(replace(seed_edition, day=date(2023, 1, 20)), folder / "late")
    write(replace(seed_edition, day=date(2030, 1, 1)), folder / "over")
    write(edition_of(CROWD), folder / "crowd")
    write(edition_of(HOSTILE), folder / "one")
    return folder


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[chromium.Browser]:
    with chromium.browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


def printed(page: chromium.Browser, file: Path) -> Any:
    page.open(file.as_uri())
    return pypdfium2.PdfDocument(BytesIO(page.paper()))


def codes(sheet: Any) -> set[str]:
    """The addresses that a reader of codes finds on a sheet printed at 300 dots an inch."""
    picture = sheet[0].render(scale=300 / 72).to_pil()
    return {code.text for code in zxingcpp.read_barcodes(picture) if code.format == zxingcpp.BarcodeFormat.QRCode}


@pytest.mark.parametrize("name", ["seed", "late", "over", "crowd", "one"])
@pytest.mark.parametrize("tree", ["", "fr/"])
def test_it_is_one_sheet_of_a4_and_each_code_leads_to_its_page(
    posters: Path, page: chromium.Browser, name: str, tree: str
) -> None:
    sheet = printed(page, posters / name / tree / "poster/index.html")
    assert len(sheet) == 1
    assert tuple(round(side) for side in sheet[0].get_size()) == A4
    home = {"crowd": "https://talks.example/sub/", "one": "https://talks.example/sub/"}.get(
        name, "https://digitize.example/"
    )
    events = {
        "seed": ["non-take-up", "social-work", "welfare-control", "toolkit-for-struggle", "conference-5"],
        "late": ["toolkit-for-struggle", "conference-5"],
        "over": ["conference-5"],
        "crowd": [f"event-{number}" for number in range(1, 11)],
        "one": ["loud"],
    }[name]
    assert codes(sheet) == {f"{home}{tree}", *(f"{home}{tree}events/{event}/" for event in events)}


def test_the_seed_s_sheet_shows_every_date_whole(posters: Path, page: chromium.Browser) -> None:
    text = printed(page, posters / "seed/poster/index.html")[0].get_textpage().get_text_range()
    said = " ".join(text.split())
    for words in ("Digitize and conquer", "Oct 2022", "19:00", "service and its control", "Lucie Castets",
                  "59, rue de la Fontaine au Roi", "digitize.example", "La Quadrature du Net"):  # fmt: skip
        assert words in said, said


def test_a_crowded_sheet_says_how_many_more_there_are(posters: Path, page: chromium.Browser) -> None:
    text = printed(page, posters / "crowd/poster/index.html")[0].get_textpage().get_text_range()
    assert "4 more dates on the site" in text
    assert "talks.example/sub" in text
