"""What a line of the ledger tells of a change, in words, in each language; and what an import loses of a bad time."""

import json
from datetime import date, time
from pathlib import Path

import pytest
from importing_project import HEAD, Project
from publishing import TALK, edition

from pipeline import ledger as journal
from pipeline.ledger import Ledger
from pipeline.ledger_lines import LineKind
from pipeline.mending import unlike_events
from pipeline.phrases.changes import changes
from pipeline.phrases.history import fact_changes, kind_word, title_in

BOTH = TALK.replace('title = "A talk"', 'title.en = "A talk"\ntitle.fr = "Une causerie"')
LETTER = (
    '[[newsletter]]\nid = "winter"\nsend = 2026-01-05T09:00:00\n'
    'subject.en = "Winter"\nsubject.fr = "L’hiver"\ntext = "Hello."\n'
)
ELSEWHERE = TALK.replace('"hall"', '"library"')
OFF = 'status = "cancelled"\nnotice = "Ill."\n'


@pytest.mark.parametrize(
    ("after", "language", "said"),
    [
        (TALK + 'online = "https://live.example/"\n', "en", ("Online", "", "https://live.example/")),
        (TALK + 'online = { secret = "TOCSIN_ROOM" }\n', "en", None),
        (TALK + OFF, "en", ("Status", "Confirmed", "Cancelled")),
        (TALK + OFF, "fr", ("Statut", "Confirmé", "Annulé")),
        (ELSEWHERE.replace("A talk", "Another"), "en", ("Title", "A talk", "Another")),
        (ELSEWHERE.replace('title = "A talk"', 'tba = ["title"]'), "en", ("Title", "A talk", "Title to be announced")),
        (
            TALK.replace('"hall"', '"library"'),
            "fr",
            ("Lieu", "Town hall, 1, High Street, 75001 Paris", "Library, Lyon"),
        ),
    ],
)
def test_each_change_is_said_as_it_was_and_as_it_is(after: str, language: str, said: tuple[str, ...] | None) -> None:
    published = edition(TALK, after)
    news = [change for one in published.news for change in changes(one, language)]
    assert said in map(tuple, news) if said else news == []


def test_the_history_speaks_the_language_of_its_reader() -> None:
    (first,) = edition(BOTH).ledger.of("talk")
    assert [title_in(first.facts, language) for language in ("en", "fr")] == ["A talk", "Une causerie"]
    *_, last = edition(BOTH, BOTH + 'price.en = "free"\nprice.fr = "gratuit"\n').ledger.of("talk")
    for language, price in (("en", "free"), ("fr", "gratuit")):
        [change] = fact_changes(first.facts, last.facts, language)
        assert (change.before, change.after) == ("", price)


@pytest.mark.parametrize(
    ("after", "language", "said"),
    [
        (OFF, "en", ("Status", "Confirmed", "Cancelled")),
        (OFF, "fr", ("Statut", "Confirmé", "Annulé")),
        ('status = "tentative"\n', "fr", ("Statut", "Confirmé", "Sous réserve")),
        ('spoken = ["en", "fr"]\n', "en", ("Spoken language", "", "English and French")),
        ('spoken = ["en", "fr"]\n', "fr", ("Langue", "", "anglais et français")),
    ],
)
def test_the_history_says_a_fact_as_feeds_and_pages_say_it(after: str, language: str, said: tuple[str, ...]) -> None:
    first, last = edition(TALK, TALK + after).ledger.of("talk")
    assert said in map(tuple, fact_changes(first.facts, last.facts, language))
    told_back = (said[0], said[2], said[1])
    assert told_back in map(tuple, fact_changes(last.facts, first.facts, language))


def test_the_dates_of_a_recurrence_are_told_by_their_days() -> None:
    weekly = TALK + 'repeats = "FREQ=WEEKLY;COUNT=5"\n'
    moved = 'moved = [{ from = 2026-10-27, date = 2026-10-28, time = "20:00" }]\n'
    first, *others = edition(weekly, f"{weekly}except = [2026-11-03]\n", weekly + moved).ledger.of("talk")
    told = [fact_changes(first.facts, other.facts, "en") for other in others]
    assert told[0] == (("Except", "", "Tue 3 Nov 2026"),)
    assert told[1] == (("Moved times", "", "Tue 27 Oct 2026: Wed 28 Oct 2026, 20:00"),)


def test_what_is_announced_at_last_is_told_once() -> None:
    unknown = TALK.replace('time = "19:00"', 'tba = ["time", "resources"]')
    first, second, third = edition(unknown, TALK + 'tba = ["resources"]\n', TALK).ledger.of("talk")
    assert [change.fact for change in fact_changes(first.facts, second.facts, "en")] == ["Date"]
    assert [change.fact for change in fact_changes(second.facts, third.facts, "en")] == ["To be announced"]


def test_a_newsletter_is_told_by_its_subject_and_named_as_one() -> None:
    ledger = edition(LETTER).ledger
    (line,) = ledger.newsletters
    assert [title_in(line.facts, language) for language in ("en", "fr")] == ["Winter", "L’hiver"]
    assert fact_changes(None, line.facts, "en") == ()
    assert line.about == 'newsletter "winter"'
    assert edition(TALK).ledger.lines[0].about == 'event "talk"'


@pytest.mark.parametrize(("day", "word"), [("2026-11-10", "has a new date"), ("2026-10-20", "takes place after all")])
def test_what_was_off_and_takes_place_on_another_day_says_so(day: str, word: str) -> None:
    *_, line = edition(TALK, TALK + OFF, TALK.replace("2026-10-20", day)).ledger.of("talk")
    assert line.kind is LineKind.REINSTATED
    assert line.redated is (day != "2026-10-20")
    undated = line._replace(facts={key: value for key, value in line.facts.items() if key != "date"})
    assert not undated.redated
    assert kind_word(line, str) == word


@pytest.fixture
def project(tmp_path: Path) -> Project:
    project = Project(tmp_path)
    project.write(HEAD)
    return project


def test_a_first_day_that_its_rule_does_not_name_stays_and_the_rule_goes(project: Project) -> None:
    done = project.bring(project.calendar("UID:1\nSUMMARY:X\nDTSTART:20270304T180000Z\nRRULE:FREQ=WEEKLY;BYDAY=FR"))
    [event] = project.catalogue.events
    assert (event.date, event.repeats, event.tba) == (date(2027, 3, 4), None, ("venue",))
    assert [one.values["fact"] for one in done.lost] == ["repeats"]


def test_the_hour_of_a_rule_is_lost_without_the_rule(project: Project) -> None:
    start = "DTSTART;TZID=Europe/Paris:20270328T023000"
    done = project.bring(project.calendar(f"UID:1\nSUMMARY:X\n{start}\nRRULE:FREQ=WEEKLY;COUNT=3"))
    [event] = project.catalogue.events
    assert (event.time, event.repeats) == (None, "FREQ=WEEKLY;COUNT=3")
    assert [one.values["fact"] for one in done.lost] == ["time"]


def test_an_hour_that_the_clocks_skip_is_lost_alone_and_said_to_come(project: Project) -> None:
    row = {"@type": "Event", "name": "X", "startDate": "2027-03-28T02:30:00", "endDate": "2027-03-28T04:00:00"}
    file = project.folder / "x.json"
    file.write_text(json.dumps([row, {"@type": "Event", "name": "Y", "startDate": "2027-03-29T19:00:00"}]))
    done = project.bring(file)
    first, second = project.catalogue.events
    assert (first.date, first.time, first.tba) == (date(2027, 3, 28), None, ("time", "venue"))
    assert (second.date, second.time, second.tba) == (date(2027, 3, 29), time(19), ("venue",))
    assert "does not exist" in "\n".join(map(str, done.lost))


def test_facts_that_no_event_could_have_are_found_before_anything_is_shown_of_them() -> None:
    ledger = edition(TALK).ledger
    (line,) = ledger.lines
    assert unlike_events(ledger, journal.write(ledger), "ledger.jsonl") == ()
    spoilt = Ledger.holding([line._replace(facts={"id": "talk", "title": 3})])
    [problem] = unlike_events(spoilt, journal.write(spoilt), "ledger.jsonl")
    assert (problem.line, problem.key) == (1, 'event "talk"')
    assert problem.what() == "the facts of this line are not those of an event"
