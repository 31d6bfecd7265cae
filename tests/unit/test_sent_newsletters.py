"""A newsletter that is out: a line of the ledger, a page and a feed entry that stay as it was sent."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import feedparser
import pytest
from html_reader import HOSTILE, Reader
from publishing import HEAD, TALK, catalogue

from pipeline import ledger as journal
from pipeline.actions.build import build
from pipeline.actions.mailing import replan, sending_edition
from pipeline.actions.newsletters import due_newsletters
from pipeline.actions.project import project_at
from pipeline.actions.publish import publish
from pipeline.catalogue.load import Source, load
from pipeline.cli import main
from pipeline.clock import FrozenClock
from pipeline.edition import Edition
from pipeline.ledger import Ledger, pending_lines
from pipeline.mending import mend, verify
from pipeline.outputs import render_all
from pipeline.outputs.entries import PAGE
from pipeline.rendering import Renderer
from pipeline.store.database import Database, open_database
from pipeline.store.holding import hold_campaign
from pipeline.store.switch import arm, installation

MARCH = """
[[newsletter]]
id = "march"
send = 2026-03-01T09:00:00
subject = { en = "News of March", fr = "Nouvelles de mars" }
text.en = "Come to **the talk**."
text.fr = "Venez à **l’exposé**."
"""
APRIL = '[[newsletter]]\nid = "april"\nsend = 2026-04-01T09:00:00\nsubject = "News of April"\ntext = "Hello."\n'
FIXED = (
    '[[newsletter]]\nid = "fixed"\nsend = 2026-03-03T09:00:00\nsubject = "The right day"\n'
    'text = "It is the 20th."\ncorrects = "march"\n'
)
LATER = TALK + 'recordings = ["https://video.example/1"]\n'
SENT = datetime(2026, 3, 1, 8, tzinfo=UTC)
WINTER = datetime(2026, 1, 5, 10, tzinfo=UTC)


def published(*steps: tuple[datetime, str], head: str = HEAD, ledger: Ledger | None = None) -> Edition:
    """The edition after publishing each text at its instant, as `tocsin publish` does."""
    ledger, loaded = ledger or Ledger(), catalogue("")
    for now, text in steps:
        loaded = catalogue(text, head)
        out = due_newsletters(Edition(loaded, ledger, now.date()), now)
        ledger = ledger.extended((*pending_lines(loaded, ledger, now), *out))
    return Edition(loaded, ledger, date(2026, 5, 1))


def out_of(edition: Edition) -> list[str]:
    return [sent.newsletter.id for sent in edition.newsletters]


def files(edition: Edition) -> dict[str, str]:
    wanted = (".html", ".xml", ".json")
    return {one.path: one.body.decode() for one in render_all(edition, Renderer()) if one.path.endswith(wanted)}


# ------------------------------------------------------------------------------------------- when it is out


def test_it_is_out_from_the_first_publication_after_its_hour_in_the_zone_of_the_series() -> None:
    text = TALK + MARCH
    before, at = SENT - timedelta(seconds=1), SENT
    assert out_of(published((WINTER, text), (before, text))) == []
    assert out_of(published((WINTER, text), (at, text))) == ["march"]


def test_a_long_text_with_typographic_marks_is_published() -> None:
    """Such prose is held in UTF-8, and the newsletter that is out takes it over from the one in the catalogue."""
    text = " ".join(["It’s the club’s evening – come."] * 10)
    newsletter = f'[[newsletter]]\nid = "long"\nsend = 2026-03-01T09:00:00\nsubject = "Long"\ntext = "{text}"\n'
    [sent] = published((WINTER, TALK + newsletter), (SENT, TALK + newsletter)).newsletters
    assert sent.newsletter.text is not None
    assert sent.newsletter.text.said_in("en").text == text


def test_its_line_is_the_same_whenever_it_is_written() -> None:
    """A job that publishes each night and keeps no ledger must not make an entry each night."""
    text = TALK + MARCH
    early = published((WINTER, text), (SENT + timedelta(minutes=1), text))
    late = published((WINTER, text), (SENT + timedelta(days=30), text))
    assert journal.write(early.ledger) == journal.write(late.ledger)
    assert early.newsletters[0].published == SENT


def test_what_was_published_after_it_left_is_not_in_it_and_comes_before_nothing_that_is_out() -> None:
    """The archives of the feeds are filled from the oldest: what is told late goes behind."""
    late = published((WINTER, TALK), (SENT + timedelta(days=2), LATER), (SENT + timedelta(days=3), LATER + MARCH))
    line = late.ledger.newsletters[0]
    assert line.at == SENT + timedelta(days=2, seconds=1)
    assert [news.text for news in late.newsletters[0].newsletter.told_in("en").recordings] == []


@pytest.mark.parametrize(
    ("head", "text"),
    [
        (HEAD + "[mail]\nhold = true\n", TALK + MARCH),
        (HEAD, TALK + '[[newsletter]]\nid = "empty"\nsend = 2026-03-01T09:00:00\nsubject = "E"\ninclude = ["news"]\n'),
    ],
)
def test_what_is_held_and_what_says_nothing_is_not_out(head: str, text: str) -> None:
    assert out_of(published((WINTER - timedelta(days=60), TALK), (SENT, text), head=head)) == []


def test_it_stays_as_it_was_sent_whatever_becomes_of_event_and_catalogue() -> None:
    first = published((WINTER, TALK + MARCH), (SENT, TALK + MARCH))
    moved = TALK.replace("10-20", "10-27").replace("A talk", "Another talk")
    changed = MARCH.replace("News of March", "Bad news").replace("03-01T09", "06-01T09")
    for text in (moved + MARCH, moved + changed, moved):
        later = published((SENT + timedelta(days=9), text), ledger=first.ledger)
        assert later.newsletters == first.newsletters
    assert "Tue 20 Oct 2026" in files(later)["newsletters/march/index.html"]


# ------------------------------------------------------------------------------------------- page and feeds


def test_it_has_a_page_in_every_language_which_home_subscribing_and_the_sitemap_lead_to() -> None:
    found = files(published((WINTER, TALK + MARCH), (SENT, TALK + MARCH)))
    english, french = (Reader(found[f"{tree}newsletters/march/index.html"]) for tree in ("", "fr/"))
    assert "News of March" in english.text
    assert "Come to the talk ." in english.text.replace("talk.", "talk .")
    assert "Tue 20 Oct 2026, 19:00 · A talk" in english.text
    assert "Town hall, 1, High Street, 75001 Paris" in english.text
    assert "Venez à l’exposé" in french.text
    assert "dimanche 1er mars 2026" in french.text.lower()
    assert french.all("link", rel="alternate", hreflang="en")[0]["href"] == (
        "https://talks.example/cycle/newsletters/march/"
    )
    assert english.all("link", rel="canonical")[0]["href"].endswith("/cycle/newsletters/march/")
    for page in ("index.html", "subscribe/index.html"):
        links = [link["href"] for link in Reader(found[page]).all("a")]
        assert any(link.endswith("newsletters/march/index.html") for link in links), page
    locations = re.findall("<loc>(.*?)</loc>", found["sitemap.xml"])
    assert "https://talks.example/cycle/fr/newsletters/march/" in locations
    home = found["index.html"]
    assert "newsletters" not in files(published((WINTER, TALK + MARCH)))["index.html"]
    assert "#newsletters" not in home  # three at most stand there without a way to the others


def test_home_shows_the_newest_three_and_leads_to_all() -> None:
    many = "".join(
        f'[[newsletter]]\nid = "n{day}"\nsend = 2026-03-0{day}T09:00:00\nsubject = "Day {day}"\ntext = "Hello."\n'
        for day in range(1, 6)
    )
    found = files(published((WINTER, TALK + many), (SENT + timedelta(days=9), TALK + many)))
    home, subscribing = (Reader(found[page]).text for page in ("index.html", "subscribe/index.html"))
    assert "Day 5" in home
    assert "Day 2" not in home
    assert "All newsletters" in home
    assert all(f"Day {day}" in subscribing for day in range(1, 6))


def test_the_three_feeds_bring_it_once_with_all_its_words() -> None:
    text = TALK.replace('venue = "hall"', 'venue = "hall"\ntags = ["tea"]') + MARCH + 'tags = ["tea"]\n'
    found = files(published((WINTER, text), (SENT, text)))
    for tree, said in (("", "Come to <strong>the talk</strong>."), ("fr/", "Venez à <strong>l’exposé</strong>.")):
        entries = [feedparser.parse(found[f"{tree}{name}"]).entries[0] for name in ("atom.xml", "rss.xml")]
        item = json.loads(found[f"{tree}feed.json"])["items"][0]
        address = f"https://talks.example/cycle/{tree}newsletters/march/"
        assert {entry.link for entry in entries} == {item["url"], address}.difference({""})
        assert {entry.id for entry in entries} == {item["id"]}
        assert all(said in html for html in (entries[0].content[0].value, item["content_html"]))
        assert f"https://talks.example/cycle/{tree}events/talk/" in item["content_html"]
        assert item["date_published"] == "2026-03-01T08:00:00Z"
        assert [entry.title for entry in entries] == [item["title"]] * 2
        assert "attachments" not in item
    ids = [json.loads(found[f"{tree}feed.json"])["items"][0]["id"] for tree in ("", "fr/")]
    assert ids[1] == f"{ids[0]}:fr"
    assert ids[0].startswith("tag:talks.example,2026-03-01:talks:march:newsletter-")
    assert feedparser.parse(found["tags/tea.atom.xml"]).entries[0].id == ids[0]
    assert "newsletters" not in found["soon.atom.xml"]


def test_a_correction_stands_on_the_page_and_the_entry_of_what_it_corrects() -> None:
    text = TALK + MARCH + FIXED
    found = files(published((WINTER, text), (SENT, text), (SENT + timedelta(days=2), text)))
    wrong, right = (Reader(found[f"newsletters/{name}/index.html"]) for name in ("march", "fixed"))
    assert "Corrected by a later one: The right day" in wrong.text
    assert "It corrects: News of March" in right.text
    items = {item["title"]: item for item in json.loads(found["feed.json"])["items"]}
    assert "Corrected on Tuesday 3 March 2026: The right day" in items["News of March"]["content_html"]
    assert items["News of March"]["date_modified"].startswith("2026-03-03T08:00:00")
    assert items["News of March"]["date_published"] == "2026-03-01T08:00:00Z"
    assert "Corrected" not in items["The right day"]["content_html"]
    told = [Reader(found[f"newsletters/{name}/index.html"]).all("a", rel="next") for name in ("march", "fixed")]
    assert [len(links) for links in told] == [1, 0]


def test_archives_hold_newsletters_and_never_change_for_one_that_comes_late() -> None:
    many = "".join(f'[[event]]\nid = "e{number}"\ntitle = "E"\ntba = ["date", "time"]\n' for number in range(PAGE))
    first = published((WINTER, TALK + many + MARCH), (SENT, TALK + many + MARCH))
    before = files(first)
    assert "archive/1.atom.xml" in before
    assert "News of March" not in before["archive/1.json"]
    late = FIXED.replace("03-03T09", "01-01T09")
    after = files(published((SENT + timedelta(days=30), TALK + many + MARCH + late), ledger=first.ledger))
    assert after["archive/1.atom.xml"] == before["archive/1.atom.xml"]
    assert json.loads(after["feed.json"])["items"][0]["title"] == "The right day"


def test_nothing_that_an_organiser_writes_runs() -> None:
    evil = """
[[newsletter]]
id = "evil"
send = 2026-03-01T09:00:00
subject = "</title><script>alert(1)</script>"
text = "<script>alert(2)</script> <iframe src=x></iframe> [x](javascript:alert(3)) ![p](https://evil.example/t.png)"
"""
    loaded = load(Source("events.toml", HOSTILE + evil)).catalogue
    ledger = Ledger(pending_lines(loaded, Ledger(), WINTER))
    ledger = ledger.extended(due_newsletters(Edition(loaded, ledger, SENT.date()), SENT))
    found = files(Edition(loaded, ledger, date(2026, 5, 1)))
    for path in ("newsletters/evil/index.html", "fr/newsletters/evil/index.html", "index.html", "subscribe/index.html"):
        page = Reader(found[path])
        assert not page.all("script", type="application/ld+json") or "evil" not in path
        assert all(script.get("type") == "application/ld+json" for script in page.all("script"))
        assert page.all("iframe") == []
        assert not [link for link in page.all("a") if link.get("href", "").startswith("javascript")]
        assert not [image for image in page.all("img") if "evil.example" in image.get("src", "")]
    html = json.loads(found["feed.json"])["items"][0]["content_html"]
    assert "<script" not in html
    assert "javascript:" not in html.replace("&", "").split('href="')[-1]


# ------------------------------------------------------------------------------------------- the ledger


def test_its_line_is_read_as_it_was_written_and_a_merge_keeps_both_sides() -> None:
    text = TALK + MARCH + APRIL
    base = published((WINTER, text))
    ours = published((SENT, text), ledger=base.ledger).ledger
    theirs = published((SENT + timedelta(days=1), LATER + MARCH + APRIL), ledger=base.ledger).ledger
    written = journal.write(ours)
    assert journal.read(written) == ours
    assert verify(written, "ledger.jsonl") == ()
    mine, yours = written.splitlines(), journal.write(theirs).splitlines()
    conflict = "\n".join(["<<<<<<< HEAD", *mine, "=======", *yours, ">>>>>>> other", ""])
    mended = journal.read(b"".join(mend(conflict, "ledger.jsonl").rows))
    assert mended == journal.read(journal.write(ours.extended(theirs.all_lines)))
    assert len(mended.newsletters) == 1
    assert len(mended.lines) == 2


@pytest.mark.parametrize(
    ("there", "typed", "said"),
    [
        ("Come to", "Run from", 'newsletter "march": the facts or the instant of this line were changed by hand'),
        ('"subject":{', '"object":{', 'newsletter "march": the facts of this line are not those of a newsletter'),
        ('"newsletter":"march"', '"newsletter":"may"', "are not those of a newsletter"),
        ('"newsletter":"march"', '"event":"march"', "this line has no `newsletter`"),
    ],
)
def test_a_line_that_a_hand_has_spoilt_is_named(there: str, typed: str, said: str) -> None:
    written = journal.write(published((WINTER, TALK + MARCH), (SENT, TALK + MARCH)).ledger)
    assert there in written
    assert any(said in str(problem) for problem in verify(written.replace(there, typed), "ledger.jsonl"))


def test_what_has_no_translation_is_shown_in_the_default_language_before_publishing_and_after() -> None:
    ours, theirs = (
        'default_language = "en"\nlanguages = ["en", "fr"]',
        'default_language = "fr"\nlanguages = ["fr", "en", "pt"]',
    )
    head = HEAD.replace(ours, theirs)
    text = TALK + MARCH.replace("text.en", "text.pt")
    drawn = published((WINTER, text), (SENT, text), head=head)
    kept = Edition(drawn.catalogue, journal.read(journal.write(drawn.ledger)), drawn.day)
    (one,), (other,) = drawn.newsletters, kept.newsletters
    for newsletter in (one.newsletter, other.newsletter):
        assert newsletter.subject.said_in("pt") == ("Nouvelles de mars", "fr")
        assert newsletter.text is not None
        assert newsletter.text.said_in("en") == ("Venez à **l’exposé**.", "fr")
        assert newsletter.told_in("de") == newsletter.told_in("fr") != newsletter.told_in("en")
    assert files(drawn) == files(kept)


# ------------------------------------------------------------------------------------------- publishing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "events.toml").write_text(HEAD + '[mail]\nfrom = "post@talks.example"\n' + TALK + MARCH)
    return tmp_path


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    clock = FrozenClock(WINTER)
    with open_database(f"sqlite:///{tmp_path / 'mail.db'}", clock) as database:
        yield database


def test_a_build_after_publishing_has_the_same_bytes_and_before_its_hour_another(
    folder: Path, database: Database
) -> None:
    project = project_at(folder / "events.toml")
    publish(project, database, WINTER)
    assert not (folder / "out/newsletters").exists()
    drawn = build(project, SENT)
    assert [line.event for line in drawn.draft.newsletters] == ["march"]
    assert (folder / "out/newsletters/march/index.html").exists()
    done = publish(project, database, SENT + timedelta(hours=5), SENT.date())
    assert done.files.written == ()
    assert build(project, SENT + timedelta(days=40), SENT.date()).files.written == ()
    assert len((folder / "ledger.jsonl").read_text().splitlines()) == 2


def test_a_build_that_remembers_what_it_made_has_the_same_files_as_one_that_does_not(
    folder: Path, database: Database, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project, events = project_at(folder / "events.toml"), folder / "events.toml"
    text = events.read_text()
    for wait, written in ((0, text), (1, text + FIXED), (3, text + FIXED), (40, text + FIXED + APRIL)):
        now = SENT + timedelta(days=wait)
        events.write_text(written)
        publish(project, database, now)
        fresh = tmp_path_factory.mktemp("fresh")
        for name in ("events.toml", "ledger.jsonl"):
            (fresh / name).write_bytes((folder / name).read_bytes())
        build(project_at(fresh / "events.toml"), now)
        assert tree(folder / "out") == tree(fresh / "out")
    assert out_of_folder(folder) == ["april", "fixed", "march"]


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def out_of_folder(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out" / "newsletters").iterdir())


def test_what_this_machine_held_back_does_not_become_a_page(folder: Path, database: Database) -> None:
    project = project_at(folder / "events.toml")
    publish(project, database, WINTER)
    _plan(database, SENT - timedelta(hours=1))
    key = "/newsletter.march/0"
    assert database.run(lambda connection: hold_campaign(connection, "talks", key, SENT)) == 0
    publish(project, database, SENT + timedelta(days=30))
    assert not (folder / "out/newsletters").exists()


def test_who_does_not_write_the_ledger_leaves_it_to_who_does(folder: Path, database: Database) -> None:
    project = project_at(folder / "events.toml")
    publish(project, database, WINTER)
    publish(project, database, SENT, writes=False)
    assert len((folder / "ledger.jsonl").read_text().splitlines()) == 1


def test_the_history_tells_of_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*words: str) -> str:
        assert main(["--catalogue", str(folder / "events.toml"), "--now", "2026-03-01T09:00:00Z", *words]) == 0
        return capsys.readouterr().out

    assert "march · News of March: newsletter that is out" in told("ledger", "diff")
    assert "march: newsletter that is out" in told("publish")
    assert "Sun 1 Mar 2026, 08:00  newsletter that is out" in told("ledger", "log", "march")
    entries = json.loads(told("--json", "ledger", "log", "march"))
    assert [(entry["newsletter"], entry["kind"]) for entry in entries] == [("march", "newsletter")]


def test_check_warns_of_an_edit_that_comes_too_late(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(*words: str) -> str:
        assert main(["--catalogue", str(folder / "events.toml"), "--now", "2026-03-01T09:00:00Z", *words]) == 0
        return "".join(capsys.readouterr())

    said("publish")
    assert "is out" not in said("check")
    events = folder / "events.toml"
    events.write_text(events.read_text().replace("Come to", "Run to"))
    line = events.read_text().split("\n").index("[[newsletter]]") + 1
    told = said("check")
    assert f"events.toml:{line}:" in told
    assert "newsletter 'march' is out and stays as it was sent" in told
    assert "with corrects = 'march'" in told


def _plan(database: Database, now: datetime) -> None:
    here = installation(database)
    database.run(lambda connection: arm(connection, here, now))
    database.run(lambda connection: replan(connection, sending_edition(connection, "talks", now), now))
