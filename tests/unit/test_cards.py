"""The pictures of shared links: what stands on them is legible, small, the same each time, and drawn only once."""

import hashlib
import io
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from checkout import ROOT
from html_reader import Reader
from letter_writing import replaced
from PIL import Image

from pipeline import ledger as journal
from pipeline.actions.build import draft, files_of
from pipeline.actions.project import Project, project_at
from pipeline.catalogue.load import Source, load
from pipeline.edition import Edition
from pipeline.outputs import card_drawing
from pipeline.outputs.card_drawing import _font, drawn, ground, luminance
from pipeline.outputs.cards import _DRAWABLE, LATEST, Card, Cards
from pipeline.outputs.colours import CSS_COLOURS

CARD = Card("en", "Thursday talks", "What bees know", "", "Thursday 4 March 2027, 19:00", "The hall, Paris", "teal")
BOARDS = {
    "short": CARD,
    "french": Card(
        "fr", "Cycle d’été", "Où l’œuvre naît : « çà et là »", "Reporté", "Jeudi 4 mars 2027", "Évry", "#fff"
    ),
    "long": Card("en", "S" * 300, "x" * 300, "Cancelled", "d" * 200, "p" * 200, "yellow"),
    "many words": Card("en", "Talks", "of bees and the meadow " * 13, "", "To be announced", "", ""),
    "nothing but a title": Card("en", "", "A", "", "", "", "black"),
}


def opened(card: Card) -> Image.Image:
    return Image.open(io.BytesIO(drawn(card)))


def edition_of(text: str, seed_ledger: journal.Ledger) -> Edition:
    catalogue = load(Source("events.toml", text)).catalogue
    ledger = seed_ledger.extended(journal.pending_lines(catalogue, seed_ledger, seed_ledger.lines[-1].at))
    return Edition(catalogue, ledger, date(2022, 10, 1))


@pytest.mark.parametrize("card", BOARDS.values(), ids=BOARDS)
def test_whatever_stands_on_it_it_is_1200_by_630_small_and_keeps_its_margins(card: Card) -> None:
    picture = opened(card)
    assert (picture.format, picture.size) == ("PNG", (1200, 630))
    assert len(drawn(card)) <= 45_000
    white = picture.convert("L")
    back = white.getpixel((600, 4))
    # The bar of the series stands at the left; the other edges are free.
    for box in ((19, 0, 1200, 50), (19, 600, 1200, 630), (1125, 0, 1200, 630), (19, 0, 78, 630)):
        assert white.crop(box).getextrema() == (back, back), box
    assert white.crop((80, 50, 1120, 600)).getextrema()[1] > 240


def test_title_status_and_foot_never_meet() -> None:
    picture = opened(BOARDS["long"]).convert("L")
    back = picture.getpixel((600, 4))
    rows = [picture.crop((80, y, 1120, y + 1)).getextrema() != (back, back) for y in range(630)]
    blocks = sum(1 for before, now in zip([False, *rows], rows, strict=False) if now and not before)
    # The series, the word for its state, at least two lines of title, when in two lines, where in two.
    assert blocks >= 7


@pytest.mark.parametrize("color", ["", *sorted(CSS_COLOURS)[::7], "yellow", "white", "black", "#0f0", "not a colour"])
def test_white_words_have_contrast_on_every_colour(color: str) -> None:
    assert 1.05 / (luminance(ground(color)) + 0.05) >= 7


def test_each_letter_that_counts_as_drawable_has_a_glyph_in_every_weight() -> None:
    letters = [chr(code) for code in range(0x20, 0x2100) if _DRAWABLE.fullmatch(chr(code))]
    for weight in ("Bold", "Semibold", "Regular"):
        font = _font(weight, 42)
        nothing = bytes(font.getmask("\U0010fffe"))
        missing = [
            letter for letter in letters if bytes(font.getmask(letter)) == nothing and font.getmask(letter).size[0]
        ]
        assert missing == [], weight


def test_a_title_in_letters_that_the_font_lacks_shows_the_card_of_the_series(
    seed_text: str, seed_ledger: journal.Ledger
) -> None:
    title = "The consequences of digitization on the non-take-up of social rights"
    for typed in ("蜜蜂知道什么", "ما يعرفه النحل", "Bees \U0001f41d"):
        edition = edition_of(replaced((title, typed))(seed_text), seed_ledger)
        listing = next(one for one in edition.shown if one.event.id == "non-take-up")
        cards = Cards(edition)
        assert cards.of_event(listing, "en") == cards.of_series("en") != None  # noqa: E711


def test_the_organisers_own_picture_wins(seed_text: str, seed_ledger: journal.Ledger) -> None:
    own = replaced(('id = "non-take-up"', 'id = "non-take-up"\nimage = "bees.png"\nimage_alt.en = "Bees"'))(seed_text)
    edition = edition_of(own, seed_ledger)
    named = {card.title for card in Cards(edition)}
    assert not any("non-take-up" in title for title in named)
    whole = edition_of(replaced(("[series]", '[series]\nimage = "all.png"'))(seed_text), seed_ledger)
    assert list(Cards(whole)) == []


def test_old_events_of_a_long_series_go_without_and_the_day_changes_nothing() -> None:
    sys.path.insert(0, str(ROOT / "bench"))
    from catalogue import catalogue

    found = load(Source("events.toml", catalogue(LATEST + 20))).catalogue
    ledger = journal.Ledger().extended(journal.pending_lines(found, journal.Ledger(), date_of(2027)))
    early, late = (Cards(Edition(found, ledger, date(year, 1, 1))) for year in (2026, 2035))
    assert {card.path for card in early} == {card.path for card in late}
    assert len({card.path for card in early}) == 2 * (LATEST + 1)


def date_of(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=UTC)


def bodies(project: Project, edition: Edition) -> dict[str, bytes]:
    return {artifact.path: artifact.body for artifact in files_of(project, edition)}


def test_each_page_names_its_card_and_each_card_that_is_named_is_there(tmp_path: Path, seed_text: str) -> None:
    (tmp_path / "events.toml").write_text(seed_text, encoding="utf-8")
    project = project_at(tmp_path / "events.toml")
    edition = draft(project, date_of(2022)).edition
    files = bodies(project, edition)
    named = set()
    for path in ("index.html", "fr/index.html", "events/non-take-up/index.html", "fr/events/non-take-up/index.html"):
        page = Reader(files[path].decode())
        meta = {one["property"]: one["content"] for one in page.all("meta") if one.get("property")}
        assert (meta["og:image:width"], meta["og:image:height"]) == ("1200", "630")
        assert meta["og:image:alt"]
        named.add(meta["og:image"].partition("/assets/")[2])
    assert len(named) == 4
    assert all(f"assets/{name}" in files for name in named)
    assert any("25 octobre 2022" in card.when.lower() for card in Cards(edition))


@pytest.mark.parametrize(
    ("language", "status", "title", "said"),
    [
        ("fr", "Reporté", "Qui décide ?", "Reporté\u00a0: Qui décide ? Jeudi. Évry"),
        ("en", "Cancelled", "Who decides.", "Cancelled: Who decides. Jeudi. Évry"),
        ("en", "", "Who decides", "Who decides. Jeudi. Évry"),
    ],
)
def test_who_does_not_see_a_card_reads_its_words(language: str, status: str, title: str, said: str) -> None:
    alternative = Card(language, "Talks", title, status, "Jeudi", "Évry", "").picture.alt
    assert alternative is not None
    assert alternative.text == said


def test_a_card_that_is_in_out_is_not_drawn_again(
    tmp_path: Path, seed_text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "events.toml").write_text(seed_text, encoding="utf-8")
    project = project_at(tmp_path / "events.toml")
    edition = draft(project, date_of(2022)).edition
    files = {path: body for path, body in bodies(project, edition).items() if path.startswith("assets/cards/")}
    for path, body in files.items():
        (project.out / path).parent.mkdir(parents=True, exist_ok=True)
        (project.out / path).write_bytes(body)
    spoilt = next(iter(files))
    (project.out / spoilt).write_bytes(files[spoilt][:100])
    drawings = []
    monkeypatch.setattr(card_drawing, "drawn", lambda card: drawings.append(card.path) or files[f"assets/{card.path}"])
    assert {path: body for path, body in bodies(project, edition).items() if path in files} == files
    assert [f"assets/{path}" for path in drawings] == [spoilt]


def test_another_process_draws_the_same_bytes() -> None:
    program = (
        "import sys, hashlib; from pipeline.outputs.cards import Card; "
        "from pipeline.outputs.card_drawing import drawn; "
        f"sys.stdout.write(hashlib.sha256(drawn({BOARDS['french']!r})).hexdigest())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "7", "LC_ALL": "C"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == hashlib.sha256(drawn(BOARDS["french"])).hexdigest()
