"""A letter in a language that is written from right to left runs that way as a whole, and no other letter does."""

from pathlib import Path

import pytest
from letter_writing import html_of, occasion, published, replaced, write

TEXT = (Path(__file__).parents[2] / "events.toml").read_text()
HEBREW = replaced(('languages = ["en", "fr"]', 'languages = ["en", "fr", "he"]'))


@pytest.mark.parametrize(("language", "turned"), [("he", True), ("en", False), ("fr", False)])
def test_a_letter_runs_in_the_direction_of_its_language(language: str, turned: bool) -> None:
    html = html_of(write(published(HEBREW(TEXT)), occasion("non-take-up"), language=language))
    assert (f'<html lang="{language}" dir="rtl"' in html) is turned
    # Many mail programs drop the outermost element, and some know no other alignment than this.
    letter = html.partition('<div class="letter"')[2].partition(">")[0]
    assert ('dir="rtl"' in letter and "text-align: right" in letter) is turned
    assert ("text-align: left" in letter) is not turned
