"""A plan as the comment on a proposed change: what a forge shows of it."""

from datetime import UTC, datetime

from html_reader import Reader
from markdown_it import MarkdownIt
from publishing import HEAD, TALK, edition

from pipeline.actions.build import Draft
from pipeline.actions.forecast import Forecast, Known, forecast
from pipeline.commands.proposal import as_markdown
from pipeline.language import words

NOW = datetime(2026, 2, 1, 10, tzinfo=UTC)
MAIL = HEAD + '[mail]\nfrom = "post@talks.example"\nlists = [{ address = "all@lists.example", language = "en" }]\n'
CANCELLED = TALK + 'status = "cancelled"\nnotice = "The room is flooded."\n'
CHOIR = TALK.replace("talk", "choir").replace("2026-10-20", "2026-02-03") + 'repeats = "FREQ=WEEKLY"\nduration = "2h"\n'


def proposed(*versions: str, **known: object) -> Forecast:
    """The forecast of publishing the last version on top of the others."""
    drawn = edition(*versions, head=MAIL)
    pending = tuple(line for line in drawn.ledger.lines if line.at == drawn.updated)
    return forecast(Draft(drawn, pending), Known(**known), NOW)  # type: ignore[arg-type]


def rows(markdown: str) -> list[list[str]]:
    """The cells of every table row, as a forge would show them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(markdown)
    found: list[list[str]] = []
    for number, token in enumerate(tokens):
        if token.type == "tr_open":
            found.append([])
        elif token.type in ("td_open", "th_open"):
            found[-1].append("".join(part.content for part in tokens[number + 1].children or []))
    return found


def test_each_change_says_what_becomes_of_its_calendar_entry_and_whether_the_feeds_tell() -> None:
    told = rows(as_markdown(proposed(TALK, CANCELLED), words("en")))
    assert ["talk", "cancelled", "notice, status", "cancelled", "new entry"] in told
    moved = rows(as_markdown(proposed(TALK, TALK.replace("19:00", "20:00")), words("en")))
    assert ["talk", "changed", "time", "entry is updated, calendars tell of it", "new entry"] in moved
    edited = rows(as_markdown(proposed(TALK, TALK.replace("A talk", "The talk")), words("en")))
    assert ["talk", "text edited", "title", "text of the entry", "nothing new"] in edited


def test_each_mail_says_when_it_leaves_and_to_whom() -> None:
    told = rows(as_markdown(proposed(TALK, readers=lambda _occasion: 12), words("en")))
    assert ["2026-10-06 10:00", "two-weeks-before", "talk", "subscribers: 12, all@lists.example"] in told


def test_what_does_not_leave_is_folded_and_told_once_for_all_dates() -> None:
    text = as_markdown(proposed(CHOIR), words("en"))
    reader = Reader(MarkdownIt("commonmark").render(text))
    assert "What will not leave, and why" in reader.text
    assert text.count("`recording`, `choir`") == 1
    assert "dates)" in text


def test_a_long_plan_says_how_much_more_there_is() -> None:
    text = as_markdown(proposed(CHOIR), words("en"))
    assert "tocsin plan` tells them all" in text
    assert len(text) < 20_000


def test_every_word_of_the_comment_can_be_another_language() -> None:
    text = as_markdown(proposed(TALK), lambda english: f"~{english}")
    assert "### ~What publishing this would change" in text
    assert [cell[:1] for cell in rows(text)[0]] == ["~"] * 5
